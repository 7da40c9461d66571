"""ab and imgload as programs: what they printed and how they ended.

locust takes a second to load. ``Warm`` loads it once and runs each imgload in a fork of that process.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.programs import program


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    code: int
    out: str
    err: str


def ab(*arguments: str) -> Ended:
    """The real one, of Debian's apache2-utils."""
    program("ab", package="apache2-utils")
    return run(["ab", *arguments])  # its messages begin with the name by which it was called


def run(command: list[str], timeout: float = 120) -> Ended:
    """Any program."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


class Warm:
    """Runs imgload with these arguments as if it were called anew."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, *arguments: str) -> Ended:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


@contextmanager
def warm() -> Iterator[Warm]:
    """A process that has loaded what imgload needs, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Warm(process)
    finally:
        process.communicate(timeout=30)


def skeleton(report: str) -> list[str]:
    """The lines of a report without what differs from run to run: the banner, the figures, the doubts."""
    lines = report.splitlines()[3:]
    doubts = ("WARNING: ", "ERROR: ", "        These results", "       deviation apart")
    return [_blank(line) for line in lines if not line.startswith(doubts)]


def _blank(line: str) -> str:
    """The line without its figures: in a table they keep their width, elsewhere their first column."""
    if re.match(r"(Connect|Processing|Waiting|Total): |  ?\d+%", line):
        return re.sub(r" *\d+(\.\d+)?", lambda figure: "#" * len(figure[0]), line)
    return re.sub(r"\d+(\.\d+)?", "0", line)


def figures(report: str) -> dict[str, str]:
    """What each line says, by its name."""
    rows = (line.partition(":") for line in report.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in rows}


def _serve() -> None:
    """Each line of standard input is a JSON list of arguments, each of standard output what became of them."""
    from imgload import cli, people, session

    assert people.run
    assert session.run
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            out, err = Path(folder) / "out", Path(folder) / "err"
            child = os.fork()
            if child == 0:
                for path, number in ((out, 1), (err, 2)):
                    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
                code = cli.main(json.loads(line))
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
            _, status = os.waitpid(child, 0)
            ended = {"code": os.waitstatus_to_exitcode(status), "out": out.read_text(), "err": err.read_text()}
            print(json.dumps(ended), flush=True)


if __name__ == "__main__":
    _serve()
