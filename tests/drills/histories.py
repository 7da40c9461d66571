"""Random histories with faults: every acknowledged action holds at the end, exactly once.

::

    python -m tests.drills.histories [ACTIONS [SEED]]

People upload, edit, delete, restore and retry; S3 announces each file once, twice, late or never; a form is
used a second time; the queues deliver, the schedule sweeps, a worker outlives its lease. Meanwhile any call to
the database, the buckets, the queues or the model fails: with an error, by a timeout after which it takes
effect all the same, with a lost acknowledgement, by a kill before or after it. For a while the database is
read-only, accepts no connection or has a full disk, the buckets have one, or the database's clock jumps. A
ledger of what was acknowledged is compared with the gallery at the end. Then the same histories run with seeded
bugs, which the comparison has to find.
"""

from __future__ import annotations

import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from imgcore.db.tasks import TaskRepository
from imgcore.errors import Conflict, ImgcoreError, NotFound, Unavailable
from imgcore.gallery.models import Description, Edit, TaskKind
from imgcore.pipeline.models import Claim
from tests.pipeline.ledger import Photo
from tests.pipeline.seeded_bugs import BUGS
from tests.pipeline.world import Killed, Mode, World
from tests.unit.fakes import FakeCaptioner

ACTIONS, PART = 20_000, 400  # actions in all, and in one history
FAULTS = 200  # at least
SHORT, MOST_HISTORIES = 200, 50  # actions of a history with a seeded bug, and how many may miss it
DESCRIBED = "A red barn."  # the words of the model
FAULT_EVERY = 12  # actions, on average
OUTAGES = (
    "read-only",
    "no connections",
    "database disk full",
    "bucket disk full",
    "clock back",
    "clock forward",
)


