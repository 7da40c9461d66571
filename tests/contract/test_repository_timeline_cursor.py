"""Cursors of a month on both databases: parts neither lose nor repeat photos when others come or go."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from imgcore.db import timeline_search
from imgcore.db.connection import Database
from imgcore.db.search_sources import Source
from imgcore.errors import Invalid
from imgcore.gallery.listing import Sort
from imgcore.gallery.models import EVERYBODY, Edit, Image, Viewer
from imgcore.gallery.places import Place
from tests.contract.database_tools import analyze
from tests.contract.images import arrived, multiply, stored
from tests.contract.test_repository_plans import Plans, effort, whole_tables
from tests.support.repositories import Repositories

MONTH = "2025-06"
OWN = Viewer(1, sees_others=False, changes_others=False)


@pytest.fixture
def bystanders() -> None:
    """None here: all photos are those of this test."""


@pytest.fixture
def photos(repositories: Repositories, database: Database) -> list[Image]:
    """Return 14 photos of one month, newest first; four each were taken at the same time."""
    times = [datetime(2025, 6, 1 + number // 4, 12) for number in range(14)]  # noqa: DTZ001
    return [add(repositories, database, at) for at in times][::-1]


def add(repositories: Repositories, database: Database, at: datetime) -> Image:
    """Add a photo that was taken and uploaded at that time, with the caption "photo"."""
    image = arrived(repositories)
    set_ = "UPDATE images SET taken_at = :at, uploaded_at = :at, owner_id = 1 WHERE id = :id"
    database.run(lambda tx: tx.execute(set_, at=at.isoformat(" ", "microseconds"), id=image.id))
    return describe(repositories, image, "photo")


def describe(repositories: Repositories, image: Image, caption: str) -> Image:
    """Set the caption, by which the photo is found."""
    version = stored(repositories, image).version
    repositories.images.edit(image.public_id, Edit(caption=caption), version)
    return stored(repositories, image)


def parts(
    repositories: Repositories,
    limit: int,
    text: str | None = None,
    *,
    viewer: Viewer = EVERYBODY,
    sort: Sort = Sort.TAKEN,
    then: Callable[[], object] = lambda: None,
) -> list[list[int]]:
    """Return the ids of each part of the month. then: called after the first part."""
    found: list[list[int]] = []
    cursor: str | None = None
    while not found or cursor is not None:
        part = repositories.timeline.month(viewer, MONTH, sort, limit=limit, cursor=cursor, text=text)
        found.append([id_ for id_, _ in part.versions])
        assert not part.more or part.cursor is not None
        cursor = part.cursor
        if len(found) == 1:
            then()
    return found


@pytest.mark.parametrize("text", [None, "photo"])
@pytest.mark.parametrize("limit", [1, 3, 4, 100])
def test_parts_hold_all_photos_in_their_order(
    repositories: Repositories, photos: list[Image], limit: int, text: str | None
) -> None:
    for viewer in (EVERYBODY, OWN):
        for sort in Sort:
            found = parts(repositories, limit, text, viewer=viewer, sort=sort)
            assert [image.id for image in photos] == list(chain(*found))
            assert {limit} >= {len(part) for part in found[:-1]}


@pytest.mark.parametrize("text", [None, "photo"])
def test_photos_that_come_or_go_above_a_cursor_change_nothing_below(
    repositories: Repositories, database: Database, photos: list[Image], text: str | None
) -> None:
    """Among those deleted is the photo that the cursor names."""

    def change() -> None:
        for image in photos[2:5]:
            repositories.images.delete(image.public_id)
        for _ in range(2):
            add(repositories, database, datetime(2025, 6, 20))  # noqa: DTZ001

    assert [image.id for image in photos] == list(chain(*parts(repositories, 5, text, then=change)))


@pytest.mark.parametrize("change", ["add", "delete"])
def test_part_of_a_search_holds_each_photo_once_whatever_changes_meanwhile(
    repositories: Repositories,
    database: Database,
    photos: list[Image],
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    """The last photo of the first step and the first one of the second are found."""
    for image in photos[5:7]:
        describe(repositories, image, "zebra")
    monkeypatch.setattr(timeline_search, "_LEAST_READ", 4)
    monkeypatch.setattr(timeline_search, "_STEP", 2)
    monkeypatch.setattr(Source, "size", lambda source, tx, limit: 10_000)
    walked, calls = timeline_search._Month._walked, [0]

    def change_gallery() -> None:
        if change == "add":
            add(repositories, database, datetime(2025, 6, 20))  # noqa: DTZ001
        else:
            repositories.images.delete(photos[0].public_id)

    def changing(part: Any, *arguments: Any) -> Any:
        found = walked(part, *arguments)
        calls[0] += 1
        if calls[0] == 1:
            with ThreadPoolExecutor(1) as other:
                other.submit(change_gallery).result()
        return found

    monkeypatch.setattr(timeline_search._Month, "_walked", changing)
    part = repositories.timeline.month(EVERYBODY, MONTH, Sort.TAKEN, offset=0, limit=2, text="zebra")
    assert [image.id for image in photos[5:7]] == [id_ for id_, _ in part.versions]
    assert calls[0] > 1


@pytest.mark.parametrize("text", ["zebra", '"the zebra"'])
def test_search_that_has_compared_enough_goes_on_with_the_next_part(
    repositories: Repositories, photos: list[Image], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    for image in (photos[1], photos[12]):
        describe(repositories, image, "the zebra")
    for name, most in {"_LEAST_READ": 2, "_MOST_READ": 5, "MOST_WALKED": 5, "_MOST_TEXTS": 3}.items():
        monkeypatch.setattr(timeline_search, name, most)
    monkeypatch.setattr(Source, "size", lambda source, tx, limit: 10_000)
    found = parts(repositories, 4, text)

    assert [photos[1].id, photos[12].id] == list(chain(*found))
    assert 3 == len(found)
    assert [] == found[1]
    with pytest.raises(Invalid) as raised:
        repositories.timeline.month(EVERYBODY, MONTH, Sort.TAKEN, offset=2, limit=4, text=text)
    assert "offset" == raised.value.code


def test_who_counts_by_offsets_gets_all_that_more_comparisons_find(
    repositories: Repositories, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offset that follows is known only where photos were found; a cursor goes on without any."""
    for image in photos[8:11]:
        describe(repositories, image, "the zebra")
    for name, most in {"_LEAST_READ": 2, "MOST_WALKED": 4}.items():
        monkeypatch.setattr(timeline_search, name, most)
    monkeypatch.setattr(Source, "size", lambda source, tx, limit: 10_000)
    asked = {"limit": 2, "text": "zebra"}
    by_cursor = repositories.timeline.month(EVERYBODY, MONTH, Sort.TAKEN, **asked)
    by_offset = [
        repositories.timeline.month(EVERYBODY, MONTH, Sort.TAKEN, offset=offset, **asked) for offset in (0, 2)
    ]

    assert ((), False, True) == (by_cursor.versions, by_cursor.more, by_cursor.cursor is not None)
    assert [[image.id for image in photos[8:10]], [photos[10].id]] == [
        [id_ for id_, _ in part.versions] for part in by_offset
    ]
    assert [True, False] == [part.more for part in by_offset]


