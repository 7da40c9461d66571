"""The stages of `make check`, `make lint` and `make test`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.stages import Stage, failures


def stage(name: str, program: str, *, live: bool = False) -> Stage:
    return Stage(name, (sys.executable, "-c", program), live)


def test_failures_every_stage_runs_and_the_failed_ones_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    stages = [
        stage("first", "print('hidden')"),
        stage("second", "print('shown'); raise SystemExit(1)"),
        stage("third", "print('as it comes')", live=True),
        stage("fourth", "raise SystemExit(3)"),
    ]
    assert ["second", "fourth"] == list(failures(stages))
    said = capfd.readouterr().out
    assert ["passed", "FAILED", "passed", "FAILED"] == [
        line.split()[3] for name in ("first", "second", "third", "fourth")
        for line in said.splitlines() if line.startswith("--- ") and line.endswith(f"  {name}")
    ]  # fmt: skip
    assert ("hidden" in said, "shown" in said, "as it comes" in said) == (False, True, True)


def test_failures_a_live_stage_starts_after_the_stages_before_it_have_ended(tmp_path: Path) -> None:
    write = f"import pathlib; pathlib.Path({str(tmp_path)!r}, 'written').touch()"
    read = f"import pathlib; raise SystemExit(not pathlib.Path({str(tmp_path)!r}, 'written').exists())"
    assert [] == list(failures([stage("write", write), stage("read", read, live=True)]))
