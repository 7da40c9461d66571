"""Random histories in real processes, any of which is killed: every acknowledged action holds, exactly once.

::

    python -m tests.drills.process_histories [--actions 4000] [--faults 60] [--seed 1]

People upload, edit, delete, restore, share, revoke and ask for another description over HTTP, each with an
account of their own. Meanwhile database, web, workers and emulator are killed and started again; the database
is read-only, has no connection left, answers slowly or not at all, and its clock jumps; the disk of the object
store is full; a worker sleeps beyond its lease, or stores a result after another one has. At the end the ledger
of what was acknowledged is compared with the database, the buckets, the results that workers have stored and
the security log. Then shorter histories run with seeded bugs, which the comparison has to find. Runs as root on
Linux, with Debian's package libfaketime.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, count
from pathlib import Path

from tests.drills.process_people import Person
from tests.drills.process_verdict import verdict
from tests.pipeline.process_faults import FAULTS
from tests.pipeline.processes import Gallery, running
from tests.pipeline.seeded_bugs import BUGS

ACTIONS, FAULTS_AT_LEAST = 4_000, 60
PEOPLE = 6
PROGRESS_SECONDS = 30.0
# The fault that makes each seeded bug show
SHOWING = {
    "acknowledgement before commit": ["database read-only"],
    "deletion before commit": ["database read-only"],
    "fence removed": ["result of a worker late"],
}
BUG_ACTIONS, BUG_FAULTS = 600, 8


def history(actions: int, faults: int, seed: int, bug: str = "") -> list[str]:
    """Run one history of so many actions and faults at least, print its figures, and return the violations."""
    home = Path(tempfile.mkdtemp(prefix="history-")) / "home"
    try:
        with running(home, PEOPLE, bug) as gallery, ThreadPoolExecutor(PEOPLE) as pool:
            people = [
                Person(gallery.address, key, f"{seed}.{number}") for number, key in enumerate(gallery.keys)
            ]
            over = threading.Event()
            try:
                tasks = [pool.submit(person.act_until, over) for person in people]
                counts = disturb(gallery, people, tasks, actions, random.Random(f"faults {seed}"), faults)
            finally:
                over.set()
            found = [f"A person failed: {error!r}" for task in tasks if (error := task.exception())]
            found += verdict(gallery, people)
    finally:
        shutil.rmtree(home.parent, ignore_errors=True)
    report(people, counts, found)
    return found


def disturb(
    gallery: Gallery,
    people: list[Person],
    tasks: list[Future[None]],
    actions: int,
    dice: random.Random,
    faults: int,
) -> Counter[str]:
    """Spread the faults over the actions, each kind once a round; count them by kind."""
    names, counts = SHOWING.get(gallery.bug, list(FAULTS)), Counter[str]()
    kinds = chain.from_iterable(dice.sample(names, len(names)) for _ in count())
    began = said = time.monotonic()
    while not any(task.done() for task in tasks):
        if (done := acted(people)) >= actions and counts.total() >= faults:
            break
        if time.monotonic() > said + PROGRESS_SECONDS:
            said = time.monotonic()
            print(f"  {said - began:.0f} s: {done:,} actions, {counts.total()} faults", flush=True)
        if done * faults < counts.total() * actions:
            time.sleep(0.1)
            continue
        name = next(kinds)
        with FAULTS[name](gallery, dice):
            time.sleep(dice.uniform(0.1, 1.5))
        counts[name] += 1
    return counts


def acted(people: list[Person]) -> int:
    """Return how many actions were acknowledged."""
    return sum(person.acknowledged.total() for person in people)


def report(people: list[Person], faults: Counter[str], found: list[str]) -> None:
    """Print what happened."""
    for what, counted in (
        ("actions acknowledged", sum((person.acknowledged for person in people), Counter())),
        ("without an answer", sum((person.unanswered for person in people), Counter())),
        ("faults", faults),
    ):
        kinds = ", ".join(f"{name} {number:,}" for name, number in sorted(counted.items()))
        print(f"{counted.total():,} {what}: {kinds}")
    print(*found[:20], f"{len(found)} violations", sep="\n", flush=True)


def main() -> int:
    """Run a history, then one with each seeded bug; return 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=ACTIONS)
    parser.add_argument("--faults", type=int, default=FAULTS_AT_LEAST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["", *BUGS], help='one history: "" without a bug, or with this one')
    parsed = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is ended and unmounted
    failed = False
    for bug in ("", *BUGS) if parsed.only is None else (parsed.only,):
        print(f"seed {parsed.seed}{f', seeded bug: {bug}' if bug else ''}", flush=True)
        if bug:
            failed |= not history(BUG_ACTIONS, BUG_FAULTS, parsed.seed, bug)
        else:
            failed |= bool(history(parsed.actions, parsed.faults, parsed.seed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
