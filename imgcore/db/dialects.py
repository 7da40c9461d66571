"""What differs between SQLite and MySQL: connecting, a few fragments of SQL, and the meaning of errors."""

from __future__ import annotations

import math
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from imgcore.config import Secret
from imgcore.db.statements import Shifted, Statement, render

Credentials = Callable[[], tuple[str, Secret]]


class Fault(Enum):
    """What the caller has to do about an error of the database."""

    BUSY = auto()  # another transaction was in the way: roll back, try again
    LOST = auto()  # the connection is broken: discard it
    SLOW = auto()  # the server ended the statement at its time limit: running it again would take as long
    TIMEOUT = auto()  # no answer in time: discard the connection; the statement may still be running
    DUPLICATE = auto()  # a row with this key exists already
    UNAVAILABLE = auto()  # nothing helps but waiting or a person


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The meaning of a driver's error."""

    fault: Fault
    message: str
    code: str = "unavailable"

    @property
    def ends_connection(self) -> bool:
        """Whether the connection is discarded; after an unlisted error it is rolled back and used again."""
        ends = self.fault in (Fault.LOST, Fault.TIMEOUT, Fault.UNAVAILABLE)
        return ends and self.code != "database_error"


class Dialect(ABC):
    """One kind of database. Statements are written once, with ``:name`` for values and the fragments below.

    Times are UTC in microseconds: DATETIME(6) in MySQL, and in SQLite the text ``YYYY-MM-DD HH:MM:SS.ffffff``,
    which sorts by time. SQLite's clock has milliseconds (in strftime, julianday and unixepoch alike), so its
    last three digits are zeros. ``{later:name}`` and ``{ago:name}`` are now plus or minus the parameter
    ``name``, in microseconds.
    """

    name: ClassVar[str]
    begin: ClassVar[str]
    pyformat: ClassVar[bool]  # whether the driver takes %(name)s for a parameter, else :name
    fragments: ClassVar[Mapping[str, str]]

    @abstractmethod
    def connect(self, timeout: float, statement_limit: float | None = None) -> Any:
        """Return a DB-API connection in autocommit mode that waits ``timeout`` seconds for an answer.

        statement_limit: seconds after which the database ends a statement by itself; None without a limit.
        """

    @abstractmethod
    def diagnose(self, error: BaseException) -> Diagnosis | None:
        """Return the meaning of ``error``; None for a bug or an error from elsewhere."""

    def render(self, template: str) -> Statement:
        """Return the statement in this database's SQL and its driver's parameter style; cached."""
        return _rendered(type(self), template)


@lru_cache(maxsize=512)
def _rendered(dialect: type[Dialect], template: str) -> Statement:
    return render(template, dialect.fragments, pyformat=dialect.pyformat)


class _SqliteConnection(sqlite3.Connection):
    """A connection that interrupts a statement at its time limit. Each statement has a cursor of its own."""

    statement_limit: float | None = None
    _end = 0.0

    def limit_statements(self, seconds: float) -> None:
        """Interrupt each later statement after ``seconds``."""
        self.statement_limit = seconds
        self.set_progress_handler(lambda: time.monotonic() > self._end, _SQLITE_STEPS)

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
        # WAL: readers and one writer at once. FULL: a commit is on the disk before it returns, so a power
        # failure loses nothing that was acknowledged. See https://www.sqlite.org/wal.html
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if statement_limit is not None:
            connection.limit_statements(statement_limit)
        return connection

    def diagnose(self, error: BaseException) -> Diagnosis | None:
        if not isinstance(error, sqlite3.Error):
            return None
        code = getattr(error, "sqlite_errorcode", 0)
        if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
            return Diagnosis(Fault.DUPLICATE, "A row with this key exists already.", "duplicate")
        if "no such table" in str(error) or "no such column" in str(error):
            return _UNMIGRATED
        found = _SQLITE.get(code & 0xFF)  # the low byte is the family of the error
        if found is None and "closed database" in str(error):
            return Diagnosis(Fault.LOST, "The connection to the database was closed.")
        return found or _unlisted(code)


