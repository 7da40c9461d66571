"""How the databases go about the frequent questions: by an index, a few rows, whatever else there is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from imgcore.collections.models import AlbumOrder
from imgcore.db.album_images import covers_and_counts, entries
from imgcore.db.connection import Database, Transaction
from imgcore.gallery.filters import Filters, Progress
from imgcore.gallery.models import EVERYBODY, Viewer
from tests.contract.database_tools import analyze
from tests.contract.images import (
    CAPTION,
    FACTS,
    THUMBNAIL,
    arrived,
    claim,
    described,
    multiply,
    new,
    renditions,
)
from tests.support.repositories import Repositories

ROWS = 3000


@pytest.fixture
def bystanders() -> None:
    """None here: what is measured are the rows of a large gallery."""


@pytest.fixture
def full(repositories: Repositories, database: Database) -> Repositories:
    """A gallery of some thousand images, a third of them in the trash and a third expired."""
    shown = described(repositories, "shown.jpg")
    repositories.tasks.finish_thumbnail(claim(repositories, shown, THUMBNAIL), FACTS, renditions(shown))
    repositories.images.delete(arrived(repositories).public_id)
    repositories.sweep.expire(repositories.images.add(new(expires_in=-1000)).public_id)
    list(multiply(database, ROWS))
    analyze(database, "images", "tasks")
    return repositories


class Plans:
    """Explains every statement that a repository runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[str] = []
        run, answer = Transaction._cursor, Transaction.answer

        def explain(tx: Transaction, sql: str, values: dict[str, object]) -> None:
            if sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
                # MySQL 9.7 explains as a tree unless it is asked for a table
                prefix = "EXPLAIN " + ("QUERY PLAN " if tx.dialect.name == "sqlite" else "FORMAT=TRADITIONAL ")
                cursor = run(tx, prefix + sql, values)
                names = [column[0] for column in cursor.description]
                for row in cursor.fetchall():
                    self.lines.append(_line(dict(zip(names, row, strict=True))))

        def explained(tx: Transaction, sql: str, values: dict[str, object]) -> object:
            explain(tx, sql, values)
            return run(tx, sql, values)

        def answered(tx: Transaction, sql: str, /, **values: object) -> object:
            explain(tx, sql, values)
            return answer(tx, sql, **values)

        monkeypatch.setattr(Transaction, "_cursor", explained)
        monkeypatch.setattr(Transaction, "answer", answered)


def _line(row: dict[str, object]) -> str:
    if "detail" in row:
        return str(row["detail"])
    return f"{row['type']} {row['table']} {row['key']} {row['rows']} {row['Extra']}"


# Indexes whose first column tells few photos apart: most are received and not in the trash, and one account may
# have all photos. A list of one's own photos reads images_owner by its second column too
OF_MOST = (
    "images_upload (upload_status=?)",
    "images_deleted (deleted_at=?)",
    "images_owner (owner_id=?)",
    "images_usage (owner_id=?)",
    "images_usage (owner_id=? AND upload_status=?)",
    "images_timeline_at_of (owner_id=?)",
    "images_timeline_upload_of (owner_id=?)",
    "images_unindexed (unindexed=?)",
    "images_source (source=?)",
)


def whole_tables(lines: list[str]) -> list[str]:
    """Steps that read a whole table, or sort one, whatever of it is wanted; see OF_MOST.

    Few rows have pauses (p) and gates, the table of the circuit breakers.
    """
    return [
        line
        for line in lines
        if (
            line.startswith(("ALL ", "index "))
            and "<derived" not in line
            and not line.startswith(("index p ", "index gates ", "ALL gates "))
        )
        or line.endswith(OF_MOST)
        or (
            line.startswith("SCAN")
            and not line.startswith("SCAN gates ")
            and not line.endswith(("page", "old", "candidates", "(subquery-3)", "(subquery-4)"))
        )
    ]