class Fences:
    """Records the latest claim of each task, and results of earlier ones that were stored all the same."""

    def __init__(self) -> None:
        self._latest: dict[tuple[int, str], str] = {}
        self.broken: list[str] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch every claim and every result."""
        claim, commit = TaskRepository.claim, TaskRepository._commit

        def claimed(repository: TaskRepository, *given: Any, **named: Any) -> Claim | None:
            found = claim(repository, *given, **named)
            if found is not None:
                self._latest[found.image_id, found.kind] = found.token
            return found

        def committed(repository: TaskRepository, ended: Claim, *given: Any, **named: Any) -> bool:
            stored = commit(repository, ended, *given, **named)
            if stored and self._latest.get((ended.image_id, ended.kind)) != ended.token:
                self.broken.append(f"{ended.public_id}: the result of a worker whose lease was over is stored")
            return stored

        with patch.object(TaskRepository, "claim", claimed), patch.object(TaskRepository, "_commit", committed):
            yield


class SlowCaptioner(FakeCaptioner):
    """A model that at times takes so long that another worker takes the task over meanwhile."""

    meanwhile: Callable[[], None]

    def describe(self, *given: Any, **named: Any) -> Description:
        described = super().describe(*given, **named)
        self.meanwhile()
        return described


@dataclass
class History:
    """One world, what was acknowledged in it, and its dice."""

    world: World
    dice: random.Random
    photos: dict[str, Photo] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    slow: bool = False
    lost: list[str] = field(default_factory=list)  # what was acknowledged and has not happened

    def run(self, actions: int, faults: int = 0) -> list[str]:
        """Act so often, and until so many faults have happened; settle, and return what does not hold."""
        captioner = SlowCaptioner()
        captioner.meanwhile = self._take_over
        self.world.captioner_stub.target = captioner
        fences = Fences()
        with fences.watched():
            self._act(actions, faults)
        return [*fences.broken, *self.lost, *self._violations()]

    def _act(self, actions: int, faults: int) -> None:
        while self.counts["acknowledged"] < actions or self.counts["faults"] < faults:
            self._step()
        self._end_outage()
        self.world.settle()

    def _take_over(self) -> None:
        """Let another worker do what a slow one is at, whose lease has ended."""
        if self.slow or self.dice.random() > 0.1:
            return
        self.slow = True
        try:
            self.world.sweep()
            self.world.deliver(TaskKind.CAPTION)
        except (ImgcoreError, Killed):
            self.counts["not acknowledged"] += 1
        finally:
            self.slow = False

    def _step(self) -> None:
        faults = self.world.faults
        self.world.take_late_effects()
        faults.armed = self.dice.random() < 1 / FAULT_EVERY
        faults.count, faults.at = 0, self.dice.randint(1, 6)
        faults.mode = self.dice.choice(list(Mode))
        if self.dice.random() < 0.01:
            self._begin_outage()
        elif self.dice.random() < 0.2:
            self._end_outage()
        act = self.dice.choice(
            [
                self._upload,
                self._edit,
                self._delete,
                self._restore,
                self._retry,
                self._deliver,
                self._deliver,
                self._sweep,
            ]
        )
        try:
            act()
            self.counts["acknowledged"] += 1
        except (ImgcoreError, Killed):
            self.counts["not acknowledged"] += 1
        self.counts["faults"] += faults.armed and faults.count >= faults.at
        faults.armed = False

    # Actions: the ledger is written after the acknowledgement

    def _upload(self) -> None:
        rejected = self.dice.random() < 0.1
        image, _ = self.world.gallery.request_upload("a.jpg", 5, "image/jpeg")
        self.world.ids.append(image.public_id)
        if "bucket" in self.world.outage:
            self.world.ids.pop()
            raise Unavailable("The bucket answered 503.")
        self.world.put(b"bad" if rejected else b"photo", events=self.dice.random() > 0.05)
        self.photos[image.public_id] = Photo(DESCRIBED, rejected=rejected)
        if self.dice.random() < 0.1:
            self.world.put(b"other", "v2")
        if self.dice.random() < 0.3:
            self.world.messages += [*self.world.messages[-2:]]
        self.dice.shuffle(self.world.messages)

    def _any(self) -> str:
        if not self.photos:
            raise NotFound("There is no photo yet.")
        return self.dice.choice(list(self.photos)[-30:])

    def _edit(self) -> None:
        public_id, words = self._any(), f"Words {self.dice.random()}"
        photo = self.photos[public_id]
        photo.words.add(words)
        self.world.gallery.edit(public_id, Edit(words, None, None))
        photo.words = {words}
        self._look(public_id)

    def _delete(self) -> None:
        public_id = self._any()
        self.photos[public_id].deleted.add(True)
        self.world.gallery.delete(public_id)
        self.photos[public_id].deleted = {True}
        self._look(public_id)

    def _restore(self) -> None:
        public_id = self._any()
        self.photos[public_id].deleted.add(False)
        self.world.gallery.restore(public_id)
        self.photos[public_id].deleted = {False}
        self._look(public_id)

    def _look(self, public_id: str) -> None:
        """Look at a photo after an edit or a move: at the end, a later one may hide that this was lost."""
        faults = self.world.faults
        armed, faults.armed = faults.armed, False
        image = self.world.gallery.get(public_id)
        faults.armed = armed
        self.lost += self.photos[public_id].lost(public_id, image)

    def _retry(self) -> None:
        try:
            self.world.gallery.recaption(self._any())
        except Conflict:
            return

    def _deliver(self) -> None:
        if self.world.messages:
            self.world.deliver_one(self.dice.choice(self.world.messages))

    def _sweep(self) -> None:
        self.world.pass_time()
        self.world.sweep()

    def _begin_outage(self) -> None:
        self.world.outage = self.dice.choice(OUTAGES)
        self.counts["faults"] += 1
        if self.world.outage.startswith("clock"):
            self.world.jump_clock(86_400 if "back" in self.world.outage else -86_400)
            self.world.outage = ""

    def _end_outage(self) -> None:
        self.world.outage = ""

    # What has to hold

    def _violations(self) -> Iterator[str]:
        found = {
            image.public_id: image for part in self._parts() for image in self.world.gallery.get_many(part)
        }
        for public_id, photo in self.photos.items():
            yield from photo.violations(public_id, found.get(public_id), self._stored)

    def _stored(self, keys: Sequence[str]) -> bool:
        return set(keys) <= self.world.storage.derived.keys()

    def _parts(self) -> Iterator[list[str]]:
        ids = list(self.photos)
        return (ids[start : start + 100] for start in range(0, len(ids), 100))


def histories(actions: int, seed: int, faults: int = 0) -> tuple[Counter[str], list[str]]:
    """Run so many actions in histories of their own; return the counts, and what does not hold.

    faults: at least so many in each history.
    """
    counts: Counter[str] = Counter()
    found: list[str] = []
    for number in range(-(-actions // PART)):
        with tempfile.TemporaryDirectory() as folder:
            world = World(Path(folder))
            history = History(world, random.Random(f"{seed} {number}"))
            try:
                found += [f"history {number}: {problem}" for problem in history.run(min(PART, actions), faults)]
            except AssertionError as error:
                found.append(f"history {number}: {error}")
            finally:
                world.close()
            counts += history.counts
    return counts, found


def shown(bug: str, seed: int) -> tuple[int, list[str]]:
    """Run short histories with a seeded bug until one shows it; return how many, and what does not hold.

    Leases end by the real clock, so that one of three to all of them show it, not always the same.
    """
    with BUGS[bug]():
        for number in range(1, MOST_HISTORIES + 1):
            if found := histories(SHORT, seed * MOST_HISTORIES + number)[1]:
                return number, found
    return MOST_HISTORIES, []


def main() -> int:
    """Run the histories, then those with seeded bugs; return 1 where a claim does not hold."""
    logging.disable()  # every fault is logged
    given = [int(argument) for argument in sys.argv[1:3]]
    actions, seed = (*given, *(ACTIONS, 1)[len(given) :])
    counts, found = histories(actions, seed)
    acknowledged, refused = counts["acknowledged"], counts["not acknowledged"]
    print(f"{acknowledged:,} actions acknowledged, {refused:,} not; {counts['faults']:,} faults")
    print(*found[:20], f"{len(found)} violations", sep="\n")
    ok = not found and counts["faults"] >= min(FAULTS, actions // 100)
    for name in BUGS:
        number, detected = shown(name, seed)
        print(f"seeded bug: {name}: {len(detected)} violations in history {number}")
        ok = ok and bool(detected)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
