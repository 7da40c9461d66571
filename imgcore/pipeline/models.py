"""Events, claims on tasks, due tasks, the state of circuit breakers, times. Pure data."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from imgcore.config import CAPTION_LEASE_SECONDS, LOST_AFTER_SECONDS, MAX_ATTEMPTS, THUMBNAIL_LEASE_SECONDS
from imgcore.gallery.states import TaskKind

WAITING = frozenset({"rate_limited", "quota_exhausted", "unavailable"})  # these end by themselves
# Why a caption waits for its model: for the end of one of the above, or for the operator.
BREAKER_CODES = WAITING | {
    "api_not_enabled",
    "billing_required",
    "context_too_small",
    "credits_exhausted",
    "key_leaked",
    "key_missing",
    "key_refused",
    "key_restricted",
    "location_not_supported",
    "misconfigured",
    "model_missing",
    "model_retired",
    "model_unfit",
    "out_of_memory",
    "project_suspended",
    "quota_zero",
    "secret",
    "spending_cap",
    "wrong_address",
}


def waits_for_model(kind: TaskKind, error: str | None) -> bool:
    """Return whether a retry with this error waits for the model that describes photos."""
    return kind is TaskKind.CAPTION and error in BREAKER_CODES


def next_attempt(
    kind: TaskKind, error: str | None, next_at: datetime | None, probe_at: datetime | None
) -> datetime | None:
    """Return when a retry is tried: one that waits for the model, not before the next probe of it.

    next_at: its own time; None where it is no retry. probe_at: None while the model's breaker is closed.
    """
    if next_at is None or probe_at is None or not waits_for_model(kind, error):
        return next_at
    return max(next_at, probe_at)


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """An object created in a bucket, from an event of any format."""

    bucket: str
    key: str
    size: int | None = None  # bytes
    etag: str | None = None
    version_id: str | None = None
    sequencer: str | None = None  # S3's order of events on one key, hexadecimal


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one task until its lease ends."""

    image_id: int
    public_id: str
    image_key: str
    kind: TaskKind
    token: str  # fencing token: the result is stored only while the row holds it
    attempts: int  # including this one
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class PromptUsed:
    """What requests to a captioning model are made with. language: the setting CAPTION_LANGUAGE."""

    model: str
    language: str
    prompt_version: str


class CallState(StrEnum):
    """What is known of a call of a captioning model."""

    OPEN = "open"  # it is about to be sent; where its process ends before the answer, it stays open
    UNKNOWN = "unknown"  # it was sent and has no answer: it may have been billed
    NOT_BILLED = "not_billed"  # it was not sent, or the service refused it
    BILLED = "billed"  # answered: it is billed, whether or not the answer was used


def new_call_id() -> str:
    """Return the id of a new call."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a captioning model: before it is sent, and again, with the same id, when its fate is known.

    input_tokens, output_tokens: those of the answer, thinking included, 0 where it does not name them; while
    the call is open, the most that it can use.
    """

    model: str  # as named in the answer
    prompt_version: str
    input_tokens: int
    output_tokens: int
    outcome: str  # "described", "late" after a timeout, or the code of the failure, such as "bad_answer"
    state: CallState = CallState.BILLED
    call_id: str = field(default_factory=new_call_id, compare=False)


RecordCall = Callable[[ModelCall], None]


def ignore_call(call: ModelCall) -> None:
    """Record nothing."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object read from a bucket."""

    data: bytes
    etag: str | None
    version_id: str | None


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The circuit breaker of a service: whether calls pass, and if not, why."""

    name: str
    wait: float = 0.0  # seconds until a call may pass; 0 where the breaker is closed
    reason: str | None = None  # a code, such as "key_refused"
    message: str | None = None  # a sentence
    probing: bool = False  # the pause is over, and this caller alone may try the service

    @property
    def closed(self) -> bool:
        """True where calls pass."""
        return self.wait <= 0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What people should know of the pipeline.

    paused: kinds of tasks. reason, message, closed: of the model's circuit breaker, as in BreakerState.
    """

    paused: frozenset[TaskKind] = frozenset()
    reason: str | None = None
    message: str | None = None
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of the pipeline, in seconds, and the limit of attempts."""

    thumbnail_lease: float = THUMBNAIL_LEASE_SECONDS
    caption_lease: float = CAPTION_LEASE_SECONDS
    lost_after: float = LOST_AFTER_SECONDS  # age from which an event counts as lost
    max_attempts: int = MAX_ATTEMPTS

    def lease(self, kind: TaskKind) -> float:
        """Return how long a worker owns a task of that kind."""
        return self.caption_lease if kind is TaskKind.CAPTION else self.thumbnail_lease
