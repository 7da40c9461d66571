"""The whole life of a batch, in a program that kills itself at a named moment.

    python -m tests.pipeline.dying_life DATABASE_URL LETTERS

Reads one JSON object a line from standard input, ``{"name", "owner", "batch", "dies_at"}``: an image of that
owner and batch is announced, received and processed, and its owner is notified. ``dies_at`` counts the moments
after each statement of each transaction, after each commit and after each message; there the process kills
itself with SIGKILL (0: never). Answers with a line: killed, or the number of moments that there were.
LETTERS: a file to which the sender adds a line for each message: owner, batch.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pymysql  # noqa: F401 - loaded once, before the workers are forked

from imgcore.db.connection import Database, Transaction, open_database
from imgcore.errors import Conflict
from imgcore.gallery.models import NewImage, TaskKind
from imgcore.notifications.models import NotificationMessage
from imgcore.notifications.sender import Notifier
from imgcore.pipeline.models import ObjectCreated, Timing
from imgcore.pipeline.processing import Processor
from imgcore.pipeline.sweeper import Sweeper
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeQueues, FakeStorage, decode, render

LEASE = 0.001  # seconds; who comes after the dead need not wait
SOON = 1e9


class Fate:
    """The moment at which this process dies, inside or outside a transaction."""

    def __init__(self, dies_at: int) -> None:
        self.moments, self.dies_at = 0, dies_at

    def tick(self) -> None:
        """One more moment has come."""
        self.moments += 1
        if self.moments == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def rule(self) -> None:
        """Have a say in every statement and every commit."""
        cursor, transaction = Transaction._cursor, Database.transaction

        def deadly(tx: Transaction, sql: str, parameters: tuple[Any, ...]) -> Any:
            result = cursor(tx, sql, parameters)
            self.tick()
            return result

        @contextmanager
        def committing(database: Database) -> Any:
            with transaction(database) as tx:
                yield tx
            self.tick()

        Transaction._cursor = deadly  # type: ignore[method-assign]
        Database.transaction = committing  # type: ignore[method-assign, assignment]


class Post:
    """A sender whose messages outlive the process."""

    def __init__(self, path: Path, fate: Fate) -> None:
        self._path, self._fate = path, fate

    def send(self, letter: NotificationMessage) -> None:
        """One write, so that it is there as a whole or not at all."""
        with self._path.open("ab", buffering=0) as file:
            file.write(f"{letter.owner} {letter.number}\n".encode())
        self._fate.tick()


def workers(database: Database, letters: Path, fate: Fate) -> tuple[Processor, Sweeper]:
    """A processor and a sweeper on the database; every image is in the fake storage."""
    repositories, storage = Repositories(database), Plenty()
    timing = Timing(LEASE, LEASE, lost_after=0.0, max_attempts=1000)
    notifier = Notifier(repositories.notifications, Post(letters, fate), quiet=0.0, lease=LEASE)
    processor = Processor(
        *repositories.of_processor(),
        storage,
        decode,
        render,
        FakeCaptioner(),
        uploads_bucket=BUCKET,
        timing=timing,
    )
    sweeper = Sweeper(
        repositories.images, repositories.sweep, storage, FakeQueues(), notifier.notify_owners, timing
    )
    return processor, sweeper


class Plenty(FakeStorage):
    """Every upload and every derived image is there: another process has stored them."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads = Everything()

    def has_derived(self, keys: Iterable[str]) -> bool:
        return True


class Everything(dict[str, bytes]):
    """Return an image under every key."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> bytes:
        return b"photo"


def live(processor: Processor, sweeper: Sweeper, name: str, owner: int, batch: str) -> None:
    """Run one image from its row to its notification, and what another process left unfinished."""
    key = f"raw/{name}.jpg"
    row = NewImage(name, key, "cat.jpg", "image/jpeg", 5, 3600.0, owner_id=owner, batch_id=batch)
    with suppress(Conflict):  # it is there already
        processor.images.add(row)
    for kind in TaskKind:
        processor.process(ObjectCreated(BUCKET, key, 5, "etag"), kind, deadline=SOON)
    sweeper.sweep()


def main(url: str, letters: Path) -> int:
    """One process a line."""
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            fate = Fate(asked["dies_at"])
            fate.rule()
            made = workers(open_database(url), letters, fate)
            live(*made, asked["name"], asked["owner"], asked["batch"])
            print(fate.moments, flush=True)
            os._exit(0)
        _, state = os.waitpid(child, 0)
        if os.WIFSIGNALED(state):
            print("killed", flush=True)
        elif state:
            return os.waitstatus_to_exitcode(state)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
