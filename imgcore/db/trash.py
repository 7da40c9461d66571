"""The trash: list it, restore all of it, and delete images for good."""

from __future__ import annotations

from typing import Any

from imgcore.db.connection import Repository
from imgcore.db.mapping import local_time, micros, moment
from imgcore.db.places import after, page_of
from imgcore.db.slices import change_in_slices, find_ids
from imgcore.db.statements import sql
from imgcore.errors import Conflict
from imgcore.gallery.models import TRASH_SECONDS, Page, TrashContents, Viewer
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
_CONTENTS = sql(
    "SELECT COUNT(*) AS count, MAX(deleted_at) AS newest FROM images WHERE {in_trash}", in_trash=_IN_TRASH
)
# The next sweep deletes the files and the row of what has been in the trash for that long
_DELETE = "UPDATE images SET deleted_at = {ago:age}"
_RESTORE = "UPDATE images SET deleted_at = NULL, listed_id = id"

_OTHERS = "Other photos have come into the trash. Check their number and try again."


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

    def contents(self, viewer: Viewer) -> TrashContents:
        """Return how many images are in the trash, and when the last of them was moved there."""
        rights, values = _rights(viewer)
        [row] = self._database.read(lambda tx: tx.rows(sql(_CONTENTS, rights=rights), **values))
        return TrashContents(int(row["count"]), moment(row["newest"]))

    def delete(self, viewer: Viewer, public_id: str) -> bool:
        """Delete an image for good with the next sweep; False where it is not in the trash."""
        rights, values = _rights(viewer)
        statement = sql(
            "{change} WHERE {in_trash} AND public_id = :public_id", change=_DELETE, in_trash=_IN_TRASH
        )
        values |= {"public_id": public_id}
        return bool(self._database.run(lambda tx: tx.execute(sql(statement, rights=rights), **values)))

    def delete_all(self, viewer: Viewer, shown: TrashContents | None = None) -> int:
        """Delete all images for good with the next sweep; return how many. See change_in_slices.

        shown: what a person has seen of the trash. Others stay. Conflict where there are more of that time.
        """
        return self._change(_DELETE, viewer, shown)

    def restore_all(self, viewer: Viewer, shown: TrashContents | None = None) -> int:
        """Restore all images; return how many. The sweeper queues what is unfinished. See delete_all."""
        return self._change(_RESTORE, viewer, shown)

    def _change(self, change: str, viewer: Viewer, shown: TrashContents | None) -> int:
        rights, values = _rights(viewer)
        if shown is not None:
            rights, values = (
                f"{rights} AND deleted_at <= :newest",
                values | {"newest": local_time(shown.newest)},
            )
        condition = sql(_IN_TRASH, rights=rights)
        ids = find_ids(
            self._database, sql("SELECT id FROM images WHERE {condition}", condition=condition), **values
        )
        if shown is not None and len(ids) > shown.count:  # a transaction that had begun before has ended since
            raise Conflict(_OTHERS, code="trash_changed")
        statement = sql("{change} WHERE id IN ({ids}) AND {condition}", change=change, condition=condition)
        return change_in_slices(self._database, ids, statement, **values)


def _rights(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    age = {"age": micros(TRASH_SECONDS)}
    if viewer.changes_others:
        return "1 = 1", age
    return "COALESCE(owner_id, 0) = :viewer_id", age | {"viewer_id": viewer.account_id}
