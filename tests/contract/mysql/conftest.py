"""A database with two counters on the server of this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imgcore.config import Secret
from imgcore.db.connection import Database, open_database
from tests.contract.mysql.counters import counters
from tests.mariadb import MariaDb


@pytest.fixture
def server(mariadb_server: MariaDb) -> Iterator[MariaDb]:
    """The server, which accepts changes again afterwards."""
    yield mariadb_server
    mariadb_server.sql("SET GLOBAL read_only = 0")


@pytest.fixture
def url(server: MariaDb) -> Iterator[str]:
    """The address of a database with two counters."""
    with counters(server) as address:
        yield address


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Return the database."""
    opened = open_database(Secret(url))
    yield opened
    opened.close()
