"""Process one task of one image: make its thumbnails, or describe it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from imgcore.backoff import at_least, exponential, full_jitter
from imgcore.errors import Blocked, ImgcoreError, Misconfigured, RateLimited, Rejected, Unavailable
from imgcore.gallery import embedded
from imgcore.gallery.keys import DISPLAY_SIDE, new_image_for_key
from imgcore.gallery.models import (
    MAX_BYTES,
    RAW_PREFIX,
    Image,
    Picture,
    TaskKind,
    TaskStatus,
)
from imgcore.gallery.ports import Storage
from imgcore.pipeline.context import context
from imgcore.pipeline.guard import MISCONFIGURED_SECONDS, CaptionWaits, LedgerUnavailable, ModelGuard
from imgcore.pipeline.models import Claim, ModelCall, ObjectCreated, Timing
from imgcore.pipeline.ports import Captioner, Decode, Render

if TYPE_CHECKING:
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.images import ImageRepository
    from imgcore.db.tasks import TaskRepository
    from imgcore.spending.service import Spending

T = TypeVar("T")

logger = logging.getLogger(__name__)

COMMIT_SECONDS = 5.0  # kept back from the deadline to store the result
STORE_SECONDS = 20.0  # how long a result is offered to a database that is away
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 20.0, 900.0
STORAGE_AWAY = ("storage", "storage_refused")  # codes of Unavailable
STORAGE_AWAY_SECONDS = 86_400.0  # since the upload, for which a photo waits for a bucket that is away
SPREAD, LONGEST_SPREAD_SECONDS = 0.1, 60.0  # of a wait, so that not all that waits becomes due at once

INTERNAL = "An internal error occurred. The task will be retried."


class Outcome(StrEnum):
    """The result of one delivery. Each is acknowledged; only an exception leads to another delivery."""

    DONE = "done"
    PARKED = "parked"  # a retry is scheduled in the database
    FAILED = "failed"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    IDLE = "idle"  # nothing to do: done already, claimed by another worker, not due, deleted
    FENCED = "fenced"  # another worker owns the task by now; the result was dropped
    IGNORED = "ignored"  # not an upload of this gallery
    SURPLUS = "surplus"  # a later version of a received key, which stays, or an object of a purged image


@dataclass(frozen=True, slots=True)
class Processor:
    """Processes the tasks of images.

    captioner: None in the thumbnail function. standby: describes provisionally while the captioner is away or
    refuses the settings. spending: the ledger, and the caps that paid calls stop at. hint: what all
    photos are about. uploads_bucket: events of other buckets are ignored; None accepts all. rng: random
    numbers of [0, 1) for the jitter of retries. sleep: waits that many seconds.
    """

    images: ImageRepository
    tasks: TaskRepository
    breakers: CircuitBreakers
    storage: Storage
    decode: Decode
    render: Render
    captioner: Captioner | None = None
    standby: Captioner | None = None
    uploads_bucket: str | None = None
    thumbnail_fit: str = "crop"
    max_bytes: int = MAX_BYTES
    timing: Timing = field(default_factory=Timing)
    spending: Spending | None = None
    hint: str | None = None
    rng: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep

    def process(self, created: ObjectCreated, kind: TaskKind, *, deadline: float) -> Outcome:
        """Do the task ``kind`` of the image that ``created`` announces, unless it is done or claimed already.

        deadline: a time of time.monotonic(). Unavailable where the database is away: the caller must let the
        event be delivered again.
        """
        if self.uploads_bucket not in (None, created.bucket) or not created.key.startswith(RAW_PREFIX):
            return Outcome.IGNORED
        image = self.images.receive(created, new_image_for_key(created.key))
        if image is None:
            return self._hide_late(created, kind)
        if _is_surplus(image, created):
            return self._remove_surplus(created, kind)
        claim = self.tasks.claim(
            created.key, kind, lease=self.timing.lease(kind), max_attempts=self.timing.max_attempts
        )
        if claim is None:
            return Outcome.IDLE
        try:
            if kind is TaskKind.THUMBNAIL:
                return self._make_thumbnails(claim, deadline)
            return self._caption(claim, image, deadline)
        except ImgcoreError as error:
            failure = error  # Python deletes ``error`` at the end of this block
            return self._store(lambda: self._settle(claim, image, failure), deadline)
        except Exception:
            # A bug. The row shows it at once, and the queue's receive count leads to the dead-letter queue.
            self._settle(claim, image, ImgcoreError(INTERNAL))
            raise

    def _remove_surplus(self, created: ObjectCreated, kind: TaskKind) -> Outcome:
        """Delete a version that was uploaded with a form that had been used already.

        The event reaches both functions; the caption function alone may delete originals.
        """
        if kind is TaskKind.CAPTION and created.version_id is not None:
            self.storage.remove_version(created.key, created.version_id)
        return Outcome.SURPLUS

    def _hide_late(self, created: ObjectCreated, kind: TaskKind) -> Outcome:
        """Delete the file of an image that was purged, but not its versions.

        A database that was restored to an earlier moment knows no later images either.
        """
        if kind is TaskKind.CAPTION:
            self.storage.hide(created.key)
        return Outcome.SURPLUS

    def _load(self, claim: Claim, side: int) -> Picture:
        stored = self.storage.read(claim.image_key, max_bytes=self.max_bytes, version_id=claim.version_id)
        return self.decode(stored.data, max_side=side, max_bytes=self.max_bytes)

    def _make_thumbnails(self, claim: Claim, deadline: float) -> Outcome:
        picture = self._load(claim, DISPLAY_SIDE)
        renditions = self.render(picture, claim.public_id, fit=self.thumbnail_fit)
        for rendition in renditions.all():
            self.storage.write(rendition.key, rendition.data, rendition.media_type)
        committed = self._store(lambda: self.tasks.finish_thumbnail(claim, picture.facts, renditions), deadline)
        return Outcome.DONE if committed else Outcome.FENCED

    def _caption(self, claim: Claim, image: Image, deadline: float) -> Outcome:
        if self.captioner is None:
            raise Misconfigured("This function does not describe photos.")
        recorders = (partial(self._record, about, deadline) for about in (image, None))
        calls = ModelGuard(self.captioner, self.breakers, self.spending, *recorders)
        picture: Picture | None = None
        try:
            calls.check(deadline, image.owner_id)
            picture = self._load(claim, self.captioner.side)
            description = calls.describe(
                picture, deadline - COMMIT_SECONDS, context(image, picture.facts, self.hint)
            )
        except CaptionWaits as waits:
            return self._wait(claim, image, picture, waits, deadline)
        own = embedded.description(picture.facts)
        committed = self._store(lambda: self.tasks.finish_caption(claim, description, own), deadline)
        return Outcome.DONE if committed else Outcome.FENCED

    def _wait(
        self, claim: Claim, image: Image, picture: Picture | None, waits: CaptionWaits, deadline: float
    ) -> Outcome:
        """Park the caption without using an attempt; an image without words gets a provisional description."""
        words = own = None
        if self.standby is not None and image.source is None:
            picture = picture or self._load(claim, self.standby.side)
            own = embedded.description(picture.facts)
            try:
                words = self.standby.describe(picture, deadline=deadline - COMMIT_SECONDS)
            except ImgcoreError as error:
                logger.warning("No provisional description: %s", error.message)
        parked = self._store(
            lambda: self.tasks.park(
                claim,
                code=waits.error.code,
                message=waits.error.message,
                delay=waits.wait + min(SPREAD * waits.wait, LONGEST_SPREAD_SECONDS) * self.rng(),
                refund=True,
                provisional=words,
                own=own,
            ),
            deadline,
        )
        return Outcome.PARKED if parked else Outcome.FENCED

    def _record(self, image: Image | None, deadline: float, call: ModelCall) -> None:
        """Record a call of the model in the ledger, before it is made and when its fate is known.

        image: None for a probe, for which no account pays.
        """
        if (spending := self.spending) is None:
            return
        public_id, owner_id = (image.public_id, image.owner_id) if image else (None, None)
        try:
            self._store(lambda: spending.record(call, public_id=public_id, owner_id=owner_id), deadline)
        except Unavailable as error:
            raise LedgerUnavailable(error.message) from error

    def _store(self, write: Callable[[], T], deadline: float) -> T:
        """Return the result of ``write``, called again while the database is unavailable.

        Otherwise an outage of seconds would cost the work, and the task would wait for the end of its lease.
        ``write`` is fenced, so it may run again after it was committed and its acknowledgement was lost.
        """
        give_up = min(deadline, time.monotonic() + STORE_SECONDS)
        attempt = 0
        while True:
            attempt += 1
            try:
                return write()
            except Unavailable:
                wait = exponential(attempt, first=0.25, longest=4.0)
                if time.monotonic() + wait >= give_up:
                    raise
            self.sleep(wait)

    def _settle(self, claim: Claim, image: Image, error: ImgcoreError) -> Outcome:
        """Store how an unfinished task ended: rejected, blocked, failed, or parked for a retry."""
        reason: dict[str, Any] = {"code": error.code, "message": error.message}
        tasks = self.tasks
        if isinstance(error, Rejected):
            return Outcome.REJECTED if tasks.reject(claim, **reason) else Outcome.FENCED
        if isinstance(error, Blocked):
            return Outcome.BLOCKED if tasks.fail(claim, TaskStatus.BLOCKED, **reason) else Outcome.FENCED
        last = claim.attempts >= self.timing.max_attempts
        # Attempts while the bucket is away make its pauses longer, but do not end the task
        refund = isinstance(error, RateLimited | Misconfigured) or (last and _waits_for_storage(image, error))
        if error.permanent or (last and not refund):
            return Outcome.FAILED if tasks.fail(claim, TaskStatus.FAILED, **reason) else Outcome.FENCED
        parked = tasks.park(claim, **reason, delay=self._delay(claim, error), refund=refund)
        return Outcome.PARKED if parked else Outcome.FENCED

    def _delay(self, claim: Claim, error: ImgcoreError) -> float:
        """Return the seconds until the retry: never less than the error names, else exponential with jitter."""
        if isinstance(error, Misconfigured):
            return MISCONFIGURED_SECONDS + self.rng()
        if error.retry_after is not None:
            return at_least(error.retry_after, self.rng())
        return full_jitter(claim.attempts, self.rng(), first=FIRST_RETRY_SECONDS, longest=LONGEST_RETRY_SECONDS)


def _waits_for_storage(image: Image, error: ImgcoreError) -> bool:
    """Return whether the bucket may be away, not this object alone: the first day after the upload."""
    age = datetime.now(UTC) - image.uploaded_at
    return error.code in STORAGE_AWAY and age.total_seconds() < STORAGE_AWAY_SECONDS


def _is_surplus(image: Image, created: ObjectCreated) -> bool:
    """Return whether ``created`` is another version of the object than the one that was received."""
    return None not in (image.version_id, created.version_id) and image.version_id != created.version_id
