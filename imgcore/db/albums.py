"""Albums: their rows, and the accounts that they are shared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from imgcore.collections.models import (
    ALBUMS,
    MEMBERS,
    Album,
    AlbumChanges,
    AlbumCursor,
    AlbumList,
    AlbumOrder,
    AlbumRole,
    Member,
)
from imgcore.db.album_images import AlbumImageRepository, covers_and_counts, entries, find_in_album, touch
from imgcore.db.connection import Transaction
from imgcore.db.mapping import Row, lock_account, moment
from imgcore.db.pages import read_images
from imgcore.db.places import after
from imgcore.db.statements import sql
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.edits import CHANGED, same_words
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import Viewer
from imgcore.gallery.places import Place

_SELECT = (
    "SELECT a.id, a.public_id, a.owner_id, a.name, a.description, a.ordering, a.created_at, a.updated_at,"
    " o.name AS owner, m.may FROM albums a LEFT JOIN accounts o ON o.id = a.owner_id"
    " LEFT JOIN album_members m ON m.album_id = a.id AND m.account_id = :viewer_id"
    " WHERE {rights} AND {condition} ORDER BY a.updated_at DESC, a.id DESC LIMIT :limit"
)
_ENTRIES = 50_000  # images in the albums of one list
_COUNTED = 50  # albums whose images one statement counts
_OF_OTHERS = "CASE WHEN a.owner_id = :viewer_id THEN 1 ELSE 0 END = 0"  # those of open mode have no owner
_MEMBERS = (
    "SELECT account.name, m.may FROM album_members m JOIN accounts account ON account.id = m.account_id"
    " WHERE m.album_id = :album_id ORDER BY account.name"
)


class AlbumRepository(AlbumImageRepository):
    """The albums. Each method is one transaction; ``viewer`` decides which albums and images it concerns."""

    def listed(self, viewer: Viewer, place: Place | None, *, own: bool = True) -> AlbumList:
        """Return the albums that the viewer owns, and the first of those of others that they see.

        place: of the last album of the previous list. own: it is one of the viewer's, so that the rest of these
        follows, then those of others from the first. Others have a limit of their own and never displace the
        viewer's. A list ends earlier where its albums contain many images: the covers and counts read all.
        """
        following, at = after(place, "a.updated_at", "a.id", descending=True)
        first = sql("a.owner_id = :viewer_id AND {following}", following=following)
        others = sql(
            "{of_others} AND {following}", of_others=_OF_OTHERS, following="1 = 1" if own else following
        )

        def work(tx: Transaction) -> AlbumList:
            mine = _rows(tx, viewer, first, limit=ALBUMS, **at) if own else []
            found = _rows(tx, viewer, others, limit=ALBUMS + 1, **({} if own else at))
            rows = _affordable(tx, [*mine, *found[:ALBUMS]])
            cursor = None
            if len(rows) < len(mine) + len(found):
                cursor = AlbumCursor(_place(rows[-1]), own=len(rows) <= len(mine)).text()
            rows.sort(key=lambda row: (row["updated_at"], row["id"]), reverse=True)
            albums = _with_images(tx, [_album(row, viewer) for row in rows], viewer)
            return AlbumList(tuple(albums), cursor)

        return self._database.read(work)

    def get(self, public_id: str, viewer: Viewer) -> Album | None:
        """Return an album with its members; None where the viewer may not see it."""

        def work(tx: Transaction) -> Album | None:
            rows = _rows(tx, viewer, "a.public_id = :public_id", limit=1, public_id=public_id)
            if not rows:
                return None
            [album] = _with_images(tx, [_album(rows[0], viewer)], viewer)
            if album.role is not AlbumRole.OWNER:
                return album
            members = tx.rows(_MEMBERS, album_id=album.id)
            return replace(album, members=tuple(Member(row["name"], AlbumRole(row["may"])) for row in members))

        return self._database.read(work)

    def create(self, name: str, description: str, order: AlbumOrder, viewer: Viewer) -> str:
        """Add an album of the viewer's and return its public id. Conflict where they have too many."""
        public_id = new_public_id()

        def work(tx: Transaction) -> None:
            if viewer.account_id is not None:
                lock_account(tx, viewer.account_id)
                count = "SELECT COUNT(*) AS n FROM albums WHERE owner_id = :owner_id"
                if tx.rows(count, owner_id=viewer.account_id)[0]["n"] >= ALBUMS:
                    raise Conflict(f"An account may have at most {ALBUMS:,} albums.", code="albums")
            tx.execute(
                "INSERT INTO albums (public_id, owner_id, name, description, ordering, created_at, updated_at)"
                " VALUES (:public_id, :owner_id, :name, :description, :ordering, {now}, {now})",
                public_id=public_id,
                owner_id=viewer.account_id,
                name=name,
                description=description,
                ordering=order.value,
            )

        self._database.run(work)
        return public_id

    def edit(self, album_id: int, changes: AlbumChanges, shown: AlbumChanges) -> None:
        """Store the changes. NotFound for a cover that is not in the album.

        Conflict (``changed``) where a field to change holds neither the new value nor that of ``shown``, None
        for one that is stored in any case.
        """
        values = {
            "name": changes.name,
            "description": changes.description,
            "ordering": changes.order.value if changes.order else None,
        }

        def work(tx: Transaction) -> None:
            _check_unchanged(tx, album_id, changes, shown)
            tx.execute(
                "UPDATE albums SET name = COALESCE(:name, name), ordering = COALESCE(:ordering, ordering),"
                " description = COALESCE(:description, description), updated_at = {now} WHERE id = :album_id",
                album_id=album_id,
                **values,
            )
            if changes.cover is not None:
                cover = find_in_album(tx, album_id, changes.cover)["image_id"] if changes.cover else None
                statement = "UPDATE albums SET cover_id = :cover WHERE id = :album_id"
                tx.execute(statement, cover=cover, album_id=album_id)

        self._database.run(work)

    def delete(self, album_id: int) -> None:
        """Delete an album; its images stay."""
        statement = "DELETE FROM albums WHERE id = :album_id"
        self._database.run(lambda tx: tx.execute(statement, album_id=album_id))

    def set_member(self, album_id: int, name: str, may: AlbumRole) -> None:
        """Share an album with an account, or change what it may do. NotFound, Conflict."""

        def work(tx: Transaction) -> None:
            album = tx.row("SELECT owner_id FROM albums WHERE id = :album_id {for_update}", album_id=album_id)
            account_id = _account(tx, name)
            if album is None or album["owner_id"] == account_id:
                raise Conflict("The album belongs to this account already.", code="name")
            key = {"album_id": album_id, "account_id": account_id}
            mine = "album_id = :album_id AND account_id = :account_id"
            tx.execute(sql("DELETE FROM album_members WHERE {mine}", mine=mine), **key)
            count = "SELECT COUNT(*) AS n FROM album_members WHERE album_id = :album_id"
            if tx.rows(count, album_id=album_id)[0]["n"] >= MEMBERS:
                raise Conflict(f"An album may be shared with at most {MEMBERS} accounts.", code="members")
            insert = (
                "INSERT INTO album_members (album_id, account_id, may) VALUES (:album_id, :account_id, :may)"
            )
            tx.execute(insert, **key, may=may.value)
            touch(tx, album_id)

        self._database.run(work)

    def remove_member(self, album_id: int, name: str, *, only: int | None = None) -> None:
        """End the sharing with an account, and take the images out that it added. NotFound.

        only: the id of the only account that may be removed; None for all.
        """

        def work(tx: Transaction) -> None:
            account_id = _account(tx, name)
            if only is not None and account_id != only:
                raise NotFound("This album is not shared with that account.", code="name")
            tx.row("SELECT id FROM albums WHERE id = :album_id {for_update}", album_id=album_id)
            key = {"album_id": album_id, "account_id": account_id}
            if not tx.execute(
                "DELETE FROM album_members WHERE album_id = :album_id AND account_id = :account_id", **key
            ):
                raise NotFound("This album is not shared with that account.", code="name")
            # Also what was taken out: else its undo would bring back the images of one who is no member
            for table in ("album_images", "album_removals"):
                added = "DELETE FROM {table} WHERE album_id = :album_id AND added_by = :account_id"
                tx.execute(sql(added, table=table), **key)
            touch(tx, album_id)

        self._database.run(work)


