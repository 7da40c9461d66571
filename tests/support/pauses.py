"""Run a command whose processes are paused at random, as on a busy machine; tests that lean on time then fail.

::

    python -m tests.support.pauses .venv/bin/python -m pytest tests/web -n 2

One process of the command's children, or of theirs, at a time stands still for up to ``LONGEST`` seconds: the
one that runs tests, a server, a browser. The exit code is that of the command.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from tests.support import guarded

SHORTEST, LONGEST = 0.3, 1.0  # seconds of a pause
BETWEEN = 0.4  # seconds from one pause to the next, at most
_PASSED_OVER = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)  # a test may have stopped a process itself


def run(command: Sequence[str], chance: random.Random) -> tuple[int, int]:
    """Run a command; return its exit code and how many pauses there were."""
    count = 0
    with guarded.started(command) as process:
        while process.poll() is None:
            time.sleep(chance.uniform(0.05, BETWEEN))
            if (chosen := _one_of(process.pid, chance)) is None:
                continue
            with suppress(psutil.Error):
                chosen.suspend()
                try:
                    time.sleep(chance.uniform(SHORTEST, LONGEST))
                finally:
                    chosen.resume()
                count += 1
    return process.returncode, count


def _one_of(pid: int, chance: random.Random) -> psutil.Process | None:
    found = []
    with suppress(psutil.Error):
        for each in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                if each.status() not in _PASSED_OVER:
                    found.append(each)
    return chance.choice(found) if found else None


def main() -> int:
    """Run the command of the arguments and print how many pauses there were."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None, help="of the choice of processes and times")
    parser.add_argument("program", help="what runs")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the program")
    asked = parser.parse_args()
    try:
        code, count = run([asked.program, *asked.arguments], random.Random(asked.seed))
    except OSError as error:
        parser.error(f"{asked.program} cannot be run: {error.strerror}")
    print(f"{count} pauses")
    return code


if __name__ == "__main__":
    sys.exit(guarded.until_terminated(main))
