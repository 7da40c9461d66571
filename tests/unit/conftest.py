"""A gallery and a pipeline over SQLite and small fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repositories import Repositories
from tests.support.sqlite import migrated
from tests.unit.fakes import FakeQueues, FakeStorage


@pytest.fixture
def repositories(tmp_path: Path) -> Iterator[Repositories]:
    """A fresh, migrated SQLite."""
    database = migrated(tmp_path)
    yield Repositories(database)
    database.close()


@pytest.fixture
def storage() -> FakeStorage:
    """Two empty buckets."""
    return FakeStorage()


@pytest.fixture
def queues() -> FakeQueues:
    """Two empty queues."""
    return FakeQueues()