def _check_unchanged(tx: Transaction, album_id: int, changes: AlbumChanges, shown: AlbumChanges) -> None:
    row = tx.row(
        "SELECT name, description, ordering FROM albums WHERE id = :album_id {for_update}", album_id=album_id
    )
    if row is None:
        raise NotFound("There is no such album.")
    fields = {
        "the name": (row["name"], changes.name, shown.name),
        "the description": (row["description"], changes.description, shown.description),
        "the order": (row["ordering"], changes.order, shown.order),
    }
    changed = [
        field
        for field, (now, new, known) in fields.items()
        if None not in (new, known) and not same_words(now, known) and not same_words(now, new)
    ]
    if changed:
        raise Conflict(CHANGED.format(" and ".join(changed)), code="changed")


def _account(tx: Transaction, name: str) -> int:
    row = tx.row("SELECT id FROM accounts WHERE name = :name", name=name)
    if row is None:
        raise NotFound("There is no account of that name.", code="name")
    return int(row["id"])


def _rows(tx: Transaction, viewer: Viewer, condition: str, **values: Any) -> list[Row]:
    mine = "(a.owner_id = :viewer_id OR m.account_id IS NOT NULL)"
    statement = sql(_SELECT, rights="1 = 1" if viewer.changes_others else mine, condition=condition)
    return tx.rows(statement, viewer_id=viewer.account_id, **values)


