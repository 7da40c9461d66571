"""Albums on both databases: what is seen of them, their order, and what deletions leave."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from imgcore.accounts.models import Role
from imgcore.collections import models
from imgcore.collections.albums import Albums
from imgcore.collections.models import AlbumChanges, AlbumOrder, AlbumRole, ItemResult
from imgcore.db import albums
from imgcore.db.accounts import AccountRepository
from imgcore.db.album_images import touch
from imgcore.db.connection import Database, Transaction
from imgcore.errors import Conflict, Forbidden, Invalid, NotFound
from imgcore.gallery.models import Image, Viewer
from tests.contract.images import arrived
from tests.support.repositories import Repositories


class People:
    """Accounts, and the albums with the rights of each."""

    def __init__(self, database: Database, repositories: Repositories) -> None:
        self._accounts = AccountRepository(database)
        self._albums = Albums(repositories.albums, repositories.images)
        self.ids: dict[str, int] = {}

    def add(self, name: str, role: Role = Role.PERSON) -> Albums:
        account = self._accounts.add(secrets.token_hex(16), name, role, "hash")
        self.ids[name] = account.id
        return self._albums.for_viewer(Viewer(account.id, sees_others=False, changes_others=False))

    def delete(self, name: str) -> None:
        self._accounts.delete(self.ids[name], in_trash_for=0.0)


@pytest.fixture
def people(database: Database, repositories: Repositories) -> People:
    return People(database, repositories)


def owned(database: Database, image: Image, owner_id: int) -> str:
    """Give an image an owner; return its public id."""
    statement = "UPDATE images SET owner_id = :owner_id WHERE id = :image_id"
    database.run(lambda tx: tx.execute(statement, owner_id=owner_id, image_id=image.id))
    return image.public_id


@pytest.fixture
def everything(repositories: Repositories) -> Albums:
    """The albums in open mode."""
    return Albums(repositories.albums, repositories.images)


def names(albums: Albums, album_id: str) -> list[str]:
    return [image.name for image in albums.page(albums.get(album_id)).images]


def test_order_by_date_uses_the_time_taken_before_that_of_the_upload(
    database: Database, repositories: Repositories, everything: Albums
) -> None:
    images = [arrived(repositories, name) for name in ("now.jpg", "old.jpg", "older.jpg")]
    taken = "UPDATE images SET taken_at = :taken WHERE id = :image_id"
    for image, year in zip(images[1:], (2001, 2000), strict=True):
        values = {"taken": f"{year}-05-01 10:00:00.000000", "image_id": image.id}
        database.run(lambda tx, values=values: tx.execute(taken, **values))
    album = everything.create("Dates")
    everything.add(album.public_id, [image.public_id for image in images])
    assert ["older.jpg", "old.jpg", "now.jpg"] == names(everything, album.public_id)
    shown = everything.get(album.public_id)
    assert (2000, 3) == (shown.first_at.year if shown.first_at else None, shown.images)
    everything.edit(album.public_id, AlbumChanges(order=AlbumOrder.HAND))
    assert ["now.jpg", "old.jpg", "older.jpg"] == names(everything, album.public_id)


def test_many_moves_to_the_same_place_keep_the_order(repositories: Repositories, everything: Albums) -> None:
    """Twenty halvings leave no number between two neighbours; all get new ones."""
    ids = [arrived(repositories, f"{number}.jpg").public_id for number in range(4)]
    album = everything.create("Moves", order=AlbumOrder.HAND).public_id
    everything.add(album, ids)
    for number in range(60):
        everything.move(album, ids[2 + number % 2], ids[1])
    assert ["0.jpg", "2.jpg", "3.jpg", "1.jpg"] == names(everything, album)


def test_position_that_is_used_up_is_spread(repositories: Repositories, everything: Albums) -> None:
    ids = [arrived(repositories, f"{number}.jpg").public_id for number in range(3)]
    album = everything.create("Moves", order=AlbumOrder.HAND).public_id
    everything.add(album, ids)
    for target in [ids[2], ids[1]] * 30:
        everything.move(album, next(each for each in (ids[1], ids[2]) if each != target), target)
        everything.move(album, ids[0], target)
    expected = ["2.jpg", "0.jpg", "1.jpg"]
    assert expected == names(everything, album)
    everything.move(album, ids[2], None)
    assert ["0.jpg", "1.jpg", "2.jpg"] == names(everything, album)


def test_image_is_added_once_by_requests_at_the_same_time(
    repositories: Repositories, everything: Albums
) -> None:
    image = arrived(repositories)
    album = everything.create("Race").public_id
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: everything.add(album, [image.public_id])[0][1], range(4)))
    assert [ItemResult.ADDED, *[ItemResult.PRESENT] * 3] == sorted(results)


def test_album_is_full(repositories: Repositories, everything: Albums, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgcore.db.album_images.ALBUM_IMAGES", 1)
    album = everything.create("Full").public_id
    ids = [arrived(repositories).public_id for _ in range(2)]
    results = everything.add(album, ids)
    assert [ItemResult.ADDED, ItemResult.FULL] == [result for _, result in results]
    assert "1 added, 1 did not fit into the album." == models.summary(results)


def test_account_has_a_limited_number_of_albums(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgcore.db.albums.ALBUMS", 1)
    mine = people.add("mine")
    mine.create("First")
    with pytest.raises(Conflict):
        mine.create("Second")


def test_albums_of_others_follow_by_cursor_and_displace_none_of_the_own(
    database: Database, repositories: Repositories, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgcore.db.albums.ALBUMS", 2)
    mine, theirs, third = (people.add(name) for name in ("mine", "theirs", "third"))
    own = [mine.create(f"Own {number}").public_id for number in range(2)]
    shared = [albums.create("Shared").public_id for albums in (theirs, third) for _ in range(2)]
    for number, album in enumerate(shared):
        (theirs if number < 2 else third).set_member(album, "mine", AlbumRole.VIEW)
    same = "UPDATE albums SET updated_at = '2026-05-01 10:00:00.000000' WHERE public_id = :public_id"
    for album in shared[:3]:
        database.run(lambda tx, album=album: tx.execute(same, public_id=album))

    def pages(albums: Albums) -> list[list[str]]:
        found, cursor = [], None
        while not found or cursor is not None:
            listed = albums.listed(cursor)
            cursor = listed.next
            found.append([album.public_id for album in listed.albums])
        return found

    assert [[shared[3], own[1], own[0], shared[2]], [shared[1], shared[0]]] == pages(mine)
    administrator = Viewer(people.ids["mine"], sees_others=True, changes_others=True)
    everybody = Albums(repositories.albums, repositories.images).for_viewer(administrator)
    assert pages(mine) == [page for page in pages(everybody) if not {*page} - {*own, *shared}]
    open_mode = pages(Albums(repositories.albums, repositories.images))
    assert {*own, *shared} <= {album for page in open_mode for album in page}
    assert 2 == max(len(page) for page in open_mode)
    with pytest.raises(Invalid):
        mine.listed("1000")


def test_purged_image_is_no_cover_and_not_in_the_album(repositories: Repositories, everything: Albums) -> None:
    images = [arrived(repositories, name) for name in ("a.jpg", "b.jpg")]
    album = everything.create("Cover").public_id
    everything.add(album, [image.public_id for image in images])
    everything.edit(album, AlbumChanges(cover=images[1].public_id))
    repositories.images.delete(images[1].public_id)
    shown = everything.get(album)
    assert (images[0].id, 1) == (shown.cover.id if shown.cover else None, shown.images)
    assert repositories.sweep.purge(images[1].public_id)
    assert ["a.jpg"] == names(everything, album)
    with pytest.raises(NotFound):
        everything.edit(album, AlbumChanges(cover=images[1].public_id))


def test_default_cover_is_the_first_photo_of_the_album_order(
    database: Database, repositories: Repositories, people: People
) -> None:
    """Each viewer gets the first photo that they see."""
    mine, theirs = people.add("mine"), people.add("theirs")
    added = [arrived(repositories, name) for name in ("a.jpg", "b.jpg", "c.jpg")]
    ids = [owned(database, image, people.ids["mine"]) for image in added]
    taken = "UPDATE images SET taken_at = '2001-05-01 10:00:00' WHERE id = :image_id"
    database.run(lambda tx: tx.execute(taken, image_id=added[1].id))
    dated, other = mine.create("By date").public_id, mine.create("Another").public_id
    sorted_by_hand = mine.create("By hand", order=AlbumOrder.HAND).public_id
    for album in (dated, sorted_by_hand, other):
        mine.add(album, ids if album != other else ids[2:])
    mine.move(sorted_by_hand, ids[2], ids[0])

    def covers(albums: Albums) -> dict[str, str | None]:
        return {album.public_id: album.cover.name if album.cover else None for album in albums.listed().albums}

    assert {dated: "b.jpg", sorted_by_hand: "c.jpg", other: "c.jpg"} == covers(mine)
    mine.set_member(sorted_by_hand, "theirs", AlbumRole.VIEW)
    repositories.images.delete(ids[2])
    assert {sorted_by_hand: "a.jpg"} == covers(theirs)
    mine.edit(dated, AlbumChanges(cover=ids[0]))
    assert {dated: "a.jpg", sorted_by_hand: "a.jpg", other: None} == covers(mine)


def test_members_see_what_the_album_holds_and_no_other_album(
    database: Database, repositories: Repositories, people: People
) -> None:
    mine, theirs = people.add("mine"), people.add("theirs")
    image = owned(database, arrived(repositories, "mine.jpg"), people.ids["mine"])
    hidden = mine.create("Hidden").public_id
    album = mine.create("Shared").public_id
    mine.add(album, [image])
    assert () == theirs.listed().albums
    mine.set_member(album, "theirs", AlbumRole.VIEW)
    assert [album] == [found.public_id for found in theirs.listed().albums]
    assert ["mine.jpg"] == names(theirs, album)
    with pytest.raises(NotFound):
        theirs.get(hidden)
    with pytest.raises(Forbidden):
        theirs.add(album, [image])
    assert AlbumRole.ADD is mine.set_member(album, "theirs", AlbumRole.ADD).members[0].may
    mine.remove_member(album, "theirs")
    assert () == theirs.listed().albums


def test_what_a_deleted_account_added_is_hidden_and_then_purged(
    database: Database, repositories: Repositories, people: People
) -> None:
    mine, theirs = people.add("mine"), people.add("theirs")
    people.add("boss", Role.ADMINISTRATOR)
    image = owned(database, arrived(repositories, "theirs.jpg"), people.ids["theirs"])
    album = mine.create("Shared").public_id
    mine.set_member(album, "theirs", AlbumRole.ADD)
    assert [(image, ItemResult.ADDED)] == theirs.add(album, [image])
    assert ["theirs.jpg"] == names(mine, album)
    lost = theirs.create("Theirs").public_id
    people.delete("theirs")
    assert ([], ()) == (names(mine, album), mine.get(album).members)
    assert repositories.albums.get(lost, Viewer()) is None
    assert repositories.sweep.purge(image)
    rows, number = "SELECT image_id FROM album_images WHERE album_id = :album_id", mine.get(album).id
    assert [] == database.read(lambda tx: tx.rows(rows, album_id=number))


def test_images_in_requests_of_a_thousand_keep_their_order(
    repositories: Repositories, everything: Albums
) -> None:
    """More ids than one statement takes."""
    known = arrived(repositories).public_id
    ids = [secrets.token_hex(16) for _ in range(998)]
    asked = [*ids[:600], known, *ids[600:]]
    results = everything.add(everything.create("Many").public_id, asked)
    assert asked == [public_id for public_id, _ in results]
    assert [(known, ItemResult.ADDED)] == [pair for pair in results if pair[1] is ItemResult.ADDED]


def test_member_who_is_removed_meanwhile_adds_nothing(
    database: Database, repositories: Repositories, people: People
) -> None:
    """The album was read before."""
    ada, zoe = people.add("ada"), people.add("zoe")
    album = ada.create("Shared").public_id
    ada.set_member(album, "zoe", AlbumRole.ADD)
    ids = [owned(database, arrived(repositories, "zoe.jpg"), people.ids["zoe"])]
    read = zoe.get(album)
    ada.set_member(album, "zoe", AlbumRole.VIEW)
    with pytest.raises(Forbidden):
        zoe.rows.add_images(read.id, ids, zoe.viewer)
    ada.remove_member(album, "zoe")
    with pytest.raises(NotFound):
        zoe.rows.add_images(read.id, ids, zoe.viewer)
    assert [] == names(ada, album)


def test_removal_at_the_moment_of_adding_leaves_no_image_of_the_member(
    database: Database, repositories: Repositories, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal has taken out what the member added, and is not committed yet."""
    ada, zoe = people.add("ada"), people.add("zoe")
    album = ada.create("Shared")
    ada.set_member(album.public_id, "zoe", AlbumRole.ADD)
    ids = [owned(database, arrived(repositories, "zoe.jpg"), people.ids["zoe"])]

    def add() -> None:
        with suppress(NotFound):
            zoe.rows.add_images(album.id, ids, zoe.viewer)

    with ThreadPoolExecutor(1) as pool:

        def touch_late(tx: Transaction, album_id: int) -> None:
            """Wait for the image to be added, or for as long as the lock of the album shows that it waits."""
            wait([pool.submit(add)], timeout=1)
            touch(tx, album_id)

        monkeypatch.setattr(albums, "touch", touch_late)
        ada.remove_member(album.public_id, "zoe")
    assert [] == names(ada, album.public_id)
