"""Connections of threads and processes, on both databases."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.migrations import migrate
from tests.contract.database_tools import gates, insert
from tests.mariadb import MariaDb
from tests.support.waiting import wait_for


def test_each_thread_has_its_own_connection(database: Database) -> None:
    """Two transactions may be open at once, in two threads."""
    inside, done = threading.Event(), threading.Event()

    def reader() -> list[str]:
        inside.wait(10)
        try:
            return gates(database)
        finally:
            done.set()

    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(reader)
        with database.transaction() as tx:
            insert(tx, "a")
            inside.set()
            done.wait(10)

    assert ([], ["a"]) == (seen.result(), gates(database))


def test_a_closed_database_opens_again(database: Database) -> None:
    """close() lets go of connections, no more."""
    database.run(lambda tx: insert(tx, "a"))
    database.close()

    assert ["a"] == gates(database)


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_connections_of_a_burst_are_closed_after_a_minute(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """Eight threads at once have eight, which twenty more use in turn; a minute later there is one."""
    url = f"sqlite:///{tmp_path}/burst.db" if kind == "sqlite" else request.getfixturevalue("mariadb_url")
    server = request.getfixturevalue("mariadb_server") if kind == "mariadb" else None
    now, together = [0.0], threading.Barrier(8)

    def read(tx: Transaction) -> None:
        tx.rows("SELECT * FROM some")
        together.wait(20)

    with closing(open_database(url).with_statement_limit(5.0)) as database:
        database._pool._clock = lambda: now[0]
        database.run(lambda tx: tx.execute("CREATE TABLE some (n {int})"))
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(database.read, read) for _ in range(8)]:
                done.result()
        for _ in range(20):
            thread = threading.Thread(target=database.ping)
            thread.start()
            thread.join()
        now[0] += 59
        database._pool.close_idle()
        assert 8 == connections_to(url, server)
        now[0] += 2
        database._pool.close_idle()
        wait_for(lambda: connections_to(url, server) == 1)  # the server closes its end a moment later
        database.ping()
        assert 1 == connections_to(url, server)


def connections_to(url: str, server: MariaDb | None) -> int:
    """Return how many connections to a database are open."""
    if server is not None:
        return [row[3] for row in server.sql("SHOW PROCESSLIST")].count(urlsplit(url).path[1:])
    file = Path(url.removeprefix("sqlite:///") + "-wal")  # SQLite keeps the other one open for its locks
    return sum(link.exists() and link.samefile(file) for link in Path("/proc/self/fd").iterdir())


def test_database_that_is_closed_within_its_work_is_closed_afterwards(database: Database) -> None:
    """Another thread closes the database at shutdown; all work is done once."""
    calls = []

    def work(tx: Transaction) -> None:
        calls.append(insert(tx, "a"))
        database.close()
        insert(tx, "b")

    database.run(work)

    assert (1, ["a", "b"]) == (len(calls), gates(database))


def test_connection_in_use_by_another_thread_is_closed_when_its_work_ends(database: Database) -> None:
    """SQLite's driver crashes where a connection is closed under a statement; no work is done twice."""
    inside, closed, calls = threading.Event(), threading.Event(), []

    def work(tx: Transaction) -> Any:
        calls.append(insert(tx, "a"))
        inside.set()
        closed.wait(10)
        insert(tx, "b")
        return tx._connection

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(database.run, work)
        inside.wait(10)
        database.close()
        closed.set()
        used = done.result()

    assert used is not database.read(lambda tx: tx._connection)
    with pytest.raises(Exception, match=r"closed|\(0, ''\)"):
        used.cursor().execute("SELECT 1")
    assert (1, ["a", "b"]) == (len(calls), gates(database))


def test_connections_end_with_the_database_that_nothing_refers_to(
    mariadb_url: str, mariadb_server: MariaDb
) -> None:
    database = open_database(mariadb_url)
    database.ping()
    assert 1 == connections_to(mariadb_url, mariadb_server)
    gc.disable()
    try:
        del database
        wait_for(lambda: connections_to(mariadb_url, mariadb_server) == 0, 10)
    finally:
        gc.enable()


FORK = """
import os, sys
from imgcore.db.connection import open_database
database = open_database(sys.argv[1])
def session():
    return id(database.read(lambda tx: tx._connection))
database.run(lambda tx: tx.execute("INSERT INTO gates (name) VALUES ('parent')"))
before = session()
child = os.fork()
if child == 0:
    database.run(lambda tx: tx.execute("INSERT INTO gates (name) VALUES ('child')"))
    sys.exit(0 if session() != before else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
database.run(lambda tx: tx.execute("INSERT INTO gates (name) VALUES ('parent again')"))
sys.exit(status or (0 if session() == before else 2))
"""


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_a_forked_process_has_its_own_connection(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """The parent's connection is not used."""
    url = f"sqlite:///{tmp_path}/fork.db" if kind == "sqlite" else request.getfixturevalue("mariadb_url")
    database = open_database(url)
    migrate(database)

    status = subprocess.run([sys.executable, "-c", FORK, url], timeout=60, check=False).returncode
    names = gates(database)
    database.close()

    assert (0, ["child", "parent", "parent again"]) == (status, names)


COUNT = """
import sys
from imgcore.db.connection import open_database
database = open_database(sys.argv[1])
for _ in range(int(sys.argv[2])):
    def work(tx):
        wait = tx.row("SELECT reason FROM gates WHERE name = 'n' {for_update}")["reason"]
        tx.execute("UPDATE gates SET reason = :reason WHERE name = 'n'", reason=str(int(wait) + 1))
    database.run(work)
"""


def test_nine_processes_write_at_once(tmp_path: Path, sqlite_database: Database) -> None:
    """Nine processes write at once, as Lambdas do: no write is lost, and none fails."""
    sqlite_database.run(
        lambda tx: tx.execute("INSERT INTO gates (name, reason, closed_until) VALUES ('n', '0', {now})")
    )
    command = [sys.executable, "-c", COUNT, f"sqlite:///{tmp_path}/gallery.db", "40"]
    processes = [subprocess.Popen(command) for _ in range(9)]

    assert [0] * 9 == [process.wait(120) for process in processes]
    assert [{"reason": "360"}] == sqlite_database.read(lambda tx: tx.rows("SELECT reason FROM gates"))
