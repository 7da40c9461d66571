"""Covers and counts of lists of albums: those of all images that the viewer sees, for bounded work."""

from __future__ import annotations

import random
import secrets

import pytest

from imgcore.accounts.models import Role
from imgcore.collections.albums import Albums
from imgcore.collections.models import AlbumOrder, AlbumRole
from imgcore.db.accounts import AccountRepository
from imgcore.db.album_images import covers_and_counts, visible
from imgcore.db.connection import Database, Row, Transaction
from imgcore.db.places import DATE
from imgcore.errors import Invalid
from imgcore.gallery.models import EVERYBODY, Viewer
from tests.contract.images import arrived
from tests.support.repositories import Repositories

_WINDOW = f"""
    SELECT album_id, COUNT(*) AS images, MIN(at) AS first_at, MAX(at) AS last_at,
      MIN(CASE WHEN place = 1 THEN id END) AS cover
    FROM (SELECT ai.album_id, i.id, {DATE} AS at, ROW_NUMBER() OVER (
        PARTITION BY ai.album_id
        ORDER BY CASE WHEN i.id = a.cover_id THEN 0 ELSE 1 END,
          CASE WHEN a.ordering = 'hand' THEN ai.position END, {DATE}, i.id) AS place
      FROM album_images ai JOIN albums a ON a.id = ai.album_id JOIN images i ON i.id = ai.image_id
      LEFT JOIN accounts adder ON adder.id = ai.added_by WHERE [shown]) counted
    GROUP BY album_id
"""
DAYS = ("2001-05-01 10:00:00.000000", "2001-05-01 10:00:00.000000", "2030-01-01 00:00:00.000000", None)


@pytest.fixture
def everything(repositories: Repositories) -> Albums:
    """The albums in open mode."""
    return Albums(repositories.albums, repositories.images)


def windowed(tx: Transaction, viewer: Viewer) -> dict[int, Row]:
    shown, values = visible(viewer)
    return {row["album_id"]: row for row in tx.rows(_WINDOW.replace("[shown]", shown), **values)}


def scatter(tx: Transaction, rng: random.Random, images: list[int], accounts: list[int], deleted: int) -> None:
    """Give images owners, dates and states, and put them into albums at places that some share."""
    for id_ in images:
        tx.execute(
            "UPDATE images SET owner_id = :owner, taken_at = :taken, upload_status = :status,"
            " listed_id = NULL,"
            " deleted_at = CASE WHEN :trash = 1 THEN {now} END WHERE id = :id",
            id=id_,
            owner=rng.choice([None, *accounts]),
            taken=rng.choice(DAYS),
            status=rng.choice(["received", "received", "awaiting"]),
            trash=rng.choice([0, 0, 1]),
        )
    for number in range(24):
        album = tx.insert(
            "INSERT INTO albums (public_id, owner_id, name, description, ordering, cover_id, created_at,"
            " updated_at) VALUES (:key, :owner, 'An album', '', :ordering, :cover, {now}, {now})",
            key=secrets.token_hex(16),
            owner=rng.choice([None, *accounts]),
            ordering=rng.choice(["date", "hand"]),
            cover=rng.choice([None, *images]),
        )
        for id_ in rng.sample(images, number % 9):
            tx.execute(
                "INSERT INTO album_images (album_id, image_id, position, added_by, added_at)"
                " VALUES (:album, :image, :position, :adder, {now})",
                album=album,
                image=id_,
                position=rng.randrange(4),
                adder=rng.choice([None, deleted, *accounts]),
            )


@pytest.mark.parametrize("seed", range(4))
def test_covers_and_counts_are_those_of_all_images_that_the_viewer_sees(
    repositories: Repositories, database: Database, seed: int
) -> None:
    rng = random.Random(seed)
    accounts = [
        AccountRepository(database).add(secrets.token_hex(16), f"{role}-{seed}-{number}", role, "hash").id
        for number, role in enumerate([Role.PERSON, Role.PERSON, Role.ADMINISTRATOR])
    ]
    images = [arrived(repositories).id for _ in range(9)]
    database.run(lambda tx: scatter(tx, rng, images, accounts, max(accounts) + 1000))
    viewers = [Viewer(id_, sees_others=False, changes_others=False) for id_ in accounts]
    for viewer in (*viewers, Viewer(accounts[2], sees_others=True, changes_others=True), EVERYBODY):
        expected = database.read(lambda tx, viewer=viewer: windowed(tx, viewer))
        ids = [row["id"] for row in database.read(lambda tx: tx.rows("SELECT id FROM albums"))]
        found = database.read(lambda tx, ids=ids, viewer=viewer: covers_and_counts(tx, ids, viewer))
        assert expected == found
        assert expected


def pages(albums: Albums) -> list[list[str]]:
    found, cursor = [], None
    while not found or cursor is not None:
        listed = albums.listed(cursor)
        cursor = listed.next
        found.append([album.name for album in listed.albums])
    return found


def test_list_ends_before_its_albums_contain_too_many_photos(
    repositories: Repositories, database: Database, everything: Albums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The own albums come first, then those of others; each once, and one that is too large is alone."""
    monkeypatch.setattr("imgcore.db.albums._ENTRIES", 3)
    monkeypatch.setattr("imgcore.db.albums._COUNTED", 2)
    people = [
        everything.for_viewer(Viewer(account.id, sees_others=False, changes_others=False))
        for account in (
            AccountRepository(database).add(secrets.token_hex(16), name, Role.PERSON, "hash")
            for name in ("mine", "theirs")
        )
    ]
    mine, theirs = people
    ids = [arrived(repositories).public_id for _ in range(4)]

    def album(albums: Albums, name: str, size: int) -> str:
        public_id = albums.create(name, order=AlbumOrder.HAND).public_id
        if size:
            everything.add(public_id, ids[:size])
        return public_id

    for name, size in (("others 0", 0), ("others 4", 4), ("others 1", 1)):
        theirs.set_member(album(theirs, name, size), "mine", AlbumRole.VIEW)
    assert [["others 1"], ["others 4"], ["others 0"]] == pages(mine)
    album(mine, "own 2", 2)
    assert [["own 2", "others 1"], ["others 4"], ["others 0"]] == pages(mine)
    album(mine, "own 3", 3)
    assert [["own 3"], ["own 2", "others 1"], ["others 4"], ["others 0"]] == pages(mine)
    album(mine, "own 1", 1)
    own = [["own 1"], ["own 3"], ["own 2", "others 1"], ["others 4"], ["others 0"]]
    assert own == pages(mine)
    monkeypatch.setattr("imgcore.db.albums._ENTRIES", 6)
    assert [["own 1", "own 3", "own 2"], ["others 1", "others 4", "others 0"]] == pages(mine)
    for cursor in ("own.", "own.x", f"x{mine.listed().next}"):
        with pytest.raises(Invalid):
            mine.listed(cursor)
