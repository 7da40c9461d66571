"""What the sweeper, the backfill and administrators see of tasks and images. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from imgcore.gallery.changes import BatchCounts
from imgcore.gallery.states import TaskKind, TaskStatus
from imgcore.pipeline.models import BreakerState


@dataclass(frozen=True, slots=True)
class DueTask:
    """A task that the sweep queues again."""

    public_id: str
    image_key: str
    kind: TaskKind
    delay: float  # seconds until it may be claimed


@dataclass(frozen=True, slots=True)
class SweepReport:
    """The result of one sweep, as counts."""

    redelivered: int = 0  # tasks queued again: due, lease expired, or never delivered
    recovered: int = 0  # uploads whose event never arrived
    expired: int = 0  # upload forms that were not used
    exhausted: int = 0  # tasks failed after too many crashes
    purged: int = 0  # images deleted from the trash
    missing: int = 0  # photos whose stored original has vanished
    repaired: int = 0  # photos whose derived images have vanished: they are made again
    upgraded: int = 0  # images described without a model that it describes now
    notified: int = 0  # owners of finished batches that were notified


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Tasks of one kind in one state, for one reason. at: of retries the next one; of failures the last one."""

    kind: TaskKind
    status: TaskStatus
    count: int
    error: str | None = None  # a code
    message: str | None = None  # the sentence of one of them
    at: datetime | None = None  # UTC


@dataclass(frozen=True, slots=True)
class Activity:
    """What of a viewer's photos is under way or needs attention.

    failures: by reason, of the photos that the viewer may change. batches: the viewer's own newest uploads.
    breakers: those that are open.
    """

    failures: tuple[JobGroup, ...]
    batches: tuple[BatchCounts, ...]
    breakers: tuple[BreakerState, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """Tasks that no worker claims. reason: only retries with this error; None for all of the kind."""

    kind: TaskKind
    reason: str | None
    since: datetime | None  # UTC
    account: str | None  # the name of the administrator


class DeadLetterCause(StrEnum):
    """Why messages are in a dead-letter queue."""

    FAILED = "failed"  # the function has failed five times
    UNDELIVERED = "undelivered"  # the topic or the rule could not send to the queue


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """A dead-letter queue with the approximate number of its messages."""

    kind: TaskKind
    cause: DeadLetterCause
    count: int


@dataclass(frozen=True, slots=True)
class JobsOverview:
    """What the queues and workers do at the moment.

    last_sweep: when the last complete one ended, UTC. dead_letters: None where the queues cannot be read.
    """

    counts: tuple[JobGroup, ...]
    retries: tuple[JobGroup, ...]
    failures: tuple[JobGroup, ...]
    breakers: tuple[BreakerState, ...]
    last_sweep: datetime | None
    pauses: tuple[Pause, ...] = ()
    dead_letters: tuple[DeadLetters, ...] | None = None


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """What a backfill has made and skipped so far, and the id after which it goes on; None at its end."""

    made: int = 0
    skipped: int = 0
    after: int | None = None


class IncompleteImage(NamedTuple):
    """An image that has a display image, and lacks the picture for the timeline or the perceptual hash."""

    id: int
    public_id: str
    display_key: str
    needs_grid: bool
    needs_hash: bool
