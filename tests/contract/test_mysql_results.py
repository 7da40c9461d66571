"""Results of statements, beside those of pymysql's own connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from pymysql.connections import Connection

from imgcore.db import mysql_results
from imgcore.db.connection import open_database
from imgcore.db.mysql_results import QuickConnection

TYPES = (
    "SELECT 1, -5, 18446744073709551615, 0.1e0 + 0.2e0, 1.10, NULL, 'text ł😀', '', CAST('a' AS BINARY),"
    " TIMESTAMP('2026-01-02 03:04:05.678901'), DATE('2026-01-02'), TIME('03:04:05'), JSON_ARRAY(1, 'x'), b'101'"
)
LENGTHS = "SELECT REPEAT('a', 250), REPEAT('b', 251), REPEAT('c', 65535), REPEAT('d', 65536), NULL, 'end'"
NUMBERS = "WITH RECURSIVE seq AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM seq WHERE n < 700) "
MANY = NUMBERS + "SELECT n, NULLIF(n % 3, 0), REPEAT('x', n) FROM seq"
WIDE = "SELECT " + ", ".join(f"{number} AS c{number}" for number in range(300))
NONE = "SELECT 1 AS one FROM (SELECT 1) t WHERE 1 = 0"


@pytest.fixture
def connections(mariadb_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A connection of the product, and pymysql's own with the same settings."""
    database = open_database(mariadb_url)
    ours = database.dialect.connect(20)
    monkeypatch.setattr(mysql_results, "QuickConnection", Connection)
    theirs = database.dialect.connect(20)
    assert (type(ours), type(theirs)) == (QuickConnection, Connection)
    yield ours, theirs
    ours.close()
    theirs.close()


def results(connection: Any, statement: str) -> list[object]:
    with connection.cursor() as cursor:
        count = cursor.execute(statement)
        rows = cursor.fetchall()
        return [
            count,
            rows,
            [type(value) for row in rows for value in row],
            cursor.description,
            cursor.rowcount,
        ]


@pytest.mark.parametrize("statement", [TYPES, LENGTHS, MANY, WIDE, NONE, "SET @x = 1", "SHOW WARNINGS"])
def test_results_are_those_of_pymysql(connections: tuple[Any, Any], statement: str) -> None:
    ours, theirs = connections
    expected = results(theirs, statement)
    for _ in range(2):  # the second time the columns are known
        assert expected == results(ours, statement)


def test_statement_with_the_text_of_an_earlier_one_and_other_columns_is_read_by_these(
    connections: tuple[Any, Any],
) -> None:
    ours, _ = connections
    found = []
    for declared in ("c INT", "c VARCHAR(9)", "c INT, d INT"):
        results(ours, "DROP TABLE IF EXISTS t")
        results(ours, f"CREATE TABLE t ({declared})")
        results(ours, "INSERT INTO t (c) VALUES (7)")
        found.append(results(ours, "SELECT * FROM t")[1])
    assert found == [((7,),), (("7",),), ((7, None),)]


def test_error_between_rows_is_raised_and_leaves_the_connection_usable(mariadb_url: str) -> None:
    limited = open_database(mariadb_url).dialect.connect(20, 0.2)
    with pytest.raises(pymysql.OperationalError) as caught:
        results(limited, NUMBERS + "SELECT a.n FROM seq a, seq b, seq c")
    assert caught.value.args[0] in (1969, 3024)  # of MariaDB, of MySQL
    assert results(limited, "SELECT 5")[1] == ((5,),)
    limited.close()


def test_packet_of_16_megabytes_is_continued_by_the_next() -> None:
    whole = b"a" * 0xFFFFFF + b"\xffb"
    stream = b"".join(
        len(part).to_bytes(3, "little") + bytes([number]) + part
        for number, part in enumerate((whole[:0xFFFFFF], whole[0xFFFFFF:]))
    )

    class Fake:
        """A connection that has received this."""

        _next_seq_id = at = 0

        def _read_bytes(self, size: int) -> bytes:
            self.at += size
            return stream[self.at - size : self.at]

    assert mysql_results._packet(Fake()) == whole
