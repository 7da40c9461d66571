"""Notifications: one row of ``notices`` a batch of uploads, whose owner is notified when it has finished.

The row is written with the first image of its batch, in the same transaction, so that it cannot be forgotten.
Whether the batch has finished is read from its images each time, so that no way of ending (done, failed,
rejected, expired, deleted) has to remember to notify. The sender of a notification holds the row by a lease;
the row counts as notified only after the message was sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import NAME, SELECT, Row, images, micros, moment
from imgcore.db.statements import sql
from imgcore.db.webhook_events import add_deliveries
from imgcore.notifications.models import DeliveredNotification, FinishedBatch, NotificationMessage
from imgcore.text import storable
from imgcore.webhooks.events import WebhookEvent

FAILURES = 1000  # images of one batch that are named as failed, at most
_BODY = 15_000  # characters; MySQL's TEXT holds 65,535 bytes

# The owner belongs to the condition: clients choose batch ids, and two may choose the same.
_IN_BATCH = "i.batch_id = :batch_id AND COALESCE(i.owner_id, 0) = :owner_id"
_FAILED = (
    "(i.upload_status IN ('rejected', 'expired') OR EXISTS"
    " (SELECT 1 FROM tasks t WHERE t.image_id = i.id AND t.status IN ('failed', 'blocked')))"
)
# uploaded_at: when the row was added, then when the file arrived
_BUSY = sql(
    "SELECT i.id FROM images i WHERE {in_batch} AND (i.uploaded_at > {ago:quiet} OR (i.deleted_at IS NULL AND"
    " (i.upload_status = 'awaiting' OR (i.upload_status = 'received' AND EXISTS"
    " (SELECT 1 FROM tasks t WHERE t.image_id = i.id AND t.status IN ('pending', 'processing', 'retry'))))))"
    " LIMIT 1",
    in_batch=_IN_BATCH,
)
_COUNT = sql(
    "SELECT COUNT(*) AS total, SUM(CASE WHEN {failed} THEN 1 ELSE 0 END) AS failed FROM images i"
    " WHERE {in_batch} AND i.deleted_at IS NULL",
    failed=_FAILED,
    in_batch=_IN_BATCH,
)
_FAILURES = sql(
    "{select} WHERE {in_batch} AND i.deleted_at IS NULL AND {failed} ORDER BY i.id LIMIT :limit",
    select=SELECT,
    failed=_FAILED,
    in_batch=_IN_BATCH,
)
_FREE = "told_at IS NULL AND (lease_until IS NULL OR lease_until <= {now})"
_NOT_NOTIFIED = sql(
    "SELECT id, owner_id, batch_id FROM notices WHERE {free} AND id > :after ORDER BY id", free=_FREE
)
_LOCK_FREE = sql("SELECT id FROM notices WHERE id = :id AND {free} {for_update}", free=_FREE)
_DELIVERED = (
    "SELECT subject, body, told_at FROM notices WHERE {whose} AND told_at IS NOT NULL AND subject IS NOT NULL"
    " ORDER BY told_at DESC, id DESC LIMIT :limit"
)


class NotificationRepository(Repository):
    """One row a batch, from its first image until some time after its owner was notified."""

    def claim_finished_batch(self, *, after: int, quiet: float, lease: float) -> FinishedBatch | None:
        """Claim the next finished batch with a number beyond ``after`` whose owner was not notified yet.

        A batch has finished when none of its images is open and none was added or received in the last
        ``quiet`` seconds. No other caller gets it for ``lease`` seconds. None where there is none.
        """
        for row in self._database.read(lambda tx: tx.rows(_NOT_NOTIFIED, after=after)):
            # Checked without a lock first: mostly, the batches are still being uploaded
            busy = self._database.read(partial(_is_busy, row=row, quiet=quiet))
            claimed = None if busy else self._database.run(partial(_claim, row=row, quiet=quiet, lease=lease))
            if claimed is not None:
                return claimed
        return None

    def complete_notification(self, batch: FinishedBatch, message: NotificationMessage | None) -> bool:
        """Store that the owner was notified, and with which message; False where the claim was lost.

        message: None where there was nothing to send.
        """
        values = {
            "subject": storable(message.subject, NAME) if message else None,
            "body": storable(message.body, _BODY) if message else None,
        }
        statement = (
            "UPDATE notices SET told_at = {now}, subject = :subject, body = :body, lease_token = NULL,"
            " lease_until = NULL WHERE id = :id AND lease_token = :token"
        )

        return bool(self._database.run(lambda tx: tx.execute(statement, **values, **_fence(batch))))

    def postpone_notification(self, batch: FinishedBatch, delay: float) -> bool:
        """Give the claim back for ``delay`` seconds, as it could not be sent; False where it was lost."""
        statement = (
            "UPDATE notices SET lease_token = NULL, lease_until = {later:delay}"
            " WHERE id = :id AND lease_token = :token"
        )
        return bool(self._database.run(lambda tx: tx.execute(statement, delay=micros(delay), **_fence(batch))))

    def delete_old_notifications(self, *, older_than: float) -> int:
        """Delete what was sent at least ``older_than`` seconds ago; return how many."""
        statement = "DELETE FROM notices WHERE told_at <= {ago:older_than}"
        return self._database.run(lambda tx: tx.execute(statement, older_than=micros(older_than)))

    def delivered(self, account_id: int | None, limit: int) -> Sequence[DeliveredNotification]:
        """Return the account's newest notifications; those without an owner where ``account_id`` is None."""
        whose = "owner_id IS NULL" if account_id is None else "owner_id = :account_id"
        values = {} if account_id is None else {"account_id": account_id}
        query = sql(_DELIVERED, whose=whose)
        return [
            _delivered(row) for row in self._database.read(lambda tx: tx.rows(query, limit=limit, **values))
        ]


