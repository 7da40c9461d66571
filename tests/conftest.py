"""What every kind of test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mariadb import MariaDb, mariadb


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """One private MariaDB for the whole run."""
    with mariadb() as server:
        yield server


@pytest.fixture
def mariadb_url(mariadb_server: MariaDb) -> Iterator[str]:
    """The URL of a new, empty database."""
    with mariadb_server.database() as url:
        yield url
