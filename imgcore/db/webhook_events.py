"""Events for webhooks: the statements that add their deliveries."""

from __future__ import annotations

from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.statements import sql
from imgcore.gallery.keys import new_public_id
from imgcore.webhooks.events import WebhookEvent


def add_deliveries(
    tx: Transaction,
    event: WebhookEvent,
    *,
    owner_id: int | None,
    image_id: int | None = None,
    batch_id: str | None = None,
) -> None:
    """Add a delivery for each webhook of the owner that wants this event."""
    whose, values = webhooks_of(owner_id)
    rows = tx.rows(sql("SELECT w.id, w.events FROM webhooks w WHERE {whose}", whose=whose), **values)
    for row in rows:
        if event in row["events"].split():
            tx.execute(
                "INSERT INTO webhook_deliveries (public_id, webhook_id, event, image_id, batch_id, status,"
                " attempts, created_at, next_at)"
                " VALUES (:public_id, :webhook_id, :event, :image_id, :batch_id, 'pending', 0, {now}, {now})",
                public_id=new_public_id(),
                webhook_id=row["id"],
                event=event.value,
                image_id=image_id,
                batch_id=batch_id,
            )


def webhooks_of(owner_id: int | None) -> tuple[str, dict[str, Any]]:
    """Return the condition for the webhooks of an account, and its values; None: those without an owner."""
    if owner_id is None:
        return "w.owner_id IS NULL", {}
    return "w.owner_id = :owner_id", {"owner_id": owner_id}