def add_notification(tx: Transaction, owner_id: int | None, batch_id: str) -> None:
    """Add the notification of a batch where it has none yet."""
    name = f"{owner_id or 0}:{batch_id}"
    if tx.row("SELECT id FROM notices WHERE name = :name", name=name) is None:
        tx.execute(
            "{insert_ignore} notices (name, owner_id, batch_id, created_at)"
            " VALUES (:name, :owner_id, :batch_id, {now})",
            name=name,
            owner_id=owner_id,
            batch_id=batch_id,
        )


def _is_busy(tx: Transaction, row: Row, quiet: float) -> bool:
    return tx.row(_BUSY, quiet=micros(quiet), **_batch(row)) is not None


def _claim(tx: Transaction, row: Row, quiet: float, lease: float) -> FinishedBatch | None:
    if tx.row(_LOCK_FREE, id=row["id"]) is None or _is_busy(tx, row, quiet):
        return None
    token = secrets.token_hex(16)
    statement = (
        "UPDATE notices SET tries = tries + 1, lease_token = :token, lease_until = {later:lease} WHERE id = :id"
    )
    tx.execute(statement, id=row["id"], token=token, lease=micros(lease))
    batch = _finished_batch(tx, row, token)
    if batch.tries == 1 and batch.total:  # however the message fares
        add_deliveries(tx, WebhookEvent.BATCH_FINISHED, owner_id=row["owner_id"], batch_id=row["batch_id"])
    return batch


def _finished_batch(tx: Transaction, row: Row, token: str) -> FinishedBatch:
    [notice] = tx.rows(
        "SELECT n.created_at, n.tries, a.public_id, a.name FROM notices n"
        " LEFT JOIN accounts a ON a.id = n.owner_id WHERE n.id = :id",
        id=row["id"],
    )
    [count] = tx.rows(_COUNT, **_batch(row))
    failures = tx.rows(_FAILURES, limit=FAILURES, **_batch(row))
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


def _batch(row: Row) -> dict[str, Any]:
    return {"batch_id": row["batch_id"], "owner_id": row["owner_id"] or 0}


def _fence(batch: FinishedBatch) -> dict[str, Any]:
    return {"id": batch.number, "token": batch.token}


def _delivered(row: Row) -> DeliveredNotification:
    sent_at = moment(row["told_at"])
    assert sent_at is not None
    return DeliveredNotification(row["subject"], row["body"], sent_at)
