"""One SQLite or MySQL database: transactions, and retries where they are safe."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from imgcore.backoff import full_jitter
from imgcore.config import Secret
from imgcore.db import versions
from imgcore.db.dialects import Answer, Dialect, Fault
from imgcore.db.mysql import Credentials, Mysql
from imgcore.db.pool import Pool, Session
from imgcore.errors import Conflict, Invalid, Misconfigured, Unavailable, too_many_searches

T = TypeVar("T")
Row = dict[str, Any]

TIMEOUT = 10.0  # seconds for one answer; longer than any wait for a lock
PEOPLE_WAIT = 2.0  # seconds for one statement that a person waits for
_ANSWER_GRACE = 3.0  # seconds beyond a statement's limit until its answer counts as lost
HEAVY_QUERIES = 2  # heavy queries in flight in one process
HEAVY_WAITING = 4  # that wait for one of the two: two of the threads of signed-in people serve all else
HEAVY_WAIT = 1.0  # seconds to wait before the query is refused

_log = logging.getLogger("imgcore.db")


class Interrupted(Unavailable):
    """A transaction failed for a passing reason and nothing was committed, so the work may be retried.

    tries: how many attempts the work may have in all.
    """

    def __init__(self, message: str, tries: int) -> None:
        super().__init__(message)
        self.tries = tries


class Repository:
    """Base of the classes that hold the SQL statements about one subject."""

    def __init__(self, database: Database) -> None:
        self._database = database


class Transaction:
    """Runs the statements of one transaction.

    A statement names its values (``:owner_id``, given as keyword arguments) and may hold the fragments of
    Dialect, such as ``{now}``.
    """

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self._connection = connection
        self.dialect = dialect

    def _render(self, sql: str, values: dict[str, Any]) -> str:
        statement = self.dialect.render(sql)
        if statement.parameters != values.keys():
            raise TypeError(f"Values {sorted(values)} for parameters {sorted(statement.parameters)}: {sql}")
        return statement.text

    def _cursor(self, sql: str, values: dict[str, Any]) -> Any:
        text = self._render(sql, values)
        cursor = self._connection.cursor()
        cursor.execute(text, values)
        return cursor

    def execute(self, sql: str, /, **values: Any) -> int:
        """Run a statement, increase the version of the images it changes; return how many rows it matched."""
        if versions.changes_tasks(sql) and "image_id" not in values:
            return self._update_tasks(sql, values)
        count = int(self._cursor(versions.with_version(sql), values).rowcount)
        if count and versions.changes_tasks(sql):
            self._cursor(versions.INCREASE, {"image_id": values["image_id"]})
        return count

    def _update_tasks(self, sql: str, values: dict[str, Any]) -> int:
        """Run an UPDATE of the tasks of many images. Images are locked before tasks, as claims and edits do."""
        query = versions.images_of_tasks(sql)
        names = self.dialect.render(query).parameters
        count, rows = 0, self.tuples(query, **{name: values[name] for name in names})
        for increase, update, ids in versions.in_chunks(sql, [id_ for (id_,) in rows]):
            self._cursor(increase, ids)
            count += int(self._cursor(update, values | ids).rowcount)
        return count

    def insert(self, sql: str, /, **values: Any) -> int:
        """Insert a row; return its new id."""
        return int(self._cursor(sql, values).lastrowid)

    def rows(self, sql: str, /, **values: Any) -> list[Row]:
        """Return every row of the result, by column name."""
        cursor = self._cursor(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    def tuples(self, sql: str, /, **values: Any) -> Sequence[tuple[Any, ...]]:
        """Return every row of the result as a tuple: half the time of ``rows`` where there are many."""
        return self._cursor(sql, values).fetchall()  # type: ignore[no-any-return]

    def answer(self, sql: str, /, **values: Any) -> Answer:
        """Return the rows of a query as they were received, as texts: to be compared before they are read."""
        return self.dialect.answer(self._connection, self._render(sql, values), values)

    def row(self, sql: str, /, **values: Any) -> Row | None:
        """Return the first row of the result; None where there is none."""
        return next(iter(self.rows(sql, **values)), None)


@contextmanager
def _place(places: threading.Semaphore, wait: float) -> Iterator[None]:
    """Hold one of the places. Busy where none is free within ``wait`` seconds."""
    if not places.acquire(timeout=wait):
        raise too_many_searches()
    try:
        yield
    finally:
        places.release()


def _connect(dialect: Dialect, timeout: float, statement_limit: float | None) -> Any:
    try:
        return dialect.connect(timeout, statement_limit)
    except Exception as error:
        diagnosis = dialect.diagnose(error)
        if diagnosis is None:
            raise
        if diagnosis.fault is Fault.BUSY:
            raise Interrupted(diagnosis.message, tries=5) from error
        raise Unavailable(diagnosis.message, code=diagnosis.code) from error


class Database:
    """A database. Threads share it and its connections: each has one for the time of a transaction.

    timeout: seconds for each answer. statement_limit: seconds after which the server itself ends a statement;
    None without a limit. connections: how many may be open; None for one for each thread at most.
    """

    def __init__(
        self,
        dialect: Dialect,
        timeout: float = TIMEOUT,
        statement_limit: float | None = None,
        connections: int | None = None,
    ) -> None:
        self.dialect = dialect
        self._timeout = timeout
        self._heavy = threading.BoundedSemaphore(HEAVY_QUERIES)
        self._admitted = threading.BoundedSemaphore(HEAVY_QUERIES + HEAVY_WAITING)
        # Without a reference to this database, whose connections end with it
        self._pool = Pool(partial(_connect, dialect, timeout, statement_limit), connections)

    def __repr__(self) -> str:
        return f"<Database {self.dialect.name}>"

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one writing transaction and return its result.

        ``work`` is called again after a deadlock or a lost connection if nothing can have been committed.
        Raises, after a rollback, Unavailable, Conflict (``duplicate``), Invalid (text that is not Unicode) and
        the errors of ``work``.
        """
        return self._again(lambda: self._once(work))

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work``, which only reads, and return its result. Each statement sees its own snapshot."""
        return self._again(lambda: self._read_once(work))

    def read_heavy(
        self, work: Callable[[Transaction], T], light: Callable[[Transaction], T | None] | None = None
    ) -> T:
        """Run ``work`` as ``read`` does, with at most HEAVY_QUERIES of its kind at once in this process.

        light: reads a few rows, and returns the result where these tell it, else None. It is run where
        ``work`` would have to wait.
        Busy at once where HEAVY_WAITING others wait, or none ends within HEAVY_WAIT seconds.
        """
        if light is not None and self._crowded() and (found := self.read(light)) is not None:
            return found
        with _place(self._admitted, 0), _place(self._heavy, HEAVY_WAIT):
            return self.read(work)

    def _crowded(self) -> bool:
        """Return whether HEAVY_QUERIES are in flight."""
        if not self._heavy.acquire(blocking=False):
            return True
        self._heavy.release()
        return False

    def ping(self) -> None:
        """Check that the database answers. Raises Unavailable."""
        self.read(lambda transaction: transaction.row("SELECT 1 AS one"))

    def with_timeout(self, seconds: float) -> Database:
        """Return the same database with ``seconds`` for each answer and no other limit, as migrations need."""
        return Database(self.dialect, seconds)

    def with_statement_limit(self, seconds: float, connections: int | None = None) -> Database:
        """Return the same database, whose server ends each statement after ``seconds``.

        connections: how many it may have open; None for one for each thread at most.
        """
        return Database(self.dialect, min(self._timeout, seconds + _ANSWER_GRACE), seconds, connections)

    def close(self) -> None:
        """Close all connections; one in use, when its transaction ends. Later use opens others."""
        self._pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a writing transaction, committed at the end of the block and rolled back if the block raises."""
        session = self._pool.take()
        committing = False
        try:
            if not self._begins(session):
                session = self._pool.open()
                session.connection.cursor().execute(self.dialect.begin)
            session.in_transaction = True
            yield Transaction(session.connection, self.dialect)
            committing = True
            session.connection.cursor().execute("COMMIT")
            session.in_transaction = False
        except BaseException as error:
            translated = self._failed(session, error, committing)
            if translated is error:
                raise
            raise translated from error
        finally:
            self._pool.give_back(session)

    def _begins(self, session: Session) -> bool:
        """Begin a transaction. False, and the session is closed, if its connection has been lost meanwhile."""
        try:
            session.connection.cursor().execute(self.dialect.begin)
        except Exception as error:
            diagnosis = self.dialect.diagnose(error)
            if diagnosis is None or diagnosis.fault is not Fault.LOST:
                raise
            self._lost(session)
            return False
        return True

    def _lost(self, session: Session) -> None:
        """Close a session whose connection is lost, and the others, which led to the same server."""
        session.close()
        self._pool.close()

    def _once(self, work: Callable[[Transaction], T]) -> T:
        with self.transaction() as transaction:
            return work(transaction)

    def _read_once(self, work: Callable[[Transaction], T]) -> T:
        session = self._pool.take()
        try:
            return work(Transaction(session.connection, self.dialect))
        except BaseException as error:
            translated = self._failed(session, error, committing=False)
            if translated is error:
                raise
            raise translated from error
        finally:
            self._pool.give_back(session)

    @staticmethod
    def _again(attempt: Callable[[], T]) -> T:
        tried = 0
        while True:
            tried += 1
            try:
                return attempt()
            except Interrupted as error:
                if tried >= error.tries:
                    raise
                _log.info("%s Trying again (%d of %d).", error.message, tried + 1, error.tries)
            time.sleep(full_jitter(tried, random.random(), first=0.04))  # noqa: S311 - jitter

    def _failed(self, session: Session, error: BaseException, committing: bool) -> BaseException:
        """Roll back; return the error that the caller gets for ``error``."""
        diagnosis = self.dialect.diagnose(error)
        if diagnosis and diagnosis.fault is Fault.LOST:
            self._lost(session)
        elif not isinstance(error, Exception) or (diagnosis and diagnosis.ends_connection):
            session.close()
        elif session.in_transaction:
            try:
                session.connection.cursor().execute("ROLLBACK")
            except Exception:  # noqa: BLE001 - after any error here the state of the connection is unknown
                session.close()
        session.in_transaction = False
        if isinstance(error, UnicodeEncodeError):
            return Invalid("The text holds characters that cannot be stored.")
        if diagnosis is None:
            return error
        if diagnosis.code == "database_error":  # it may be a bug: the log has the statement's error
            _log.error("%s", diagnosis.message, exc_info=error)
        match diagnosis.fault:
            case Fault.BUSY:
                return Interrupted(diagnosis.message, tries=5)
            case Fault.LOST if not committing:
                return Interrupted(diagnosis.message, tries=2)
            case Fault.DUPLICATE:
                return Conflict(diagnosis.message, code=diagnosis.code)
        return Unavailable(diagnosis.message, code=diagnosis.code)


