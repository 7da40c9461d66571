"""A table of names, for the tests of connections and transactions, and statistics for those of plans."""

from __future__ import annotations

import time

from imgcore.db.connection import Database, Transaction

PURGE_SECONDS = 120.0


def insert(tx: Transaction, name: str) -> int:
    return tx.execute("INSERT INTO gates (name) VALUES (:name)", name=name)


def gates(database: Database) -> list[str]:
    return [row["name"] for row in database.read(lambda tx: tx.rows("SELECT name FROM gates ORDER BY name"))]


def analyze(database: Database, *tables: str) -> None:
    """Let MySQL count the rows of tables, as it does by itself some seconds later; SQLite needs no counts.

    It counts, and reads, rows that were deleted until they are purged in the background: that comes first.
    """
    if database.dialect.name == "sqlite":
        return
    length = "SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'"
    deadline = time.monotonic() + PURGE_SECONDS
    while database.read(lambda tx: tx.tuples(length))[0][0]:
        assert time.monotonic() < deadline, "The database does not purge what was deleted."
        time.sleep(0.02)
    database.read(lambda tx: tx.rows(f"ANALYZE TABLE {', '.join(tables)}"))
