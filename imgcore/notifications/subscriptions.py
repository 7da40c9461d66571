"""E-mail subscriptions of accounts to notifications: subscribe, show the state, unsubscribe."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from imgcore.accounts.models import Account, count_attempt
from imgcore.errors import Conflict, Invalid, Unavailable
from imgcore.notifications.models import DeliveredNotification

if TYPE_CHECKING:
    from imgcore.db.notifications import NotificationRepository
    from imgcore.db.subscriptions import SubscriptionRepository

SHOWN = 5  # notifications on the account page
CLEAN_UP_LIMIT = 3  # unwanted addresses unsubscribed from the topic at a time
ADDRESS_LENGTH = 254  # characters; RFC 5321, 4.5.3.1.3
# Each subscription makes the topic write to the address, whether or not its owner wants that.
FREE_TRIES, LONGEST_WAIT = 5, 3600.0  # seconds
# The name of a row whose address another account has: pending, until it ends as others do
UNAVAILABLE_ADDRESS = "unavailable:"
PENDING_DAYS = 2  # until SNS deletes a subscription that was not confirmed
_ADDRESS = re.compile(r"[^@\s\"(),:;<>\[\\\]]+@[^@\s\"(),:;<>\[\\\]]+\.[^@\s\"(),:;<>\[\\\]]+", re.ASCII)


class SubscriptionState(StrEnum):
    """The state of an account's e-mail subscription."""

    OFF = "off"  # no address was given
    PENDING = "pending"  # the link in the confirmation mail has not been opened
    CONFIRMED = "confirmed"
    STOPPED = "stopped"  # unsubscribed by the link in a mail, or never confirmed
    UNKNOWN = "unknown"  # the topic cannot be reached


@dataclass(frozen=True, slots=True)
class Address:
    """An account's e-mail address. arn: its subscription's name at the topic. asked_at: of the subscription."""

    id: int
    address: str
    arn: str
    asked_at: datetime

    @property
    def subscribed(self) -> bool:
        """Whether the topic knows the subscription: not where another account has the address."""
        return not self.arn.startswith(UNAVAILABLE_ADDRESS)


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """The notifications section of the account page. possible: the gallery sends e-mail at all."""

    delivery: SubscriptionState
    address: str | None
    notifications: Sequence[DeliveredNotification]
    possible: bool


class Topic(Protocol):
    """Delivers notifications to subscribed addresses. Every method raises Unavailable."""

    def subscribe(self, address: str, owner: str) -> str:
        """Subscribe ``address`` to the notifications of ``owner`` (a public id) and return the ARN.

        The topic sends a confirmation mail first. Invalid (``address``) where it refuses, Conflict where
        another account is subscribed with this address.
        """
        ...

    def state(self, arn: str) -> SubscriptionState | None:
        """Return PENDING or CONFIRMED; None where the subscription does not exist any more."""
        ...

    def unsubscribe(self, arn: str) -> bool:
        """Unsubscribe; False while the subscription is pending, when nothing is sent to it anyway."""
        ...


@dataclass(frozen=True, slots=True)
class SubscriptionService:
    """The use cases. topic: None where no e-mail is sent and notifications are shown on the page alone."""

    addresses: SubscriptionRepository
    log: NotificationRepository
    topic: Topic | None = None

    def status(self, account: Account | None) -> SubscriptionStatus:
        """Return the status of ``account``; of the whole gallery without accounts (None)."""
        newest = self.log.delivered(account.id if account else None, SHOWN)
        if self.topic is None or account is None:
            return SubscriptionStatus(SubscriptionState.OFF, None, newest, possible=False)
        self._clean_up(self.topic)
        known = self.addresses.current(account.id)
        if known is None:
            return SubscriptionStatus(SubscriptionState.OFF, None, newest, possible=True)
        try:
            state = self._state(self.topic, known)
        except Unavailable:
            state = SubscriptionState.UNKNOWN
        return SubscriptionStatus(state, known.address, newest, possible=True)

    def subscribe(self, account: Account, address: str) -> None:
        """Subscribe ``address``, once confirmed, to the account's notifications.

        The same address again requests another confirmation mail. Where another account has the address, the
        result looks the same, and no mail is sent: nobody learns here who uses the gallery. Invalid
        (``address``), TooManyTries.
        """
        address = clean_address(address)
        topic = self._required_topic()
        name = hashlib.sha256(f"notices {account.id}".encode()).hexdigest()
        count_attempt(self.addresses, (name, FREE_TRIES, LONGEST_WAIT))
        try:
            self.addresses.keep(account.id, address, topic.subscribe(address, account.public_id))
        except Conflict:
            self.addresses.keep(account.id, address, UNAVAILABLE_ADDRESS + secrets.token_hex(16))
        self._clean_up(topic)

    def stop(self, account: Account) -> None:
        """Unsubscribe the account; harmless where it is not subscribed. Unavailable: it still is."""
        topic, known = self._required_topic(), self.addresses.current(account.id)
        if known is not None:
            removed = not known.subscribed or topic.unsubscribe(known.arn)
            self.addresses.end(account.id)
            if removed:
                self.addresses.drop(known.id)

    @staticmethod
    def _state(topic: Topic, known: Address) -> SubscriptionState:
        if known.subscribed:
            return topic.state(known.arn) or SubscriptionState.STOPPED
        over = datetime.now(UTC) - known.asked_at > timedelta(days=PENDING_DAYS)
        return SubscriptionState.STOPPED if over else SubscriptionState.PENDING

    def _required_topic(self) -> Topic:
        if self.topic is None:
            raise Invalid("This gallery sends no e-mail.", code="address")
        return self.topic

    def _clean_up(self, topic: Topic) -> None:
        """Unsubscribe unwanted addresses; those that cannot be yet are tried again at the next call."""
        try:
            for each in self.addresses.unwanted(CLEAN_UP_LIMIT):
                if not each.subscribed or topic.unsubscribe(each.arn):
                    self.addresses.drop(each.id)
        except Unavailable:
            return


def clean_address(text: str) -> str:
    """Return the e-mail address in ``text`` as it is stored. Invalid (``address``) where it is none."""
    text = text.strip()
    name, _, domain = text.rpartition("@")
    if len(text) > ADDRESS_LENGTH or not _ADDRESS.fullmatch(text) or not text.isprintable():
        raise Invalid("Enter an e-mail address, such as anna@example.org.", code="address")
    return f"{name}@{domain.lower()}"
