"""How people have notices sent to an address of their own, see that it works, and stop it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from imgcore.accounts.models import Account, Tries, count_try
from imgcore.errors import Invalid, Unavailable
from imgcore.notifications.models import SentLetter

LETTERS = 5  # shown
TIDIED = 3  # addresses that are not wanted any more, taken off the topic at one go
ADDRESS_LENGTH = 254  # characters; RFC 5321, 4.5.3.1.3
# Each address that is given makes the topic write to it, whoever's it is.
TRIES, LONGEST_WAIT = 5, 3600.0  # seconds
_ADDRESS = re.compile(r"[^@\s\"(),:;<>\[\\\]]+@[^@\s\"(),:;<>\[\\\]]+\.[^@\s\"(),:;<>\[\\\]]+", re.ASCII)


class Delivery(StrEnum):
    """Where an address stands."""

    OFF = "off"  # none was given
    PENDING = "pending"  # the link in the topic's own mail has not been opened
    CONFIRMED = "confirmed"
    STOPPED = "stopped"  # by the link in a letter, or it was never confirmed
    UNKNOWN = "unknown"  # the topic cannot be asked just now


@dataclass(frozen=True, slots=True)
class Address:
    """What an account has given, and the topic's name for it."""

    id: int
    address: str
    arn: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person's page says about notices."""

    delivery: Delivery
    address: str | None
    letters: Sequence[SentLetter]
    possible: bool  # letters are sent at all


class AddressStore(Tries, Protocol):
    """Where addresses are kept. Every method is one transaction; all raise Unavailable."""

    def current(self, account_id: int) -> Address | None:
        """The one that the account wants letters sent to."""
        ...

    def keep(self, account_id: int, address: str, arn: str) -> None:
        """The account wants this one, and no other any more. Conflict where the ARN is another account's."""
        ...

    def end(self, account_id: int) -> None:
        """The account wants none."""
        ...

    def unwanted(self, limit: int) -> Sequence[Address]:
        """Those that nobody wants any more, or whose account is no more."""
        ...

    def drop(self, id_: int) -> None:
        """The topic does not know it any more."""
        ...


class Letters(Protocol):
    """The letters that were written."""

    def letters(self, account_id: int | None, limit: int) -> Sequence[SentLetter]:
        """The newest of that account; those of nobody's where there are no accounts."""
        ...


class Topic(Protocol):
    """Hands letters to addresses. All raise Unavailable."""

    def subscribe(self, address: str, owner: str) -> str:
        """A name for it. A mail with a link goes there; letters go only after that was opened, and of this
        owner alone. Invalid, Conflict (``address``)."""
        ...

    def state(self, arn: str) -> Delivery | None:
        """PENDING or CONFIRMED; None where it is not there any more."""
        ...

    def unsubscribe(self, arn: str) -> bool:
        """False where that is not possible yet; nothing is sent there meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """The use cases. topic: None where nothing is sent, and letters are read on the page alone."""

    addresses: AddressStore
    written: Letters
    topic: Topic | None = None

    def standing(self, account: Account | None) -> Standing:
        """Of that account; of everybody in open mode (None), where no address can be given."""
        letters = self.written.letters(account.id if account else None, LETTERS)
        if self.topic is None or account is None:
            return Standing(Delivery.OFF, None, letters, possible=False)
        self._tidy(self.topic)
        known = self.addresses.current(account.id)
        if known is None:
            return Standing(Delivery.OFF, None, letters, possible=True)
        try:
            delivery = self.topic.state(known.arn) or Delivery.STOPPED
        except Unavailable:
            delivery = Delivery.UNKNOWN
        return Standing(delivery, known.address, letters, possible=True)

    def subscribe(self, account: Account, address: str) -> None:
        """Have this account's letters sent there, once that is confirmed. The same address again asks for the
        confirmation again. Invalid, Conflict (``address``), TooManyTries."""
        address = clean_address(address)
        topic = self._sending()
        name = hashlib.sha256(f"notices {account.id}".encode()).hexdigest()
        count_try(self.addresses, (name, TRIES, LONGEST_WAIT))
        self.addresses.keep(account.id, address, topic.subscribe(address, account.public_id))
        self._tidy(topic)

    def stop(self, account: Account) -> None:
        """Send nothing any more. Doing it twice is no error; Unavailable where letters would still come."""
        topic, known = self._sending(), self.addresses.current(account.id)
        if known is not None:
            gone = topic.unsubscribe(known.arn)
            self.addresses.end(account.id)
            if gone:
                self.addresses.drop(known.id)

    def _sending(self) -> Topic:
        if self.topic is None:
            raise Invalid("This gallery sends no mail.", code="address")
        return self.topic

    def _tidy(self, topic: Topic) -> None:
        """Take off the topic what nobody wants; what cannot be yet is tried again with the next visit."""
        try:
            for each in self.addresses.unwanted(TIDIED):
                if topic.unsubscribe(each.arn):
                    self.addresses.drop(each.id)
        except Unavailable:
            return


def clean_address(text: str) -> str:
    """An address as it is kept. Invalid (``address``) where it is none."""
    text = text.strip()
    name, _, domain = text.rpartition("@")
    if len(text) > ADDRESS_LENGTH or not _ADDRESS.fullmatch(text) or not text.isprintable():
        raise Invalid("Give an e-mail address, such as anna@example.org.", code="address")
    return f"{name}@{domain.lower()}"
