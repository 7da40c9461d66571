"""Decode and render hostile files in processes of their own, and return what became of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.hostile import Outcome

ROOT = Path(__file__).parents[2]


def judged(paths: Sequence[Path]) -> list[Outcome]:
    """Return what became of each file, tried by one clean process for each core."""
    workers = min(2, os.cpu_count() or 1)
    shares = [paths[index::workers] for index in range(workers)]
    # Freed memory goes back to the system at once, or one file's children would inherit another's.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.hostile"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in shares
    ]
    for process, share in zip(running, shares, strict=True):
        assert process.stdin
        process.stdin.write("\n".join(str(path) for path in share))
        process.stdin.close()
    reported = [process.stdout.read() for process in running if process.stdout]
    assert [0] * workers == [process.wait() for process in running]
    outcomes = [Outcome(**json.loads(line)) for text in reported for line in text.splitlines()]
    assert len(paths) == len(outcomes)
    return outcomes


def faults(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each file that did harm."""
    return [f"{outcome.name}: {outcome.fault} {outcome.message}" for outcome in outcomes if outcome.fault]