_UNMIGRATED = Diagnosis(
    Fault.UNAVAILABLE,
    "The database's tables are missing or out of date. Run `imgcore migrate`.",
    "not_migrated",
)

_BUSY = Diagnosis(Fault.BUSY, "The database is too busy just now.")


def _unlisted(code: int) -> Diagnosis:
    """Return the meaning of a code that no table lists: any of the thousands may be an outage of its kind."""
    return Diagnosis(Fault.UNAVAILABLE, f"The database reports error {code}.", "database_error")


_SLOW = Diagnosis(
    Fault.SLOW, "The database took too long over this. Try again, or ask for less.", "database_slow"
)

_SQLITE_STEPS = 10_000  # of its virtual machine between two looks at the clock: well below a millisecond

_SQLITE = {
    sqlite3.SQLITE_INTERRUPT: _SLOW,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: Diagnosis(Fault.UNAVAILABLE, "The database's file cannot be written to."),
    sqlite3.SQLITE_IOERR: Diagnosis(Fault.LOST, "The database's file cannot be read or written just now."),
    sqlite3.SQLITE_CORRUPT: Diagnosis(Fault.UNAVAILABLE, "The database's file is damaged."),
    sqlite3.SQLITE_FULL: Diagnosis(Fault.UNAVAILABLE, "The disk that holds the database is full."),
    sqlite3.SQLITE_CANTOPEN: Diagnosis(Fault.UNAVAILABLE, "The database's file cannot be opened."),
    sqlite3.SQLITE_NOTADB: Diagnosis(Fault.UNAVAILABLE, "The database's file is not a database."),
}


class Mysql(Dialect):
    """MySQL 8.4 or later and MariaDB 10.11 or later, with SQL that means the same in both."""

    name = "mysql"
    pyformat = True
    begin = "BEGIN"
    fragments: ClassVar = {
        "now": "UTC_TIMESTAMP(6)",
        "later": Shifted("(UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)"),
        "ago": Shifted("(UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND)"),
        "for_update": "FOR UPDATE",
        "insert_ignore": "INSERT IGNORE INTO",
        "create_view": "CREATE OR REPLACE SQL SECURITY INVOKER VIEW",
        "serial": "BIGINT AUTO_INCREMENT PRIMARY KEY",
        "int": "BIGINT",
        "real": "DOUBLE",
        "time": "DATETIME(6)",
        "word": "VARCHAR(64)",
        "name": "VARCHAR(512)",
        "key": "VARCHAR(768)",  # the longest that an index holds
        "text": "TEXT",
        "options": "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
        "clustered": "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",  # by the primary key, always
    }

    def __init__(self, host: str, port: int, name: str, credentials: Credentials, ca: str | None) -> None:
        self._host, self._port, self._name = host, port, name
        self._credentials = credentials
        self._known: tuple[str, Secret] | None = None
        self._ca = ca

    def connect(self, timeout: float, statement_limit: float | None = None) -> Any:
        import pymysql

        if self._known is not None:
            try:
                return self._connect(timeout, statement_limit, *self._known)
            except pymysql.OperationalError as error:
                if self.diagnose(error) is not _DENIED:
                    raise
        self._known = (
            self._credentials()
        )  # for the first time, or once more: the password may have been rotated
        return self._connect(timeout, statement_limit, *self._known)

    def _connect(self, timeout: float, statement_limit: float | None, user: str, password: Secret) -> Any:
        import pymysql
        from pymysql.constants import CLIENT, FIELD_TYPE
        from pymysql.converters import conversions

        connection = pymysql.connect(
            host=self._host,
            port=self._port,
            database=self._name,
            user=user,
            password=password.reveal().encode(),  # a string would be sent as Latin-1
            charset="utf8mb4",
            autocommit=True,
            conv=conversions | {FIELD_TYPE.DATETIME: datetime.fromisoformat},  # a tenth of pymysql's own time
            client_flag=CLIENT.FOUND_ROWS,  # an UPDATE counts the rows it matched, as SQLite does
            connect_timeout=5,
            read_timeout=timeout,
            write_timeout=timeout,
            ssl_ca=self._ca,
            ssl_verify_cert=bool(self._ca),
            ssl_verify_identity=bool(self._ca),
            init_command="SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 3,"
            " lock_wait_timeout = 5, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
        )
        if statement_limit is not None:
            connection.query(_limit_statements(connection.get_server_info(), statement_limit))  # type: ignore[no-untyped-call]
        with connection.cursor() as cursor:
            # Each statement sees what is committed: who waited for a row's lock must see what its holder did.
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        return connection

    def diagnose(self, error: BaseException) -> Diagnosis | None:
        import pymysql

        if not isinstance(error, pymysql.Error):
            return None
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if isinstance(error, pymysql.InterfaceError):
            return _LOST
        if code == 2013 and isinstance(error.__context__, TimeoutError):
            return _TIMEOUT
        return _MYSQL.get(code) or _unlisted(code)


