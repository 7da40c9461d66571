"""A database of a real MySQL server with a table of counters, for the tests of MySQL alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from imgcore.db.connection import Transaction
from tests.mariadb import MariaDb


@contextmanager
def counters(server: MariaDb) -> Iterator[str]:
    """Create a database with a table of two counters; yield its address."""
    with server.database() as address:
        server.sql(
            "CREATE TABLE counter (id INT PRIMARY KEY, value INT NOT NULL) ENGINE=InnoDB",
            "INSERT INTO counter VALUES (1, 0), (2, 0)",
            database=urlsplit(address).path[1:],
        )
        yield address


def increment(tx: Transaction, id_: int = 1) -> int:
    return tx.execute("UPDATE counter SET value = value + 1 WHERE id = :id", id=id_)
