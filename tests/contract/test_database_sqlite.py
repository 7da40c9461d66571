"""SQLite: its settings, locks, and files that cannot be used."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from imgcore.db.connection import Database, Transaction, open_database
from imgcore.errors import Unavailable
from tests.contract.database_tools import gates, insert


def test_sqlite_writes_ahead_and_keeps_its_references(sqlite_database: Database) -> None:
    """WAL lets readers and a writer work at once; each commit is synced; foreign keys are off by default."""
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    values = [
        sqlite_database.read(lambda tx, p=p: next(iter(tx.rows(f"PRAGMA {p}")[0].values()))) for p in pragmas
    ]

    assert ["wal", 2, 1, 10_000] == values


def test_a_lock_that_is_let_go_in_time_is_waited_for(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit is retried after the timeout; the work is done once."""
    locked, tried, free = threading.Event(), threading.Event(), threading.Event()
    calls = []

    def pause(_: float) -> None:
        tried.set()
        free.wait(10)

    def holder() -> None:
        with sqlite_database.transaction() as tx:
            insert(tx, "a")
            locked.set()
            tried.wait(10)
        free.set()

    monkeypatch.setattr(time, "sleep", pause)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(holder)
        locked.wait(10)
        sqlite_database.with_timeout(0.01).run(lambda tx: calls.append(insert(tx, "b")))
        held.result()

    assert ([1], ["a", "b"]) == (calls, gates(sqlite_database))


def test_a_lock_that_is_never_let_go_is_an_outage(sqlite_database: Database) -> None:
    """Five tries, then a sentence."""
    with (
        ThreadPoolExecutor(1) as pool,
        sqlite_database.transaction(),
        pytest.raises(Unavailable, match="too busy"),
    ):
        pool.submit(sqlite_database.with_timeout(0.01).run, lambda tx: insert(tx, "b")).result()


def test_a_file_that_is_locked_at_first_sight_is_an_outage(tmp_path: Path) -> None:
    """Another program holds it while the connection is made."""
    path = tmp_path / "gallery.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (a)")
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(Unavailable, match="too busy"):
            open_database(f"sqlite:///{path}").with_timeout(0.01).ping()


def unreadable(path: Path) -> None:
    path.mkdir()


def no_database(path: Path) -> None:
    path.write_bytes(b"This is no database at all. " * 100)


@pytest.mark.parametrize("spoil", [unreadable, no_database])
def test_a_file_that_cannot_be_used_is_an_outage(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """The error has a sentence, not the driver's text."""
    spoil(tmp_path / "gallery.db")

    with pytest.raises(Unavailable, match="database's file"):
        open_database(f"sqlite:///{tmp_path}/gallery.db").ping()


def test_a_folder_that_is_missing_is_an_outage(tmp_path: Path) -> None:
    """A mistyped path."""
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path}/missing/gallery.db").ping()


def test_a_full_disk_is_an_outage_and_loses_nothing(sqlite_database: Database) -> None:
    """What was there is there, and writing goes on once there is room."""

    def fill(tx: Transaction) -> None:
        for n in range(10_000):
            tx.execute("INSERT INTO gates (name, message) VALUES (:name, :text)", name=f"g{n}", text="x" * 900)

    sqlite_database.run(lambda tx: insert(tx, "a"))
    sqlite_database.read(lambda tx: tx.rows("PRAGMA max_page_count = 200"))

    with pytest.raises(Unavailable, match="full"):
        sqlite_database.run(fill)

    assert ["a"] == gates(sqlite_database)
    assert 1 == sqlite_database.run(lambda tx: insert(tx, "b"))


def test_a_database_without_tables_says_what_is_missing(tmp_path: Path) -> None:
    """The command that makes them."""
    with pytest.raises(Unavailable, match="imgcore migrate") as caught:
        gates(open_database(f"sqlite:///{tmp_path}/empty.db"))

    assert "not_migrated" == caught.value.code


def test_transaction_of_a_failed_statement_does_not_outlive_it(sqlite_database: Database) -> None:
    """A cursor that a traceback keeps alive would keep the lock, which all others wait for."""
    kept = []

    def work(tx: Transaction) -> None:
        insert(tx, "a")
        cursor = tx._connection.execute("SELECT 1 UNION SELECT 2")
        kept.append((cursor, cursor.fetchone()))
        tx.rows("SELECT missing FROM images")

    with pytest.raises(Unavailable):
        sqlite_database.run(work)
    assert kept
    sqlite_database.with_timeout(0.01).run(lambda tx: insert(tx, "b"))
    assert ["b"] == gates(sqlite_database)