def _limit_statements(server: str, seconds: float) -> str:
    """Return the statement that limits each later one. server: its version, as the handshake tells it.

    MariaDB limits every statement, so a wait for a lock must end earlier, to be known as one; MySQL limits
    SELECT only.
    """
    if "mariadb" not in server.lower():
        return f"SET SESSION max_execution_time = {round(seconds * 1000)}"
    lock_wait = max(1, math.ceil(seconds) - 1)
    return f"SET SESSION max_statement_time = {seconds}, innodb_lock_wait_timeout = {lock_wait}"


_LOST = Diagnosis(Fault.LOST, "The connection to the database was lost.")
_TIMEOUT = Diagnosis(Fault.TIMEOUT, "The database does not answer in time.", "database_slow")
_READ_ONLY = Diagnosis(Fault.LOST, "The database accepts no changes just now.")
_DENIED = Diagnosis(Fault.UNAVAILABLE, "The database refuses the user name or password.", "database_refused")
_CROWDED = Diagnosis(Fault.UNAVAILABLE, "The database accepts no more connections just now.")
_UNREACHABLE = Diagnosis(Fault.UNAVAILABLE, "The database cannot be reached just now.")

# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html and
# https://mariadb.com/kb/en/mariadb-error-code-reference/
_MYSQL = {
    1020: _BUSY,  # the row changed since it was read (MariaDB's snapshot isolation)
    1205: _BUSY,  # lock wait timeout
    1213: _BUSY,  # deadlock
    1317: _BUSY,  # the statement was interrupted
    1969: _SLOW,  # MariaDB: max_statement_time
    3024: _SLOW,  # MySQL: max_execution_time
    2006: _LOST,
    2013: _LOST,
    2014: _LOST,  # commands out of sync
    2055: _LOST,
    1053: _LOST,  # the server is shutting down
    1927: _LOST,  # MariaDB: the connection was killed
    4031: _LOST,  # MySQL: idle for too long
    1290: _READ_ONLY,  # --read-only, as during a failover
    1792: _READ_ONLY,
    1836: _READ_ONLY,
    1045: _DENIED,
    1698: _DENIED,
    1062: Diagnosis(Fault.DUPLICATE, "A row with this key exists already.", "duplicate"),
    1040: _CROWDED,
    1203: _CROWDED,
    1226: _CROWDED,
    2002: _UNREACHABLE,
    2003: _UNREACHABLE,
    1044: Diagnosis(Fault.UNAVAILABLE, "The database's user may not use this database.", "database_refused"),
    1142: Diagnosis(Fault.UNAVAILABLE, "The database's user lacks a permission.", "database_refused"),
    1049: Diagnosis(Fault.UNAVAILABLE, "The server has no database of that name.", "database_missing"),
    1054: _UNMIGRATED,
    1146: _UNMIGRATED,
    1021: Diagnosis(Fault.UNAVAILABLE, "The disk that holds the database is full."),
    1114: Diagnosis(Fault.UNAVAILABLE, "The disk that holds the database is full."),
}
