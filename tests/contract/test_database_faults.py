"""MySQL's outages, made on a real server: each is a calm sentence, nothing is lost, nothing is done twice."""

from __future__ import annotations

import logging
import secrets
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

import pymysql
import pytest

from imgcore.config import Secret
from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.dialects import Fault
from imgcore.db.mysql import Mysql
from imgcore.errors import Misconfigured, Unavailable
from tests.contract.proxy import Proxy, black_hole, proxy
from tests.mariadb import MariaDb, certificate


@pytest.fixture
def server(mariadb_server: MariaDb) -> Iterator[MariaDb]:
    """The server, sound again afterwards."""
    yield mariadb_server
    mariadb_server.sql("SET GLOBAL read_only = 0")


@pytest.fixture
def url(server: MariaDb) -> Iterator[str]:
    """A database with one table of one row."""
    with server.database() as address:
        server.sql(
            "CREATE TABLE counter (id INT PRIMARY KEY, value INT NOT NULL) ENGINE=InnoDB",
            "INSERT INTO counter VALUES (1, 0), (2, 0)",
            database=urlsplit(address).path[1:],
        )
        yield address


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Return the database."""
    opened = open_database(Secret(url))
    yield opened
    opened.close()


def increment(tx: Transaction, id_: int = 1) -> int:
    return tx.execute("UPDATE counter SET value = value + 1 WHERE id = :id", id=id_)


def value(database: Database, id_: int = 1) -> int:
    return int(
        database.read(lambda tx: tx.rows("SELECT value FROM counter WHERE id = :id", id=id_))[0]["value"]
    )


def connection_id(database: Database) -> int:
    return int(database.read(lambda tx: tx.rows("SELECT CONNECTION_ID() AS id"))[0]["id"])


def through(url: str, wire: Proxy) -> Database:
    return open_database(url.replace(f":{urlsplit(url).port}/", f":{wire.port}/"))


# Settings


def test_a_session_is_in_utc_strict_and_reads_what_is_committed(database: Database) -> None:
    """The server's defaults do not matter."""
    (row,) = database.read(
        lambda tx: tx.rows(
            "SELECT @@session.time_zone AS zone, @@session.sql_mode AS mode,"
            " @@session.tx_isolation AS isolation, @@session.character_set_client AS letters"
        )
    )

    assert ("+00:00", "READ-COMMITTED", "utf8mb4") == (row["zone"], row["isolation"], row["letters"])
    assert "STRICT_ALL_TABLES" in row["mode"]


def test_every_part_of_an_address_is_decoded(server: MariaDb) -> None:
    """A password of all the letters that mean something in a URL."""
    name, password = f"t_{secrets.token_hex(4)}", "p@s:s/w?o#r%d é&=+"
    server.sql(f"CREATE DATABASE {name}", f"CREATE USER {name}@localhost IDENTIFIED BY '{password}'")
    server.sql(f"GRANT ALL ON {name}.* TO {name}@localhost")
    try:
        database = open_database(f"mysql://{name}:{quote(password, safe='')}@127.0.0.1:{server.port}/{name}")
        database.ping()
        database.close()
    finally:
        server.sql(f"DROP DATABASE {name}", f"DROP USER {name}@localhost")


# Lost connections


def test_a_connection_that_was_killed_while_idle_is_replaced(server: MariaDb, database: Database) -> None:
    """A connection that was closed while idle is replaced without an error."""
    server.sql(f"KILL {connection_id(database)}")

    assert 1 == database.run(increment)
    assert 1 == value(database)


def test_a_connection_killed_within_a_transaction_means_doing_it_again(
    server: MariaDb, database: Database
) -> None:
    """All of it, once."""
    calls = 0

    def work(tx: Transaction) -> None:
        nonlocal calls
        calls += 1
        increment(tx)
        if calls == 1:
            server.sql(f"KILL {tx.rows('SELECT CONNECTION_ID() AS id')[0]['id']}")
        increment(tx, 2)

    database.run(work)

    assert (2, 1, 1) == (calls, value(database), value(database, 2))


