"""The whole gallery in one process: its use cases over SQLite, and small buckets, queues, a model and a sender.

Every call of a use case to one of these passes ``Faults``, which lets the Nth one fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from imgcore.db.connection import Database, Transaction
from imgcore.errors import ImgcoreError, Unavailable
from imgcore.gallery.models import TaskKind
from imgcore.gallery.service import Gallery
from imgcore.notifications.sender import Notifier
from imgcore.pipeline.models import Timing
from imgcore.pipeline.processing import Processor
from imgcore.pipeline.sweeper import Sweeper
from lambda_build.handlers.common import Function
from tests.support.repositories import Repositories
from tests.support.sqlite import migrated
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeQueues, FakeSender, FakeStorage, decode, render

T = TypeVar("T")
BATCH = "00000000-0000-4000-8000-000000000001"
MAX_RECEIVES = 5  # as the role events sets it
ROUNDS = 40  # after which a world that has not settled never will


class Killed(BaseException):
    """The process was killed."""


class Mode(StrEnum):
    """What happens to the Nth call."""

    ERROR = "error"
    TIMEOUT = "timeout"  # the caller gives up, the call takes effect later
    LOST_ACKNOWLEDGEMENT = "lost acknowledgement"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"


@dataclass
class Faults:
    """Counts the calls from ``arm`` on and lets number ``at`` fail."""

    at: int = 0
    mode: Mode = Mode.ERROR
    count: int = 0
    armed: bool = False
    late: list[Callable[[], Any]] = field(default_factory=list)

    def call(self, effect: Callable[[], T]) -> T:
        """Make one call."""
        if not self.armed:
            return effect()
        self.count += 1
        if self.count != self.at:
            return effect()
        if self.mode in (Mode.LOST_ACKNOWLEDGEMENT, Mode.KILLED_AFTER):
            effect()
        if self.mode is Mode.TIMEOUT:
            self.late.append(effect)
        if self.mode in (Mode.KILLED_BEFORE, Mode.KILLED_AFTER):
            raise Killed
        raise Unavailable(f"Call {self.at} failed: {self.mode}.")


class FaultyDatabase(Database):
    """A database whose transactions pass ``faults``."""

    faults: Faults

    outage = ""

    def run(self, work: Callable[[Transaction], T]) -> T:
        if self.outage:
            raise Unavailable(f"The database is not available: {self.outage}.")
        return self.faults.call(lambda: super(FaultyDatabase, self).run(work))

    def read(self, work: Callable[[Transaction], T]) -> T:
        if self.outage == "no connections":
            raise Unavailable("The database accepts no more connections just now.")
        return self.faults.call(lambda: super(FaultyDatabase, self).read(work))


class Remote:
    """A service whose calls pass ``faults``. local: names of methods that call nothing."""

    def __init__(self, target: Any, faults: Faults, *local: str) -> None:
        self.target, self._faults, self._local = target, faults, local

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.target, name)
        if not callable(found) or name in self._local:
            return found
        return lambda *given, **named: self._faults.call(lambda: found(*given, **named))


@dataclass
class Message:
    """A message in a queue."""

    kind: TaskKind
    body: str
    postponed: int = 0
    receives: int = 0


class Context:
    """The part of AWS's Lambda context that the functions use."""

    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class World:
    """One gallery with its queues; ``ids``: the photos that a person knows of, in their order."""

    def __init__(self, folder: Path) -> None:
        self.faults = Faults()
        self.database = FaultyDatabase(migrated(folder).dialect)
        self.database.faults = self.faults
        self.storage = FakeStorage()
        self.queues = FakeQueues()
        self.sender = FakeSender()
        self.captioner = FakeCaptioner()
        self.messages: list[Message] = []
        self.ids: list[str] = []
        self._outage = ""
        self.repositories = Repositories(self.database)
        storage: Any = Remote(self.storage, self.faults, "form", "url", "original_url", "origins")
        queues: Any = Remote(self.queues, self.faults)
        timing = Timing(thumbnail_lease=0.001, caption_lease=0.001, lost_after=0.001, max_attempts=20)
        self.gallery = Gallery(
            self.repositories.images,
            self.repositories.pages,
            self.repositories.front,
            self.repositories.breakers,
            storage,
            queues,
        )
        captioner: Any = Remote(self.captioner, self.faults)
        self.captioner_stub = captioner
        self.processor = Processor(
            *self.repositories.of_processor(), storage, decode, render, captioner,
            uploads_bucket=BUCKET, timing=timing, rng=lambda: 0.0, sleep=lambda seconds: None,
        )  # fmt: skip
        self.functions = {kind: Function(kind, lambda: self.processor, lambda: queues, {}) for kind in TaskKind}
        sender: Any = Remote(self.sender, self.faults)
        notifier = Notifier(self.repositories.notifications, sender, quiet=0.0, lease=0.001)
        self.sweeper = Sweeper(
            self.repositories.images, self.repositories.sweep, storage, queues, notifier.notify_owners, timing
        )

    # What people and S3 do

    def announce(self, name: str = "a.jpg") -> None:
        """Get a form, and send the file through it."""
        image, _ = self.gallery.request_upload(name, 5, "image/jpeg", batch=BATCH)
        self.ids.append(image.public_id)
        self.put(b"photo")

    def put(self, data: bytes, version: str = "v1", *, events: bool = True) -> None:
        """Store the newest photo's file; S3 sends its event to both queues."""
        key = f"raw/{self.ids[-1]}.jpg"
        if version == "v1":
            self.storage.uploads[key] = data
        item = {"key": key, "size": len(data), "eTag": version, "versionId": version}
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Post",
                  "s3": {"bucket": {"name": BUCKET}, "object": item}}  # fmt: skip
        if events:
            self.messages += [Message(kind, json.dumps({"Records": [record]})) for kind in TaskKind]

    # What AWS does

    def deliver(self, kind: TaskKind | None = None) -> None:
        """Hand each message (of that kind) to its function once."""
        for message in [each for each in self.messages if kind in (None, each.kind)]:
            self.deliver_one(message)

    def deliver_one(self, message: Message) -> None:
        """Hand a message to its function."""
        message.receives += 1
        record = {"messageId": "m", "eventSource": "aws:sqs", "body": message.body,
                  "messageAttributes": {"postponed": {"stringValue": str(message.postponed)}}}  # fmt: skip
        try:
            failed = self.functions[message.kind].respond({"Records": [record]}, Context())["batchItemFailures"]
            if not failed and message in self.messages:  # else a worker beside this one has removed it
                self.messages.remove(message)
        finally:
            self.collect()

    def collect(self) -> None:
        """Move what was sent into the queues."""
        for kind, key, _ in self.queues.sent:
            body = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Redelivered",
                                 "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}  # fmt: skip
            self.messages.append(Message(kind, json.dumps(body)))
        for kind, text, postponed, _ in self.queues.postponed:
            self.messages.append(Message(kind, text, postponed))
        self.queues.sent.clear()
        self.queues.postponed.clear()

    def sweep(self) -> None:
        """Run the schedule's task once."""
        try:
            self.sweeper.sweep()
        finally:
            self.collect()

    def pass_time(self) -> None:
        """Let every planned retry, every pause, every postponed purge and every unused form be over."""
        self.repositories.breakers.close("gemini")
        with self.database.transaction() as tx:
            tx.execute("UPDATE tasks SET next_at = {now} WHERE status = 'retry'")
            tx.execute(
                "UPDATE images SET upload_expires_at = {ago:hour} WHERE upload_status = 'awaiting'",
                hour=3_600_000_000,
            )
            tx.execute(
                "UPDATE images SET checked_at = NULL WHERE deleted_at IS NOT NULL OR upload_status = 'expired'"
            )
            tx.execute("UPDATE notices SET lease_until = {now} WHERE lease_until IS NOT NULL")

    @property
    def outage(self) -> str:
        """What is away: the database, or its disk, for a while; or the disk of the buckets."""
        return self._outage

    @outage.setter
    def outage(self, outage: str) -> None:
        self._outage = outage
        self.database.outage = "" if "bucket" in outage else outage
        self.storage.broken = Unavailable("The disk is full.") if "bucket" in outage else None

    def jump_clock(self, seconds: float) -> None:
        """Move every time in the tables: the same as if the database's clock jumped the other way."""
        shifted = "strftime('%Y-%m-%d %H:%M:%f', {0}, '{1} seconds') || '000'"
        columns = {
            "tasks": ("next_at", "lease_until", "dispatched_at", "started_at"),
            "images": ("uploaded_at", "checked_at"),
        }
        with self.database.transaction() as tx:
            for table, names in columns.items():
                for name in names:
                    value = shifted.format(name, seconds)
                    tx.execute(f"UPDATE {table} SET {name} = {value} WHERE {name} IS NOT NULL")

    def take_late_effects(self) -> None:
        """Do what callers have given up on."""
        late, self.faults.late = self.faults.late, []
        for effect in late:
            with suppress(ImgcoreError):  # nobody waits for the answer any more
                effect()

    def settle(self) -> None:
        """Let everything happen that happens by itself, without faults, until nothing is left to do."""
        self.faults.armed = False
        self.take_late_effects()
        self.collect()
        for _ in range(ROUNDS):
            self.pass_time()
            self.deliver()
            self.sweep()
            if not self.messages and all(image.settled for image in self.gallery.get_many(self.ids)):
                break
        else:
            raise AssertionError(f"Never settles: {self.messages} {self.gallery.get_many(self.ids)}")
        self.pass_time()
        self.sweep()  # notifications, of batches that have finished just now
        self.collect()

    def state(self) -> dict[str, Any]:
        """Return everything that must be as if nothing had failed; ids by their order."""
        found = {image.public_id: image for image in self.gallery.get_many(self.ids)}
        photos = []
        for public_id in self.ids:
            image = found.get(public_id)
            photos.append(image and {
                "status": image.status, "words": (image.caption, image.alt_text, image.tags, image.source),
                "tasks": [(task.kind, task.status, task.error) for task in image.tasks],
                "upload": image.upload_status, "version": image.version_id,
                "keys": [self._anonymous(key) for key in image.derived_keys],
            })  # fmt: skip
        return {
            "photos": photos,
            "uploads": sorted(map(self._anonymous, self.storage.uploads)),
            "derived": sorted(map(self._anonymous, self.storage.derived)),
            "removed": sorted(
                {(self._anonymous(key), version) for key, version in self.storage.removed_versions}
            ),
            "notified": sorted({message.number for message in self.sender.sent}),
        }

    def _anonymous(self, key: str) -> str:
        for number, public_id in enumerate(self.ids):
            key = key.replace(public_id, str(number))
        return key

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def with_captioner(world: World, *answers: BaseException | str) -> None:
    """Let the model give these answers in turn."""
    world.captioner.answers = list(answers)
