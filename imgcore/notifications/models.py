"""Batches of uploads that have ended, and the messages that tell their owners. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from imgcore.gallery.models import Image


@dataclass(frozen=True, slots=True)
class EndedBatch:
    """All that was uploaded together has ended, and whoever holds this tells the owner.

    number, token: which notice it is, and the fence. tries: this one included. owner, owner_name: public id and
    name of the account; None where there are no accounts. begun: when its first photograph was announced, UTC.
    total, failed: photographs, those in the trash left out. failures: the first of them that failed.
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
class Letter:
    """What the owner of a batch is told. owner: the account's public id, None where there are no accounts."""

    number: int
    owner: str | None
    owner_name: str | None
    subject: str  # ASCII, less than 100 characters, as SNS wants it
    body: str


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter that has been sent, or, where nothing sends any, written."""

    subject: str
    body: str
    sent_at: datetime  # UTC
