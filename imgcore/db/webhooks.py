"""Webhooks and their deliveries.

A delivery is written in the transaction in which its event happens, so that none is lost; its body is made with
the first attempt, and is the same for all of them.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import NAME, Row, image_by_id, lock_account, micros, moment
from imgcore.db.slices import change_in_slices, find_ids
from imgcore.db.statements import sql
from imgcore.db.webhook_events import webhooks_of
from imgcore.errors import Conflict
from imgcore.gallery.keys import new_public_id
from imgcore.text import storable
from imgcore.webhooks.models import (
    DELIVERIES_SHOWN,
    ROTATION_PAUSE_SECONDS,
    ROTATION_SECONDS,
    WEBHOOKS,
    ClaimedDelivery,
    Delivery,
    DeliveryStatus,
    Webhook,
    WebhookEvent,
)

_OLD_KEY = "CASE WHEN w.old_secret_until > {now} THEN w.old_secret END AS old_secret"
_SELECT = sql(
    "SELECT w.id, w.public_id, w.owner_id, w.url, w.events, w.secret, {old_secret}, w.created_at"
    " FROM webhooks w",
    old_secret=_OLD_KEY,
)
_DUE = "status = 'pending' AND next_at <= {now}"
# By turns of the owners: one with many photos does not delay the others.
_DUE_BY_OWNER = sql(
    "SELECT id FROM (SELECT d.id, d.next_at,"
    " ROW_NUMBER() OVER (PARTITION BY w.owner_id ORDER BY d.next_at, d.id) AS turn"
    " FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id WHERE {due}) candidates"
    " ORDER BY turn, next_at, id LIMIT :limit",
    due=_DUE,
)
_CLAIMED = sql(
    "SELECT d.id, d.public_id, d.event, d.image_id, d.batch_id, d.body, d.attempts, d.created_at,"
    " w.owner_id, w.url, w.secret, {old_secret} FROM webhook_deliveries d"
    " JOIN webhooks w ON w.id = d.webhook_id WHERE d.id = :id",
    old_secret=_OLD_KEY,
)

_DELETE_DELIVERIES = "DELETE FROM webhook_deliveries WHERE id IN ({ids})"


class WebhookRepository(Repository):
    """Each method is one transaction on the database's clock."""

    def all(self, owner_id: int | None) -> Sequence[Webhook]:
        """Return the webhooks of an account; those without an owner where it is None."""
        whose, values = webhooks_of(owner_id)
        query = sql("{select} WHERE {whose} ORDER BY w.id", select=_SELECT, whose=whose)
        return [_webhook(row) for row in self._database.read(lambda tx: tx.rows(query, **values))]

    def create(self, owner_id: int | None, url: str, events: Sequence[WebhookEvent], secret: str) -> Webhook:
        """Add a webhook. Conflict where the account has too many."""
        whose, values = webhooks_of(owner_id)
        count = sql("SELECT COUNT(*) AS n FROM webhooks w WHERE {whose}", whose=whose)

        def work(tx: Transaction) -> Webhook:
            if owner_id is not None:
                lock_account(tx, owner_id)
            if tx.rows(count, **values)[0]["n"] >= WEBHOOKS:
                raise Conflict(f"An account may have at most {WEBHOOKS} webhooks.", code="webhooks")
            new = tx.insert(
                "INSERT INTO webhooks (public_id, owner_id, url, events, secret, created_at)"
                " VALUES (:public_id, :owner_id, :url, :events, :secret, {now})",
                public_id=new_public_id(),
                owner_id=owner_id,
                url=storable(url, NAME),
                events=" ".join(events),
                secret=secret,
            )
            return _webhook(tx.rows(sql("{select} WHERE w.id = :id", select=_SELECT), id=new)[0])

        return self._database.run(work)

    def rotate(self, webhook_id: int, secret: str) -> None:
        """Set a new secret; the present one stays valid beside it for a day.

        Conflict (``rotated``) within an hour of the last time: a reload or a double click would replace both.
        """
        statement = (
            "UPDATE webhooks SET old_secret = secret, old_secret_until = {later:keep}, secret = :secret"
            " WHERE id = :id AND (old_secret_until IS NULL OR old_secret_until <= {later:recent})"
        )
        keep, recent = micros(ROTATION_SECONDS), micros(ROTATION_SECONDS - ROTATION_PAUSE_SECONDS)
        values = {"secret": secret, "keep": keep, "recent": recent, "id": webhook_id}
        if not self._database.run(lambda tx: tx.execute(statement, **values)):
            raise Conflict(
                "This webhook got a new secret less than an hour ago. If it is lost, add another webhook"
                " with the same address, and delete this one when the program knows the secret of the other.",
                code="rotated",
            )

    def delete(self, webhook_id: int) -> None:
        """Delete a webhook and its deliveries."""
        find = "SELECT id FROM webhook_deliveries WHERE webhook_id = :id"
        change_in_slices(self._database, find_ids(self._database, find, id=webhook_id), _DELETE_DELIVERIES)
        self._database.run(lambda tx: tx.execute("DELETE FROM webhooks WHERE id = :id", id=webhook_id))

    def deliveries(self, webhook_id: int) -> Sequence[Delivery]:
        """Return the newest deliveries of a webhook."""
        query = (
            "SELECT public_id, event, status, attempts, created_at, next_at, response, error"
            " FROM webhook_deliveries WHERE webhook_id = :id ORDER BY id DESC LIMIT :limit"
        )
        rows = self._database.read(lambda tx: tx.rows(query, id=webhook_id, limit=DELIVERIES_SHOWN))
        return [_delivery(row) for row in rows]

    def delete_old(self, *, older_than: float) -> int:
        """Delete the deliveries that have ended and are ``older_than`` seconds old; return how many."""
        find = "SELECT id FROM webhook_deliveries WHERE created_at <= {ago:older_than} AND status <> 'pending'"
        found = find_ids(self._database, find, older_than=micros(older_than))
        return change_in_slices(self._database, found, _DELETE_DELIVERIES)

    def claim_due(self, *, limit: int, lease: float, public_url: str | None) -> list[ClaimedDelivery]:
        """Claim up to ``limit`` deliveries that are due, of each owner in turn, for ``lease`` seconds."""
        found = self._database.read(lambda tx: tx.rows(_DUE_BY_OWNER, limit=limit))

        def claim(tx: Transaction, id_: int) -> ClaimedDelivery | None:
            statement = sql(
                "UPDATE webhook_deliveries SET attempts = attempts + 1, lease_token = :token,"
                " next_at = {later:lease} WHERE id = :id AND {due}",
                due=_DUE,
            )
            token = secrets.token_hex(16)
            if not tx.execute(statement, id=id_, token=token, lease=micros(lease)):
                return None
            return _claimed(tx, tx.rows(_CLAIMED, id=id_)[0], token, public_url)

        claims = [self._database.run(partial(claim, id_=row["id"])) for row in found]
        return [each for each in claims if each is not None]

    def end(
        self, delivery: ClaimedDelivery, *, response: int | None, error: str | None, retry_in: float | None
    ) -> bool:
        """Store the result of an attempt; False where another process has claimed the delivery since.

        error: None where it was accepted. retry_in: seconds until the next attempt; None for none.
        """
        status = DeliveryStatus.DELIVERED if error is None else DeliveryStatus.FAILED
        statement = (
            "UPDATE webhook_deliveries SET status = :status, response = :response, error = :error,"
            " lease_token = NULL, next_at = {next_at} WHERE id = :id AND lease_token = :token"
        )
        later = {} if retry_in is None else {"delay": micros(retry_in)}
        values = {
            "status": (status if retry_in is None else DeliveryStatus.PENDING).value,
            "response": response,
            "error": storable(error, NAME) if error else None,
            "id": delivery.id,
            "token": delivery.token,
        }
        query = statement.replace("{next_at}", "NULL" if retry_in is None else "{later:delay}")
        return bool(self._database.run(lambda tx: tx.execute(query, **values, **later)))

    def release(self, delivery: ClaimedDelivery) -> None:
        """Make a claimed delivery due at once as if it had not been claimed: no attempt was made."""
        statement = (
            "UPDATE webhook_deliveries SET attempts = attempts - 1, lease_token = NULL, next_at = {now}"
            " WHERE id = :id AND lease_token = :token"
        )
        self._database.run(lambda tx: tx.execute(statement, id=delivery.id, token=delivery.token))


