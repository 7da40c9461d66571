"""A gallery and a pipeline over SQLite and small fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.notifications.sender import Notifier
from imgcore.pipeline.processing import Processor
from imgcore.pipeline.sweeper import Sweeper
from tests.support.repositories import Repositories
from tests.support.sqlite import migrated
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeQueues, FakeStorage, decode, render


@pytest.fixture
def repositories(tmp_path: Path) -> Iterator[Repositories]:
    """A fresh, migrated SQLite."""
    database = migrated(tmp_path)
    yield Repositories(database)
    database.close()


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repositories: Repositories) -> Repositories:
    """A migrated database in the settings."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/gallery.db")
    return repositories


@pytest.fixture
def storage() -> FakeStorage:
    """Two empty buckets."""
    return FakeStorage()


@pytest.fixture
def queues() -> FakeQueues:
    """Two empty queues."""
    return FakeQueues()


@pytest.fixture
def captioner() -> FakeCaptioner:
    """A captioner that always succeeds."""
    return FakeCaptioner()


@pytest.fixture
def processor(repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner) -> Processor:
    """A processor on SQLite; storage and captioner are fakes and retries have no jitter."""
    return Processor(
        *repositories.of_processor(),
        storage,
        decode,
        render,
        captioner,
        uploads_bucket=BUCKET,
        rng=lambda: 0.0,
    )


@pytest.fixture
def sweeper(repositories: Repositories, storage: FakeStorage, queues: FakeQueues) -> Sweeper:
    """A sweeper on SQLite; storage and queues are fakes."""
    notifier = Notifier(repositories.notifications)
    return Sweeper(repositories.images, repositories.sweep, storage, queues, notifier.notify_owners)
