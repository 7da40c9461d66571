"""The timeline on both databases: the months' counts, a month's photos, and the indexes that give them."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from imgcore.db import changes as changes_module
from imgcore.db import timeline
from imgcore.db.changes import ChangeRepository
from imgcore.db.connection import Database, Transaction
from imgcore.db.schema import Schema
from imgcore.db.steps.m027 import m027_filters
from imgcore.db.timeline import TimelineRepository
from imgcore.gallery import changes as changes_rules
from imgcore.gallery.filters import Days, Filters, Progress
from imgcore.gallery.listing import Sort
from imgcore.gallery.models import EVERYBODY, Edit, Image, Viewer
from tests.contract.images import FACTS, THUMBNAIL, arrived, claim, described, new, renditions, stored
from tests.contract.test_repository_plans import ROWS, Plans, full, whole_tables
from tests.support.hostile_texts import TEXTS
from tests.support.repositories import Repositories

__all__ = ["full"]

OWN = Viewer(1, sees_others=False, changes_others=False)


@pytest.fixture
def bystanders() -> None:
    """None here: the months of all photos are counted."""


def of_tables(lines: list[str]) -> list[str]:
    """Return the steps that read through a table, without subqueries and the table of at most a few pauses."""
    subquery = re.compile(r"SCAN (CONSTANT ROW|w\d+|\w+_tasks|found|led)|ALL <union.*|index pauses PRIMARY .*")
    return [line for line in whole_tables(lines) if not subquery.fullmatch(line)]


def taken(repositories: Repositories, at: datetime | None) -> Image:
    """An image with thumbnails, taken at that time."""
    image = arrived(repositories)
    facts = replace(FACTS, taken_at=at)
    claimed = claim(repositories, image, THUMBNAIL)
    assert repositories.tasks.finish_thumbnail(claimed, facts, renditions(image))
    return stored(repositories, image)


def counts(rows: TimelineRepository, viewer: Viewer = EVERYBODY, sort: Sort = Sort.TAKEN) -> dict[str, int]:
    return {each.month: each.count for each in rows.months(viewer, sort).months}


def shown(rows: TimelineRepository, month: str, sort: Sort = Sort.TAKEN, **window: int) -> list[int]:
    window = {"offset": 0, "limit": 100} | window
    return [id_ for id_, _ in rows.month(EVERYBODY, month, sort, **window).versions]


def _newest(repositories: Repositories, viewer: Viewer, count: int) -> tuple[tuple[int, int], ...]:
    front = repositories.front.page(cursor=None, limit=1, viewer=viewer, newest=count, breaker="gemini")
    return front.first_of_timeline()


def test_month_is_that_of_the_date_taken_else_of_the_upload(repositories: Repositories) -> None:
    first = taken(repositories, datetime(2020, 2, 29, 23, 59, 59, 999_999))  # noqa: DTZ001
    second = taken(repositories, datetime(2020, 3, 1))  # noqa: DTZ001
    third = taken(repositories, None)
    now = f"{third.uploaded_at:%Y-%m}"

    assert {now: 1, "2020-03": 1, "2020-02": 1} == counts(repositories.timeline)
    assert {now: 3} == counts(repositories.timeline, sort=Sort.UPLOADED)
    assert [first.id] == shown(repositories.timeline, "2020-02")
    assert [second.id] == shown(repositories.timeline, "2020-03")
    assert [third.id, second.id, first.id] == shown(repositories.timeline, now, Sort.UPLOADED)
    newest = _newest(repositories, EVERYBODY, 2)
    assert [(third.id, third.version), (second.id, second.version)] == list(newest)
    assert () == _newest(repositories, OWN, 2)


def test_tile_has_what_its_image_has(repositories: Repositories) -> None:
    image = described(repositories, "a.jpg")
    assert repositories.tasks.finish_thumbnail(claim(repositories, image, THUMBNAIL), FACTS, renditions(image))
    image = stored(repositories, image)
    [tile] = repositories.timeline.tiles([image.id])

    assert FACTS.taken_at == tile.at
    for name in ("public_id", "name", "version", "width", "height", "placeholder", "display_key", "caption",
                 "alt_text", "source", "uploaded_at", "status", "provisional"):  # fmt: skip
        assert getattr(image, name) == getattr(tile.image, name)
    assert [] == repositories.timeline.tiles([])


def test_tile_has_any_text_as_it_was_stored(repositories: Repositories) -> None:
    """A tile is read as JSON: no quote, backslash, control or astral character changes on the way."""
    texts = [*TEXTS, 'a "quoted" \\ text', "".join(map(chr, range(1, 32))).strip(), "\u2028\u2029", "𝔘 \x7f"]
    images = [arrived(repositories) for _ in texts]
    for image, text in zip(images, texts, strict=True):
        repositories.images.edit(image.public_id, Edit(caption=text, alt_text=text))
    tiles = {tile.image.id: tile.image for tile in repositories.timeline.tiles([image.id for image in images])}
    kept = [stored(repositories, image).caption for image in images]

    assert kept == [tiles[image.id].caption for image in images]
    assert kept == [tiles[image.id].alt_text for image in images]


def test_cards_are_read_newest_first_and_progress_has_the_tasks(repositories: Repositories) -> None:
    images = [described(repositories, f"{number}.jpg") for number in range(3)]
    claim(repositories, images[1], THUMBNAIL)
    repositories.images.delete(images[2].public_id)

    assert [image.id for image in reversed(images)] == [
        image.id for image in repositories.pages.tiles([image.id for image in images])
    ]
    assert [] == repositories.pages.tiles([])
    assert repositories.pages.progress("0" * 32) is None
    for image in images:
        whole, progress = stored(repositories, image), repositories.pages.progress(image.public_id)
        assert progress is not None
        for name in ("id", "public_id", "tasks", "status", "settled", "version", "owner_id", "uploaded_at"):
            assert getattr(whole, name) == getattr(progress, name)


def test_kept_counts_are_those_of_a_fresh_count_after_any_changes(
    repositories: Repositories, database: Database
) -> None:
    """Random changes, and after each the kept counts beside those of a repository that has kept none."""
    chance = random.Random(20261128)
    images: list[Image] = []
    for _ in range(40):
        action = chance.choice(("add", "take", "delete", "restore", "expire"))
        if action == "add" or not images:
            images.append(arrived(repositories))
        elif action == "take":
            date = datetime(2020, chance.randint(1, 12), 1)  # noqa: DTZ001
            images.append(taken(repositories, date))
        elif action == "expire":
            repositories.sweep.expire(repositories.images.add(new(expires_in=-1000)).public_id)
        else:
            change = getattr(repositories.images, action)
            change(chance.choice(images).public_id)
        for sort in Sort:
            fresh = counts(TimelineRepository(database), sort=sort)
            assert fresh == counts(repositories.timeline, sort=sort), action


def test_kept_counts_cover_a_transaction_that_commits_late(
    repositories: Repositories, database: Database
) -> None:
    """One that has set changed_at before the counts were kept, and commits after."""
    image = arrived(repositories)
    month = f"{image.uploaded_at:%Y-%m}"
    assert {month: 1} == counts(repositories.timeline)
    repositories.images.delete(image.public_id)
    database.run(
        lambda tx: tx._cursor(
            "UPDATE images SET changed_at = {ago:age} WHERE id = :image_id",
            {"age": 5_000_000, "image_id": image.id},
        )
    )

    assert {} == counts(repositories.timeline)


def test_counts_are_made_anew_after_many_changes(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "_MOST_CHANGED", 2)
    images = [arrived(repositories) for _ in range(3)]
    [(month, count)] = counts(repositories.timeline).items()
    assert 3 == count
    for image in images:
        repositories.images.delete(image.public_id)
    assert {} == counts(repositories.timeline)
    repositories.images.restore(images[0].public_id)
    assert {month: 1} == counts(repositories.timeline)


def test_own_timeline_holds_ones_own_photos_only(repositories: Repositories, database: Database) -> None:
    mine, _ = arrived(repositories), arrived(repositories)
    database.run(lambda tx: tx.execute("UPDATE images SET owner_id = 1 WHERE id = :image_id", image_id=mine.id))
    month = f"{mine.uploaded_at:%Y-%m}"

    assert {month: 1} == counts(repositories.timeline, OWN)
    found = repositories.timeline.month(OWN, month, Sort.TAKEN, offset=0, limit=10)
    assert [mine.id] == [id_ for id_, _ in found.versions]
    stranger = Viewer(None, sees_others=False, changes_others=False)
    assert {} == counts(repositories.timeline, stranger)
    assert () == repositories.timeline.month(stranger, month, Sort.TAKEN, offset=0, limit=10).versions


def test_timeline_is_read_by_indexes(
    full: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts, windows of a month, and what has changed: for everybody and for one account, in both orders."""
    month = next(iter(counts(full.timeline)))
    plans = Plans(monkeypatch)
    for viewer in (EVERYBODY, OWN):
        for sort in Sort:
            counts(full.timeline, viewer, sort)
            counts(full.timeline, viewer, sort)
            found = full.timeline.month(viewer, month, sort, offset=10, limit=50)
        _newest(full, viewer, 8)
    full.timeline.tiles(
        [id_ for id_, _ in full.timeline.month(EVERYBODY, month, sort, offset=0, limit=9).versions]
    )

    assert ROWS > 1000
    assert () == found.versions
    assert len(plans.lines) > 20
    assert [] == of_tables(plans.lines)
    assert [] == [line for line in plans.lines if "images" in line and "filesort" in line]