def _claimed(tx: Transaction, row: Row, token: str, public_url: str | None) -> ClaimedDelivery:
    body = row["body"]
    if body is None:
        body = _body(tx, row, public_url)
        tx.execute("UPDATE webhook_deliveries SET body = :body WHERE id = :id", body=body, id=row["id"])
    return ClaimedDelivery(
        id=row["id"],
        token=token,
        public_id=row["public_id"],
        event=WebhookEvent(row["event"]),
        body=body,
        url=row["url"],
        secrets=_secrets(row),
        attempts=row["attempts"],
        owner_id=row["owner_id"],
    )


def _body(tx: Transaction, row: Row, public_url: str | None) -> str:
    """Return the JSON of a delivery: no location, and no address that needs no sign-in."""
    created = moment(row["created_at"])
    assert created is not None
    body: dict[str, Any] = {
        "id": row["public_id"],
        "event": row["event"],
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    if row["batch_id"] is not None:
        body["batch"] = row["batch_id"]
    if row["image_id"] is not None:
        image = image_by_id(tx, row["image_id"])
        task = next((task for task in image.tasks if task.message), None)
        body["photo"] = {
            "id": image.public_id,
            "name": image.name,
            "caption": image.caption,
            "alt_text": image.alt_text,
            "tags": list(image.tags),
            "source": image.source,
            "status": image.status,
            "message": task.message if task else None,
            "url": f"{public_url.rstrip('/')}/images/{image.public_id}" if public_url else None,
        }
    return json.dumps(body)  # ASCII: no bidirectional or invisible character survives unescaped


def _webhook(row: Row) -> Webhook:
    created = moment(row["created_at"])
    assert created is not None
    events = tuple(WebhookEvent(name) for name in row["events"].split())
    return Webhook(row["id"], row["public_id"], row["owner_id"], row["url"], events, _secrets(row), created)


def _secrets(row: Row) -> tuple[str, ...]:
    return (row["secret"], row["old_secret"]) if row["old_secret"] else (row["secret"],)


def _delivery(row: Row) -> Delivery:
    created = moment(row["created_at"])
    assert created is not None
    same = ("public_id", "attempts", "response", "error")
    return Delivery(
        **{name: row[name] for name in same},
        event=WebhookEvent(row["event"]),
        status=DeliveryStatus(row["status"]),
        created_at=created,
        next_at=moment(row["next_at"]),
    )
