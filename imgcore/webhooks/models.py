"""Webhooks, their deliveries, and the events that are delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from imgcore.webhooks.events import WebhookEvent as WebhookEvent

WEBHOOKS = 20  # of an account
URL_LENGTH = 500  # characters
DELIVERIES_SHOWN = 50
GIVE_UP_SECONDS = 86_400.0  # of waiting between attempts, after which a delivery is not tried again
ROTATION_SECONDS = 86_400.0  # how long the previous secret also signs
ROTATION_PAUSE_SECONDS = 3_600.0  # until the secret may be replaced again
LOG_SECONDS = 30 * 86_400.0  # how long deliveries are listed


class DeliveryStatus(StrEnum):
    """The state of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is called. secrets: those that sign now, the newest first."""

    id: int
    public_id: str
    owner_id: int | None
    url: str
    events: tuple[WebhookEvent, ...]
    secrets: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook. attempts: how often it was tried; error: why the last attempt failed."""

    public_id: str
    event: WebhookEvent
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    next_at: datetime | None = None
    response: int | None = None  # HTTP status
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this process sends. body: the JSON, the same for each attempt."""

    id: int
    token: str
    public_id: str
    event: WebhookEvent
    body: str
    url: str
    secrets: tuple[str, ...]
    attempts: int
    owner_id: int | None = None  # of the webhook


class WebhookSender(Protocol):
    """Sends one request."""

    def check(self, url: str) -> str:
        """Return the address as it is stored. Invalid: url, where its text is not acceptable."""
        ...

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """POST and return the status. Unavailable where there is no response; Invalid: nothing may be sent."""
        ...


def checked_events(names: Sequence[str]) -> tuple[WebhookEvent, ...]:
    """Return the events of these names, each once. ValueError for an unknown one."""
    return tuple(dict.fromkeys(WebhookEvent(name) for name in names))
