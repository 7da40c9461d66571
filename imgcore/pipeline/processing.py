"""What events cause: one task of one photograph done, and the sweep that finds what events forgot."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from imgcore.backoff import at_least, exponential, full_jitter
from imgcore.errors import Blocked, ImgcoreError, Misconfigured, RateLimited, Rejected
from imgcore.gallery.keys import adopted, derived_keys
from imgcore.gallery.models import (
    RAW_PREFIX,
    TRASH_SECONDS,
    Description,
    Image,
    Picture,
    Source,
    TaskKind,
    TaskStatus,
)
from imgcore.gallery.ports import Captioner, Decode, Queues, Render, Storage
from imgcore.notifications.messages import compose
from imgcore.notifications.models import NotificationSender
from imgcore.pipeline.models import GEMINI_BREAKER, WAITING, Claim, ObjectCreated, SweepReport

if TYPE_CHECKING:
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.images import ImageRepository
    from imgcore.db.notifications import NotificationRepository
    from imgcore.db.sweep import SweepRepository
    from imgcore.db.tasks import TaskRepository

logger = logging.getLogger(__name__)

DISPLAY_SIDE = 1600  # pixels
COMMIT_SECONDS = 5.0  # kept back from the deadline to store the result
PROBE_SECONDS = 30.0  # how long one caller has to show that the service works again
MISCONFIGURED_SECONDS = 300.0  # how often a refused key is tried again
SWEEP_LIMIT = 500  # rows of each sort a sweep
NOTIFICATION_LIMIT = 100  # letters a sweep
NOTIFICATION_SECONDS = 90 * 86_400.0  # how long what was told is kept
LOOK_AHEAD_SECONDS = 60.0  # until the next sweep: what is due by then is handed over with a delay

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 20.0, 900.0
RATE_LIMIT_SECONDS = 60.0  # where the model does not say how long

BUSY = "The captioning model asks everybody to wait. This photograph will be described by itself."


class Outcome(StrEnum):
    """How one delivery ended. All of them are acknowledged; only an exception is delivered again."""

    DONE = "done"
    PARKED = "parked"  # a retry is planned in the database
    FAILED = "failed"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    IDLE = "idle"  # nothing to do: done already, in other hands, not due, deleted
    FENCED = "fenced"  # another worker owns the task by now; the result was dropped
    IGNORED = "ignored"  # not an upload of ours


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds and counts that steer the pipeline."""

    thumbnail_lease: float = 75.0
    caption_lease: float = 135.0
    lost_after: float = 300.0
    max_attempts: int = 5
    quiet: float = 60.0  # without news, after which no more is expected of a batch

    def lease(self, kind: TaskKind) -> float:
        """How long a worker owns a task of that kind."""
        return self.caption_lease if kind is TaskKind.CAPTION else self.thumbnail_lease


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Both Lambdas, less their envelopes.

    captioner describes; standby does while the captioner's settings are refused, where there is one.
    """

    images: ImageRepository
    tasks: TaskRepository
    sweep_rows: SweepRepository
    notifications: NotificationRepository
    breakers: CircuitBreakers
    storage: Storage
    queues: Queues
    decode: Decode
    render: Render
    captioner: Captioner
    standby: Captioner | None = None
    uploads_bucket: str | None = None
    thumbnail_fit: str = "crop"
    max_bytes: int = 20 * 1024 * 1024
    timing: Timing = Timing()
    sender: NotificationSender | None = None  # None: letters are written down, and sent nowhere
    public_url: str | None = None
    rng: Callable[[], float] = random.random

    def process(self, created: ObjectCreated, kind: TaskKind, *, deadline: float) -> Outcome:
        """Do one task of one photograph, once, whoever else is told of it too.

        deadline: on time.monotonic()'s clock. Unavailable where the database is away: deliver it again.
        """
        if self.uploads_bucket not in (None, created.bucket) or not created.key.startswith(RAW_PREFIX):
            return Outcome.IGNORED
        image = self.images.receive(created, adopted(created.key))
        claim = self.tasks.claim(
            created.key, kind, lease=self.timing.lease(kind), max_attempts=self.timing.max_attempts
        )
        if claim is None:
            return Outcome.IDLE
        try:
            if kind is TaskKind.THUMBNAIL:
                return self._thumbnail(claim, image)
            return self._caption(claim, image, deadline - COMMIT_SECONDS)
        except ImgcoreError as error:
            return self._settle(claim, error)
        except Exception:
            # A bug: the row says so at once, and the queue's own count brings it to the dead letters.
            self._settle(claim, ImgcoreError("Something went wrong on our side. It will be tried again."))
            raise

    def sweep(self) -> SweepReport:
        """Find what never came, what is due and what is over. Harmless at any time and any number of times."""
        timing, rows = self.timing, self.sweep_rows
        exhausted = rows.fail_exhausted_tasks(max_attempts=timing.max_attempts)
        recovered = expired = 0
        lost = {"lost_after": timing.lost_after, "again_after": timing.lost_after}
        for image in rows.uploads_without_event(**lost, limit=SWEEP_LIMIT):
            if (found := self.storage.find(image.image_key)) is not None:
                self.images.receive(found, adopted(found.key))
                for kind in TaskKind:
                    self.queues.send(kind, found.key)
                recovered += 1
            elif rows.expire(image.public_id):
                expired += 1
        due = rows.due_tasks(within=LOOK_AHEAD_SECONDS, **lost, limit=SWEEP_LIMIT)
        for task in due:
            self.queues.send(task.kind, task.image_key, task.delay)
        return SweepReport(
            redelivered=len(due),
            recovered=recovered,
            expired=expired,
            exhausted=exhausted,
            purged=self._purge(),
            notified=self._notify_owners(),
        )

    def _notify_owners(self) -> int:
        """Tell the owners of batches that have ended. It is marked after the letter was accepted: a crash
        between the two sends one more, none of them is lost."""
        told, last, rows = 0, 0, self.notifications
        rows.delete_old_notifications(older_than=NOTIFICATION_SECONDS)
        times = {"quiet": self.timing.quiet, "lease": self.timing.caption_lease}
        while (
            told < NOTIFICATION_LIMIT and (ended := rows.claim_finished_batch(after=last, **times)) is not None
        ):
            last = ended.number
            letter = compose(ended, self.public_url) if ended.total else None  # else all are in the trash
            try:
                if letter is not None and self.sender is not None:
                    self.sender.send(letter)
            except ImgcoreError as error:
                logger.error("A notice cannot be sent just now: %s (%s)", error.message, error.code)
                rows.postpone_notification(
                    ended, exponential(ended.tries, first=FIRST_RETRY_SECONDS, longest=LONGEST_RETRY_SECONDS)
                )
                break
            told += rows.complete_notification(ended, letter)
        return told

    def _purge(self) -> int:
        purged = 0
        for image in self.sweep_rows.expired_trash(older_than=TRASH_SECONDS, limit=SWEEP_LIMIT):
            self.storage.remove([image.image_key], derived_keys(image.public_id))
            purged += self.sweep_rows.purge(image.public_id)
        return purged

    def _picture(self, claim: Claim, image: Image, side: int) -> Picture:
        stored = self.storage.read(claim.image_key, max_bytes=self.max_bytes, version_id=claim.version_id)
        return self.decode(stored.data, max_side=side, declared=image.media_type, max_bytes=self.max_bytes)

    def _thumbnail(self, claim: Claim, image: Image) -> Outcome:
        picture = self._picture(claim, image, DISPLAY_SIDE)
        renditions = self.render(picture, claim.public_id, fit=self.thumbnail_fit)
        for rendition in renditions.all():
            self.storage.write(rendition.key, rendition.data, rendition.media_type)
        committed = self.tasks.finish_thumbnail(claim, picture.facts, renditions)
        return Outcome.DONE if committed else Outcome.FENCED

    def _caption(self, claim: Claim, image: Image, deadline: float) -> Outcome:
        captioner, probing = self.captioner, False
        if captioner.source is Source.GEMINI:
            breaker = self.breakers.acquire(GEMINI_BREAKER, probe=PROBE_SECONDS)
            probing = breaker.probing
            if not breaker.closed:
                if self.standby is None or breaker.reason in WAITING:
                    raise RateLimited(breaker.message or BUSY, code=breaker.reason, retry_after=breaker.wait)
                captioner = self.standby
        picture = self._picture(claim, image, captioner.side)
        description = self._describe(captioner, picture, deadline)
        if probing and description.source is captioner.source:
            self.breakers.close(GEMINI_BREAKER)
        committed = self.tasks.finish_caption(claim, description)
        return Outcome.DONE if committed else Outcome.FENCED

    def _describe(self, captioner: Captioner, picture: Picture, deadline: float) -> Description:
        """Describe; open the circuit breaker where the model says wait or refuses the settings."""
        try:
            return captioner.describe(picture, deadline=deadline)
        except RateLimited as error:
            self._close(error, error.retry_after or RATE_LIMIT_SECONDS)
            raise
        except Misconfigured as error:
            logger.error("The captioner is misconfigured: %s (%s)", error.message, error.code)
            self._close(error, MISCONFIGURED_SECONDS)
            if self.standby is None:
                raise
            return self.standby.describe(picture, deadline=deadline)

    def _close(self, error: ImgcoreError, wait: float) -> None:
        self.breakers.open(GEMINI_BREAKER, wait=wait, reason=error.code, message=error.message)

    def _settle(self, claim: Claim, error: ImgcoreError) -> Outcome:
        """Write down how a task ended that was not done: rejected, refused, given up, or parked for later."""
        said = {"code": error.code, "message": error.message}
        tasks = self.tasks
        if isinstance(error, Rejected):
            return Outcome.REJECTED if tasks.reject(claim, **said) else Outcome.FENCED
        if isinstance(error, Blocked):
            return Outcome.BLOCKED if tasks.fail(claim, TaskStatus.BLOCKED, **said) else Outcome.FENCED
        waits_for_all = isinstance(error, RateLimited | Misconfigured)
        if error.permanent or (claim.attempts >= self.timing.max_attempts and not waits_for_all):
            return Outcome.FAILED if tasks.fail(claim, TaskStatus.FAILED, **said) else Outcome.FENCED
        delay = self._delay(claim, error)
        parked = tasks.park(claim, **said, delay=delay, refund=waits_for_all)
        return Outcome.PARKED if parked else Outcome.FENCED

    def _delay(self, claim: Claim, error: ImgcoreError) -> float:
        """Never earlier than told; otherwise full jitter, doubling from 20 s to 15 minutes."""
        if isinstance(error, Misconfigured):
            return MISCONFIGURED_SECONDS + self.rng()
        if error.retry_after is not None:
            return at_least(error.retry_after, self.rng())
        return full_jitter(claim.attempts, self.rng(), first=FIRST_RETRY_SECONDS, longest=LONGEST_RETRY_SECONDS)
