"""MySQL's outages, made on a real server: each is a calm sentence, nothing is lost, nothing is done twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from imgcore.db.connection import Database, Transaction, open_database
from imgcore.errors import Unavailable
from tests.contract.mysql.counters import increment
from tests.contract.proxy import Proxy, black_hole, proxy
from tests.mariadb import MariaDb


def value(database: Database, id_: int = 1) -> int:
    return int(
        database.read(lambda tx: tx.rows("SELECT value FROM counter WHERE id = :id", id=id_))[0]["value"]
    )


def connection_id(database: Database) -> int:
    return int(database.read(lambda tx: tx.rows("SELECT CONNECTION_ID() AS id"))[0]["id"])


def through(url: str, wire: Proxy) -> Database:
    return open_database(url.replace(f":{urlsplit(url).port}/", f":{wire.port}/"))


# Lost connections


def test_a_connection_that_was_killed_while_idle_is_replaced(server: MariaDb, database: Database) -> None:
    """A connection that was closed while idle is replaced without an error."""
    server.sql(f"KILL {connection_id(database)}")

    assert 1 == database.run(increment)
    assert 1 == value(database)


def test_a_transaction_begins_on_a_new_connection_where_its_own_was_lost(
    server: MariaDb, database: Database
) -> None:
    """It does so outside ``run`` too: nothing has been done yet that could be done twice."""
    server.sql(f"KILL {connection_id(database)}")

    with database.transaction() as tx:
        increment(tx)

    assert 1 == value(database)


@pytest.mark.parametrize("write", [False, True])
def test_connections_that_were_all_killed_while_idle_are_replaced(
    server: MariaDb, database: Database, write: bool
) -> None:
    """A failover: the second try must not take another connection to the server that is gone."""
    together = threading.Barrier(4)

    def use(tx: Transaction) -> int:
        together.wait(10)
        return int(tx.rows("SELECT CONNECTION_ID() AS id")[0]["id"])

    with ThreadPoolExecutor(4) as pool:
        ids = {done.result() for done in [pool.submit(database.read, use) for _ in range(4)]}
    assert 4 == len(ids)
    for id_ in ids:
        server.sql(f"KILL {id_}")

    assert (1 if write else 0) == (database.run(increment) if write else value(database))
    assert connection_id(database) not in ids


def test_a_transaction_cannot_begin_while_the_server_is_away(server: MariaDb, url: str) -> None:
    """The lost connection and the new one are both in vain: one calm error, and nothing is left open."""
    database = open_database(url).with_statement_limit(5.0, connections=1)
    database.ping()
    server.kill()
    try:
        with pytest.raises(Unavailable, match="cannot be reached"), database.transaction():
            pass
    finally:
        server.start()

    assert 1 == database.run(increment)
    database.close()


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
    """A wait for a lock ends before the statement's limit, and is tried again. MySQL limits SELECT alone."""
    limited = database.with_statement_limit(2.0)
    names = "'max_statement_time', 'max_execution_time', 'innodb_lock_wait_timeout'"

    rows = limited.read(lambda tx: tx.rows(f"SHOW SESSION VARIABLES WHERE variable_name IN ({names})"))

    limits = {row["Variable_name"]: float(row["Value"]) for row in rows}
    expected = {"max_statement_time": 2.0, "innodb_lock_wait_timeout": 1.0}
    if "max_execution_time" in limits:
        expected = {
            "max_execution_time": 2000.0,
            "innodb_lock_wait_timeout": limits["innodb_lock_wait_timeout"],
        }
    assert expected == limits
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
