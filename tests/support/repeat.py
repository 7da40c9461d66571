"""Run `make test` several times, some of them beside a process that keeps one processor busy; print a table.

::

    ORDER=random python -m tests.support.repeat 10 --busy 5
    ORDER=random python -m tests.support.repeat 10 --together 2
    python -m tests.support.repeat 3 --target check

With --together, runs share the processors, each in a fresh clone of the last commit. The output of each run is
kept in .local/repeat. The exit code is 1 when any run failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any

from tests.support import guarded

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".local" / "repeat"
# Ends by itself when the process that started it is gone.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    pass"
_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)|^--- +[\d.]+ s  FAILED  (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One finished run. busy: a processor was kept busy meanwhile. failures: failed tests and stages."""

    number: int
    busy: bool
    seconds: float
    passed: bool
    failures: tuple[str, ...]

    def __str__(self) -> str:
        ended = "passed" if self.passed else f"FAILED {', '.join(self.failures)}".rstrip()
        return f"{self.number:3}  {'busy' if self.busy else '-':4}  {self.seconds:6.0f} s  {ended}"


@contextmanager
def busy_processor() -> Iterator[subprocess.Popen[bytes]]:
    """Keep one processor busy until the end of the block."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        try:
            yield process
        finally:
            process.kill()


def repeat(
    command: Sequence[str], count: int, busy: int, logs: Path, folders: Sequence[Path] = (ROOT,)
) -> Iterator[Run]:
    """Run a command ``count`` times, the last ``busy`` of them beside a busy processor; yield each run.

    logs: folder of what the runs print; what it had is removed. folders: where the command runs, in each of
    them once at a time.
    """
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    free: SimpleQueue[Path] = SimpleQueue()
    for folder in folders:
        free.put(folder)
    running: set[subprocess.Popen[Any]] = set()
    stopped = Event()

    def run(number: int) -> Run:
        beside, folder, start = number > count - busy, free.get(), time.monotonic()
        log = logs / f"{number:02}.log"
        try:
            with (
                busy_processor() if beside else nullcontext(),
                log.open("wb") as output,
                guarded.started(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT) as process,
            ):
                running.add(process)
                if stopped.is_set():
                    _terminate(process)
                code = process.wait()
                running.discard(process)
        finally:
            free.put(folder)
        failures = tuple(test or stage for test, stage in _FAILURE.findall(log.read_text(errors="replace")))
        return Run(number, beside, time.monotonic() - start, code == 0, failures)

    pool = ThreadPoolExecutor(len(folders))
    try:
        yield from pool.map(run, range(1, count + 1))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        stopped.set()
        for process in running.copy():
            _terminate(process)
        pool.shutdown()


def _terminate(process: subprocess.Popen[Any]) -> None:
    """End make and what it has started: make alone would leave that running."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


@contextmanager
def clones(count: int) -> Iterator[list[Path]]:
    """Return so many fresh clones of this repository's last commit; remove them at the end."""
    with tempfile.TemporaryDirectory(prefix="repeat-") as parent:
        folders = [Path(parent) / str(number) for number in range(count)]
        for folder in folders:
            subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        yield folders


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def main(arguments: list[str] | None = None) -> int:
    """Print a line after each run and a summary at the end; return the exit code."""
    parser = argparse.ArgumentParser(description="Run a target of make several times.")
    parser.add_argument("count", type=_positive, help="number of runs")
    parser.add_argument(
        "--busy", type=int, default=0, help="how many of them, the last ones, run beside a busy process"
    )
    parser.add_argument(
        "--together", type=_positive, default=1, help="how many run at a time, each in a fresh clone"
    )
    parser.add_argument("--target", default="test", help="target of make")
    asked = parser.parse_args(arguments)
    print(f"make {asked.target}; the output of each run is in {LOGS}", flush=True)
    failed, seconds = 0, []
    with clones(asked.together) if asked.together > 1 else nullcontext([ROOT]) as folders:
        for run in repeat(["make", asked.target], asked.count, asked.busy, LOGS, folders):
            print(run, flush=True)
            failed += not run.passed
            seconds.append(run.seconds)
    if seconds:
        print(f"{asked.count} runs, {failed} failed; {min(seconds):.0f} to {max(seconds):.0f} s")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(guarded.until_terminated(main))