def test_a_connection_that_is_killed_each_time_is_an_outage(server: MariaDb, database: Database) -> None:
    """Two tries; nothing is left of either."""
    calls = 0

    def work(tx: Transaction) -> None:
        nonlocal calls
        calls += 1
        increment(tx)
        server.sql(f"KILL {tx.rows('SELECT CONNECTION_ID() AS id')[0]['id']}")
        increment(tx)

    with pytest.raises(Unavailable):
        database.run(work)

    assert (2, 0) == (calls, value(database))


def test_what_the_work_raises_on_a_lost_connection_comes_out(server: MariaDb, database: Database) -> None:
    """It cannot be rolled back any more, and need not be."""

    def work(tx: Transaction) -> None:
        increment(tx)
        server.sql(f"KILL {tx.rows('SELECT CONNECTION_ID() AS id')[0]['id']}")
        raise KeyError("mine")

    with pytest.raises(KeyError):
        database.run(work)

    assert (0, 1) == (value(database), database.run(increment))


def test_a_commit_without_an_answer_is_not_done_again(server: MariaDb, url: str, database: Database) -> None:
    """It may have been committed, as here: the error says that the outcome is unknown."""
    calls = 0
    with proxy(server.port) as wire:
        shaky = through(url, wire)

        def work(tx: Transaction) -> None:
            nonlocal calls
            calls += 1
            increment(tx)
            wire.lose_answer = True

        with pytest.raises(Unavailable):
            shaky.run(work)
        shaky.close()

    assert (1, 1) == (calls, value(database))


def test_a_wire_that_clogs_is_an_outage(server: MariaDb, url: str) -> None:
    """Reading has its limit, too."""
    with proxy(server.port) as wire:
        slow = through(url, wire).with_timeout(0.3)
        slow.ping()
        wire.clogged = True

        with pytest.raises(Unavailable):
            slow.run(increment)
        slow.close()


def test_an_answer_that_is_late_is_not_asked_for_again(server: MariaDb, url: str) -> None:
    """The statement may still be running, and a second one would run beside it."""
    calls = 0

    def work(tx: Transaction) -> None:
        nonlocal calls
        calls += 1
        tx.rows("SELECT SLEEP(5) AS done")

    slow = open_database(url).with_timeout(0.3)
    with pytest.raises(Unavailable, match="in time") as raised:
        slow.read(work)

    assert (1, "database_slow") == (calls, raised.value.code)
    assert 0 == value(slow)
    slow.close()


def test_a_session_with_a_limit_knows_a_lock_wait_as_one(database: Database) -> None:
    """A wait for a lock ends before the statement's limit, and is tried again."""
    limited = database.with_statement_limit(2.0)

    (row,) = limited.read(
        lambda tx: tx.rows(
            "SELECT @@session.innodb_lock_wait_timeout AS lock_wait, @@session.max_statement_time AS most"
        )
    )

    assert (1, 2.0) == (row["lock_wait"], row["most"])
    limited.close()


# The server


def test_a_server_that_is_killed_and_back_has_lost_nothing(server: MariaDb, database: Database) -> None:
    """Away: Unavailable. Back: what was committed is there, what was not is not, and work goes on."""
    database.run(increment)

    def work(tx: Transaction) -> None:
        increment(tx)
        server.kill()
        increment(tx)

    try:
        with pytest.raises(Unavailable):
            database.run(work)
        with pytest.raises(Unavailable, match="cannot be reached"):
            database.ping()
    finally:
        server.start()

    assert (1, 1, 2) == (value(database), database.run(increment), value(database))


def test_a_server_that_only_reads_is_an_outage_for_writing(server: MariaDb, database: Database) -> None:
    """The server becomes read-only, as in a failover; afterwards work continues."""
    database.ping()
    server.sql("SET GLOBAL read_only = 1")
    with pytest.raises(Unavailable, match="no changes"):
        database.run(increment)
    readable = value(database)
    server.sql("SET GLOBAL read_only = 0")

    assert (0, 1) == (readable, database.run(increment))


