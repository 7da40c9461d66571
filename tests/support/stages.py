"""Run the stages of `make check`, `make lint` or `make test`, and print a line with the time of each.

::

    python -m tests.support.stages check

The output of a test stage is shown while it runs. The other stages run beside it; their output is shown only
when they fail. All stages run, so that one run shows every failure; the exit code is 1 when any stage failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.support import guarded, node
from tests.support.catalogue import drills
from tests.support.shared import SPACE, memory_folder

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Stage:
    """A command, run from the repository's root.

    live: its output is passed on as it comes. in_memory: bytes of temporary files; they are in memory where as
    many are free.
    """

    name: str
    command: tuple[str, ...]
    live: bool = False
    in_memory: int = 0


def pytest_stage(name: str, *arguments: str, in_memory: int = 0) -> Stage:
    """Return a stage that runs pytest with a worker for each processor."""
    options = ("-n", "auto", "--dist", "loadscope", "--no-loadscope-reorder", "--durations", "10", "-q")
    command = (sys.executable, "-m", "pytest", *options, *arguments)
    return Stage(name, command, live=True, in_memory=in_memory)


FORMAT = Stage("format (ruff)", (str(BIN / "ruff"), "format", "--check", "."))
LINT = Stage("lint (ruff)", (str(BIN / "ruff"), "check", "."))
SHELL = Stage("lint (shellcheck)", ("sh", "-c", "git ls-files '*.sh' .ci/run | xargs shellcheck"))
TYPES = Stage("types (mypy)", (str(BIN / "mypy"),))
JAVASCRIPT = Stage("lint (eslint, stylelint)", (sys.executable, "-m", "tests.support.javascript"))
ANSIBLE = Stage("Ansible (ansible-lint)", (str(BIN / "ansible-lint"), "--offline"))
SYSTEM = Stage("system packages", ("sh", "tests/system.sh"), live=True)
STATIC = (FORMAT, LINT, SHELL, TYPES, JAVASCRIPT)
# The tests that share an account or a running gallery are shown to pass in their files' order only.
ORDER = () if os.environ.get("ORDER") == "random" else ("--randomly-dont-reorganize",)
# Measuring costs processor time in every process that a test starts.
COVERAGE = ("--cov", "--cov-report=term") if os.environ.get("COVERAGE") == "on" else ()
PLANS = {
    "lint": (*STATIC, ANSIBLE),
    "check": (*STATIC, pytest_stage("unit and web tests", "tests/unit", "tests/web", in_memory=SPACE)),
    "test": (SYSTEM, *STATIC, ANSIBLE, pytest_stage("all tests", *ORDER, *COVERAGE, in_memory=2 * SPACE)),
}
LEFT_OUT = {
    "check": "Left out: all tests that need a server, a browser or Ansible, and ansible-lint (make test).",
    "test": f"Left out: {len(drills())} drills, which take minutes each: {', '.join(drills())} (make drill).",
}


def run(stage: Stage) -> bool:
    """Run one stage and print its line; return whether it passed."""
    environ = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    if stage.in_memory and (folder := memory_folder(space=stage.in_memory)):
        environ["TMPDIR"] = str(folder)
    start = time.monotonic()
    if stage.live:
        _say(f"--- {stage.name}")
    output = None if stage.live else subprocess.PIPE
    with guarded.started(
        stage.command, cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT, text=True
    ) as process:
        said, _ = process.communicate()
    passed = process.returncode == 0
    said = "" if passed else said or ""
    _say(said + line(stage, passed, time.monotonic() - start))
    return passed


def _say(text: str) -> None:
    """Print in one write: stages run beside each other, and print() writes the end of the line apart."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def failures(stages: Sequence[Stage]) -> list[str]:
    """Run the live stages in order, the others beside them; return the names of those that failed.

    Beside a live stage one other runs at a time, because pytest has a worker for each processor already.
    """
    live = [stage for stage in stages if stage.live]
    pool = ThreadPoolExecutor(1 if live else os.cpu_count())
    try:
        others = {stage: pool.submit(run, stage) for stage in stages if not stage.live}
        passed = {stage: run(stage) for stage in live}
        passed |= {stage: result.result() for stage, result in others.items()}
    finally:
        pool.shutdown(cancel_futures=True)
    return [stage.name for stage in stages if not passed[stage]]


def line(stage: Stage, passed: bool, seconds: float) -> str:
    """Return the line that reports a stage."""
    return f"--- {seconds:6.1f} s  {'passed' if passed else 'FAILED'}  {stage.name}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every stage of a plan; return the exit code."""
    parser = argparse.ArgumentParser(description="Run the stages of a target of make.")
    parser.add_argument("plan", choices=PLANS)
    plan = parser.parse_args(arguments).plan
    start = time.monotonic()
    no_javascript = node.missing()
    stages = [stage for stage in PLANS[plan] if not (stage is JAVASCRIPT and no_javascript)]
    failed = failures(stages)
    if no_javascript:
        print(f"Left out: {JAVASCRIPT.name}, because {no_javascript}.")
    if plan in LEFT_OUT:
        print(LEFT_OUT[plan])
    ended = f"failed: {', '.join(failed)}" if failed else "all passed"
    print(f"make {plan}: {time.monotonic() - start:.0f} s; {ended}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(guarded.until_terminated(main))
