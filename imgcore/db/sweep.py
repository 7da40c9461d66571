"""What the sweeper asks and does: tasks that are due, uploads that nobody heard of, the trash.

Rows are found without a lock and taken one by one with the same condition again, in the order of the primary
key: two sweepers never take the same row, and neither waits for a worker for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import SELECT, Row, by_id, images, micros, moment
from imgcore.db.tasks import give_up
from imgcore.gallery.models import Image, TaskKind
from imgcore.pipeline.models import DueTask

_GRACE = 300.0  # seconds after the form's end: an upload may still be on its way

_DUE = (
    "((t.status = 'retry' AND t.next_at <= {later})"
    " OR (t.status = 'processing' AND t.lease_until <= {now})"
    " OR (t.status = 'pending' AND t.next_at <= {ago}))"
    " AND (t.dispatched_at IS NULL OR t.dispatched_at <= {ago})"
)
_DELETED = "SELECT id FROM images WHERE deleted_at <= {ago} ORDER BY deleted_at LIMIT ?"
_NEVER_CAME = (
    "SELECT id FROM images WHERE upload_status = 'expired' AND uploaded_at <= {ago} AND deleted_at IS NULL"
    " ORDER BY uploaded_at LIMIT ?"
)


class SweepRepository(Repository):
    """What the sweeper looks for: due tasks, lost events, expired uploads, the trash."""

    def due_tasks(
        self, *, within: float, lost_after: float, again_after: float, limit: int
    ) -> Sequence[DueTask]:
        """Tasks to hand to their queues, each marked as handed over now."""
        times = micros(within), micros(lost_after), micros(again_after)

        def work(tx: Transaction) -> list[DueTask]:
            return [_due_task(row) for row in _due_rows(tx, times, limit) if _take(tx, row, times)]

        return self._database.run(work)

    def fail_exhausted_tasks(self, *, max_attempts: int) -> int:
        """Fail (code ``crashed``) what is processing with a dead lease and no attempt left."""

        def work(tx: Transaction) -> int:
            dead = tx.rows(
                "SELECT image_id, kind FROM tasks WHERE status = 'processing' AND lease_until <= {now}"
                " AND attempts >= ? ORDER BY image_id, kind LIMIT 1000",
                max_attempts,
            )
            return sum(_exhaust(tx, row["image_id"], TaskKind(row["kind"]), max_attempts) for row in dead)

        return self._database.run(work)

    def uploads_without_event(self, *, lost_after: float, again_after: float, limit: int) -> Sequence[Image]:
        """Rows awaiting for ``lost_after`` seconds, not looked at for ``again_after``; marked as looked at."""
        condition = (
            "upload_status = 'awaiting' AND deleted_at IS NULL AND uploaded_at <= {ago}"
            " AND (checked_at IS NULL OR checked_at <= {ago})"
        )
        times = micros(lost_after), micros(again_after)

        def work(tx: Transaction) -> list[Image]:
            found = tx.rows(f"SELECT id FROM images WHERE {condition} ORDER BY id LIMIT ?", *times, limit)
            mine = [
                row["id"]
                for row in found
                if tx.execute(
                    f"UPDATE images SET checked_at = {{now}} WHERE id = ? AND {condition}", row["id"], *times
                )
            ]
            return [by_id(tx, id_) for id_ in mine]

        return self._database.run(work)

    def expire(self, public_id: str) -> bool:
        """awaiting → expired, where the form has ended (with five minutes' grace)."""
        return bool(
            self._database.run(
                lambda tx: tx.execute(
                    "UPDATE images SET upload_status = 'expired', listed_id = NULL WHERE public_id = ?"
                    " AND upload_status = 'awaiting' AND deleted_at IS NULL AND upload_expires_at <= {ago}",
                    public_id,
                    micros(_GRACE),
                )
            )
        )

    def expired_trash(self, *, older_than: float, limit: int) -> Sequence[Image]:
        """Deleted at least ``older_than`` seconds ago, then what was announced by then and never came."""
        asked = micros(older_than), limit
        return self._database.read(
            lambda tx: [
                image
                for found in (_DELETED, _NEVER_CAME)
                for image in images(
                    tx.rows(f"{SELECT} JOIN ({found}) old ON old.id = i.id ORDER BY i.deleted_at, i.id", *asked)
                )
            ][:limit]
        )

    def purge(self, public_id: str) -> bool:
        """Remove the row and all that hangs on it, unless it was restored or has come since."""
        return bool(
            self._database.run(
                lambda tx: tx.execute(
                    "DELETE FROM images WHERE public_id = ?"
                    " AND (deleted_at IS NOT NULL OR upload_status = 'expired')",
                    public_id,
                )
            )
        )


def _due_rows(tx: Transaction, times: tuple[Any, ...], limit: int) -> list[Row]:
    return tx.rows(
        "SELECT t.image_id, t.kind, t.status, t.next_at, i.public_id, i.image_key, {now} AS clock"
        " FROM tasks t JOIN images i ON i.id = t.image_id"
        " WHERE t.status IN ('pending', 'retry', 'processing') AND i.upload_status = 'received'"
        f" AND i.deleted_at IS NULL AND {_DUE} ORDER BY t.image_id, t.kind LIMIT ?",
        *times,
        limit,
    )


def _take(tx: Transaction, row: Row, times: tuple[Any, ...]) -> bool:
    return bool(
        tx.execute(
            "UPDATE tasks SET dispatched_at = {now} WHERE image_id = ? AND kind = ? AND "
            + _DUE.replace("t.", ""),
            row["image_id"],
            row["kind"],
            *times,
        )
    )


def _due_task(row: Row) -> DueTask:
    next_at, clock = moment(row["next_at"]), moment(row["clock"])
    delay = (next_at - clock).total_seconds() if row["status"] == "retry" and next_at and clock else 0.0
    return DueTask(row["public_id"], row["image_key"], TaskKind(row["kind"]), max(0.0, delay))


def _exhaust(tx: Transaction, image_id: int, kind: TaskKind, max_attempts: int) -> bool:
    locked = tx.row("SELECT id FROM images WHERE id = ? AND deleted_at IS NULL {for_update}", image_id)
    return locked is not None and give_up(tx, image_id, kind, max_attempts)
