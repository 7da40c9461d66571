"""Share links on both databases: what they show, and when they end."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from imgcore.accounts.models import Role
from imgcore.collections.albums import Albums
from imgcore.collections.share_models import NewShare, ShareStatus
from imgcore.collections.shares import Shares
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.db.login_throttle import LoginThrottle
from imgcore.errors import Conflict, Invalid, NotFound
from imgcore.gallery.models import Viewer
from imgcore.gallery.places import Place
from tests.contract.images import arrived
from tests.contract.test_repository_plans import effort
from tests.support.repositories import Repositories


@pytest.fixture
def shares(database: Database, repositories: Repositories) -> Shares:
    """The links in open mode, without passwords."""
    albums = Albums(repositories.albums, repositories.images)
    return Shares(repositories.shares, albums, repositories.images, LoginThrottle(database), lambda: None)  # type: ignore[arg-type,return-value]


def account(database: Database, role: Role = Role.PERSON) -> int:
    name = secrets.token_hex(16)
    return AccountRepository(database).add(name, name, role, "hash").id


def names(shares: Shares, token: str) -> list[str]:
    return [image.name for image in shares.page(shares.open(token), 40).images]


def test_selection_keeps_its_order_and_loses_purged_images(repositories: Repositories, shares: Shares) -> None:
    images = [arrived(repositories, f"{number}.jpg") for number in range(3)]
    ids = tuple(image.public_id for image in (images[2], images[0], images[1]))
    _, token, _ = shares.create(NewShare(ids=ids))
    assert ["2.jpg", "0.jpg", "1.jpg"] == names(shares, token)
    repositories.images.delete(images[0].public_id)
    assert ["2.jpg", "1.jpg"] == names(shares, token)
    assert repositories.sweep.purge(images[0].public_id)
    assert 2 == shares.open(token).images


def test_link_ends_by_the_clock_of_the_database_or_when_revoked(
    database: Database, repositories: Repositories, shares: Shares
) -> None:
    share, token, _ = shares.create(NewShare(ids=(arrived(repositories).public_id,), days=1))
    assert 86_400 == (share.expires_at - share.created_at).total_seconds()
    past = "UPDATE shares SET expires_at = {now} WHERE id = :share_id"
    database.run(lambda tx: tx.execute(past, share_id=share.id))
    with pytest.raises(NotFound):
        shares.open(token)
    assert ShareStatus.EXPIRED is shares.get(share.public_id).status
    other, token, _ = shares.create(NewShare(ids=(arrived(repositories).public_id,)))
    first = shares.revoke(other.public_id).revoked_at
    assert first is not None
    assert first == shares.revoke(other.public_id).revoked_at
    with pytest.raises(NotFound):
        shares.open(token)


def test_ended_links_are_deleted_later(database: Database, repositories: Repositories, shares: Shares) -> None:
    ids = (arrived(repositories).public_id,)
    created = [shares.create(NewShare(ids=ids))[0] for _ in range(3)]
    day = 86_400 * 10**6
    for column, share in (("expires_at", created[0]), ("revoked_at", created[1])):
        statement = f"UPDATE shares SET {column} = {{ago:day}} WHERE id = :share_id"
        values = {"day": day, "share_id": share.id}
        database.run(lambda tx, statement=statement, values=values: tx.execute(statement, **values))
    assert 0 == repositories.sweep.delete_ended_shares(older_than=86_500.0, limit=9)
    assert 1 == repositories.sweep.delete_ended_shares(older_than=86_400.0, limit=1)
    assert 1 == repositories.sweep.delete_ended_shares(older_than=86_400.0, limit=9)
    assert [created[2].id] == [share.id for share in shares.listed().shares if share.owner_id is None]


def test_visits_are_counted(repositories: Repositories, shares: Shares) -> None:
    share, token, _ = shares.create(NewShare(ids=(arrived(repositories).public_id,)))
    for _ in range(2):
        shares.count_visit(shares.open(token))
    found = shares.get(share.public_id)
    assert (2, True) == (found.opened, found.last_opened_at is not None)


def test_account_has_a_limited_number_of_links(
    database: Database, repositories: Repositories, shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgcore.db.shares.SHARES", 1)
    owner = account(database)
    image = arrived(repositories)
    statement = "UPDATE images SET owner_id = :owner_id WHERE id = :image_id"
    database.run(lambda tx: tx.execute(statement, owner_id=owner, image_id=image.id))
    mine = replace(shares, viewer=Viewer(owner, sees_others=False, changes_others=False))
    mine.create(NewShare(ids=(image.public_id,)))
    with pytest.raises(Conflict):
        mine.create(NewShare(ids=(image.public_id,)))
    assert 1 == len(mine.listed().shares)


def test_open_links_come_first_and_all_others_follow_by_cursor(
    database: Database, repositories: Repositories, shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgcore.db.shares.LISTED", 2)
    owner, other = account(database), account(database)
    image = arrived(repositories).public_id
    created = [shares.create(NewShare(ids=(image,)))[0] for _ in range(6)]
    ids = [share.id for share in created]
    give = "UPDATE shares SET owner_id = :owner_id WHERE id = :share_id"
    for number, share in enumerate(created):
        who = other if number == 5 else owner
        database.run(lambda tx, who=who, share=share: tx.execute(give, owner_id=who, share_id=share.id))
    shares.revoke(created[4].public_id)
    past = "UPDATE shares SET expires_at = {now} WHERE id = :share_id"
    database.run(lambda tx: tx.execute(past, share_id=created[2].id))

    def numbers(viewer: Viewer) -> list[list[int]]:
        mine, found, cursor = shares.for_viewer(viewer), [], None
        while not found or cursor is not None:
            page = mine.listed(cursor)
            cursor = page.next
            found.append([ids.index(share.id) for share in page.shares if share.id in ids])
        return found

    own = Viewer(owner, sees_others=False, changes_others=False)
    assert [[3, 1], [0, 4], [2]] == numbers(own)
    everybody = Viewer(other, sees_others=True, changes_others=True)
    assert [5, 3, 1, 0, 4, 2] == [number for page in numbers(everybody) for number in page]
    for cursor in ("1000", Place.of("2026-05-01 10:00:00", 1).text()):
        with pytest.raises(Invalid):
            shares.listed(cursor)


def test_list_counts_an_album_once_for_all_links_of_a_creator(
    database: Database, repositories: Repositories, shares: Shares
) -> None:
    owner, boss = account(database), account(database, Role.ADMINISTRATOR)
    album = shares.albums.create("Album")
    images = [arrived(repositories) for _ in range(60)]
    ids = [image.public_id for image in images]
    shares.albums.add(album.public_id, ids)
    give = "UPDATE images SET owner_id = :owner_id WHERE id > :first AND id <= :last"
    range_ = {"first": images[0].id, "last": images[-1].id}
    database.run(lambda tx: tx.execute(give, owner_id=owner, **range_))

    def create(new: NewShare, creator: int) -> None:
        share, _, _ = shares.create(new)
        change = "UPDATE shares SET owner_id = :creator WHERE id = :share_id"
        database.run(lambda tx: tx.execute(change, creator=creator, share_id=share.id))

    own = shares.for_viewer(Viewer(owner, sees_others=False, changes_others=False))
    create(NewShare(album=album.public_id), owner)
    one = effort(database, own.listed)
    for _ in range(5):
        create(NewShare(album=album.public_id), owner)
    assert effort(database, own.listed) <= 1.5 * one

    create(NewShare(album=album.public_id), boss)
    create(NewShare(ids=tuple(ids[:3])), owner)
    create(NewShare(ids=(ids[0],)), owner)
    everybody = shares.for_viewer(Viewer(boss, sees_others=True, changes_others=True))
    found = [share for share in everybody.listed().shares if share.owner_id in (owner, boss)]
    assert [0, 2, 60, *[59] * 6] == [share.images for share in found]
    assert all(share == shares.get(share.public_id) for share in found)


def test_link_to_a_deleted_album_or_of_a_deleted_account_ends(
    database: Database, repositories: Repositories, shares: Shares
) -> None:
    album = shares.albums.create("Album")
    _, token, _ = shares.create(NewShare(album=album.public_id))
    shares.albums.delete(album.public_id)
    with pytest.raises(NotFound):
        shares.open(token)
    owner = account(database)
    mine = replace(shares, viewer=Viewer(owner, sees_others=False, changes_others=False))
    own = mine.albums.for_viewer(mine.viewer).create("Own")
    _, token, _ = mine.create(NewShare(album=own.public_id))
    AccountRepository(database).delete(owner, in_trash_for=0.0)
    with pytest.raises(NotFound):
        shares.open(token)
