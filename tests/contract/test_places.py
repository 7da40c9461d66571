"""Lists that are walked by places, on both databases: pages neither lose nor repeat photos that stay."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from imgcore.accounts.models import Role
from imgcore.collections.albums import Albums
from imgcore.collections.models import AlbumChanges, AlbumOrder
from imgcore.collections.share_models import NewShare
from imgcore.collections.shares import Shares
from imgcore.db import places
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.db.login_throttle import LoginThrottle
from imgcore.errors import Invalid
from imgcore.gallery.models import EVERYBODY, Image, Page, Viewer
from imgcore.gallery.places import Place, place_in
from tests.contract.database_tools import analyze
from tests.contract.images import arrived, multiply
from tests.contract.test_repository_plans import effort
from tests.support.repositories import Repositories

LISTS = (
    *("album", "album by hand", "album of one account"),
    *("link to an album", "link to an album by hand", "link to photos"),
    *("trash", "trash of one account"),
)


@dataclass
class Walk:
    """A list of photos. page: with up to two after a cursor. remove, add: one photo of the list, before all."""

    photos: list[Image]
    page: Callable[[str | None], Page]
    remove: Callable[[Image], object]
    add: Callable[[Image], object]

    def names(self, then: Callable[[], object] = lambda: None) -> list[str]:
        """Return the names of all photos of the list. then: called after each page."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = self.page(cursor)
            assert len(page.images) <= 2
            found += [image.name for image in page.images]
            if page.next is None:
                return found
            cursor = page.next
            then()


@pytest.fixture
def bystanders() -> None:
    """None here: the trash has those of this test."""


@pytest.fixture
def albums(repositories: Repositories) -> Albums:
    return Albums(repositories.albums, repositories.images)


@pytest.fixture(params=LISTS)
def walk(
    request: pytest.FixtureRequest, database: Database, repositories: Repositories, albums: Albums
) -> Walk:
    """Return a list of seven photos; three of them have the same time."""
    kind = request.param
    account = AccountRepository(database).add(secrets.token_hex(16), "person", Role.PERSON, "hash").id
    own = Viewer(account, sees_others=False, changes_others=False)
    viewer = own if kind.endswith("of one account") else EVERYBODY
    photos = [arrived(repositories, f"{number}.jpg") for number in range(7)]
    for image, day in zip(photos, (1, 2, 3, 3, 3, 4, 5), strict=True):
        change(database, image, taken_at=f"2025-06-{day:02} 12:00:00.000000", owner_id=account)
    if kind.startswith("trash"):
        return trash(database, repositories, photos, viewer)
    ids = tuple(image.public_id for image in photos)
    order = AlbumOrder.HAND if "hand" in kind else AlbumOrder.DATE
    seen = albums.for_viewer(viewer)
    album = seen.create("Album", order=order)
    seen.add(album.public_id, ids)
    shares = Shares(repositories.shares, albums, repositories.images, LoginThrottle(database), lambda: None)  # type: ignore[arg-type,return-value]

    def add(image: Image) -> None:
        change(database, image, taken_at="2025-05-01 12:00:00.000000", owner_id=account)
        seen.add(album.public_id, [image.public_id])
        if order is AlbumOrder.HAND:
            seen.move(album.public_id, image.public_id, photos[0].public_id)

    def delete(image: Image) -> None:
        repositories.images.delete(image.public_id)

    if kind.startswith("album"):
        return Walk(photos, lambda cursor: seen.page(seen.get(album.public_id), 2, cursor), delete, add)
    new = NewShare(ids=ids) if kind == "link to photos" else NewShare(album=album.public_id)
    _, token, _ = shares.create(new)
    return Walk(photos, lambda cursor: shares.page(shares.open(token), 2, cursor), delete, add)