def test_offset_counts_from_the_cursor(repositories: Repositories, photos: list[Image]) -> None:
    rows = repositories.timeline
    first = rows.month(EVERYBODY, MONTH, Sort.TAKEN, offset=0, limit=3)
    for text in (None, "photo"):
        then = rows.month(EVERYBODY, MONTH, Sort.TAKEN, offset=2, limit=3, cursor=first.cursor, text=text)
        assert [image.id for image in photos[5:8]] == [id_ for id_, _ in then.versions]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        Place("2025-06-31 00:00:00.000000", 1).text(),
        Place("2025-07-01 00:00:00.000000", 0).text(),
        Place("2025-06-01", 1).text(),
        Place("2025-06-01 00:00:00.000000", -1).text(),
        Place("2025-06-01 00:00:00.000000", 10**18).text(),
        Place("2025-06-01 00:00:00.000000", 1).text() + "=",
    ],
)
def test_cursor_that_was_not_given_out_is_invalid(repositories: Repositories, cursor: str) -> None:
    with pytest.raises(Invalid) as raised:
        repositories.timeline.month(EVERYBODY, MONTH, Sort.TAKEN, offset=0, limit=3, cursor=cursor)
    assert "cursor" == raised.value.code


def test_part_deep_in_a_month_costs_as_much_as_the_first(
    repositories: Repositories, database: Database, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    list(multiply(database, 700))
    start = datetime(2025, 6, 1)  # noqa: DTZ001
    set_ = "UPDATE images SET taken_at = :at, owner_id = 1 WHERE id = :id"
    ids = database.read(lambda tx: [row[0] for row in tx.tuples("SELECT id FROM images ORDER BY id")])
    places = [(start + timedelta(minutes=10 * number)).isoformat(" ", "microseconds") for number in range(700)]
    database.run(
        lambda tx: [tx.execute(set_, at=at, id=id_) for at, id_ in zip(places, ids, strict=True)] and None
    )
    analyze(database, "images", "tasks")

    def cost(cursor: str | None, viewer: Viewer) -> int:
        return effort(
            database,
            lambda: repositories.timeline.month(viewer, MONTH, Sort.TAKEN, offset=0, limit=20, cursor=cursor),
        )

    deep = Place(places[100], ids[100]).text()
    for viewer in (EVERYBODY, OWN):
        first, later = cost(None, viewer), cost(deep, viewer)
        assert later <= 1.2 * first, (first, later)
    plans = Plans(monkeypatch)
    for viewer in (EVERYBODY, OWN):
        part = repositories.timeline.month(viewer, MONTH, Sort.TAKEN, offset=0, limit=20, cursor=deep)
        assert ids[99:79:-1] == [id_ for id_, _ in part.versions]
    assert len(plans.lines) > 2
    assert [] == [line for line in whole_tables(plans.lines) if not line.startswith("SCAN page")]
    assert [] == [line for line in plans.lines if "images" in line and "filesort" in line]
