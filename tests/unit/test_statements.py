"""Statements with named parameters, as sqlite3 and as pymysql take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcore.db.connection import Database, open_database
from imgcore.db.mysql import Mysql
from imgcore.db.sqlite import Sqlite
from imgcore.db.statements import sql

MYSQL = Mysql("db.test", 3306, "gallery", lambda: pytest.fail("asked for credentials"), None)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path}/gallery.db")


@pytest.mark.parametrize(
    ("template", "text", "names"),
    [
        ("SELECT :a, :b_2, :a", "SELECT %(a)s, %(b_2)s, %(a)s", {"a", "b_2"}),
        ("SELECT ':a', '%d', :a", "SELECT ':a', '%%d', %(a)s", {"a"}),
        ("SELECT 'it''s :a' LIKE '%'", "SELECT 'it''s :a' LIKE '%%'", set()),
        ("SELECT 7 % :a", "SELECT 7 %% %(a)s", {"a"}),
        (
            "SELECT {later:lease} {for_update}",
            "SELECT (UTC_TIMESTAMP(6) + INTERVAL %(lease)s MICROSECOND) FOR UPDATE",
            {"lease"},
        ),
    ],
)
def test_render_for_pymysql_escapes_percent_and_keeps_literals(
    template: str, text: str, names: set[str]
) -> None:
    assert (text, names) == MYSQL.render(template)
    assert names == Sqlite(Path("x")).render(template).parameters


def test_render_for_sqlite_shifts_now_by_the_named_parameter(database: Database) -> None:
    """The format of strftime holds % and : in literals."""
    found = database.read(
        lambda tx: tx.row("SELECT {ago:wait} < {now} AS past, {later:wait} > {now} AS future", wait=5_000)
    )

    assert {"past": 1, "future": 1} == found


def test_value_without_parameter_or_parameter_without_value_is_refused(database: Database) -> None:
    with pytest.raises(TypeError, match=r"\['b'\].*\['a'\]"):
        database.read(lambda tx: tx.rows("SELECT :a AS a", b=1))
    with pytest.raises(TypeError, match=r"\['a', 'b'\]"):
        database.read(lambda tx: tx.rows("SELECT :a AS a", a=1, b=2))


def test_sql_fills_parts_and_leaves_fragments() -> None:
    condition = sql("{column} <= {now}", column="t.next_at")

    assert "SELECT 1 WHERE t.next_at <= {now}" == sql("SELECT 1 WHERE {condition}", condition=condition)
