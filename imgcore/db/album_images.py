"""The images in albums: which of them a viewer sees, and how they are added, removed and arranged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from imgcore.collections.models import ALBUM_IMAGES, AlbumOrder, AlbumRole, ItemResult, Results
from imgcore.db.album_removals import forget_old_removals, put_back, removals_of, take_out
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import Row, in_list
from imgcore.db.places import DATE, SHOWN, after, page_of
from imgcore.db.statements import sql
from imgcore.errors import Conflict, Forbidden, NotFound
from imgcore.gallery.models import Page, Viewer
from imgcore.gallery.places import Place

_CHUNK = 500  # ids in one statement
_STEP = 2**40  # between the positions of neighbours
_FROM = (
    "FROM album_images ai JOIN albums a ON a.id = ai.album_id JOIN images i ON i.id = ai.image_id"
    " LEFT JOIN accounts adder ON adder.id = ai.added_by"
)
# The account that added an image still has the rights of its owner. Those of open mode (NULL) had them.
_GRANTED = "(ai.added_by IS NULL OR ai.added_by = i.owner_id OR adder.role = 'administrator')"
ORDERS = {AlbumOrder.DATE: (DATE, "i.id"), AlbumOrder.HAND: ("ai.position", "i.id")}

_COUNTS = (
    "SELECT ai.album_id, COUNT(*) AS images, MIN({date}) AS first_at, MAX({date}) AS last_at {source}"
    " WHERE ai.album_id IN ({names}) AND {shown} GROUP BY ai.album_id"
)
# A subquery for each album, because LIMIT keeps one row where a window function sorts all rows of all albums
_COVERS = (
    "SELECT a.id AS album_id, COALESCE((SELECT i.id {source} AND i.id = a.cover_id AND {shown}),"
    " CASE a.ordering WHEN 'hand' THEN (SELECT i.id {source} AND {shown} ORDER BY ai.position, {date}, i.id"
    " LIMIT 1) ELSE (SELECT i.id {source} AND {shown} ORDER BY {date}, i.id LIMIT 1) END) AS cover"
    " FROM albums a WHERE a.id IN ({names})"
)
_OF_ALBUM = (
    "FROM album_images ai JOIN images i ON i.id = ai.image_id"
    " LEFT JOIN accounts adder ON adder.id = ai.added_by WHERE ai.album_id = a.id"
)


class AlbumImageRepository(Repository):
    """The images of albums."""

    def page(
        self, album_id: int, order: AlbumOrder, viewer: Viewer, *, place: Place | None, limit: int
    ) -> Page:
        """Return up to ``limit`` images after a place. Where positions are spread meanwhile, it is another."""
        shown, values = visible(viewer)
        key, id_ = ORDERS[order]
        following, at = after(place, key, id_)
        statement = sql(
            "SELECT i.id, {key} {source} WHERE ai.album_id = :album_id AND {shown} AND {following}"
            " ORDER BY {key}, {id} LIMIT :limit",
            source=_FROM,
            shown=shown,
            following=following,
            key=key,
            id=id_,
        )
        values |= {"album_id": album_id, "limit": limit + 1, **at}
        return self._database.read(lambda tx: page_of(tx, tx.tuples(statement, **values), limit))

    def public_ids(self, album_id: int, order: AlbumOrder, viewer: Viewer) -> Sequence[str]:
        """Return the public ids of all images that the viewer sees, in the album's order."""
        shown, values = visible(viewer)
        statement = sql(
            "SELECT i.public_id {source} WHERE ai.album_id = :album_id AND {shown} ORDER BY {order}"
            " LIMIT :limit",
            source=_FROM,
            shown=shown,
            order=", ".join(ORDERS[order]),
        )
        rows = self._database.read(
            lambda tx: tx.rows(statement, album_id=album_id, limit=ALBUM_IMAGES, **values)
        )
        return [row["public_id"] for row in rows]

    def add_images(
        self, album_id: int, public_ids: Sequence[str], viewer: Viewer, *, undoing: bool = False
    ) -> Results:
        """Add images that the viewer may change, at the end of the order by hand.

        undoing: those that the viewer took out within a day are put back as they were, also in the trash.
        NotFound, Forbidden for a viewer who may not add to this album, or may not any more.
        """

        def work(tx: Transaction) -> Results:
            owner = _lock_for_adding(tx, album_id, viewer)
            counts = "SELECT COUNT(*) AS n, MAX(position) AS last FROM album_images WHERE album_id = :album_id"
            [row] = tx.rows(counts, album_id=album_id)
            found = {row["public_id"]: row for row in _images(tx, album_id, public_ids)}
            ids = [row["id"] for row in found.values()] if undoing else []
            removed = {
                image_id
                for image_id, row in removals_of(tx, album_id, ids, viewer).items()
                if owner or viewer.account_id == row["added_by"]
            }
            adding = _Adding(tx, album_id, viewer, row["n"], row["last"] or 0, removed)
            results = [(public_id, adding.add(found.get(public_id))) for public_id in public_ids]
            touch(tx, album_id)
            return results

        return self._database.run(work)

    def remove_images(
        self, album_id: int, public_ids: Sequence[str], viewer: Viewer, *, owner: bool
    ) -> Results:
        """Take images out of an album. owner: any of them; else those that the viewer added or owns."""

        def work(tx: Transaction) -> Results:
            tx.row("SELECT id FROM albums WHERE id = :album_id {for_update}", album_id=album_id)
            forget_old_removals(tx, album_id)
            shown, values = visible(viewer)
            found = {row["public_id"]: row for row in _images(tx, album_id, public_ids)}
            seen = set(_seen(tx, album_id, [row["id"] for row in found.values()], shown, values))
            results = [
                (public_id, _remove(tx, album_id, found.get(public_id), viewer, seen, owner=owner))
                for public_id in public_ids
            ]
            touch(tx, album_id)
            return results

        return self._database.run(work)

    def move(self, album_id: int, public_id: str, before: str | None) -> None:
        """Place an image before another one of the album, or at the end. NotFound, Conflict."""

        def work(tx: Transaction) -> None:
            tx.row("SELECT id FROM albums WHERE id = :album_id {for_update}", album_id=album_id)
            moved = find_in_album(tx, album_id, public_id)["image_id"]
            position = _free_position(tx, album_id, before)
            if position is None:
                _spread(tx, album_id)
                position = _free_position(tx, album_id, before)
            if position is None:
                raise Conflict("The photo cannot be moved there. Reload the page and try again.")
            tx.execute(
                "UPDATE album_images SET position = :position WHERE album_id = :album_id AND image_id = :moved",
                position=position,
                album_id=album_id,
                moved=moved,
            )
            touch(tx, album_id)

        self._database.run(work)