def open_database(
    url: Secret | str | None = None,
    *,
    host: str | None = None,
    port: int = 3306,
    name: str | None = None,
    credentials: Credentials | None = None,
    ca: str | None = None,
) -> Database:
    """Return the database at ``url``, or the one of host, name and credentials, without connecting to it.

    url: ``mysql://user:password@host:port/name?ssl_ca=file``, each part percent-encoded, or
    ``sqlite:///relative`` or ``sqlite:////absolute``. credentials: called for the user and password, and again
    when the server refuses them. ca: a file of CA certificates, against which the server's is verified.
    Raises Misconfigured.
    """
    if url is not None:
        return Database(_from_url(url.reveal() if isinstance(url, Secret) else url, ca))
    if host is None or name is None or credentials is None:
        raise Misconfigured(
            "The database is not configured: a URL, or a host, a name and credentials are needed."
        )
    return Database(Mysql(host, port, name, credentials, ca))


def _from_url(url: str, ca: str | None) -> Dialect:
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError:
        raise Misconfigured("The database's URL cannot be read.") from None  # the cause would show the password
    if parts.scheme == "sqlite":
        path = unquote(parts.path.removeprefix("/"))
        if parts.netloc or not path or path == ":memory:":
            raise Misconfigured("The database's URL must be sqlite:///a/path or sqlite:////an/absolute/path.")
        from imgcore.db.sqlite import Sqlite  # functions on AWS start without the driver

        return Sqlite(Path(path))
    if parts.scheme != "mysql":
        raise Misconfigured("The database's URL must begin with mysql:// or sqlite:///.")
    options = parse_qs(parts.query, keep_blank_values=True)
    if unknown := sorted(set(options) - {"ssl_ca"}):
        raise Misconfigured(f"The database's URL has an unknown option: {unknown[0]}.")
    name = unquote(parts.path.removeprefix("/"))
    if not parts.hostname or not parts.username or not name:
        raise Misconfigured("The database's URL must name a user, a host and a database.")
    known = unquote(parts.username), Secret(unquote(parts.password or ""))
    return Mysql(parts.hostname, port, name, lambda: known, options.get("ssl_ca", [ca])[-1])
