"""Manage webhooks, and deliver what happened."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.backoff import exponential
from imgcore.errors import ImgcoreError, Invalid, NotFound
from imgcore.gallery.keys import is_public_id
from imgcore.webhooks.models import (
    GIVE_UP_SECONDS,
    LOG_SECONDS,
    ClaimedDelivery,
    Delivery,
    Webhook,
    WebhookSender,
    checked_events,
)

if TYPE_CHECKING:
    from imgcore.db.webhooks import WebhookRepository
    from imgcore.gallery.models import Viewer

logger = logging.getLogger(__name__)

LIMIT = 100  # deliveries that are claimed at once
PARALLEL = 8  # that are sent at once
SWEEP_SECONDS = 30.0  # for all deliveries of a sweep: what has not begun by then waits for the next one
LEASE_SECONDS = 120.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 60.0, 4 * 3600.0

Result = tuple[int | None, str | None]  # of an attempt: the response's status, and why it failed


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhooks of one account; for administrators also those of nobody, which open mode has made.

    Methods raise NotFound for those of others.
    """

    rows: WebhookRepository
    sender: WebhookSender
    viewer: Viewer

    def all(self) -> Sequence[Webhook]:
        """Return the webhooks that the viewer manages."""
        found = self.rows.all(self.viewer.account_id)
        nobodys = self.viewer.changes_others and self.viewer.account_id is not None
        return [*found, *self.rows.all(None)] if nobodys else found

    def get(self, public_id: str) -> Webhook:
        """Return a webhook of the viewer."""
        found = {webhook.public_id: webhook for webhook in self.all()} if is_public_id(public_id) else {}
        if public_id not in found:
            raise NotFound("There is no such webhook.")
        return found[public_id]

    def create(self, url: str, events: Sequence[str]) -> Webhook:
        """Add a webhook with a new secret. Invalid: url or events. Conflict: there are too many."""
        try:
            wanted = checked_events(events)
        except ValueError:
            wanted = ()
        if not wanted:
            raise Invalid("events must name photo.described, photo.failed or batch.finished.", code="events")
        return self.rows.create(self.viewer.account_id, self.sender.check(url), wanted, new_secret())

    def rotate(self, public_id: str) -> Webhook:
        """Give a webhook a new secret; the old one signs beside it for a day. Conflict (``rotated``)."""
        self.rows.rotate(self.get(public_id).id, new_secret())
        return self.get(public_id)

    def delete(self, public_id: str) -> None:
        """Delete a webhook and its deliveries."""
        self.rows.delete(self.get(public_id).id)

    def deliveries(self, public_id: str) -> Sequence[Delivery]:
        """Return the newest deliveries of a webhook."""
        return self.rows.deliveries(self.get(public_id).id)


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Sends the deliveries that are due.

    public_url: of the gallery. seconds: that all deliveries of a call may take. clock: seconds since the epoch.
    """

    rows: WebhookRepository
    sender: WebhookSender
    public_url: str | None = None
    seconds: float = SWEEP_SECONDS
    clock: Callable[[], float] = time.time

    def deliver(self) -> int:
        """Send what is due and return how many were accepted.

        A delivery is claimed before it is sent and ended afterwards: a crash between the two sends it again,
        with the same id. What fails is tried again, in growing intervals, for a day after the first attempt.
        The next one to be sent is of the account with the fewest in progress: addresses that never answer take
        an equal part of ``PARALLEL`` at most from other accounts.
        """
        self.rows.delete_old(older_than=LOG_SECONDS)
        until = time.monotonic() + self.seconds
        pool = ThreadPoolExecutor(PARALLEL)
        waiting: list[ClaimedDelivery] = []
        attempts: dict[Future[Result], ClaimedDelivery] = {}
        accepted, more, owners = 0, True, set[int | None]()
        try:
            while (left := until - time.monotonic()) > 0:
                if more and _runs_out(waiting, owners):
                    due = self.rows.claim_due(limit=LIMIT, lease=LEASE_SECONDS, public_url=self.public_url)
                    owners, more = {delivery.owner_id for delivery in due}, len(due) == LIMIT
                    waiting += due
                while waiting and len(attempts) < PARALLEL:
                    delivery = waiting.pop(_fairest(waiting, attempts.values()))
                    attempts[pool.submit(self._send, delivery)] = delivery
                if not attempts:
                    break
                for attempt in wait(attempts, left, FIRST_COMPLETED).done:
                    accepted += self._end(attempts.pop(attempt), *attempt.result())
        finally:
            pool.shutdown(wait=False)
        for delivery in waiting:
            self.rows.release(delivery)
        for attempt, delivery in attempts.items():
            if attempt.done():
                accepted += self._end(delivery, *attempt.result())
            else:
                self._end(delivery, None, "The address did not answer in time.")
        return accepted

    def _send(self, delivery: ClaimedDelivery) -> Result:
        """Return the response's status, and why the attempt failed."""
        body = delivery.body.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "caption-gallery",
            "Gallery-Event": delivery.event,
            "Gallery-Delivery": delivery.public_id,
            "Gallery-Signature": signature(delivery.secrets, int(self.clock()), body),
        }
        try:
            status = self.sender.send(delivery.url, body, headers)
        except ImgcoreError as error:
            return None, error.message
        except Exception:  # whatever a response makes a library do, the attempt has ended
            logger.exception("Webhook delivery %s failed", delivery.public_id)
            return None, "The request failed."
        return status, None if 200 <= status < 300 else f"The address answered {status}."

    def _end(self, delivery: ClaimedDelivery, status: int | None, error: str | None) -> bool:
        """Store the result of an attempt; return whether the delivery was accepted."""
        again = error is not None and sum(map(_delay, range(1, delivery.attempts + 1))) < GIVE_UP_SECONDS
        retry_in = _delay(delivery.attempts) if again else None
        self.rows.end(delivery, response=status, error=error, retry_in=retry_in)
        if error is not None:
            logger.info("Webhook delivery %s failed: %s", delivery.public_id, error)
        return error is None


def _runs_out(waiting: Sequence[ClaimedDelivery], owners: set[int | None]) -> bool:
    """Return whether to claim more: nothing waits any more, or nothing of one of the accounts."""
    return len(waiting) < LIMIT and not (waiting and owners <= {delivery.owner_id for delivery in waiting})


def _fairest(waiting: Sequence[ClaimedDelivery], attempts: Iterable[ClaimedDelivery]) -> int:
    """Return the index of the first delivery whose account has the fewest attempts in progress."""
    running = Counter(delivery.owner_id for delivery in attempts)
    return min(range(len(waiting)), key=lambda index: running[waiting[index].owner_id])


def _delay(attempts: int) -> float:
    """Return the seconds between an attempt and the next one."""
    return exponential(attempts, first=FIRST_RETRY_SECONDS, longest=LONGEST_RETRY_SECONDS)


def new_secret() -> str:
    """Return a random secret of 256 bits."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def signature(keys: Sequence[str], timestamp: int, body: bytes) -> str:
    """Return ``t=<seconds>,v1=<hex>``: HMAC-SHA256 of "<seconds>.<body>", with a v1 for each secret."""
    signed = f"{timestamp}.".encode() + body
    digests = (hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys)
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])