def test_changes_are_read_by_indexes(
    full: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.run(lambda tx: tx._cursor("UPDATE images SET changed_at = {ago:age}", {"age": 10**12}))
    if database.dialect.name == "mysql":  # its index holds the former times until they are purged
        database.read(lambda tx: tx.rows("OPTIMIZE TABLE images"))
    cursor = full.changes.start(EVERYBODY).cursor.text(EVERYBODY)
    row = replace(new(), batch_id="7f0c3c2e-5a52-4f39-9d53-9f3d0b5a6f10")
    full.images.add(row)
    plans = Plans(monkeypatch)
    found = full.changes.since(cursor, EVERYBODY)

    assert row.public_id in {tile.image.public_id for tile in found.tiles}
    assert 1 == found.batches[0].total
    assert len(plans.lines) > 2
    assert [] == of_tables(plans.lines)


def test_one_query_a_second_serves_all_who_watch(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    changes = ChangeRepository(database, clock=lambda: now[0])
    cursor = changes.start(EVERYBODY).cursor.text(EVERYBODY)
    asked: list[str] = []
    render = Transaction._render

    def counted(tx: Transaction, sql: str, values: dict[str, object]) -> str:
        asked.append(sql)
        return render(tx, sql, values)

    monkeypatch.setattr(Transaction, "_render", counted)
    for _ in range(50):
        changes.since(cursor, EVERYBODY)
    assert [] == asked
    now[0] += 1.0
    for _ in range(50):
        changes.since(cursor, EVERYBODY)
    assert 1 == len(asked)


def test_more_changes_than_are_kept_are_read_from_the_database(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes in parts, each with the cursor of the next."""
    monkeypatch.setattr(changes_module, "_PAGE", 4)
    monkeypatch.setattr(changes_rules, "MOST_ROWS", 2)
    start = repositories.changes.start(EVERYBODY).cursor
    cursor = replace(start, at=start.at - timedelta(minutes=10)).text(EVERYBODY)
    images = {arrived(repositories).public_id for _ in range(9)}
    spread = "UPDATE images SET changed_at = :at WHERE id = :image_id"
    for number, public_id in enumerate(sorted(images)):
        image = repositories.images.get(public_id)
        assert image is not None
        at = (start.at - timedelta(seconds=500 - 20 * number)).isoformat(" ", "microseconds")
        database.run(lambda tx, at=at, id_=image.id: tx._cursor(spread, {"at": at, "image_id": id_}))
    found: set[str] = set()
    for _ in range(20):
        part = repositories.changes.since(cursor, EVERYBODY)
        found |= {tile.image.public_id for tile in part.tiles}
        cursor = part.cursor.text(EVERYBODY)
        if not part.more:
            break
    assert images <= found


FILTERED = [
    Filters(status=status) for status in Progress
] + [
    Filters(tag="cat"),
    Filters(taken=Days(date(2020, 1, 1), date(2026, 12, 31)), media_type="jpeg"),
    Filters(uploaded=Days(date(2026, 1, 1), date(2099, 12, 31)), orientation="landscape"),
    Filters(camera="contoso phone 7", source="local"),
    Filters(owner="nobody"),
    Filters(album="0" * 32),
    Filters(album="0" * 32, tag="cat"),
]  # fmt: skip


def test_filters_are_answered_by_indexes(full: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    """No table is read through. One test for all filters: the gallery takes longer to make than to read."""
    plans, through = Plans(monkeypatch), {}
    for filters in FILTERED:
        plans.lines.clear()
        for viewer in (EVERYBODY, OWN):
            full.pages.page_versions(cursor=None, limit=40, query=None, viewer=viewer, filters=filters)
            full.timeline.months(viewer, Sort.TAKEN, filters=filters)
            full.timeline.month(viewer, "2026-05", Sort.TAKEN, offset=0, limit=40, filters=filters)
        full.tag_list.page(EVERYBODY, cursor=None, limit=10)
        assert len(plans.lines) > 4, filters
        through[filters] = of_tables(plans.lines)
    assert {} == {filters: lines for filters, lines in through.items() if lines}


def test_photo_is_found_by_each_of_its_facets(repositories: Repositories) -> None:
    image = described(repositories, "a.jpg")
    assert repositories.tasks.finish_thumbnail(claim(repositories, image, THUMBNAIL), FACTS, renditions(image))
    day = image.uploaded_at.date()
    for filters in (
        Filters(taken=Days(date(2025, 7, 14), date(2025, 7, 14))),
        Filters(uploaded=Days(day, day)),
        Filters(month="2025-07"),
        Filters(
            tag="wall", camera="CONTOSO phone 7", media_type="jpeg", orientation="landscape", source="local"
        ),
    ):
        page = repositories.pages.page_versions(cursor=None, limit=5, query=None, filters=filters)
        assert [image.id] == [id_ for id_, _ in page.versions], filters
    for filters in (
        Filters(taken=Days(date(2025, 7, 15), date(2026, 7, 14))),
        Filters(month="2025-06"),
        Filters(status=Progress.FAILED),
        Filters(status=Progress.WAITING),
        Filters(status=Progress.UNDESCRIBED),
        Filters(owner="nobody"),
    ):
        page = repositories.pages.page_versions(cursor=None, limit=5, query=None, filters=filters)
        assert () == page.versions, filters


@pytest.mark.parametrize("sort", Sort)
def test_rejected_file_is_found_by_its_status_alone(repositories: Repositories, sort: Sort) -> None:
    """The page finds and removes it by the timeline only; it counts to the quota."""
    image, kept = arrived(repositories), arrived(repositories)
    repositories.tasks.reject(claim(repositories, image, THUMBNAIL), code="not_an_image", message="No.")
    rows, month = repositories.timeline, f"{image.uploaded_at:%Y-%m}"
    failed = Filters(status=Progress.FAILED)

    found = rows.months(EVERYBODY, sort, filters=failed).months
    [(id_, _)] = rows.month(EVERYBODY, month, sort, offset=0, limit=5, filters=failed).versions
    [tile] = rows.tiles([id_], sort)

    assert [(month, 1)] == [(each.month, each.count) for each in found]
    assert (image.id, "rejected", month) == (id_, tile.image.status, f"{tile.at}"[:7])
    assert ([image.public_id], None) == repositories.pages.select(
        cursor=None, limit=5, query=None, filters=failed
    )
    assert [kept.id] == shown(rows, month, sort)
    repositories.images.delete(image.public_id)
    assert () == rows.months(EVERYBODY, sort, filters=failed).months


def test_migration_indexes_photos_anew_that_lack_facets(repositories: Repositories, database: Database) -> None:
    image = described(repositories, "a.jpg")
    database.run(lambda tx: tx.execute("DELETE FROM words WHERE word LIKE 'type=%'"))
    filters = Filters(media_type="jpeg")
    assert () == repositories.pages.page_versions(cursor=None, limit=5, query=None, filters=filters).versions
    database.run(lambda tx: m027_filters(Schema(tx)))
    assert 1 <= repositories.sweep.index_unindexed(limit=10)
    page = repositories.pages.page_versions(cursor=None, limit=5, query=None, filters=filters)
    assert [image.id] == [id_ for id_, _ in page.versions]


@pytest.mark.parametrize("begins", [True, False])
def test_a_process_that_has_read_before_takes_no_news_back(
    repositories: Repositories, database: Database, begins: bool
) -> None:
    """A page asks one process after another: what it knows to be deleted does not come back."""
    one, other = ChangeRepository(database), ChangeRepository(database)
    image = arrived(repositories).public_id
    before = one.start(EVERYBODY).cursor.text(EVERYBODY)
    known = {tile.image.public_id for tile in other.since(before, EVERYBODY).tiles}
    repositories.images.delete(image)
    later = ChangeRepository(database)
    found = later.start(EVERYBODY) if begins else later.since(before, EVERYBODY)

    again = other.since(found.cursor.text(EVERYBODY), EVERYBODY)

    assert (image in known, image in found.removed) == (True, not begins)
    assert image not in {tile.image.public_id for tile in again.tiles}
