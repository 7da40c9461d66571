"""Notify the owners of finished batches."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.backoff import exponential
from imgcore.config import BATCH_QUIET_SECONDS, CAPTION_LEASE_SECONDS
from imgcore.errors import ImgcoreError
from imgcore.notifications.messages import compose
from imgcore.notifications.models import NotificationSender

if TYPE_CHECKING:
    from imgcore.db.notifications import NotificationRepository

logger = logging.getLogger(__name__)

LIMIT = 100  # messages a call
RETENTION_SECONDS = 90 * 86_400.0  # how long delivered notifications are kept
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 20.0, 900.0


@dataclass(frozen=True, slots=True)
class Notifier:
    """Claims finished batches and sends a message about each.

    sender: None stores the messages without sending them. public_url: the gallery's address, for links.
    quiet: seconds without a new upload after which a batch counts as finished. lease: seconds that a claimed
    batch stays with one process.
    """

    notifications: NotificationRepository
    sender: NotificationSender | None = None
    public_url: str | None = None
    quiet: float = BATCH_QUIET_SECONDS
    lease: float = CAPTION_LEASE_SECONDS

    def notify_owners(self) -> int:
        """Send the messages that are due and return how many owners were notified.

        A batch is marked as notified after its message was accepted: a crash between the two sends the message
        again, none is lost. After a failed delivery the rest waits for the next call.
        """
        notified, last, rows = 0, 0, self.notifications
        rows.delete_old_notifications(older_than=RETENTION_SECONDS)
        while notified < LIMIT:
            batch = rows.claim_finished_batch(after=last, quiet=self.quiet, lease=self.lease)
            if batch is None:
                break
            last = batch.number
            message = compose(batch, self.public_url) if batch.total else None  # else all are in the trash
            try:
                if message is not None and self.sender is not None:
                    self.sender.send(message)
            except ImgcoreError as error:
                logger.error("Sending notification %d failed: %s (%s)", last, error.message, error.code)
                delay = exponential(batch.tries, first=FIRST_RETRY_SECONDS, longest=LONGEST_RETRY_SECONDS)
                rows.postpone_notification(batch, delay)
                break
            notified += rows.complete_notification(batch, message)
        return notified
