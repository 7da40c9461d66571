"""Decode and render hostile files in processes of their own, and return what became of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hostile import Outcome

ROOT = Path(__file__).parents[2]


def judged(paths: Sequence[Path]) -> list[Outcome]:
    """Return what became of each file, tried by one clean process for each core."""
    workers = min(2, os.cpu_count() or 1)
    shares = [paths[index::workers] for index in range(workers)]
    # Freed memory goes back to the system at once, or one file's children would inherit another's.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}

    def outcome_lines(share: Sequence[Path]) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.hostile"],
            cwd=ROOT,
            env=environment,
            input="\n".join(str(path) for path in share),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    with ThreadPoolExecutor(workers) as pool:  # all are read at once: a full pipe would stop a process
        outcomes = [Outcome(**json.loads(line)) for lines in pool.map(outcome_lines, shares) for line in lines]
    assert len(paths) == len(outcomes)
    return outcomes


def faults(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each file that did harm."""
    return [f"{outcome.name}: {outcome.fault} {outcome.message}" for outcome in outcomes if outcome.fault]
