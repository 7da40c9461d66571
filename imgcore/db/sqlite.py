"""SQLite: a database in a file, for `make run`, scripts and tests."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from imgcore.db.dialects import BUSY, SLOW, UNMIGRATED, Answer, Diagnosis, Dialect, Fault, Texts, unlisted
from imgcore.db.statements import Named, Shifted


class _SqliteConnection(sqlite3.Connection):
    """A connection that interrupts a statement at its time limit. Each statement has a cursor of its own."""

    statement_limit: float | None = None
    _end = 0.0

    def limit_statements(self, seconds: float) -> None:
        """Interrupt each later statement after ``seconds``."""
        self.statement_limit = seconds
        self.set_progress_handler(lambda: time.monotonic() > self._end, _SQLITE_STEPS)

    def close(self) -> None:
        """Roll back, then close: a statement that a traceback keeps alive would hold the lock meanwhile."""
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()

    def cursor(self, *arguments: Any, **named: Any) -> Any:
        if self.statement_limit is not None:
            self._end = time.monotonic() + self.statement_limit
        return super().cursor(*arguments, **named)


class Sqlite(Dialect):
    """A database file; several processes may use it at once."""

    name = "sqlite"
    pyformat = False
    begin = "BEGIN IMMEDIATE"  # the write lock at once: a later upgrade could fail halfway
    fragments: ClassVar = {
        "now": "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')",
        "later": Shifted(
            "(strftime('%Y-%m-%d %H:%M:%f', 'now', printf('%.6f seconds', ? / 1000000.0)) || '000')"
        ),
        "ago": Shifted(
            "(strftime('%Y-%m-%d %H:%M:%f', 'now', printf('%.6f seconds', -? / 1000000.0)) || '000')"
        ),
        "for_update": "",
        "insert_ignore": "INSERT OR IGNORE INTO",
        "part": "SELECT * FROM (",
        "then_join": "CROSS JOIN",  # which SQLite does not reorder: https://www.sqlite.org/lang_select.html
        "by_index": Named("INDEXED BY ?"),
        "create_view": "CREATE VIEW IF NOT EXISTS",
        "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "int": "INTEGER",
        "real": "REAL",
        "time": "TEXT",
        "word": "TEXT",
        "name": "TEXT",
        "key": "TEXT",
        "text": "TEXT",
        "options": "STRICT",
        "clustered": "STRICT, WITHOUT ROWID",
    }

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self, timeout: float, statement_limit: float | None = None) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            factory=_SqliteConnection,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,  # close() may come from another thread
            cached_statements=256,
        )
        connection.create_function("BIT_COUNT", 1, _bit_count, deterministic=True)  # as MySQL has it
        # WAL: readers and one writer at once. FULL: a commit is on the disk before it returns, so a power
        # failure loses nothing that was acknowledged. See https://www.sqlite.org/wal.html
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if statement_limit is not None:
            connection.limit_statements(statement_limit)
        return connection

    def answer(self, connection: Any, text: str, values: Mapping[str, Any]) -> Answer:
        return Answer(tuple(connection.cursor().execute(text, values).fetchall()), _texts)

    def diagnose(self, error: BaseException) -> Diagnosis | None:
        if not isinstance(error, sqlite3.Error):
            return None
        code = getattr(error, "sqlite_errorcode", 0)
        if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
            return Diagnosis(Fault.DUPLICATE, "A row with this key exists already.", "duplicate")
        if any(f"no such {what}" in str(error) for what in ("table", "column", "index")):
            return UNMIGRATED
        found = _SQLITE.get(code & 0xFF)  # the low byte is the family of the error
        if found is None and "closed database" in str(error):
            return Diagnosis(Fault.LOST, "The connection to the database was closed.")
        return found or unlisted(code)


_SQLITE_STEPS = 10_000  # of its virtual machine between two looks at the clock: well below a millisecond

_SQLITE = {
    sqlite3.SQLITE_INTERRUPT: SLOW,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_READONLY: Diagnosis(Fault.UNAVAILABLE, "The database's file cannot be written to."),
    sqlite3.SQLITE_IOERR: Diagnosis(Fault.LOST, "The database's file cannot be read or written just now."),
    sqlite3.SQLITE_CORRUPT: Diagnosis(Fault.UNAVAILABLE, "The database's file is damaged."),
    sqlite3.SQLITE_FULL: Diagnosis(Fault.UNAVAILABLE, "The disk that holds the database is full."),
    sqlite3.SQLITE_CANTOPEN: Diagnosis(Fault.UNAVAILABLE, "The database's file cannot be opened."),
    sqlite3.SQLITE_NOTADB: Diagnosis(Fault.UNAVAILABLE, "The database's file is not a database."),
}


def _texts(rows: tuple[tuple[Any, ...], ...]) -> Texts:
    return tuple(tuple(None if value is None else str(value) for value in row) for row in rows)


def _bit_count(value: int) -> int:
    return (value % 2**64).bit_count()  # of a negative number too
