"""The schema is created once, however many callers migrate, and however they are interrupted."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import imgcore.db.migrations as migrations
from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import Schema, migrate, pending
from imgcore.errors import ImgcoreError, Unavailable
from tests.mariadb import MariaDb

FIRST = "m001_images_and_tasks"


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    return (
        f"sqlite:///{tmp_path}/gallery.db"
        if request.param == "sqlite"
        else request.getfixturevalue("mariadb_url")
    )


@pytest.fixture
def empty(url: str) -> Iterator[Database]:
    """It, opened."""
    database = open_database(url)
    yield database
    database.close()


def tables(database: Database) -> set[str]:
    if database.dialect.name == "sqlite":
        sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'"
    else:
        sql = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
    return {row["name"] for row in database.read(lambda tx: tx.rows(sql))}


def schema(database: Database) -> list[object]:
    """Return every table with its columns and indexes, whatever the order in which these were created."""
    if database.dialect.name == "sqlite":
        return list(database.read(lambda tx: tx.rows("SELECT name, sql FROM sqlite_master ORDER BY name")))
    created = [
        database.read(lambda tx, name=name: tx.rows(f"SHOW CREATE TABLE {name}"))
        for name in sorted(tables(database))
    ]
    return [
        {key: sorted(str(value).replace(",\n", "\n").splitlines()) for key, value in row.items()}
        for rows in created
        for row in rows
    ]


def test_an_empty_database_becomes_whole(empty: Database) -> None:
    """Every step is named, before and after; nothing is pending then."""
    before = pending(empty)

    assert (before, []) == (migrate(empty), pending(empty))
    assert FIRST == before[0]
    assert {"images", "tasks", "gates", "captions", "migrations"} <= tables(empty)
    assert "outbox" not in tables(empty)


def test_again_changes_nothing(empty: Database) -> None:
    """Tables, indexes and the times of applied steps stay the same."""
    migrate(empty)
    before = schema(empty), empty.read(lambda tx: tx.rows("SELECT * FROM migrations"))

    assert [] == migrate(empty)
    assert before == (schema(empty), empty.read(lambda tx: tx.rows("SELECT * FROM migrations")))


def test_to_ask_what_is_pending_changes_nothing(empty: Database) -> None:
    """A health check makes no tables."""
    pending(empty)

    assert set() == tables(empty)


def test_an_interrupted_step_is_gone_over_again(empty: Database) -> None:
    """MySQL commits each change by itself: whatever part is there, the rest comes, and the same schema."""
    migrate(empty)
    whole = schema(empty)
    with empty.transaction() as tx:
        tx.execute("DELETE FROM migrations")
        tx.execute("DROP TABLE gates")
        tx.execute("DROP VIEW captions")
        tx.execute("DROP INDEX tasks_open" + (" ON tasks" if empty.dialect.name == "mysql" else ""))

    assert pending(empty) == migrate(empty)
    assert whole == schema(empty)


def test_a_step_that_fails_is_pending_still(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those before it are kept by MySQL, undone by SQLite; the next run goes on from there."""
    migrate(empty)

    def m999_broken(schema: Schema) -> None:
        schema.run("CREATE TABLE IF NOT EXISTS extra (id {int}) {options}")
        raise KeyError("a bug")

    monkeypatch.setattr(migrations, "_STEPS", [*migrations._STEPS, m999_broken])
    with pytest.raises(KeyError):
        migrate(empty)

    assert ["m999_broken"] == pending(empty)


def test_a_later_step_is_applied_alone(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a database in use are kept."""
    migrate(empty)
    empty.run(lambda tx: tx.execute("INSERT INTO gates (name) VALUES ('a')"))

    def m999_more(schema: Schema) -> None:
        schema.run("CREATE TABLE IF NOT EXISTS extra (id {int}, name {word}) {options}")
        schema.index("extra_name", "extra", "name")
        schema.index("extra_name", "extra", "name")

    monkeypatch.setattr(migrations, "_STEPS", [*migrations._STEPS, m999_more])

    assert (["m999_more"], []) == (migrate(empty), migrate(empty))
    assert [{"name": "a"}] == empty.read(lambda tx: tx.rows("SELECT name FROM gates"))


def test_a_description_may_have_any_source(empty: Database) -> None:
    """Each captioner has its own; the list of m001 is dropped, and the table's other constraints stay."""
    migrate(empty)
    insert = (
        "INSERT INTO images (public_id, image_key, name, upload_status, uploaded_at, upload_expires_at,"
        " search_text, caption, caption_generated_at, source)"
        " VALUES (:id, :id, 'a.jpg', :status, {now}, {now}, '', 'A cat.', {now}, 'openai')"
    )
    empty.run(lambda tx: tx.execute(insert, id="a", status="received"))

    assert [{"source": "openai"}] == empty.read(lambda tx: tx.rows("SELECT source FROM images"))
    with pytest.raises(ImgcoreError):
        empty.run(lambda tx: tx.execute(insert, id="b", status="unknown"))


MIGRATE = "import sys; from imgcore.db.connection import open_database\n" \
    "from imgcore.db.migrations import migrate\n" \
    "print(len(migrate(open_database(sys.argv[1]))))"  # fmt: skip


def test_several_at_once_wait_for_each_other(url: str, empty: Database) -> None:
    """Five processes: one applies the steps, the others find nothing to do, none fails."""
    command = [sys.executable, "-c", MIGRATE, url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    applied = sorted(int(process.communicate(timeout=120)[0]) for process in processes)

    assert [0, 0, 0, 0, len(migrations._STEPS)] == applied
    assert [0] * 5 == [process.returncode for process in processes]
    assert [] == pending(empty)


def test_a_migration_that_goes_on_too_long_is_said(
    mariadb_server: MariaDb, mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller whose wait times out gets the reason."""
    monkeypatch.setattr(migrations, "_WAIT", 0)
    name = urlsplit(mariadb_url).path[1:]
    other, database = open_database(mariadb_url), open_database(mariadb_url)
    lock = (
        f"imgcore.{hashlib.md5(name.encode()).hexdigest()}"  # as release 0.1.0 computed it with MySQL's MD5()
    )
    held = other.read(lambda tx: tx.rows("SELECT GET_LOCK(:lock, 0) AS got", lock=lock))
    with pytest.raises(Unavailable, match="Another migration"):
        migrate(database)
    other.close()
    database.close()

    assert [{"got": 1}] == held