def test_a_failover_between_two_tries_goes_unnoticed(server: MariaDb, database: Database) -> None:
    """The second try has a new connection, which may lead to another server."""
    ids = []

    def work(tx: Transaction) -> None:
        ids.append(tx.rows("SELECT CONNECTION_ID() AS id")[0]["id"])
        server.sql(f"SET GLOBAL read_only = {2 - len(ids)}")
        increment(tx)

    database.run(work)

    assert (2, 1) == (len(set(ids)), value(database))


def test_a_black_hole_is_an_outage(url: str) -> None:
    """A port that accepts and never answers."""
    with black_hole() as port:
        lost = open_database(url.replace(f":{urlsplit(url).port}/", f":{port}/")).with_timeout(0.3)

        with pytest.raises(Unavailable):
            lost.ping()


def test_nobody_at_the_port_is_an_outage(url: str) -> None:
    """Refused at once."""
    with black_hole() as port:
        pass
    with pytest.raises(Unavailable, match="cannot be reached"):
        open_database(url.replace(f":{urlsplit(url).port}/", f":{port}/")).ping()


def test_too_many_connections_are_an_outage(server: MariaDb, url: str) -> None:
    """The next caller gets an error and may retry."""
    user = urlsplit(url).username
    server.sql(f"ALTER USER {user}@localhost WITH MAX_USER_CONNECTIONS 1")
    first, second = open_database(url), open_database(url)
    first.ping()
    with pytest.raises(Unavailable, match="no more connections"):
        second.ping()
    first.close()

    second.ping()
    second.close()


# Other transactions in the way


def test_a_deadlock_is_done_again(database: Database) -> None:
    """Two take the same rows in opposite order: one is chosen to wait, both are done."""
    both = threading.Barrier(2)
    calls = []

    def crosswise(first: int, second: int) -> None:
        def work(tx: Transaction) -> None:
            calls.append(first)
            increment(tx, first)
            if len(calls) <= 2:
                both.wait(10)
            increment(tx, second)

        database.run(work)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(crosswise, 1, 2), pool.submit(crosswise, 2, 1)]:
            done.result()

    assert (3, 2, 2) == (len(calls), value(database), value(database, 2))


def test_a_lock_that_is_held_too_long_is_waited_for_again(database: Database) -> None:
    """The first wait ends in an error of the server; the second finds the row free."""
    locked, tried, calls = threading.Event(), threading.Event(), []

    def holder() -> None:
        with database.transaction() as tx:
            increment(tx)
            locked.set()
            tried.wait(30)

    def work(tx: Transaction) -> None:
        calls.append(1)
        if len(calls) == 2:
            tried.set()
        increment(tx)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(holder)
        locked.wait(10)
        database.run(work)
        held.result()

    assert (2, 2) == (len(calls), value(database))


# Who may


def test_a_rotated_password_is_fetched_again(server: MariaDb, url: str) -> None:
    """The password is fetched again once it is rejected; open connections continue until then."""
    parts = urlsplit(url)
    fetched: list[str] = []
    current = parts.password

    def credentials() -> tuple[str, Secret]:
        fetched.append(str(current))
        return str(parts.username), Secret(str(current))

    database = open_database(host="127.0.0.1", port=server.port, name=parts.path[1:], credentials=credentials)
    database.ping()
    current = secrets.token_urlsafe(12)
    server.sql(f"ALTER USER {parts.username}@localhost IDENTIFIED BY '{current}'")
    database.close()
    database.run(increment)
    database.close()
    database.ping()
    database.close()

    assert [parts.password, current] == fetched


def test_credentials_that_cannot_be_fetched_are_the_fetchers_matter(server: MariaDb) -> None:
    """What it raises comes out as it is; later it may work."""

    def credentials() -> tuple[str, Secret]:
        raise Misconfigured("DB_SECRET_ID names no secret.")

    with pytest.raises(Misconfigured, match="DB_SECRET_ID"):
        open_database(host="127.0.0.1", port=server.port, name="n", credentials=credentials).ping()


