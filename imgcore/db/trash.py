"""The trash: list it, restore all of it, and delete images for good."""

from __future__ import annotations

from typing import Any

from imgcore.db.connection import Repository
from imgcore.db.mapping import micros
from imgcore.db.places import after, page_of
from imgcore.db.slices import change_in_slices, find_ids
from imgcore.db.statements import sql
from imgcore.gallery.models import TRASH_SECONDS, Page, Viewer
from imgcore.gallery.places import Place

# Of an upload that was given up there is no photo. CASE and COALESCE, because SQLite prefers an index of these
# columns, and so every photo, to one of the trash
_IN_TRASH = (
    "deleted_at > {ago:age} AND CASE WHEN upload_status IN ('received', 'rejected') THEN 1 ELSE 0 END = 1"
    " AND {rights}"
)
_LIST = sql(
    "SELECT id, deleted_at FROM images WHERE {in_trash} AND {following}"
    " ORDER BY deleted_at DESC, id DESC LIMIT :limit",
    in_trash=_IN_TRASH,
)
# The next sweep deletes the files and the row of what has been in the trash for that long
_DELETE = "UPDATE images SET deleted_at = {ago:age}"
_RESTORE = "UPDATE images SET deleted_at = NULL, listed_id = CASE WHEN upload_status <> 'expired' THEN id END"


class TrashRepository(Repository):
    """The images in the trash that a viewer may change. An image stays in it for TRASH_SECONDS."""

    def page(self, viewer: Viewer, *, place: Place | None = None, limit: int) -> Page:
        """Return up to ``limit`` images after a place, those deleted last first."""
        rights, values = _rights(viewer)
        following, at = after(place, "deleted_at", "id", descending=True)
        statement = sql(_LIST, rights=rights, following=following)
        return self._database.read(
            lambda tx: page_of(tx, tx.tuples(statement, **values, **at, limit=limit + 1), limit)
        )

    def count(self, viewer: Viewer) -> int:
        """Return the number of images in the trash."""
        rights, values = _rights(viewer)
        query = sql("SELECT COUNT(*) AS count FROM images WHERE {in_trash}", in_trash=_IN_TRASH)
        [row] = self._database.read(lambda tx: tx.rows(sql(query, rights=rights), **values))
        return int(row["count"])

    def delete(self, viewer: Viewer, public_id: str | None = None) -> int:
        """Delete one image, or all, for good with the next sweep; return how many. See change_in_slices."""
        return self._change(_DELETE, viewer, public_id)

    def restore(self, viewer: Viewer) -> int:
        """Restore all images; return how many. The sweeper queues what is unfinished. See change_in_slices."""
        return self._change(_RESTORE, viewer, None)

    def _change(self, change: str, viewer: Viewer, public_id: str | None) -> int:
        rights, values = _rights(viewer)
        if public_id is not None:
            rights, values = f"{rights} AND public_id = :public_id", values | {"public_id": public_id}
        condition = sql(_IN_TRASH, rights=rights)
        find = sql("SELECT id FROM images WHERE {condition}", condition=condition)
        statement = sql("{change} WHERE id IN ({ids}) AND {condition}", change=change, condition=condition)
        return change_in_slices(self._database, find_ids(self._database, find, **values), statement, **values)


def _rights(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    age = {"age": micros(TRASH_SECONDS)}
    if viewer.changes_others:
        return "1 = 1", age
    return "COALESCE(owner_id, 0) = :viewer_id", age | {"viewer_id": viewer.account_id}