def _affordable(tx: Transaction, rows: Sequence[Row]) -> list[Row]:
    """Return the first of these albums that contain no more than _ENTRIES images together; at least one."""
    count, kept = 0, 0
    for start in range(0, len(rows), _COUNTED):
        chunk = rows[start : start + _COUNTED]
        sizes = entries(tx, [row["id"] for row in chunk])
        for row in chunk:
            count += sizes.get(row["id"], 0)
            if kept and count > _ENTRIES:
                return list(rows[:kept])
            kept += 1
    return list(rows)


def _place(row: Row) -> Place:
    return Place.of(row["updated_at"], row["id"])


def _album(row: Row, viewer: Viewer) -> Album:
    owned = viewer.changes_others or row["owner_id"] == viewer.account_id
    created_at, updated_at = moment(row["created_at"]), moment(row["updated_at"])
    assert created_at is not None
    assert updated_at is not None
    return Album(
        id=row["id"],
        public_id=row["public_id"],
        name=row["name"],
        description=row["description"],
        order=AlbumOrder(row["ordering"]),
        role=AlbumRole.OWNER if owned else AlbumRole(row["may"]),
        created_at=created_at,
        updated_at=updated_at,
        owner=row["owner"],
    )


def _with_images(tx: Transaction, albums: list[Album], viewer: Viewer) -> list[Album]:
    """Return the albums with what the viewer sees of their images."""
    found = covers_and_counts(tx, [album.id for album in albums], viewer)
    covers = {image.id: image for image in read_images(tx, [row["cover"] for row in found.values()])}
    return [
        replace(
            album,
            images=row["images"],
            first_at=moment(row["first_at"]),
            last_at=moment(row["last_at"]),
            cover=covers.get(row["cover"]),
        )
        if (row := found.get(album.id))
        else album
        for album in albums
    ]