def test_every_frequent_question_is_answered_by_an_index(
    full: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page, its next, one image, a claim, the sweeper's questions: no table is read through."""
    image = arrived(full)
    cursor = full.pages.page(cursor=None, limit=5, query=None).next
    plans = Plans(monkeypatch)

    full.pages.page(cursor=None, limit=50, query=None)
    full.pages.page(cursor=cursor, limit=50, query=None)
    full.images.get(image.public_id)
    full.images.get_many([image.public_id, "p1", "p2"])
    claim(full, image, CAPTION)
    full.sweep.due_tasks(within=60, lost_after=0, again_after=0, limit=100)
    full.sweep.fail_exhausted_tasks(max_attempts=1)
    full.sweep.uploads_without_event(lost_after=0, again_after=0, limit=100)
    full.sweep.expire(image.public_id)
    full.images.delete(image.public_id)
    full.sweep.expired_trash(older_than=3600, again_after=0.0, limit=10)
    full.sweep.purge(image.public_id)

    assert len(plans.lines) > 20
    assert [] == whole_tables(plans.lines)


@pytest.mark.parametrize("everybody", [True, False])
def test_covers_and_counts_of_albums_read_their_own_photos_alone(
    full: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch, everybody: bool
) -> None:
    viewer = EVERYBODY if everybody else Viewer(1, sees_others=False, changes_others=False)
    for order in AlbumOrder:
        full.albums.create("Album", "", order, EVERYBODY)
    entries_of_albums = (
        "INSERT INTO album_images (album_id, image_id, position, added_at)"
        " SELECT a.id, i.id, i.id, {now} FROM albums a JOIN images i ON i.id % 7 = 0"
    )
    database.run(lambda tx: tx.execute(entries_of_albums))
    analyze(database, "albums", "album_images")
    ids = [row["id"] for row in database.read(lambda tx: tx.rows("SELECT id FROM albums"))]
    plans = Plans(monkeypatch)

    database.read(lambda tx: (entries(tx, ids[:1]), covers_and_counts(tx, ids[:1], viewer)))

    assert len(plans.lines) > 5
    few = [line for line in plans.lines if " adder " not in line]  # the accounts of those who added
    assert [] == whole_tables(few)


@pytest.mark.parametrize("everybody", [True, False])
def test_activity_reads_failed_tasks_and_the_newest_uploads_alone(
    full: Repositories, monkeypatch: pytest.MonkeyPatch, everybody: bool
) -> None:
    """What has not failed costs nothing: the navigation asks on each page."""
    viewer = EVERYBODY if everybody else Viewer(1, sees_others=True, changes_others=False)
    plans = Plans(monkeypatch)

    full.jobs.failed(viewer, 100)
    full.jobs.activity(viewer)
    full.jobs.retry(CAPTION, "bad_answer", limit=500, viewer=viewer)

    assert len(plans.lines) >= 6
    assert [] == whole_tables(plans.lines)


@pytest.mark.parametrize("owner", [None, 1])
def test_uploads_look_for_their_hash_by_its_index(
    full: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch, owner: int | None
) -> None:
    """Each upload does so while it holds the lock of the database, or of the account."""
    if owner is not None:
        database.run(lambda tx: tx.execute("UPDATE images SET owner_id = :owner", owner=owner))
        analyze(database, "images")
    plans = Plans(monkeypatch)

    full.images.present(["ab" * 32, "cd" * 32], owner)

    assert 1 == len([line for line in plans.lines if "images_sha256" in line]), plans.lines
    assert [] == whole_tables(plans.lines)


def test_uses_of_all_accounts_are_read_from_one_index(
    full: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = Plans(monkeypatch)
    full.accounts.usages()
    assert all("images_usage" in line for line in plans.lines), plans.lines


def test_failed_tasks_are_counted_as_far_as_they_are_wanted(full: Repositories, database: Database) -> None:
    """Thousands of failures cost as much as a hundred, and photos without any nothing."""

    def cost() -> int:
        analyze(database, "images", "tasks")
        return effort(database, lambda: full.jobs.failed(EVERYBODY, 100))

    costs = [cost()]
    for most in (100, ROWS):
        database.run(
            lambda tx, most=most: tx.execute(
                "UPDATE tasks SET status = 'failed', error = 'bad_answer', message = 'M.'"
                " WHERE kind = 'caption' AND image_id IN"
                " (SELECT id FROM (SELECT id FROM images WHERE upload_status = 'received'"
                " AND deleted_at IS NULL ORDER BY id LIMIT :most) page)",
                most=most,
            )
        )
        costs.append(cost())

    none, hundred, thousands = costs
    assert none < hundred / 5, costs
    assert thousands <= 1.5 * hundred, costs


def effort(database: Database, question: Callable[[], object]) -> int:
    """How many rows MySQL's engine read for it, or how many steps SQLite's machine took."""
    if database.dialect.name == "sqlite":
        steps = [0]

        def count() -> int:
            steps[0] += 1
            return 0

        database.read(lambda tx: tx._connection.set_progress_handler(count, 1))
        question()
        database.read(lambda tx: tx._connection.set_progress_handler(None, 0))
        return steps[0]
    sql = "SHOW SESSION STATUS LIKE 'Handler_read%'"
    before, _, after = (
        database.read(lambda tx: tx.rows(sql)),
        question(),
        database.read(lambda tx: tx.rows(sql)),
    )
    return sum(int(row["Value"]) for row in after) - sum(int(row["Value"]) for row in before)


# What gives photos a status
CHANGES = {
    Progress.FAILED: "UPDATE tasks SET status = 'failed', error = 'bad_answer', message = 'M.'"
    " WHERE kind = 'caption' AND image_id",
    Progress.WAITING: "UPDATE tasks SET status = 'pending', finished_at = NULL"
    " WHERE kind = 'caption' AND image_id",
    Progress.UNDESCRIBED: "UPDATE images SET source = NULL, caption = NULL, alt_text = NULL, tags = NULL,"
    " caption_generated_at = NULL WHERE id",
}


def give_status(database: Database, status: Progress, photos: int) -> None:
    """Give the newest photos a status, of those that are listed; the others are deleted."""
    some = "SELECT id FROM images WHERE listed_id IS NOT NULL ORDER BY id DESC LIMIT :photos"
    statement = f"{CHANGES[status]} IN (SELECT id FROM ({some}) page)"
    database.run(lambda tx: tx.execute(statement, photos=photos))
    database.run(lambda tx: tx.execute("DELETE FROM images WHERE listed_id IS NULL"))
    analyze(database, "images", "tasks")


@pytest.mark.parametrize("status", Progress)
def test_filter_of_a_status_reads_the_photos_that_have_it(
    full: Repositories, database: Database, status: Progress
) -> None:
    """Each of them by its id: SQLite prefers an index of upload_status, which holds every photo."""
    give_status(database, status, 3)
    filters = Filters(status=status)

    found = full.pages.page_versions(cursor=None, limit=40, query=None, filters=filters)
    cost = effort(
        database, lambda: full.pages.page_versions(cursor=None, limit=40, query=None, filters=filters)
    )
    usual = effort(database, lambda: full.pages.page_versions(cursor=None, limit=40, query=None))

    assert 3 == len(found.versions)
    assert cost <= 2 * usual, (cost, usual)


@pytest.mark.parametrize("status", Progress)
def test_filter_of_a_status_costs_the_same_however_many_photos_have_it(
    full: Repositories, database: Database, status: Progress
) -> None:
    """MariaDB prefers to read all tasks of the status by another index, and to sort them."""
    filters, costs = Filters(status=status), []
    question = partial(full.pages.page_versions, cursor=None, limit=40, query=None, filters=filters)
    for photos in (45, 200):  # of a thousand: of more, MariaDB would read the right index by itself
        give_status(database, status, photos)
        assert 40 == len(question().versions)
        costs.append(effort(database, question))

    assert costs[1] <= 1.1 * costs[0], costs


def test_a_deep_page_costs_as_much_as_the_first(full: Repositories, database: Database) -> None:
    """The plan does not depend on earlier rows or on the trash."""
    cursors: list[str | None] = [None]
    while (page := full.pages.page(cursor=cursors[-1], limit=20, query=None)).next is not None:
        cursors.append(page.next)
    efforts = [
        effort(database, lambda cursor=cursor: full.pages.page(cursor=cursor, limit=20, query=None))
        for cursor in (cursors[0], cursors[len(cursors) // 2], cursors[-2])
    ]

    assert len(cursors) > 40
    assert max(efforts) <= 1.1 * min(efforts), efforts


def test_ones_own_page_costs_nothing_for_what_others_have(full: Repositories, database: Database) -> None:
    """One image in fifty is this viewer's; the database reads none of the rest."""
    database.run(lambda tx: tx.execute("UPDATE images SET owner_id = CASE WHEN id % 50 = 0 THEN 1 ELSE 2 END"))
    analyze(database, "images", "tasks")
    few = Viewer(1, sees_others=False, changes_others=False)
    many = Viewer(2, sees_others=False, changes_others=False)
    cursor = full.pages.page(cursor=None, limit=5, query=None, viewer=few).next
    for cursor_, viewer in ((None, few), (cursor, few), (None, many)):
        found = full.pages.page(cursor=cursor_, limit=5, query=None, viewer=viewer)
        cost = effort(
            database, lambda c=cursor_, v=viewer: full.pages.page(cursor=c, limit=5, query=None, viewer=v)
        )
        usual = effort(database, lambda: full.pages.page(cursor=None, limit=5, query=None))
        assert 5 == len(found.images)
        assert cost <= 1.5 * usual, (cost, usual)


def test_sweep_reads_the_photos_with_local_words_alone(
    full: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sweep looks for them: most photos of a gallery with a model have none."""
    three = "SELECT id FROM (SELECT id FROM images WHERE listed_id IS NOT NULL ORDER BY id LIMIT 3) page"
    by_model = "source = 'gemini', alt_text_source = 'gemini', tags_source = 'gemini'"
    update = f"UPDATE images SET {by_model} WHERE source = 'local' AND id NOT IN ({three})"
    database.run(lambda tx: tx.execute(update))
    analyze(database, "images", "tasks")
    plans = Plans(monkeypatch)

    assert 3 == len(full.sweep.reopen_local(limit=100))

    assert "images_local_words" in plans.lines[0], plans.lines
