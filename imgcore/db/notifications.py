"""Notices in a SQL database: who is to be told that all they uploaded together has ended.

A notice is written with the first photograph of its batch, in the same transaction: from then on it cannot be
forgotten. Whether the batch has ended is asked of the photographs themselves, each time anew, so that no way of
ending (done, failed, rejected, expired, deleted) has to remember to tell. Whoever takes a notice holds it by a
lease; it counts as told only after it was sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import NAME, SELECT, Row, images, micros, moment, storable
from imgcore.notifications.models import DeliveredNotification, FinishedBatch, NotificationMessage

FAILURES = 1000  # of one batch, as far as they are named
_BODY = 15_000  # characters; MySQL's TEXT holds 65,535 bytes

# Photographs of one batch: somebody else's may bear the same id.
_OF_BATCH = "i.batch_id = ? AND COALESCE(i.owner_id, 0) = ?"
_OPEN = (
    "(i.upload_status = 'awaiting' OR (i.upload_status = 'received' AND EXISTS"
    " (SELECT 1 FROM tasks t WHERE t.image_id = i.id AND t.status IN ('pending', 'processing', 'retry'))))"
)
_FAILED = (
    "(i.upload_status IN ('rejected', 'expired') OR EXISTS"
    " (SELECT 1 FROM tasks t WHERE t.image_id = i.id AND t.status IN ('failed', 'blocked')))"
)
# uploaded_at: when the row was made, later when its file arrived
_BUSY = f"(i.uploaded_at > {{ago}} OR (i.deleted_at IS NULL AND {_OPEN}))"
_FREE = "told_at IS NULL AND (lease_until IS NULL OR lease_until <= {now})"


class NotificationRepository(Repository):
    """One row a batch, from its first image until some time after its owner was notified."""

    def claim_finished_batch(self, *, after: int, quiet: float, lease: float) -> FinishedBatch | None:
        """An ended batch to tell of, ours for ``lease`` seconds."""
        for row in self._database.read(lambda tx: _untold(tx, after)):
            # Asked first without a lock: most of the time there are batches on their way, and none has ended
            busy = self._database.read(partial(_busy, row=row, quiet=quiet))
            taken = None if busy else self._database.run(partial(_take, row=row, quiet=quiet, lease=lease))
            if taken is not None:
                return taken
        return None

    def complete_notification(self, ended: FinishedBatch, letter: NotificationMessage | None) -> bool:
        """Told, and what; or there was nothing to tell."""
        values = (storable(letter.subject, NAME), storable(letter.body, _BODY)) if letter else (None, None)
        sql = (
            "UPDATE notices SET told_at = {now}, subject = ?, body = ?, lease_token = NULL, lease_until = NULL"
            " WHERE id = ? AND lease_token = ?"
        )
        return bool(self._database.run(lambda tx: tx.execute(sql, *values, ended.number, ended.token)))

    def postpone_notification(self, ended: FinishedBatch, delay: float) -> bool:
        """Not sent: free again in ``delay`` seconds."""
        sql = "UPDATE notices SET lease_token = NULL, lease_until = {later} WHERE id = ? AND lease_token = ?"
        return bool(self._database.run(lambda tx: tx.execute(sql, micros(delay), ended.number, ended.token)))

    def delete_old_notifications(self, *, older_than: float) -> int:
        """Remove what was told long ago."""
        sql = "DELETE FROM notices WHERE told_at <= {ago}"
        return self._database.run(lambda tx: tx.execute(sql, micros(older_than)))

    def delivered(self, account_id: int | None, limit: int) -> Sequence[DeliveredNotification]:
        """The newest of that account; those of nobody's where there are no accounts."""
        whose = "owner_id IS NULL" if account_id is None else "owner_id = ?"
        given: tuple[Any, ...] = () if account_id is None else (account_id,)
        sql = (
            f"SELECT subject, body, told_at FROM notices WHERE {whose} AND told_at IS NOT NULL"
            " AND subject IS NOT NULL ORDER BY told_at DESC, id DESC LIMIT ?"
        )
        return [_letter(row) for row in self._database.read(lambda tx: tx.rows(sql, *given, limit))]


def promise(tx: Transaction, owner_id: int | None, batch_id: str) -> None:
    """Write down, once, that the end of this batch is to be told to this owner."""
    name = f"{owner_id or 0}:{batch_id}"
    if tx.row("SELECT id FROM notices WHERE name = ?", name) is None:
        tx.execute(
            "{insert_ignore} notices (name, owner_id, batch_id, created_at) VALUES (?, ?, ?, {now})",
            name,
            owner_id,
            batch_id,
        )


def _untold(tx: Transaction, after: int) -> list[Row]:
    sql = f"SELECT id, owner_id, batch_id FROM notices WHERE {_FREE} AND id > ? ORDER BY id"
    return tx.rows(sql, after)


def _busy(tx: Transaction, row: Row, quiet: float) -> bool:
    sql = f"SELECT i.id FROM images i WHERE {_OF_BATCH} AND {_BUSY} LIMIT 1"
    return tx.row(sql, *_batch(row), micros(quiet)) is not None


def _take(tx: Transaction, row: Row, quiet: float, lease: float) -> FinishedBatch | None:
    free = tx.row(f"SELECT id FROM notices WHERE id = ? AND {_FREE} {{for_update}}", row["id"])
    if free is None or _busy(tx, row, quiet):
        return None
    token = secrets.token_hex(16)
    sql = "UPDATE notices SET tries = tries + 1, lease_token = ?, lease_until = {later} WHERE id = ?"
    tx.execute(sql, token, micros(lease), row["id"])
    return _ended(tx, row, token)


def _ended(tx: Transaction, row: Row, token: str) -> FinishedBatch:
    mine = "SELECT n.created_at, n.tries, a.public_id, a.name FROM notices n"
    [notice] = tx.rows(f"{mine} LEFT JOIN accounts a ON a.id = n.owner_id WHERE n.id = ?", row["id"])
    counted = f"SELECT COUNT(*) AS total, SUM(CASE WHEN {_FAILED} THEN 1 ELSE 0 END) AS failed FROM images i"
    there = f"{_OF_BATCH} AND i.deleted_at IS NULL"
    [count] = tx.rows(f"{counted} WHERE {there}", *_batch(row))
    failures = tx.rows(f"{SELECT} WHERE {there} AND {_FAILED} ORDER BY i.id LIMIT ?", *_batch(row), FAILURES)
    begun = moment(notice["created_at"])
    assert begun is not None
    return FinishedBatch(
        number=row["id"],
        token=token,
        tries=notice["tries"],
        owner=notice["public_id"],
        owner_name=notice["name"],
        begun=begun,
        total=count["total"],
        failed=int(count["failed"] or 0),
        failures=tuple(images(failures)),
    )


def _batch(row: Row) -> tuple[str, int]:
    return row["batch_id"], row["owner_id"] or 0


def _letter(row: Row) -> DeliveredNotification:
    sent_at = moment(row["told_at"])
    assert sent_at is not None
    return DeliveredNotification(row["subject"], row["body"], sent_at)
