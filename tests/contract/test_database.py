"""Connections, transactions and retries, on both databases; and what is SQLite's alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from imgcore.config import Secret
from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.mapping import moment
from imgcore.db.migrations import migrate
from imgcore.errors import Conflict, Invalid, Misconfigured, Unavailable

PASSWORD = "not-a-real-password"


def insert(tx: Transaction, name: str) -> int:
    return tx.execute("INSERT INTO gates (name) VALUES (:name)", name=name)


def gates(database: Database) -> list[str]:
    return [row["name"] for row in database.read(lambda tx: tx.rows("SELECT name FROM gates ORDER BY name"))]


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gallery.db",
        "postgres://u:{}@h/n",
        "mysql://u:{}@h",
        "mysql://u:{}@/n",
        "mysql://:{}@h/n",
        "mysql://u:{}@h:port/n",
        "mysql://u:{}@h:99999/n",
        "mysql://u:{}@h/n?charset=latin1",
        "mysql://u:{}@[h/n",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://u:{}@h/gallery.db",
    ],
)
def test_an_address_that_cannot_be_right_is_refused(url: str) -> None:
    """The message does not contain the password."""
    with pytest.raises(Misconfigured) as caught:
        open_database(Secret(url.format(PASSWORD)))

    assert PASSWORD not in repr(caught.getrepr(showlocals=False, style="native"))


def test_parts_that_are_missing_are_named() -> None:
    """All three settings are needed if there is no URL."""
    with pytest.raises(Misconfigured, match="a host, a name and credentials"):
        open_database(host="h", name="n")


def test_a_database_does_not_show_its_password() -> None:
    """The reprs of the database and its parts hide it."""
    database = open_database(f"mysql://u:{PASSWORD}@h/n")

    assert "<Database mysql>" == repr(database)
    assert PASSWORD not in repr(vars(database)) + repr(vars(database.dialect))


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    """A program that only imports makes no file."""
    open_database(f"sqlite:///{tmp_path}/a.db")

    assert [] == list(tmp_path.iterdir())


def test_a_relative_path_is_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slashes are relative, four absolute; what is percent-encoded is decoded."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").mkdir()
    for url in ("sqlite:///a%20b/one.db", f"sqlite:///{tmp_path}/a%20b/two.db"):
        database = open_database(url)
        database.ping()
        database.close()

    assert {"one.db", "two.db"} == {path.name for path in (tmp_path / "a b").glob("*.db")}


# Transactions


def test_a_transaction_is_committed_at_its_end(database: Database) -> None:
    """The value of the work is returned."""
    assert 1 == database.run(lambda tx: insert(tx, "a"))
    assert ["a"] == gates(database)


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    """The exception is raised unchanged; the next transaction works."""

    def work(tx: Transaction) -> None:
        insert(tx, "a")
        raise KeyError("mine")

    with pytest.raises(KeyError):
        database.run(work)
    database.run(lambda tx: insert(tx, "b"))

    assert ["b"] == gates(database)


def test_an_interrupt_leaves_nothing(database: Database) -> None:
    """Ctrl-C in the middle of a transaction."""

    def work(tx: Transaction) -> None:
        insert(tx, "a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.run(work)

    assert [] == gates(database)


def test_a_transaction_within_another_is_a_mistake(database: Database) -> None:
    """It would commit the outer one's half."""
    with pytest.raises(RuntimeError, match="open in this thread"):
        database.run(lambda tx: (insert(tx, "a"), database.run(lambda inner: insert(inner, "b"))))

    assert [] == gates(database)


def test_a_duplicate_is_a_conflict(database: Database) -> None:
    """Other errors are not Duplicate."""
    database.run(lambda tx: insert(tx, "a"))

    with pytest.raises(Conflict):
        database.run(lambda tx: insert(tx, "a"))


def test_text_that_is_not_unicode_is_invalid(database: Database) -> None:
    """Both drivers reject a lone surrogate."""
    with pytest.raises(Invalid):
        database.run(lambda tx: insert(tx, "\ud800"))


def test_a_mistake_in_a_statement_is_unavailable_and_logged(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """People get the number of the error, the log its text."""
    with pytest.raises(Unavailable, match=r"reports error (1|1064)\.") as caught:
        database.read(lambda tx: tx.rows("SELEC 1"))

    assert "database_error" == caught.value.code
    assert "syntax" in str(caught.value.__cause__)
    assert ["ERROR"] == [record.levelname for record in caplog.records if record.exc_info]


def test_rows_that_match_are_counted_even_if_they_stay_the_same(database: Database) -> None:
    """MySQL alone would count the changed ones."""
    database.run(lambda tx: insert(tx, "a"))

    assert 1 == database.run(lambda tx: tx.execute("UPDATE gates SET name = 'a' WHERE name = 'a'"))


def test_the_clock_is_the_databases_and_reckons_in_microseconds(database: Database) -> None:
    """later and ago are exact to the millisecond at least."""
    row = database.read(
        lambda tx: tx.row(
            "SELECT {now} AS now, {later:a} AS later, {ago:b} AS ago", a=1_500_000, b=86_400_000_000
        )
    )
    assert row is not None
    now, later, ago = (moment(row[name]) for name in ("now", "later", "ago"))
    assert now is not None
    assert later is not None
    assert ago is not None

    assert timedelta(milliseconds=1) >= abs(later - now - timedelta(seconds=1.5))
    assert timedelta(milliseconds=1) >= abs(now - ago - timedelta(days=1))


# Threads and processes


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


# SQLite alone


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


_ENDLESS = {
    "sqlite": "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT MAX(x) AS x FROM n",
    "mysql": "SELECT COUNT(*) AS x FROM information_schema.collations a, information_schema.collations b,"
    " information_schema.collations c, information_schema.collations d",
}


def test_a_statement_beyond_its_limit_is_ended_once(database: Database) -> None:
    """The statement runs once, and the connection stays open."""
    limited = database.with_statement_limit(0.2)
    calls = 0

    def work(tx: Transaction) -> None:
        nonlocal calls
        calls += 1
        tx.rows(_ENDLESS[limited.dialect.name])

    begin = time.monotonic()
    with pytest.raises(Unavailable) as raised:
        limited.read(work)

    assert (1, "database_slow") == (calls, raised.value.code)
    assert time.monotonic() - begin < 5
    limited.ping()
    limited.close()


def test_a_third_heavy_query_is_refused(sqlite_database: Database) -> None:
    """Two run; the next is refused at once, and other reads go on."""
    started, release = threading.Barrier(3), threading.Event()

    def work(tx: Transaction) -> None:
        started.wait(10)
        release.wait(10)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(sqlite_database.read_heavy, work) for _ in range(2)]
        started.wait(10)
        with pytest.raises(Unavailable) as raised:
            sqlite_database.read_heavy(work)
        sqlite_database.ping()
        release.set()
        for one in running:
            one.result(10)

    assert ("busy", 2) == (raised.value.code, raised.value.retry_after)
    sqlite_database.read_heavy(lambda tx: tx.row("SELECT 1 AS one"))
