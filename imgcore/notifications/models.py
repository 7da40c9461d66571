"""Finished batches of uploads and the notifications about them. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imgcore.gallery.models import Image


@dataclass(frozen=True, slots=True)
class FinishedBatch:
    """A batch of uploads of which nothing is open any more, claimed for sending.

    number: the notification's id. token: the lease's fence. tries: attempts to send, this one included.
    owner, owner_name: the account's public id and name; None without accounts. begun: time of the first upload
    request, UTC. total, failed: numbers of images, without those in the trash. failures: the first failed ones.
    """

    number: int
    token: str
    tries: int
    owner: str | None
    owner_name: str | None
    begun: datetime
    total: int
    failed: int
    failures: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class NotificationMessage:
    """The message to the owner of a batch.

    number: the notification's id. owner, owner_name: the account's public id and name; None without accounts.
    subject: ASCII, fewer than 100 characters (Amazon SNS API, "Publish"). body: plain text.
    """

    number: int
    owner: str | None
    owner_name: str | None
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class DeliveredNotification:
    """A notification that was sent, or written where no sender is configured."""

    subject: str
    body: str
    sent_at: datetime  # UTC


class NotificationSender(Protocol):
    """Sends messages to the owners of batches."""

    def send(self, message: NotificationMessage) -> None:
        """Send ``message``; it has been accepted when this returns. Unavailable: it may not have been."""
        ...
