"""imgload beside the real ab, in turn, on the same server: python -m tests.load.bench_imgload [ROUNDS]

First whether both measure the same: requests a second and percentiles on a server of known speed. Then how fast
each can ask: on a server that does nothing but answer, with the client on one processor and the server on
another, and how much of its processor each spends on a request. Medians of ROUNDS, and of the ratios of pairs.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.load.commands import figures

PROGRAMS = {"ab": ["ab"], "imgload": [sys.executable, "-m", "imgload"]}
STEADY = {1: 400, 10: 3000, 100: 3000}  # concurrency → requests; about eight seconds each
FAST = {
    "a connection for each request": (("-c", "100"), 20_000),
    "kept connections": (("-c", "100", "-k"), 60_000),
}


@dataclass(frozen=True)
class Run:
    """One run of one program: requests a second, milliseconds, processor microseconds for each request."""

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float


def measure(program: str, flags: tuple[str, ...], requests: int, url: str) -> Run:
    """Run it on the first processor."""
    with tempfile.TemporaryDirectory() as folder:
        shares = Path(folder) / "shares"
        command = [*PROGRAMS[program], "-q", "-n", str(requests), *flags, "-e", str(shares), url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=_pinned(0))
        assert process.stdout is not None
        found = figures(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or found["Failed requests"] != "0":
            raise RuntimeError(f"{program} failed: {found}")
        with shares.open() as file:
            times = {row[0]: float(row[1]) for row in list(csv.reader(file))[1:]}
    cpu = (usage.ru_utime + usage.ru_stime) / requests * 1e6
    return Run(float(found["Requests per second"].split()[0]), times["50"], times["95"], times["99"], cpu)


def _pinned(processor: int) -> Callable[[], None] | None:
    """Bind a child process to one processor, if the system supports it and there are two."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        return None
    return lambda: os.sched_setaffinity(0, {processor})


@contextmanager
def server(module: str) -> Iterator[str]:
    """The URL of a server on the second processor."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_pinned(1),
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
    finally:
        process.communicate(timeout=30)


def _each(act: Callable[[str], Run]) -> tuple[Run, Run]:
    """The same with ab, then with imgload."""
    return act("ab"), act("imgload")


def show(title: str, runs: list[tuple[Run, Run]], fields: dict[str, str]) -> None:
    """Return for each field both medians, the median of the pairs' ratios, and the range of these."""
    print(f"\n{title}\n{'':28}{'ab':>12}{'imgload':>12}{'ratio':>10}   (least to most)")
    for field, name in fields.items():
        values = [(getattr(theirs, field), getattr(ours, field)) for theirs, ours in runs]
        ratios = sorted(ours / theirs for theirs, ours in values)
        ab, ours = (statistics.median(column) for column in zip(*values, strict=True))
        line = f"{name:28}{ab:12.2f}{ours:12.2f}{statistics.median(ratios):10.2f}"
        print(f"{line}   ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--only", choices=("same", "fast"), help="one of both parts")
    options = parser.parse_args()
    if options.only != "fast":
        same(options.rounds)
    if options.only != "same":
        fast(options.rounds)


def same(rounds: int) -> None:
    """Whether both say the same of a server of known speed."""
    fields = {"rate": "requests a second", "p50": "p50, ms", "p95": "p95, ms", "p99": "p99, ms"}
    with server("tests.load.steady_server") as url:
        for concurrency, requests in STEADY.items():
            flags = ("-c", str(concurrency))
            runs = [_each(lambda program: measure(program, flags, requests, url)) for _ in range(rounds)]  # noqa: B023
            show(f"The same server, {concurrency} at a time, {requests} requests", runs, fields)


def fast(rounds: int) -> None:
    """How many requests a second each can send, and what one costs."""
    fields = {"rate": "requests a second", "cpu": "processor, µs a request"}
    with server("tests.load.fast_server") as url:
        for name, (flags, requests) in FAST.items():
            runs = [_each(lambda program: _marginal(program, flags, requests, url)) for _ in range(rounds)]  # noqa: B023
            show(f"As fast as it goes, {name}, {requests} requests", runs, fields)


def _marginal(program: str, flags: tuple[str, ...], requests: int, url: str) -> Run:
    """A run whose ``cpu`` is what each further request costs: without what is spent before the first one."""
    few, many = (measure(program, flags, count, url) for count in (requests // 4, requests))
    return replace(many, cpu=(many.cpu - few.cpu / 4) / 0.75)


if __name__ == "__main__":
    main()
