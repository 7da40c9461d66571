"""Images that were taken out of albums: what undoes that for a day."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.db.connection import Transaction
from imgcore.db.mapping import Row, in_list, micros
from imgcore.db.statements import sql
from imgcore.gallery.models import Viewer

_DAY = micros(86_400)
_CHUNK = 500  # ids in one statement
_IMAGE = "album_id = :album_id AND image_id = :image_id"


def take_out(tx: Transaction, album_id: int, image_id: int, viewer: Viewer) -> None:
    """Take an image out of an album whose row is locked, and store what was taken out."""
    values = {"album_id": album_id, "image_id": image_id}
    tx.execute(sql("DELETE FROM album_removals WHERE {image}", image=_IMAGE), **values)
    stored = (
        "INSERT INTO album_removals (album_id, image_id, position, added_by, added_at, removed_by, removed_at)"
        " SELECT album_id, image_id, position, added_by, added_at, :viewer_id, {now} FROM album_images"
        " WHERE {image}"
    )
    tx.execute(sql(stored, image=_IMAGE), viewer_id=viewer.account_id, **values)
    tx.execute(sql("DELETE FROM album_images WHERE {image}", image=_IMAGE), **values)


def put_back(tx: Transaction, album_id: int, image_id: int) -> int:
    """Put an image back as it was in the album, whose row is locked; return whether there was one."""
    values = {"album_id": album_id, "image_id": image_id}
    stored = (
        "{insert_ignore} album_images (album_id, image_id, position, added_by, added_at)"
        " SELECT album_id, image_id, position, added_by, added_at FROM album_removals WHERE {image}"
    )
    added = tx.execute(sql(stored, image=_IMAGE), **values)
    tx.execute(sql("DELETE FROM album_removals WHERE {image}", image=_IMAGE), **values)
    return added


def removals_of(tx: Transaction, album_id: int, image_ids: Sequence[int], viewer: Viewer) -> dict[int, Row]:
    """Return what the viewer took out of an album within a day, by the id of the image."""
    found: dict[int, Row] = {}
    for start in range(0, len(image_ids), _CHUNK):
        names, values = in_list("image", image_ids[start : start + _CHUNK])
        statement = sql(
            "SELECT image_id, added_by, removed_by FROM album_removals WHERE album_id = :album_id"
            " AND removed_at > {ago:day} AND image_id IN ({names})",
            names=names,
        )
        rows = tx.rows(statement, album_id=album_id, day=_DAY, **values)
        found |= {row["image_id"]: row for row in rows if row["removed_by"] == viewer.account_id}
    return found


def forget_old_removals(tx: Transaction, album_id: int) -> None:
    """Delete what is stored of an album for longer than a day."""
    old = "DELETE FROM album_removals WHERE album_id = :album_id AND removed_at <= {ago:day}"
    tx.execute(old, album_id=album_id, day=_DAY)
