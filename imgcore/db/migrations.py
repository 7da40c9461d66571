"""Apply the steps of imgcore.db.steps that a database lacks; the table ``migrations`` remembers them."""

from __future__ import annotations

import hashlib

from imgcore.db.connection import Database, Transaction
from imgcore.db.schema import Schema
from imgcore.db.steps import STEPS
from imgcore.db.steps.m009 import m009_words
from imgcore.db.word_index import index_unindexed
from imgcore.errors import Unavailable

_STEPS = STEPS
_WORDS = m009_words.__name__  # the step that adds the table of words
_WAIT = 60  # seconds that one migration waits for another
_INDEXED_AT_ONCE = 200  # photos of one transaction: the release before waits no longer for their locks
_TIMEOUT = 3600.0  # seconds for one statement: an index on a large table takes long


def pending(database: Database) -> list[str]:
    """Return the names of the steps that were not applied, in order."""
    applied = database.read(_applied)
    return [step.__name__ for step in _STEPS if step.__name__ not in applied]


def migrate(database: Database) -> list[str]:
    """Apply the pending steps, index the photos that are not searchable yet, and return the steps' names.

    Several callers at once wait for each other. Raises Unavailable.
    """
    slow = database.with_timeout(_TIMEOUT)
    try:
        # SQLite: one transaction, which locks out others
        applied = slow.run(_apply) if slow.dialect.name == "sqlite" else slow.read(_apply_locked)
        if _WORDS in slow.read(_applied):
            while slow.run(lambda tx: index_unindexed(tx, _INDEXED_AT_ONCE)):
                pass
        return applied
    finally:
        slow.close()


def _apply_locked(transaction: Transaction) -> list[str]:
    """Apply under a named lock, because in MySQL a change of the schema ends the transaction."""
    lock = _lock_name(transaction)
    got = transaction.row("SELECT GET_LOCK(:lock, :wait) AS got", lock=lock, wait=_WAIT)
    if got is None or got["got"] != 1:
        raise Unavailable("Another migration of this database is running. Try again when it has ended.")
    try:
        return _apply(transaction)
    finally:
        transaction.rows("SELECT RELEASE_LOCK(:lock) AS done", lock=lock)


def _lock_name(transaction: Transaction) -> str:
    """Return a name of the database that a lock may have: at most 64 characters, unique on the server.

    It is hashed here because MySQL 9.6 removed MD5(); release 0.1.0 made the same name with it.
    """
    [row] = transaction.rows("SELECT DATABASE() AS name")
    return "imgcore." + hashlib.md5(row["name"].encode(), usedforsecurity=False).hexdigest()


def _apply(transaction: Transaction) -> list[str]:
    transaction.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (name {word} NOT NULL PRIMARY KEY, applied_at {time} NOT NULL) {options}"
    )
    applied = _applied(transaction)
    todo = [step for step in _STEPS if step.__name__ not in applied]
    for step in todo:
        step(Schema(transaction))
        transaction.execute(
            "INSERT INTO migrations (name, applied_at) VALUES (:name, {now})", name=step.__name__
        )
    return [step.__name__ for step in todo]


def _applied(transaction: Transaction) -> set[str]:
    if transaction.dialect.name == "sqlite":
        table = transaction.row("SELECT 1 AS one FROM sqlite_master WHERE name = 'migrations'")
    else:
        table = transaction.row(
            "SELECT 1 AS one FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name = 'migrations'"
        )
    return {row["name"] for row in transaction.rows("SELECT name FROM migrations")} if table else set()