def trash(database: Database, repositories: Repositories, photos: list[Image], viewer: Viewer) -> Walk:
    """Return the trash with these photos, of which the third to fifth were deleted at the same time."""
    [[now]] = database.read(lambda tx: tx.tuples("SELECT {now}"))
    for image, hours in zip(photos, (1, 2, 3, 3, 3, 4, 5), strict=True):
        repositories.images.delete(image.public_id)
        before = datetime.fromisoformat(str(now)) - timedelta(hours=hours)
        change(database, image, deleted_at=before.isoformat(" ", "microseconds"))

    def page(cursor: str | None) -> Page:
        at = None if cursor is None else place_in(cursor)
        return repositories.trash.page(viewer, place=at, limit=2)

    return Walk(
        [photos[number] for number in (0, 1, 4, 3, 2, 5, 6)],
        page,
        lambda image: repositories.images.restore(image.public_id),
        lambda image: repositories.images.delete(image.public_id),
    )


def change(database: Database, image: Image, **columns: object) -> None:
    set_ = ", ".join(f"{name} = :{name}" for name in columns)
    database.run(lambda tx: tx.execute(f"UPDATE images SET {set_} WHERE id = :id", id=image.id, **columns))


def test_pages_hold_all_photos_in_their_order(walk: Walk) -> None:
    assert [image.name for image in walk.photos] == walk.names()


def test_photos_that_leave_or_come_before_a_cursor_change_nothing_after_it(
    walk: Walk, repositories: Repositories
) -> None:
    """Among those that leave is the photo that the cursor names."""
    leaving = iter(walk.photos[:])

    def come_and_go() -> None:
        walk.remove(next(leaving))
        walk.remove(next(leaving))
        walk.add(arrived(repositories, "new.jpg"))

    assert [image.name for image in walk.photos] == walk.names(come_and_go)


def test_pages_cost_the_same_among_many_other_photos(
    walk: Walk, database: Database, repositories: Repositories
) -> None:
    """MariaDB reads a table of a few rows in another way than a larger one; SQLite has no statistics."""
    efforts = []
    for others in (300, 1500):
        list(multiply(database, others))
        of_others = "UPDATE images SET deleted_at = NULL, listed_id = id WHERE image_key LIKE 'copy-%'"
        database.run(lambda tx, change=of_others: tx.execute(change))
        analyze(database, "images", "tasks", "albums", "album_images", "shares", "share_images")
        assert [image.name for image in walk.photos] == walk.names()
        efforts.append(effort(database, walk.names))
    few, many = efforts
    assert many <= 1.2 * few


def test_cursor_of_the_other_order_is_invalid(albums: Albums, repositories: Repositories) -> None:
    album = albums.create("Album")
    albums.add(album.public_id, [arrived(repositories).public_id for _ in range(2)])
    for order, other in ((AlbumOrder.HAND, AlbumOrder.DATE), (AlbumOrder.DATE, AlbumOrder.HAND)):
        by_hand = albums.edit(album.public_id, AlbumChanges(order=order))
        cursor = albums.page(by_hand, 1).next
        with pytest.raises(Invalid) as raised:
            albums.page(albums.edit(album.public_id, AlbumChanges(order=other)), 1, cursor)
        assert "cursor" == raised.value.code


def test_no_other_list_is_walked_by_offset() -> None:
    """The timeline has one beside its cursor, for those who jump."""
    modules = Path(places.__file__).parent.glob("*.py")
    assert ["timeline.py"] == [module.name for module in modules if "OFFSET :offset" in module.read_text()]


@pytest.mark.parametrize("at", [-(10**18) + 1, -1, 0, 2**20])
def test_place_by_hand_is_read_as_it_was_written(at: int) -> None:
    assert Place(at, 3) == place_in(Place(at, 3).text(), timed=False)


@pytest.mark.parametrize("text", ["", "40", "x", "é", Place(10**18, 1).text(), Place("1 1", 1).text()])
def test_other_text_is_no_place_by_hand(text: str) -> None:
    with pytest.raises(Invalid):
        place_in(text, timed=False)