def test_a_wrong_password_is_an_outage_and_never_shown(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The message, the traceback, the repr of its locals and the log do not contain it."""
    caplog.set_level(logging.DEBUG)
    wrong = secrets.token_urlsafe(12)
    database = open_database(Secret(url.replace(str(urlsplit(url).password), wrong)))

    with pytest.raises(Unavailable, match="refuses the user name or password") as caught:
        database.ping()

    assert "database_refused" == caught.value.code
    printed = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
    assert wrong not in printed + repr(database) + repr(caught.value)


def test_a_database_that_is_not_there_is_an_outage(server: MariaDb, url: str) -> None:
    """Dropped, or its name mistyped: to a user without rights it is refused, to another it is missing."""
    name = urlsplit(url).path[1:]
    missing = url.removesuffix(name) + "no_such_database"
    with pytest.raises(Unavailable, match="may not use"):
        open_database(missing).ping()
    server.sql(f"GRANT SELECT ON no_such_database.* TO {name}@localhost")
    with pytest.raises(Unavailable, match="no database of that name"):
        open_database(missing).ping()


def test_a_missing_permission_is_an_outage(server: MariaDb, url: str, database: Database) -> None:
    """The application's user may not write, say."""
    name = urlsplit(url).path[1:]
    server.sql(f"REVOKE ALL ON {name}.* FROM {name}@localhost", f"GRANT SELECT ON {name}.* TO {name}@localhost")

    with pytest.raises(Unavailable, match="lacks a permission"):
        database.run(increment)


def test_tables_that_are_missing_are_an_outage(database: Database) -> None:
    """The sentence names the command that makes them."""
    with pytest.raises(Unavailable, match="imgcore migrate"):
        database.read(lambda tx: tx.rows("SELECT * FROM images"))


# TLS


def test_with_its_certificate_the_server_is_verified(server: MariaDb, url: str) -> None:
    """The session is encrypted."""
    for database in (
        open_database(f"{url}?ssl_ca={quote(str(server.ca))}"),
        open_database(url, ca=str(server.ca)),
    ):
        (row,) = database.read(lambda tx: tx.rows("SHOW STATUS LIKE 'Ssl_cipher'"))
        database.close()

        assert row["Value"]


def test_another_certificate_is_refused(
    server: MariaDb, url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server that cannot prove who it is gets no password."""
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder, folder / "ca.pem")

    with pytest.raises(Unavailable, match="cannot be reached"):
        open_database(url, ca=str(folder / "ca.pem")).ping()


def test_another_name_than_the_certificates_is_refused(server: MariaDb, url: str) -> None:
    """The certificate is 127.0.0.1's, not localhost's."""
    with pytest.raises(Unavailable, match="cannot be reached"):
        open_database(url.replace("@127.0.0.1:", "@localhost:"), ca=str(server.ca)).ping()


# Error codes


_KINDS = [pymysql.OperationalError, pymysql.ProgrammingError, pymysql.IntegrityError, pymysql.DataError]


@pytest.mark.parametrize("kind", _KINDS)
def test_every_error_code_of_mysql_and_mariadb_has_a_meaning(kind: type[pymysql.Error]) -> None:
    """All codes that either server's reference has room for; an unlisted one is named in the message.

    https://dev.mysql.com/doc/mysql-errors/9.4/en/ has 1 to 9999 and 10000 to 15000; MariaDB has 1000 to 1999
    and 3000 to 4999; the client 2000 to 2999; SIGNAL gives any number up to 65535.
    """
    dialect = Mysql("127.0.0.1", 1, "gallery", lambda: ("u", Secret("p")), None)
    found = {code: dialect.diagnose(kind(code, "text of the server")) for code in range(65_536)}

    assert [] == [code for code, diagnosis in found.items() if diagnosis is None]
    unlisted = {code: each for code, each in found.items() if each and each.code == "database_error"}
    assert len(unlisted) > 65_000
    assert {Fault.UNAVAILABLE} == {each.fault for each in unlisted.values()}
    expected = {code: f"The database reports error {code}." for code in unlisted}
    assert expected == {code: each.message for code, each in unlisted.items()}


def test_error_code_that_is_not_listed_is_unavailable(database: Database) -> None:
    """The server raises one of its own: SIGNAL takes any number."""
    signal = "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 4711, MESSAGE_TEXT = 'secret text'"
    with pytest.raises(Unavailable, match=r"^The database reports error 4711\.$"):
        database.run(lambda tx: tx.execute(signal))
    assert 1 == database.run(increment)
