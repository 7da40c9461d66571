"""Process one task of one image: make its thumbnails, or describe it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from imgcore.backoff import at_least, exponential, full_jitter
from imgcore.errors import Blocked, ImgcoreError, Misconfigured, RateLimited, Rejected, Unavailable
from imgcore.gallery import embedded
from imgcore.gallery.keys import DISPLAY_SIDE, new_image_for_key
from imgcore.gallery.models import (
    MAX_BYTES,
    RAW_PREFIX,
    Description,
    Image,
    Picture,
    Source,
    TaskKind,
    TaskStatus,
)
from imgcore.gallery.ports import Storage
from imgcore.pipeline.context import context
from imgcore.pipeline.models import GEMINI_BREAKER, WAITING, Claim, ModelCall, ObjectCreated, RecordCall, Timing
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
PROBE_SECONDS = 30.0  # how long one caller has to show that the service works again
MISCONFIGURED_SECONDS = 300.0  # how often refused settings are tried again
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 20.0, 900.0
RATE_LIMIT_SECONDS = 60.0  # where the model does not name a time

RATE_LIMITED = "The captioning model is at its rate limit. The photo will be described automatically."
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
    SURPLUS = "surplus"  # a later version of a received key; the received one stays


@dataclass(frozen=True, slots=True)
class Processor:
    """Processes the tasks of images.

    captioner: None in the thumbnail function. standby: describes while the captioner's settings are refused;
    None lets the task wait. spending: the ledger, and the caps that paid calls stop at. hint: what all photos
    are about. uploads_bucket: events of other buckets are ignored; None accepts all. rng: random numbers of
    [0, 1) for the jitter of retries. sleep: waits that many seconds.
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
            return self._store(lambda: self._settle(claim, failure), deadline)
        except Exception:
            # A bug. The row shows it at once, and the queue's receive count leads to the dead-letter queue.
            self._settle(claim, ImgcoreError(INTERNAL))
            raise

    def _remove_surplus(self, created: ObjectCreated, kind: TaskKind) -> Outcome:
        """Delete a version that was uploaded with a form that had been used already.

        The event reaches both functions; the caption function alone may delete originals.
        """
        if kind is TaskKind.CAPTION and created.version_id is not None:
            self.storage.remove_version(created.key, created.version_id)
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
        captioner, probing = self._available_captioner()
        picture = self._load(claim, captioner.side)
        description = self._describe(
            captioner,
            picture,
            deadline - COMMIT_SECONDS,
            lambda call: self._record(image, call, deadline),
            context(image, picture.facts, self.hint),
        )
        if probing and description.source is captioner.source:
            self.breakers.close(GEMINI_BREAKER)
        own = embedded.description(picture.facts)
        committed = self._store(lambda: self.tasks.finish_caption(claim, description, own), deadline)
        return Outcome.DONE if committed else Outcome.FENCED

    def _available_captioner(self) -> tuple[Captioner, bool]:
        """Return the captioner to use now, and whether this call probes its circuit breaker.

        RateLimited while the breaker is open and nobody stands by, or a cap on spending is reached.
        """
        if self.captioner is None:
            raise Misconfigured("This function does not describe photos.")
        if self.captioner.source is not Source.GEMINI:
            return self.captioner, False
        if self.spending is not None and (cap := self.spending.reached_cap()) is not None:
            raise cap
        breaker = self.breakers.acquire(GEMINI_BREAKER, probe=PROBE_SECONDS)
        if breaker.closed:
            return self.captioner, breaker.probing
        if self.standby is None or breaker.reason in WAITING:
            raise RateLimited(breaker.message or RATE_LIMITED, code=breaker.reason, retry_after=breaker.wait)
        return self.standby, False

    def _describe(
        self, captioner: Captioner, picture: Picture, deadline: float, record: RecordCall, known: str
    ) -> Description:
        """Describe; open the circuit breaker where the model is rate-limited or refuses the settings."""
        try:
            return captioner.describe(picture, deadline=deadline, record=record, context=known)
        except RateLimited as error:
            self._open_breaker(error, error.retry_after or RATE_LIMIT_SECONDS)
            raise
        except Misconfigured as error:
            logger.error("The captioner is misconfigured: %s (%s)", error.message, error.code)
            self._open_breaker(error, MISCONFIGURED_SECONDS)
            if self.standby is None:
                raise
            return self.standby.describe(picture, deadline=deadline)

    def _record(self, image: Image, call: ModelCall, deadline: float) -> None:
        """Append an answered call of the model to the ledger."""
        if (spending := self.spending) is None:
            return
        entry = spending.entry(
            model=call.model,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            outcome=call.outcome,
            public_id=image.public_id,
            owner_id=image.owner_id,
            prompt_version=call.prompt_version,
        )
        self._store(lambda: spending.append(entry), deadline)

    def _open_breaker(self, error: ImgcoreError, wait: float) -> None:
        self.breakers.open(GEMINI_BREAKER, wait=wait, reason=error.code, message=error.message)

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

    def _settle(self, claim: Claim, error: ImgcoreError) -> Outcome:
        """Store how an unfinished task ended: rejected, blocked, failed, or parked for a retry."""
        reason = {"code": error.code, "message": error.message}
        tasks = self.tasks
        if isinstance(error, Rejected):
            return Outcome.REJECTED if tasks.reject(claim, **reason) else Outcome.FENCED
        if isinstance(error, Blocked):
            return Outcome.BLOCKED if tasks.fail(claim, TaskStatus.BLOCKED, **reason) else Outcome.FENCED
        not_its_fault = isinstance(error, RateLimited | Misconfigured)  # the attempt is refunded
        if error.permanent or (claim.attempts >= self.timing.max_attempts and not not_its_fault):
            return Outcome.FAILED if tasks.fail(claim, TaskStatus.FAILED, **reason) else Outcome.FENCED
        parked = tasks.park(claim, **reason, delay=self._delay(claim, error), refund=not_its_fault)
        return Outcome.PARKED if parked else Outcome.FENCED

    def _delay(self, claim: Claim, error: ImgcoreError) -> float:
        """Return the seconds until the retry: never less than the error names, else exponential with jitter."""
        if isinstance(error, Misconfigured):
            return MISCONFIGURED_SECONDS + self.rng()
        if error.retry_after is not None:
            return at_least(error.retry_after, self.rng())
        return full_jitter(claim.attempts, self.rng(), first=FIRST_RETRY_SECONDS, longest=LONGEST_RETRY_SECONDS)


def _is_surplus(image: Image, created: ObjectCreated) -> bool:
    """Return whether ``created`` is another version of the object than the one that was received."""
    return None not in (image.version_id, created.version_id) and image.version_id != created.version_id
