"""Searches of the timeline on both databases: the months' counts, a month's photos, and what they cost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from imgcore.db import timeline_search
from imgcore.db.connection import Database, Transaction
from imgcore.db.search_sources import Source
from imgcore.gallery.filters import NO_FILTERS, Filters, Progress
from imgcore.gallery.listing import Sort, month_place
from imgcore.gallery.models import EVERYBODY, Edit, Image, Viewer
from tests.contract.images import arrived, multiply
from tests.contract.test_repository_plans import effort
from tests.support.repositories import Repositories

START = datetime(2025, 5, 30)  # noqa: DTZ001 - a camera knows no time zone
OWN = Viewer(1, sees_others=False, changes_others=False)
SEARCHES = [
    "photo",
    "odd",
    "photo odd",
    "photo -odd",
    "even seven",
    '"photo odd"',
    '-"photo odd" photo',
    "photo -photo-odd",
    "-photo.odd",
    "okapi",
]


@pytest.fixture
def bystanders() -> None:
    """None here: what is measured are the rows of the photos that are made."""


@pytest.fixture
def photos(repositories: Repositories, database: Database) -> list[tuple[datetime, Image]]:
    """Return 24 photos of two months in an order of their own, and when each was taken."""
    made = []
    for n in range(24):
        name = f"photo {'odd' if n % 5 == 1 else 'even'} {'seven' if n == 7 else ''}.jpg"
        taken_at = START + timedelta(hours=5 * (n * 7 % 24))
        image = arrived(repositories, name)
        database.run(
            lambda tx, at=taken_at, id_=image.id, owner=n % 2 + 1: tx.execute(
                "UPDATE images SET taken_at = :at, owner_id = :owner WHERE id = :id", at=at, owner=owner, id=id_
            )
        )
        repositories.images.edit(image.public_id, Edit(caption=name.removesuffix(".jpg")), image.version)
        made.append((taken_at, image))
    return sorted(made, key=lambda each: (each[0], each[1].id), reverse=True)


def listed(repositories: Repositories, text: str | None, filters: Filters, viewer: Viewer) -> set[int]:
    page = repositories.pages.page_versions(cursor=None, limit=100, query=text, filters=filters, viewer=viewer)
    return {id_ for id_, _ in page.versions}


def month(repositories: Repositories, name: str, text: str, viewer: Viewer, limit: int) -> list[int]:
    """Return the ids of a month, read by windows."""
    ids: list[int] = []
    while True:
        part = repositories.timeline.month(
            viewer, name, Sort.TAKEN, offset=len(ids), limit=limit, text=text, filters=NO_FILTERS
        )
        ids += [id_ for id_, _ in part.versions]
        assert len(part.versions) == limit or not part.more
        if not part.more:
            return ids


@pytest.mark.parametrize("way", ["sorted", "both", "walked"])
def test_windows_of_a_month_hold_what_the_list_holds_in_order(
    repositories: Repositories,
    photos: list[tuple[datetime, Image]],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    """Whether the photos of the month are compared in their order, or those with the words are sorted."""
    monkeypatch.setattr(timeline_search, "_LEAST_READ", 2)
    if way != "both":
        sizes = {"sorted": 1, "walked": 10_000}
        monkeypatch.setattr(Source, "size", lambda source, tx, limit: sizes[way])
    for text in SEARCHES:
        for viewer in (EVERYBODY, OWN):
            there = listed(repositories, text, NO_FILTERS, viewer)
            assert bool(there) == (text != "okapi" and (viewer is EVERYBODY or text != "even seven"))
            for name in ("2025-05", "2025-06"):
                wanted = [image.id for at, image in photos if image.id in there and f"{at:%Y-%m}" == name]
                assert wanted == month(repositories, name, text, viewer, 3), (text, viewer, name)


@pytest.mark.parametrize("text", SEARCHES)
def test_months_count_what_the_list_holds(
    repositories: Repositories, photos: list[tuple[datetime, Image]], text: str
) -> None:
    repositories.images.delete(photos[0][1].public_id)
    for viewer in (EVERYBODY, OWN):
        there = listed(repositories, text, NO_FILTERS, viewer)
        found = repositories.timeline.months(viewer, Sort.TAKEN, text)
        wanted = [f"{at:%Y-%m}" for at, image in photos if image.id in there]
        assert found.exact
        assert {name: wanted.count(name) for name in wanted} == {
            each.month: each.count for each in found.months
        }


def test_pages_of_photos_that_wait_for_several_tasks_lose_none(
    repositories: Repositories, photos: list[tuple[datetime, Image]]
) -> None:
    ids: list[int] = []
    cursor: str | None = None
    while True:
        page = repositories.pages.page_versions(
            cursor=cursor, limit=5, query=None, filters=Filters(status=Progress.WAITING)
        )
        ids += [id_ for id_, _ in page.versions]
        cursor = page.next
        if cursor is None:
            break
    assert sorted((image.id for _, image in photos), reverse=True) == ids


@pytest.mark.parametrize(
    ("text", "filters"),
    [("photo", NO_FILTERS), ("photo even", NO_FILTERS), (None, Filters(status=Progress.WAITING))],
)
def test_more_than_are_counted_give_the_counts_of_all(
    repositories: Repositories,
    photos: list[tuple[datetime, Image]],
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    filters: Filters,
) -> None:
    found = len(listed(repositories, text, filters, EVERYBODY))
    for most, exact in ((found, True), (found - 1, False)):
        monkeypatch.setattr(timeline_search, "MOST_COUNTED", most)
        monkeypatch.setattr(timeline_search, "MOST_COMPARED", most)
        months = repositories.timeline.months(EVERYBODY, Sort.TAKEN, text, filters)
        assert (exact, found if exact else len(photos)) == (months.exact, months.total)


@pytest.mark.parametrize(
    "text", ["photo", "photo even", "photo -odd", '"photo even"', "even -photo", "-photo-odd"]
)
def test_timeline_of_a_search_costs_the_same_however_many_photos_there_are(
    database: Database,
    photos: list[tuple[datetime, Image]],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    """What is counted, compared and put in order is bounded, and no statement names many ids."""
    bounds = {"MOST_COUNTED": 60, "MOST_COMPARED": 60, "_SAMPLE": 50, "_MOST_LED": 100, "_MOST_READ": 200}
    for name, most in (bounds | {"_LEAST_READ": 10, "MOST_WALKED": 200}).items():
        monkeypatch.setattr(timeline_search, name, most)
    named, run = [0], Transaction._cursor

    def counted(tx: Transaction, sql: str, values: dict[str, object]) -> object:
        named[0] = max(named[0], len(values))
        return run(tx, sql, values)

    monkeypatch.setattr(Transaction, "_cursor", counted)
    costs = []
    asked = (EVERYBODY, Sort.TAKEN, text, NO_FILTERS)
    # Of the copies, which have no date taken: the month of their upload
    windows = [
        (EVERYBODY, name, *asked[1:], month_place(None, name), None, 10)
        for name in ("2025-05", f"{photos[0][1].uploaded_at:%Y-%m}")
    ]
    for size in (600, 2400):
        list(multiply(database, size))
        if database.dialect.name == "mysql":
            database.read(lambda tx: tx.rows("ANALYZE TABLE images, tasks, words"))
        named[0] = 0
        months = effort(database, lambda: database.read(lambda tx: timeline_search.count_found(tx, *asked)))
        parts = [
            effort(
                database,
                lambda window=window: database.read(lambda tx: timeline_search.slice_found(tx, *window)),
            )
            for window in windows
        ]
        assert named[0] <= 20
        costs.append((months, *parts))

    few, many = costs
    assert all(later <= 1.5 * before for before, later in zip(few, many, strict=True)), costs