def _lock_for_adding(tx: Transaction, album_id: int, viewer: Viewer) -> bool:
    """Lock the row of an album to which the viewer may add; return whether it is theirs. NotFound, Forbidden.

    Memberships change under the same lock, so that a member who is removed leaves no image behind.
    """
    album = tx.row("SELECT owner_id FROM albums WHERE id = :album_id {for_update}", album_id=album_id)
    owned = viewer.account_id is not None and album is not None and album["owner_id"] == viewer.account_id
    if album is not None and (owned or viewer.changes_others):
        return True
    member = tx.row(
        "SELECT may FROM album_members WHERE album_id = :album_id AND account_id = :viewer_id",
        album_id=album_id,
        viewer_id=viewer.account_id,
    )
    if member is None:
        raise NotFound("There is no such album.")
    if member["may"] != AlbumRole.ADD:
        raise Forbidden("You may view this album, not add photos to it.")
    return False


class _Adding:
    """Adds images to one album, whose row is locked. removed: ids of those that are put back as they were."""

    def __init__(
        self, tx: Transaction, album_id: int, viewer: Viewer, count: int, last: int, removed: set[int]
    ) -> None:
        self._tx, self._album_id, self._viewer = tx, album_id, viewer
        self._count, self._last, self._removed = count, last, removed

    def add(self, row: Row | None) -> ItemResult:
        """Add the image of a row of ``_images``."""
        back = row is not None and row["id"] in self._removed
        refused = None if back else _refusal(row, self._viewer)
        if row is None or refused is not None:
            return refused or ItemResult.NOT_FOUND
        if row["position"] is not None:
            return ItemResult.PRESENT
        if self._count >= ALBUM_IMAGES:
            return ItemResult.FULL
        added = put_back(self._tx, self._album_id, row["id"]) if back else self._append(row["id"])
        self._count += added
        return ItemResult.ADDED if added else ItemResult.NOT_FOUND

    def _append(self, image_id: int) -> int:
        self._last += _STEP
        return self._tx.execute(  # an image that is purged meanwhile is ignored
            "{insert_ignore} album_images (album_id, image_id, position, added_by, added_at)"
            " VALUES (:album_id, :image_id, :position, :added_by, {now})",
            album_id=self._album_id,
            image_id=image_id,
            position=self._last,
            added_by=self._viewer.account_id,
        )


