"""Kill workers in the middle of their transactions; deliver events one to five times or never.

All rows end right, and each image is settled exactly once. On both databases.
"""

from __future__ import annotations

import json
import random
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate
from imgcore.gallery.models import NewImage, TaskKind, TaskStatus
from imgcore.pipeline.models import ObjectCreated
from tests.contract.images import settled
from tests.support.repositories import Repositories

IMAGES = 60
SLOTS = 4
LEASE = 0.4  # seconds
TIMEOUT = 90.0  # seconds until the whole thing has failed
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database."""
    address = (
        f"sqlite:///{tmp_path}/gallery.db"
        if request.param == "sqlite"
        else request.getfixturevalue("mariadb_url")
    )
    database = open_database(address)
    migrate(database)
    database.close()
    return str(address)


def uploads(repositories: Repositories) -> list[str]:
    """Return the keys of received images."""
    keys = []
    for _ in range(IMAGES):
        public_id = secrets.token_hex(16)
        row = NewImage(public_id, f"raw/{public_id}.jpg", "n.jpg", "image/jpeg", 1, 60)
        repositories.images.receive(ObjectCreated("uploads", row.image_key, 1), row)
        keys.append(row.image_key)
    return keys


def deliveries(keys: list[str], rng: random.Random) -> deque[tuple[str, str]]:
    """Each event one to five times, in any order; one in twenty not at all."""
    events = [
        (key, kind.value)
        for key in keys
        for kind in TaskKind
        if rng.random() > 0.05
        for _ in range(rng.choice((1, 1, 2, 3, 5)))
    ]
    rng.shuffle(events)
    return deque(events)


class Slots:
    """Programs that take deliveries, each fed by a thread."""

    def __init__(self, url: str, queue: deque[tuple[str, str]], rng: random.Random) -> None:
        self.answers: Counter[str] = Counter()
        self._queue, self._rng, self._open = queue, rng, True
        self._busy = SLOTS
        self._programs = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.pipeline.crashing_slot", url],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(SLOTS)
        ]
        self._threads = [threading.Thread(target=self._feed, args=(program,)) for program in self._programs]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._open = False
        for thread in self._threads:
            thread.join()
        for program in self._programs:
            program.communicate(timeout=30)
            assert program.returncode == 0

    def _feed(self, program: subprocess.Popen[str]) -> None:
        assert program.stdin is not None
        assert program.stdout is not None
        while self._open:
            try:
                event = self._queue.popleft()
            except IndexError:
                time.sleep(0.01)
                continue
            program.stdin.write(json.dumps(self._delivery(*event)) + "\n")
            program.stdin.flush()
            answer = program.stdout.readline().strip()
            self.answers[answer] += 1
            if answer == "killed":
                self._queue.append(event)  # it becomes visible again

    def _delivery(self, key: str, kind: str) -> dict[str, Any]:
        return {
            "key": key,
            "kind": kind,
            "lease": LEASE,
            "dies_at": self._rng.randint(1, 18) if self._rng.random() < 0.3 else 0,
            "sleeps": LEASE * 1.5 if self._rng.random() < 0.02 else 0.0,  # a zombie: it outlives its lease
        }


@contextmanager
def slots(url: str, queue: deque[tuple[str, str]], rng: random.Random) -> Iterator[Slots]:
    """Running programs, ended afterwards."""
    running = Slots(url, queue, rng)
    try:
        yield running
    finally:
        running.close()


def open_tasks(database: Database) -> int:
    sql = "SELECT COUNT(*) AS n FROM tasks WHERE status IN ('pending', 'processing', 'retry')"
    return int(database.read(lambda tx: tx.rows(sql))[0]["n"])


def test_killed_workers_leave_every_row_right(url: str) -> None:
    """The sweeper's question alone brings back what was lost."""
    rng = random.Random(20261121)
    database = open_database(url)
    repositories = Repositories(database)
    keys = uploads(repositories)
    queue = deliveries(keys, rng)
    end = time.monotonic() + TIMEOUT
    with slots(url, queue, rng) as running:
        while open_tasks(database) and time.monotonic() < end:
            time.sleep(0.2)
            if not queue:
                queue.extend(
                    (task.image_key, task.kind.value)
                    for task in repositories.sweep.due_tasks(
                        within=0, lost_after=1, again_after=LEASE, limit=500
                    )
                )

    images = repositories.pages.page(cursor=None, limit=IMAGES + 1, query=None).images
    ended = settled(database)
    leases = database.read(lambda tx: tx.rows("SELECT kind FROM tasks WHERE lease_token IS NOT NULL"))
    database.close()

    assert set(keys) == {image.image_key for image in images}
    assert {TaskStatus.DONE} == {task.status for image in images for task in image.tasks}
    assert [] == [image.public_id for image in images if image.caption != f"Caption of {image.public_id}"]
    assert [] == [image.public_id for image in images if image.thumbnail_key != f"thumbnails/{image.public_id}"]
    assert sorted(image.id for image in images) == ended
    assert [] == leases
    assert running.answers["killed"] > 30, running.answers
