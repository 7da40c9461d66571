"""MySQL and MariaDB, by pymysql."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from imgcore.config import Secret
from imgcore.db.dialects import BUSY, SLOW, UNMIGRATED, Answer, Diagnosis, Dialect, Fault, unlisted
from imgcore.db.mysql_rows import read_answer
from imgcore.db.statements import Named, Shifted

Credentials = Callable[[], tuple[str, Secret]]


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
        "part": "(",
        "then_join": "STRAIGHT_JOIN",
        "by_index": Named("FORCE INDEX (?)"),
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
        from pymysql.constants import CLIENT

        from imgcore.db.mysql_results import CONVERSIONS, QuickConnection

        connection = QuickConnection(
            host=self._host,
            port=self._port,
            database=self._name,
            user=user,
            password=password.reveal().encode(),  # a string would be sent as Latin-1
            charset="utf8mb4",
            autocommit=True,
            conv=CONVERSIONS,
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
        if settings := _settings_of(connection.get_server_info(), statement_limit):  # type: ignore[no-untyped-call]
            connection.query(f"SET SESSION {settings}")
        with connection.cursor() as cursor:
            # Each statement sees what is committed: who waited for a row's lock must see what its holder did.
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        return connection

    def answer(self, connection: Any, text: str, values: Mapping[str, Any]) -> Answer:
        return read_answer(connection, text, values)

    def diagnose(self, error: BaseException) -> Diagnosis | None:
        import pymysql

        if not isinstance(error, pymysql.Error):
            return None
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if isinstance(error, pymysql.InterfaceError):
            return _LOST
        if code == 2013 and isinstance(error.__context__, TimeoutError):
            return _TIMEOUT
        return _MYSQL.get(code) or unlisted(code)


def _settings_of(server: str, statement_limit: float | None) -> str:
    """Return what is set in another way for MySQL than for MariaDB; empty where nothing is.

    server: its version, as the handshake tells it. statement_limit: seconds for each statement. MariaDB limits
    every statement, so a wait for a lock must end earlier, to be known as one; MySQL limits SELECT only.
    """
    if "mariadb" not in server.lower():
        limit = "" if statement_limit is None else f", max_execution_time = {round(statement_limit * 1000)}"
        return f"{_NO_SKIP_SCAN}{limit}"
    if statement_limit is None:
        return ""
    lock_wait = max(1, math.ceil(statement_limit) - 1)
    return f"max_statement_time = {statement_limit}, innodb_lock_wait_timeout = {lock_wait}"


# MySQL alone has skip scans. One of a longer index costs less by its estimate than the index in whose order
# photos are read until enough are found, and reads and sorts all photos of a month
_NO_SKIP_SCAN = "optimizer_switch = 'skip_scan=off'"

_LOST = Diagnosis(Fault.LOST, "The connection to the database was lost.")
_TIMEOUT = Diagnosis(Fault.TIMEOUT, "The database does not answer in time.", "database_slow")
_READ_ONLY = Diagnosis(Fault.LOST, "The database accepts no changes just now.")
_DENIED = Diagnosis(Fault.UNAVAILABLE, "The database refuses the user name or password.", "database_refused")
_CROWDED = Diagnosis(Fault.UNAVAILABLE, "The database accepts no more connections just now.")
_UNREACHABLE = Diagnosis(Fault.UNAVAILABLE, "The database cannot be reached just now.")

# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html and
# https://mariadb.com/kb/en/mariadb-error-code-reference/
_MYSQL = {
    1020: BUSY,  # the row changed since it was read (MariaDB's snapshot isolation)
    1205: BUSY,  # lock wait timeout
    1213: BUSY,  # deadlock
    1317: BUSY,  # the statement was interrupted
    1969: SLOW,  # MariaDB: max_statement_time
    3024: SLOW,  # MySQL: max_execution_time
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
    1054: UNMIGRATED,
    1146: UNMIGRATED,
    1176: UNMIGRATED,  # an index that a statement names
    1021: Diagnosis(Fault.UNAVAILABLE, "The disk that holds the database is full."),
    1114: Diagnosis(Fault.UNAVAILABLE, "The disk that holds the database is full."),
}
