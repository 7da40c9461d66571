"""A model that is away for minutes, hours and days: every photo ends described by it, at few calls."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from imgcore.captioning.answers import Answer
from imgcore.captioning.model import PROBE_JPEG, ModelCaptioner, Request
from imgcore.captioning.retry import Failure, FailureKind
from imgcore.db.connection import Database
from imgcore.db.migrations import migrate
from imgcore.db.sqlite import Sqlite
from imgcore.db.statements import Shifted
from imgcore.errors import ImgcoreError, Misconfigured, RateLimited, Unavailable
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import Image, NewImage, Source, TaskKind
from imgcore.notifications.sender import Notifier
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Processor
from imgcore.pipeline.sweeper import Sweeper
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeQueues, FakeStorage, decode, render

MANY = 200  # photos
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
WORDS = '{"caption": "A cat.", "alt_text": "Cat", "tags": ["cat", "pet", "fur"]}'


@dataclass
class VirtualClock:
    """Seconds since the beginning of a test; they pass only in sleep()."""

    time: float = 0.0

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def text(self, shift: float) -> str:
        """The time as the column of SQLite holds it, ``shift`` microseconds later."""
        moment = datetime(2026, 11, 28, tzinfo=UTC) + timedelta(seconds=self.time, microseconds=shift)
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


class VirtualSqlite(Sqlite):
    """SQLite whose clock is a virtual one."""

    fragments: ClassVar = {
        **Sqlite.fragments,
        "now": "virtual_time(0)",
        "later": Shifted("virtual_time(?)"),
        "ago": Shifted("virtual_time(-?)"),
    }

    def __init__(self, path: Path, clock: VirtualClock) -> None:
        super().__init__(path)
        self._clock = clock

    def connect(self, timeout: float, statement_limit: float | None = None) -> sqlite3.Connection:
        connection = super().connect(timeout, statement_limit)
        connection.execute("PRAGMA synchronous = OFF")
        # Time stands still during a statement: SQLite asks once, and not for each row
        connection.create_function("virtual_time", 1, self._clock.text, deterministic=True)
        return connection


@dataclass
class Model:
    """A model that fails with ``failure`` until a time. calls: those for photos, and those of probes."""

    clock: VirtualClock
    failure: Failure
    until: float
    calls: list[bool] = field(default_factory=list)

    def ask(self, request: Request) -> Answer | Failure:
        self.calls.append(request.jpeg == PROBE_JPEG)
        if self.clock.time < self.until:
            return self.failure
        return Answer(WORDS, "STOP", None, request.model, 700, 90)


class Gallery:
    """A processor, a sweeper each minute, and queues whose messages arrive when they are due."""

    def __init__(self, repositories: Repositories, clock: VirtualClock, model: Model) -> None:
        self.repositories, self.clock, self.queues = repositories, clock, FakeQueues()
        storage = FakeStorage()
        captioner = ModelCaptioner(
            Source.GEMINI, "Gemini", ["m"], model.ask, clock=clock, sleep=clock.sleep, rng=lambda: 0.5
        )
        self.processor = Processor(
            *repositories.of_processor(), storage, decode, render, captioner,
            FakeCaptioner(["A photo."], Source.LOCAL), uploads_bucket=BUCKET, sleep=clock.sleep,
            rng=lambda: 0.5,
        )  # fmt: skip
        self.sweeper = Sweeper(
            repositories.images, repositories.sweep, storage, self.queues,
            Notifier(repositories.notifications).notify_owners, clock=clock, breakers=repositories.breakers,
            breaker="gemini",
        )  # fmt: skip
        self.storage = storage

    def upload(self) -> str:
        public_id = new_public_id()
        key = raw_key(public_id, "image/jpeg")
        self.storage.uploads[key] = b"photo"
        self.repositories.images.add(NewImage(public_id, key, "cat.jpg", "image/jpeg", 5, 3600.0))
        self.deliver(key)
        return public_id

    def deliver(self, key: str) -> None:
        created = ObjectCreated(BUCKET, key, size=5, etag="etag")
        # The guard compares with the real clock, the captioner with the virtual one
        self.processor.process(created, TaskKind.CAPTION, deadline=self.clock.time + 1e9)

    def sweep(self, interval: float = MINUTE) -> None:
        """Sweep, deliver what is queued in the order and at the time of its delay, and wait for the next."""
        end = self.clock.time + interval
        self.queues.sent.clear()
        self.sweeper.sweep()
        start = self.clock.time
        for _, key, delay in sorted(self.queues.sent, key=lambda sent: sent[2]):
            self.clock.time = max(self.clock.time, start + float(-(-delay // 1)))
            self.deliver(key)
        self.clock.time = max(self.clock.time, end)

    def images(self, ids: list[str]) -> list[Image]:
        found: list[Image] = []
        for start in range(0, len(ids), 100):
            found += self.repositories.images.get_many(ids[start : start + 100])
        return found


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def repositories(tmp_path: Path, clock: VirtualClock) -> Iterator[Repositories]:
    """An empty database on the virtual clock."""
    database = Database(VirtualSqlite(tmp_path / "gallery.db", clock))
    migrate(database)
    yield Repositories(database)
    database.close()


def failure(error: ImgcoreError, kind: FailureKind = FailureKind.FINAL) -> Failure:
    return Failure(kind, error, "scripted", error.retry_after)


AWAY = failure(Unavailable("Gemini cannot be reached at the moment."), FailureKind.TRANSIENT)
LIMITED = failure(RateLimited("Gemini limits the number of requests."), FailureKind.TRANSIENT)
KEY = failure(Misconfigured("Gemini rejected the API key.", code="key_refused"))


def check_outage(
    repositories: Repositories, clock: VirtualClock, outage: float, reason: Failure, photos: int
) -> None:
    """Assert that every photo ends described, at 1.05 calls a photo and one probe a minute.

    Provisional words are shown meanwhile.
    """
    model = Model(clock, reason, outage)
    gallery = Gallery(repositories, clock, model)
    ids = [gallery.upload() for _ in range(photos)]

    waiting = gallery.images(ids)
    assert {("waiting", "A photo.", True)} == {(i.status, i.caption, i.provisional) for i in waiting}
    assert {0} == {image.task(TaskKind.CAPTION).attempts for image in waiting}
    while clock.time < outage:
        gallery.sweep(interval=10 * MINUTE if outage > DAY else MINUTE)
    asked = len(model.calls)
    for _ in range(20):  # the longest pause of the breaker is a quarter of an hour
        gallery.sweep()

    found = gallery.images(ids)
    captions = {(str(i.task(TaskKind.CAPTION).status), i.caption, i.source) for i in found}
    assert {("done", "A cat.", Source.GEMINI)} == captions
    assert asked <= 0.05 * photos + outage / MINUTE
    assert len(model.calls) <= 1.05 * photos + outage / MINUTE
    assert photos <= model.calls.count(False)


@pytest.mark.parametrize(
    ("outage", "reason", "photos"),
    [
        (10 * MINUTE, AWAY, MANY),
        (2 * HOUR, AWAY, MANY),
        (3 * DAY, AWAY, 40),  # MANY in the drill: each of 430 sweeps delivers every photo
        (2 * HOUR, LIMITED, MANY),
        (2 * HOUR, KEY, MANY),
    ],
    ids=["10 minutes", "2 hours", "3 days", "limited", "key"],
)
def test_outage_of_a_model_loses_no_caption(
    repositories: Repositories, clock: VirtualClock, outage: float, reason: Failure, photos: int
) -> None:
    check_outage(repositories, clock, outage, reason, photos)


def test_outage_with_uploads_all_the_time_ends_described(
    repositories: Repositories, clock: VirtualClock
) -> None:
    """Photos that arrive during and after the outage are described in the order of nothing in particular."""
    model = Model(clock, AWAY, 2 * HOUR)
    gallery = Gallery(repositories, clock, model)
    ids: list[str] = []
    for minute in range(150):
        if minute % 5 == 0:
            ids.append(gallery.upload())
        gallery.sweep()
    assert {"A cat."} == {image.caption for image in gallery.images(ids)}
    assert repositories.breakers.state("gemini").reason is None
