"""How the databases go about the frequent questions: by an index, a few rows, whatever else there is."""

from __future__ import annotations

import pytest

from imgcore.database import Database, Transaction
from imgcore.repository import SqlRepository
from tests.contract.photographs import CAPTION, arrived, claim

ROWS = 3000


@pytest.fixture
def full(repository: SqlRepository, database: Database) -> SqlRepository:
    """A gallery of some thousand photographs, most of them in the trash or expired, and done."""
    arrived(repository)

    def fill(tx: Transaction) -> None:
        (first,) = tx.rows("SELECT id FROM images")
        for n in range(ROWS):
            tx.execute(
                "INSERT INTO images (public_id, image_key, name, upload_status, uploaded_at, upload_expires_at,"
                " deleted_at, search_text) SELECT ?, ?, 'n', ?, uploaded_at, uploaded_at, "
                f"{'NULL' if n % 3 else '{now}'}, 'n' FROM images WHERE id = ?",
                f"p{n}",
                f"raw/p{n}",
                "received" if n % 3 else "expired",
                first["id"],
            )
        for kind in ("thumbnail", "caption"):
            tx.execute(
                "INSERT INTO tasks (image_id, kind, status, finished_at)"
                " SELECT id, ?, 'done', {now} FROM images WHERE id > ?",
                kind,
                first["id"],
            )

    database.run(fill)
    if database.dialect.name == "mysql":  # which does so by itself, some seconds later
        database.read(lambda tx: tx.rows("ANALYZE TABLE images, tasks"))
    return repository


class Plans:
    """Explains every statement that a repository runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[str] = []
        run = Transaction._cursor

        def explained(tx: Transaction, sql: str, parameters: tuple[object, ...]) -> object:
            if sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
                prefix = "EXPLAIN QUERY PLAN " if tx.dialect.name == "sqlite" else "EXPLAIN "
                cursor = run(tx, prefix + sql, parameters)
                names = [column[0] for column in cursor.description]
                for row in cursor.fetchall():
                    self.lines.append(_line(dict(zip(names, row, strict=True))))
            return run(tx, sql, parameters)

        monkeypatch.setattr(Transaction, "_cursor", explained)


def _line(row: dict[str, object]) -> str:
    if "detail" in row:
        return str(row["detail"])
    return f"{row['type']} {row['table']} {row['key']} {row['rows']} {row['Extra']}"


def whole_tables(lines: list[str]) -> list[str]:
    """Steps that read a whole table, or sort one, whatever of it is wanted."""
    return [
        line
        for line in lines
        if line.startswith(("ALL images", "ALL tasks", "ALL i ", "ALL t ", "index images", "index tasks"))
        or (line.startswith("SCAN") and not line.endswith(("page", "old")))
    ]


def test_every_frequent_question_is_answered_by_an_index(
    full: SqlRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page, its next, one photograph, a claim, the sweeper's questions: no table is read through."""
    image = arrived(full)
    cursor = full.page(cursor=None, limit=5, query=None).next
    plans = Plans(monkeypatch)

    full.page(cursor=None, limit=50, query=None)
    full.page(cursor=cursor, limit=50, query=None)
    full.get(image.public_id)
    full.get_many([image.public_id, "p1", "p2"])
    claim(full, image, CAPTION)
    full.due(within=60, lost_after=0, again_after=0, limit=100)
    full.exhaust(max_attempts=1)
    full.unheard(lost_after=0, again_after=0, limit=100)
    full.expire(image.public_id)
    full.delete(image.public_id)
    full.trash(older_than=3600, limit=10)
    full.purge(image.public_id)

    assert len(plans.lines) > 20
    assert [] == whole_tables(plans.lines)


def test_the_page_is_a_walk_down_its_index(full: SqlRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sorted but the page itself, and what lies in the trash is stepped over by the index."""
    plans = Plans(monkeypatch)

    full.page(cursor=None, limit=50, query=None)

    assert [line for line in plans.lines if "images_listed" in line]