def visible(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    """Return the condition on the images of an album that a viewer sees who may see the album."""
    if viewer.sees_others or viewer.changes_others:
        return SHOWN, {}
    own = sql("{shown} AND (i.owner_id = :viewer_id OR {granted})", shown=SHOWN, granted=_GRANTED)
    return own, {"viewer_id": viewer.account_id}


def covers_and_counts(tx: Transaction, album_ids: Sequence[int], viewer: Viewer) -> dict[int, Row]:
    """Return by album: images, first_at, last_at and the id of the cover, the chosen one or the first."""
    shown, rights = visible(viewer)
    found: dict[int, Row] = {}
    for names, values in _chunks("album", album_ids):
        counts = sql(_COUNTS, date=DATE, source=_FROM, names=names, shown=shown)
        counted = {row["album_id"]: row for row in tx.rows(counts, **values, **rights)}
        covers = sql(_COVERS, date=DATE, source=_OF_ALBUM, names=names, shown=shown)
        for row in tx.rows(covers, **values, **rights):
            if row["album_id"] in counted:
                found[row["album_id"]] = counted[row["album_id"]] | row
    return found


def entries(tx: Transaction, album_ids: Sequence[int]) -> dict[int, int]:
    """Return by album how many images it contains, seen or not; none for an empty one."""
    found: dict[int, int] = {}
    for names, values in _chunks("album", album_ids):
        statement = sql(
            "SELECT album_id, COUNT(*) AS n FROM album_images WHERE album_id IN ({names}) GROUP BY album_id",
            names=names,
        )
        found |= {row["album_id"]: row["n"] for row in tx.rows(statement, **values)}
    return found


def find_in_album(tx: Transaction, album_id: int, public_id: str) -> Row:
    """Return image_id and position of an image in an album. NotFound."""
    row = tx.row(
        "SELECT ai.image_id, ai.position FROM album_images ai JOIN images i ON i.id = ai.image_id"
        " WHERE ai.album_id = :album_id AND i.public_id = :public_id",
        album_id=album_id,
        public_id=public_id,
    )
    if row is None:
        raise NotFound("This photo is not in the album.")
    return row


def touch(tx: Transaction, album_id: int) -> None:
    """Set the time of the last change of an album."""
    tx.execute("UPDATE albums SET updated_at = {now} WHERE id = :album_id", album_id=album_id)


def _images(tx: Transaction, album_id: int, public_ids: Iterable[str]) -> Iterator[Row]:
    """Yield the images of these ids, with their position in the album, None where they are not in it."""
    for names, values in _chunks("public_id", public_ids):
        statement = sql(
            "SELECT i.id, i.public_id, i.owner_id, i.upload_status, i.deleted_at, ai.position, ai.added_by"
            " FROM images i LEFT JOIN album_images ai ON ai.image_id = i.id AND ai.album_id = :album_id"
            " WHERE i.public_id IN ({names})",
            names=names,
        )
        yield from tx.rows(statement, album_id=album_id, **values)


def _refusal(row: Row | None, viewer: Viewer) -> ItemResult | None:
    """Return why the viewer may not add the image; None where they may."""
    if row is None or row["deleted_at"] is not None or row["upload_status"] not in ("received", "awaiting"):
        return ItemResult.NOT_FOUND
    mine = viewer.account_id is not None and row["owner_id"] == viewer.account_id
    if viewer.changes_others or mine:
        return None
    seen = viewer.sees_others and row["upload_status"] == "received"
    return ItemResult.FORBIDDEN if seen else ItemResult.NOT_FOUND


def _seen(
    tx: Transaction, album_id: int, ids: Sequence[int], shown: str, rights: dict[str, Any]
) -> Iterator[int]:
    for names, values in _chunks("image", ids):
        statement = sql(
            "SELECT i.id {source} WHERE ai.album_id = :album_id AND i.id IN ({names}) AND {shown}",
            source=_FROM,
            names=names,
            shown=shown,
        )
        yield from (row["id"] for row in tx.rows(statement, album_id=album_id, **values, **rights))


def _remove(
    tx: Transaction, album_id: int, row: Row | None, viewer: Viewer, seen: set[int], *, owner: bool
) -> ItemResult:
    if row is None or row["position"] is None:
        return ItemResult.NOT_FOUND
    if not (owner or viewer.account_id in (row["added_by"], row["owner_id"])):
        return ItemResult.FORBIDDEN if row["id"] in seen else ItemResult.NOT_FOUND
    take_out(tx, album_id, row["id"], viewer)
    return ItemResult.REMOVED


def _free_position(tx: Transaction, album_id: int, before: str | None) -> int | None:
    """Return a position before the image ``before``, or at the end; None where there is no space."""
    last = "SELECT MAX(position) AS last FROM album_images WHERE album_id = :album_id"
    if before is None:
        return int(tx.rows(last, album_id=album_id)[0]["last"] or 0) + _STEP
    target = find_in_album(tx, album_id, before)["position"]
    [row] = tx.rows(last + " AND position < :target", album_id=album_id, target=target)
    previous = target - 2 * _STEP if row["last"] is None else row["last"]
    return (previous + target) // 2 if target - previous > 1 else None


def _spread(tx: Transaction, album_id: int) -> None:
    """Give all images of an album positions that are far apart, in their order."""
    rows = tx.rows(
        "SELECT image_id FROM album_images WHERE album_id = :album_id ORDER BY position, image_id",
        album_id=album_id,
    )
    for number, row in enumerate(rows, 1):
        tx.execute(
            "UPDATE album_images SET position = :position WHERE album_id = :album_id AND image_id = :image_id",
            position=number * _STEP,
            album_id=album_id,
            image_id=row["image_id"],
        )


def _chunks(name: str, values: Iterable[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the parts of ``in_list`` for at most 500 values each; none without values."""
    known = list(values)
    for start in range(0, len(known), _CHUNK):
        yield in_list(name, known[start : start + _CHUNK])
