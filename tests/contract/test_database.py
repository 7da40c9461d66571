"""Addresses of databases, transactions and limits, on both databases."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from imgcore.config import Secret
from imgcore.db import connection
from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.dialects import Answer
from imgcore.db.mapping import moment
from imgcore.errors import Conflict, Invalid, Misconfigured, Unavailable
from tests.contract.database_tools import gates, insert

PASSWORD = "not-a-real-password"


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


def test_answer_with_texts_of_any_length_and_letters_is_read(database: Database) -> None:
    texts = {"empty": "", "one": "x" * 250, "two": "y" * 251, "three": "z" * 70_000, "odd": "ł’'\"\\%:\n\0€😀"}
    names = ", ".join(f":{name}" for name in texts)

    found = database.read(lambda tx: tx.answer(f"SELECT NULL, {names}, NULL", **texts))

    assert ((None, *texts.values(), None),) == found.rows


def test_answer_with_any_number_of_rows_is_read_and_compared(database: Database) -> None:
    statement = (
        "WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 900)"
        " SELECT n, :text FROM numbers WHERE n <= :most"
    )

    def read(most: int, text: str = "some text") -> Answer:
        return database.read(lambda tx: tx.answer(statement, most=most, text=text))

    for most in (0, 1, 600, 900):  # the numbers of packets begin anew after 255
        assert tuple((str(n), "some text") for n in range(1, most + 1)) == read(most).rows
    assert read(600) == read(600)
    assert read(600) != read(601)
    assert read(600) != read(600, "other text")


def test_mistake_in_a_statement_for_an_answer_leaves_the_connection_usable(database: Database) -> None:
    def mistaken(tx: Transaction) -> None:
        with pytest.raises(Exception, match="unknown_column"):
            tx.answer("SELECT unknown_column FROM gates")
        assert (("fine",),) == tx.answer("SELECT 'fine'").rows

    database.read(mistaken)


def test_value_for_an_answer_that_is_not_unicode_is_invalid(database: Database) -> None:
    with pytest.raises(Invalid):
        database.read(lambda tx: tx.answer("SELECT :value", value="\ud800"))


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


_ENDLESS = {
    "sqlite": "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT MAX(x) AS x FROM n",
    "mysql": "SELECT COUNT(*) AS x FROM information_schema.collations a, information_schema.collations b,"
    " information_schema.collations c, information_schema.collations d",
}


@pytest.mark.parametrize("method", ["rows", "answer"])
def test_a_statement_beyond_its_limit_is_ended_once(database: Database, method: str) -> None:
    """The statement runs once, and the connection stays open."""
    limited = database.with_statement_limit(0.2)
    calls = 0

    def work(tx: Transaction) -> None:
        nonlocal calls
        calls += 1
        getattr(tx, method)(_ENDLESS[limited.dialect.name])

    begin = time.monotonic()
    with pytest.raises(Unavailable) as raised:
        limited.read(work)

    assert (1, "database_slow") == (calls, raised.value.code)
    assert time.monotonic() - begin < 5
    limited.ping()
    limited.close()


def test_a_third_heavy_query_is_refused(sqlite_database: Database) -> None:
    """Two run; the next is refused after a while, and other reads go on."""
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


def test_heavy_query_behind_four_waiting_ones_is_refused_at_once(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The four wait for the two that run, and are answered after them."""
    monkeypatch.setattr(connection, "HEAVY_WAIT", 60.0)
    release, admitted = threading.Event(), sqlite_database._admitted

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(sqlite_database.read_heavy, lambda tx: release.wait(60)) for _ in range(6)]
        while admitted._value:
            time.sleep(0.01)
        with pytest.raises(Unavailable) as raised:
            sqlite_database.read_heavy(lambda tx: None)
        release.set()

    assert "busy" == raised.value.code
    assert [True] * 6 == [one.result(10) for one in running]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT name FROM gate",
        "SELECT nome FROM gates",
        "SELECT image_id FROM tasks {by_index:tasks_state} WHERE status = 'done'",
    ],
)
def test_schema_without_what_a_statement_names_is_out_of_date(database: Database, statement: str) -> None:
    with pytest.raises(Unavailable, match="imgcore migrate") as caught:
        database.read(lambda tx: tx.rows(statement))
    assert "not_migrated" == caught.value.code
