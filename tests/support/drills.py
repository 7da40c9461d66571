"""Run drills: those that are named, all of them, or those that a change affects and that are due.

::

    python -m tests.support.drills                  # all
    python -m tests.support.drills rolling host     # these
    python -m tests.support.drills changed          # what a change affects, and those due today
"""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.support.catalogue import ROOT, Drill, drills

WEEK = 7
DAY_SECONDS = 86_400
LIMIT_MINUTES = 35  # of one CI run's drills, as their table says
DEADLINE_MINUTES = 55  # of the same on a slow machine


def due(day: int, names: Iterable[str]) -> list[str]:
    """Return the drills that are due on that day of the year: each of them once in seven days.

    The first day of a year may come less than seven days after the last one that was like it.
    """
    return [name for number, name in enumerate(names) if number % WEEK == day % WEEK]


def base(root: Path) -> str | None:
    """Return the commit that a change is compared with; None when this clone does not have one.

    It is the last common commit with the main branch. On that branch itself, whose commits may have arrived
    together, it is the last one that is a day older than the newest, or the previous one where none is. A
    shallow clone and a first commit have none.
    """
    for branch in ("origin/main", "origin/master", "main", "master"):
        common = _git(root, "merge-base", "HEAD", branch)
        if common and common != _git(root, "rev-parse", "HEAD"):
            return common
    newest = int(_git(root, "show", "-s", "--format=%ct", "HEAD") or 0)
    older = _git(root, "rev-list", "-1", f"--before={newest - DAY_SECONDS}", "HEAD")
    return older or _git(root, "rev-parse", "--verify", "--quiet", "HEAD^")


def changed(root: Path, since: str | None) -> list[str] | None:
    """Return the files that differ from that commit, new ones too; None when this is unknown."""
    differing = None if since is None else _git(root, "diff", "--name-only", "--no-renames", since)
    new = _git(root, "ls-files", "--others", "--exclude-standard")
    return None if differing is None or new is None else [*differing.splitlines(), *new.splitlines()]


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def chosen(files: list[str] | None, day: int, limit: int = LIMIT_MINUTES) -> tuple[dict[str, str], list[str]]:
    """Return the drills that CI runs, each with the reason, and those for which there is no time.

    Those that are due come first, then the shortest: of the affected ones as many as fit.
    files: what was changed; None when unknown, which counts as everything.
    """
    known = drills()
    reasons = dict.fromkeys(due(day, known), f"due on day {day} of the year")
    for name, drill in sorted(known.items(), key=lambda each: each[1].minutes):
        if files is None:
            reasons.setdefault(name, "no earlier commit is known, so that every file counts as changed")
        elif touched := next((path for path in files if drill.concerns(path)), None):
            reasons.setdefault(name, f"{touched} was changed")
    taken: dict[str, str] = {}
    for name, reason in reasons.items():
        if sum(known[each].minutes for each in (*taken, name)) <= limit:
            taken[name] = reason
    return taken, [name for name in reasons if name not in taken]


def run(drill: Drill, seconds: float | None) -> bool:
    """Run one drill, for so many seconds at most; print its line and return whether it passed."""
    start = time.monotonic()
    print(f"--- {drill.name}: {drill.proves}", flush=True)
    # A shell starts background jobs with SIGINT ignored: a drill that inherits that cannot be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(drill.command, cwd=ROOT, start_new_session=True) as process:
        try:
            ended = "passed" if process.wait(seconds) == 0 else "FAILED"
        except subprocess.TimeoutExpired:
            ended = "TOO SLOW"
        finally:
            _stop(process)
    print(f"--- {time.monotonic() - start:6.0f} s  {ended}  {drill.name}", flush=True)
    return ended == "passed"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a drill: politely, so that it stops its servers, then not."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
    with suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, signal.SIGKILL)


def main(*asked: str) -> int:
    """Run what is asked for; return 1 when any of it failed."""
    chooses, end = asked == ("changed",), float("inf")
    if not chooses and (unknown := set(asked) - set(drills())):
        print(f"There is no drill {', '.join(unknown)}. There are: {', '.join(drills())}.", file=sys.stderr)
        return 2
    if subprocess.run(["sh", "tests/system.sh", "drills"], cwd=ROOT, check=False).returncode:
        return 1
    if chooses:
        since = os.environ.get("BASE") or base(ROOT)
        if since and _git(ROOT, "rev-parse", "--verify", "--quiet", f"{since}^{{commit}}") is None:
            print(f"BASE is {since}, which is no commit of this repository.", file=sys.stderr)
            return 2
        taken, omitted = chosen(changed(ROOT, since), datetime.datetime.now(datetime.UTC).timetuple().tm_yday)
        print(f"Compared with {since or 'nothing'}:")
        for name, reason in taken.items():
            print(f"  {name}: {reason}")
        for name in omitted:
            print(f"  left out: {name}: more than {LIMIT_MINUTES} minutes in all; make drill D={name} runs it")
        names, end = list(taken), time.monotonic() + 60 * DEADLINE_MINUTES
    else:
        names = list(asked or drills())
    return _run_all(names, end)


def _run_all(names: list[str], end: float) -> int:
    """Run drills until a time of the monotonic clock; return 1 when any of them failed."""
    failed, omitted = [], []
    for name in names:
        left = end - time.monotonic()
        if left < 60 * drills()[name].minutes:
            omitted.append(name)
        elif not run(drills()[name], None if left == float("inf") else left):
            failed.append(name)
    if omitted:
        print(f"Not run, because {DEADLINE_MINUTES} minutes are nearly over: {', '.join(omitted)}")
    ran = len(names) - len(omitted)
    print(f"{ran} drills, " + (f"failed: {', '.join(failed)}" if failed else "all passed"))
    return int(bool(failed))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and end the drill that is running
    sys.exit(main(*sys.argv[1:]))
