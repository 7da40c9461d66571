"""Connections of threads and processes, on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.migrations import migrate
from tests.contract.database_tools import gates, insert


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


def test_a_thread_takes_its_connection_with_it(database: Database) -> None:
    """A server of many short threads does not hoard connections."""
    database.ping()
    for _ in range(20):
        thread = threading.Thread(target=database.ping)
        thread.start()
        thread.join()

    assert len(database._sessions) < 5  # the last one's may be on its way out


def test_a_connection_closed_under_the_work_means_doing_it_again(database: Database) -> None:
    """Another thread closes the database at shutdown; all work is done once."""
    calls = []

    def work(tx: Transaction) -> None:
        calls.append(insert(tx, "a"))
        if len(calls) == 1:
            database.close()
        insert(tx, "b")

    database.run(work)

    assert (2, ["a", "b"]) == (len(calls), gates(database))


def test_connection_in_use_by_another_thread_is_closed_when_its_work_ends(database: Database) -> None:
    """SQLite's driver crashes where a connection is closed under a statement; no work is done twice."""
    inside, closed, calls = threading.Event(), threading.Event(), []

    def work(tx: Transaction) -> None:
        calls.append(insert(tx, "a"))
        inside.set()
        closed.wait(10)
        insert(tx, "b")

    def worker() -> tuple[bool, bool]:
        database.run(work)
        before = database._local.session
        gates(database)
        return before.closed, database._local.session is before

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(worker)
        inside.wait(10)
        database.close()
        closed.set()

        assert (True, False) == done.result()
    assert (1, ["a", "b"]) == (len(calls), gates(database))


FORK = """
import os, sys
from imgcore.db.connection import open_database
database = open_database(sys.argv[1])
def session():
    return id(database._local.session)
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
