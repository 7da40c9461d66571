"""Pages of lists whose cursors are places: albums, share links and the trash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.pages import read_images
from imgcore.db.statements import sql
from imgcore.gallery.models import Page
from imgcore.gallery.places import Place

# CASE, because SQLite prefers an index of one of these columns, and so every photo, to those that a list names
SHOWN = "CASE WHEN i.deleted_at IS NULL AND i.upload_status = 'received' THEN 1 ELSE 0 END = 1"

DATE = "COALESCE(i.taken_at, i.uploaded_at)"

_AFTER = "{key} {sign}= :after AND ({key} {sign} :after OR {id} {sign} :after_id)"


def after(place: Place | None, key: str, id_: str, *, descending: bool = False) -> tuple[str, dict[str, Any]]:
    """Return the condition of the images that follow a place, all without one, and its values.

    key, id_: the expressions by which the list is ordered.
    """
    if place is None:
        return "1 = 1", {}
    condition = sql(_AFTER, key=key, id=id_, sign="<" if descending else ">")
    return condition, {"after": place.at, "after_id": place.id}


def page_of(tx: Transaction, rows: Sequence[tuple[Any, ...]], limit: int) -> Page:
    """Return the page of the first ``limit`` rows, each with the id and the key of an image."""
    ids = [row[0] for row in rows[:limit]]
    found = {image.id: image for image in read_images(tx, ids)}
    following = None
    if len(rows) > limit:
        id_, key = rows[limit - 1]
        following = Place.of(key, id_).text()
    return Page(tuple(found[id_] for id_ in ids if id_ in found), following)
