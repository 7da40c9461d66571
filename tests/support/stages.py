"""Run the stages of `make check`, `make lint` or `make test`, and print a line with the time of each.

::

    python -m tests.support.stages check

The output of a test stage is shown while it runs, that of another stage only when it fails. Stages of the
second kind run side by side. All stages run, so that one run shows every failure; the exit code is 1 when any
stage failed.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.support import javascript
from tests.support.catalogue import drills

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Stage:
    """A command, run from the repository's root. ``live``: its output is passed on as it comes."""

    name: str
    command: tuple[str, ...]
    live: bool = False


def pytest_stage(name: str, *arguments: str) -> Stage:
    """Return a stage that runs pytest with a worker for each processor."""
    options = ("-n", "auto", "--dist", "loadscope", "--no-loadscope-reorder", "--durations", "10", "-q")
    return Stage(name, (sys.executable, "-m", "pytest", *options, *arguments), live=True)


FORMAT = Stage("format (ruff)", (str(BIN / "ruff"), "format", "--check", "."))
LINT = Stage("lint (ruff)", (str(BIN / "ruff"), "check", "."))
SHELL = Stage("lint (shellcheck)", ("sh", "-c", "git ls-files '*.sh' .ci/run | xargs shellcheck"))
TYPES = Stage("types (mypy)", (str(BIN / "mypy"),))
JAVASCRIPT = Stage("lint (eslint, stylelint)", (sys.executable, "-m", "tests.support.javascript"))
ANSIBLE = Stage("Ansible (ansible-lint)", (str(BIN / "ansible-lint"), "--offline"))
SYSTEM = Stage("system packages", ("sh", "tests/system.sh"), live=True)
STATIC = (TYPES, JAVASCRIPT, FORMAT, LINT, SHELL)  # the longest first, because they run side by side
# The tests that share an account or a running gallery are shown to pass in their files' order only.
ORDER = () if os.environ.get("ORDER") == "random" else ("--randomly-dont-reorganize",)
# Measuring costs processor time in every process that a test starts.
COVERAGE = ("--cov", "--cov-report=term") if os.environ.get("COVERAGE") == "on" else ()
PLANS = {
    "lint": (ANSIBLE, *STATIC),
    "check": (*STATIC, pytest_stage("unit and web tests", "tests/unit", "tests/web")),
    "test": (SYSTEM, ANSIBLE, *STATIC, pytest_stage("all tests", *ORDER, *COVERAGE)),
}
LEFT_OUT = {
    "check": "Left out: all tests that need a server, a browser or Ansible, and ansible-lint (make test).",
    "test": f"Left out: {len(drills())} drills, which take minutes each: {', '.join(drills())} (make drill).",
}


def run(stage: Stage) -> bool:
    """Run one stage and print its line; return whether it passed."""
    environ = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    start = time.monotonic()
    if stage.live:
        print(f"--- {stage.name}", flush=True)
    output = None if stage.live else subprocess.PIPE
    done = subprocess.run(
        stage.command, cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT, text=True, check=False
    )
    passed = done.returncode == 0
    said = "" if passed else done.stdout or ""
    print(said + line(stage, passed, time.monotonic() - start), flush=True)  # one write: others print too
    return passed


def failures(stages: Sequence[Stage]) -> Iterator[str]:
    """Run stages, those that are not live side by side; yield the names of those that failed."""
    for live, group in itertools.groupby(stages, key=lambda stage: stage.live):
        together = tuple(group)
        with ThreadPoolExecutor(1 if live else os.cpu_count()) as pool:
            results = list(pool.map(run, together))
        yield from (stage.name for stage, passed in zip(together, results, strict=True) if not passed)


def line(stage: Stage, passed: bool, seconds: float) -> str:
    """Return the line that reports a stage."""
    return f"--- {seconds:6.1f} s  {'passed' if passed else 'FAILED'}  {stage.name}"


def main(plan: str) -> int:
    """Run every stage of a plan; return the exit code."""
    start = time.monotonic()
    no_javascript = javascript.missing()
    stages = [stage for stage in PLANS[plan] if not (stage is JAVASCRIPT and no_javascript)]
    failed = list(failures(stages))
    if no_javascript:
        print(f"Left out: {JAVASCRIPT.name}, because {no_javascript}.")
    if plan in LEFT_OUT:
        print(LEFT_OUT[plan])
    ended = f"failed: {', '.join(failed)}" if failed else "all passed"
    print(f"make {plan}: {time.monotonic() - start:.0f} s; {ended}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
