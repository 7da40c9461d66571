"""The feed of changes without a database: cursors, late commits, rights, and bounded answers."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from imgcore.errors import Forbidden, Gone, ImgcoreError, Invalid
from imgcore.gallery import changes
from imgcore.gallery.changes import Changes, Cursor, changes_since, first_cursor, parsed_cursor
from imgcore.gallery.listing import Tile
from imgcore.gallery.models import EVERYBODY, Image, UploadStatus, Viewer

NOW = datetime(2026, 11, 28, 12)  # noqa: DTZ001 - the database's time
OWN = Viewer(1, sees_others=False, changes_others=False)
SHARED = Viewer(2, sees_others=True, changes_others=False)


def row(number: int, seconds: float, *, version: int = 1, owner: int | None = 1, **values: object) -> Tile:
    """An image that was changed so many seconds after NOW."""
    known = {"upload_status": UploadStatus.RECEIVED} | values
    uploaded = datetime(2026, 11, 1, tzinfo=UTC)
    image = Image(number, f"{number:032x}", "", "a.jpg", uploaded_at=uploaded, tasks=(), owner_id=owner,
                  version=version, **known)  # type: ignore[arg-type]  # fmt: skip
    return Tile(image, None, NOW + timedelta(seconds=seconds))


def ordered(*rows: Tile) -> list[Tile]:
    return sorted(rows, key=lambda each: (changes.changed_at(each), each.image.id))


def ids(found: Changes) -> list[int]:
    return [tile.image.id for tile in found.tiles]


def test_cursor_is_read_as_it_was_given_out() -> None:
    cursor = Cursor(NOW + timedelta(microseconds=7), "0123456789abcdef")
    assert cursor == parsed_cursor(cursor.text(OWN), OWN, NOW)


@pytest.mark.parametrize(
    ("text", "error", "code"),
    [
        ("", Invalid, "since"),
        ("aWQ8Mw", Invalid, "since"),
        ("\u00e4", Invalid, "since"),
        ("!!!!" + Cursor(NOW, "0" * 16).text(OWN), Invalid, "since"),
        (Cursor(NOW, "0" * 16).text(OWN)[:-3], Invalid, "since"),
        (Cursor(NOW, "0" * 16).text(SHARED), Forbidden, "cursor_account"),
        (Cursor(NOW, "0" * 16).text(EVERYBODY), Forbidden, "cursor_account"),
        (Cursor(NOW - timedelta(minutes=15, seconds=1), "0" * 16).text(OWN), Gone, "cursor_expired"),
        (Cursor(NOW + timedelta(seconds=11), "0" * 16).text(OWN), Gone, "cursor_expired"),
    ],
)
def test_cursor_that_does_not_hold_is_refused(text: str, error: type[ImgcoreError], code: str) -> None:
    with pytest.raises(error) as raised:
        parsed_cursor(text, OWN, NOW)
    assert code == raised.value.code


def test_change_is_reported_once_and_then_nothing() -> None:
    start = first_cursor([], EVERYBODY, NOW)
    rows = [row(1, 1), row(2, 2)]
    first = changes_since(rows, start, EVERYBODY, NOW)
    assert [1, 2] == ids(first)

    again = changes_since(rows, first.cursor, EVERYBODY, NOW + timedelta(seconds=60))
    assert Changes(first.cursor) == again


def test_late_commit_is_reported_although_its_time_is_before_the_cursor() -> None:
    start = first_cursor([], EVERYBODY, NOW)
    cursor = changes_since([row(1, 5)], start, EVERYBODY, NOW).cursor
    late = changes_since(ordered(row(1, 5), row(2, 3)), cursor, EVERYBODY, NOW)

    assert 2 in ids(late)
    assert [] == ids(changes_since(ordered(row(1, 5), row(2, 3)), late.cursor, EVERYBODY, NOW))


def test_idle_cursor_is_renewed_before_it_expires() -> None:
    cursor = first_cursor([], EVERYBODY, NOW)
    for quiet in (timedelta(minutes=5), timedelta(minutes=5, seconds=10)):
        assert cursor == changes_since([], cursor, EVERYBODY, NOW + quiet).cursor
    later = NOW + timedelta(minutes=6)
    assert later - changes.OVERLAP == changes_since([], cursor, EVERYBODY, later).cursor.at


@pytest.mark.parametrize(
    ("viewer", "change", "reported", "removed"),
    [
        (OWN, row(1, 1), 1, 0),
        (OWN, row(1, 1, upload_status=UploadStatus.AWAITING), 1, 0),
        (OWN, row(1, 1, upload_status=UploadStatus.EXPIRED), 0, 1),
        (OWN, row(1, 1, deleted_at=NOW), 0, 1),
        (OWN, row(1, 1, owner=2), 0, 0),
        (OWN, row(1, 1, owner=2, deleted_at=NOW), 0, 0),
        (OWN, row(1, 1, owner=None), 0, 0),
        (SHARED, row(1, 1), 1, 0),
        (SHARED, row(1, 1, deleted_at=NOW), 0, 1),
        (SHARED, row(1, 1, upload_status=UploadStatus.AWAITING), 0, 0),
        (SHARED, row(1, 1, upload_status=UploadStatus.REJECTED), 0, 0),
        (SHARED, row(1, 1, upload_status=UploadStatus.EXPIRED), 0, 0),
        (SHARED, row(1, 1, upload_status=UploadStatus.AWAITING, deleted_at=NOW), 0, 0),
        (EVERYBODY, row(1, 1, owner=None, deleted_at=NOW), 0, 1),
    ],
)
def test_viewer_is_reported_of_what_they_see_only(
    viewer: Viewer, change: Tile, reported: int, removed: int
) -> None:
    """What is not reported moves no cursor either: it would show that something has changed."""
    start = first_cursor([], viewer, NOW)
    found = changes_since([change], start, viewer, NOW + timedelta(seconds=2))

    assert (reported, removed) == (len(found.tiles), len(found.removed))
    assert bool(reported or removed) is (found.cursor != start)


def test_many_changes_come_in_parts_that_join_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 10)
    rows = [row(number, 1 + number // 3) for number in range(40)]
    cursor, found, parts = first_cursor([], EVERYBODY, NOW), [], 0
    while True:
        part = changes_since(rows, cursor, EVERYBODY, NOW + timedelta(seconds=60))
        cursor, parts = part.cursor, parts + 1
        found += ids(part)
        if not part.more:
            break
        assert len(part.tiles) <= 10
    assert list(range(40)) == found
    assert parts >= 4


def test_as_many_changes_as_an_answer_holds_come_in_one_and_one_more_in_two() -> None:
    rows = [row(number, number / 1000) for number in range(1, 1002)]
    start = first_cursor([], EVERYBODY, NOW)
    whole = changes_since(rows[:1000], start, EVERYBODY, NOW)
    part = changes_since(rows, start, EVERYBODY, NOW)
    assert ((1000, False), (1000, True)) == tuple((len(each.tiles), each.more) for each in (whole, part))


def test_more_changes_at_one_time_than_an_answer_holds_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 10)
    with pytest.raises(Gone):
        changes_since([row(n, 1) for n in range(11)], first_cursor([], EVERYBODY, NOW), EVERYBODY, NOW)


@pytest.mark.parametrize("seed", range(20))
def test_reader_ends_with_what_there_is_whatever_the_order_of_commits(seed: int) -> None:
    """Changes commit up to ten seconds after they set their time; the reader polls at any moment."""
    chance = random.Random(seed)
    commits: list[tuple[float, Tile]] = []
    for number in range(60):
        at = chance.uniform(0, 60)
        for version in range(chance.randint(1, 3)):
            commits.append((at + chance.uniform(0, 9.9), row(number, at, version=version)))
            at += chance.uniform(10, 20)  # an image's row is locked until the commit
    known: dict[int, int] = {}
    cursor = first_cursor([], EVERYBODY, NOW - changes.OVERLAP)
    clock = 0.0
    while clock < 150:
        clock += chance.uniform(0.5, 4)
        stored: dict[int, Tile] = {}
        for when, change in sorted(commits, key=lambda pair: pair[0]):
            if when <= clock:
                stored[change.image.id] = change
        start = cursor.at - changes.OVERLAP
        rows = [each for each in ordered(*stored.values()) if changes.changed_at(each) > start]
        part = changes_since(rows, cursor, EVERYBODY, NOW + timedelta(seconds=clock))
        known |= {tile.image.id: tile.image.version for tile in part.tiles}
        cursor = part.cursor
    last = {change.image.id: change.image.version for _, change in sorted(commits, key=lambda pair: pair[0])}
    assert last == known
