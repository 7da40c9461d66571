"""The sweep, run each minute: find what events missed, what is due and what has expired."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from imgcore.accounts.models import SECURITY_LOG_SECONDS
from imgcore.errors import ImgcoreError
from imgcore.gallery.keys import derived_keys
from imgcore.gallery.models import MISSING, TRASH_SECONDS, Image, TaskKind, UploadStatus
from imgcore.gallery.ports import Queues, Storage
from imgcore.pipeline.maintenance_models import SweepReport
from imgcore.pipeline.models import BREAKER_CODES, Timing
from imgcore.spending.models import CAPS, QUOTAS

if TYPE_CHECKING:
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.images import ImageRepository
    from imgcore.db.sweep import SweepRepository
    from imgcore.spending.service import Spending

logger = logging.getLogger(__name__)

T = TypeVar("T")
U = TypeVar("U")

UPGRADES = 100  # images a sweep that a model describes after the local describer
LIMIT = 500  # rows of each kind a sweep
CLAIMED = 10  # uploads without an event that are claimed at once
STORAGE_SECONDS = 30.0  # a sweep for the steps with calls of the storage: its function ends after two minutes
PURGE_AGAIN_SECONDS = 3600.0  # until a photo whose files could not be deleted is tried again
CHECKED = 10  # images a sweep whose stored files are looked for
MISSING_MESSAGE = "The stored file of this photo has vanished. Upload the photo again."
ENDED_SHARE_SECONDS = 90 * 86_400.0  # how long links that have ended are listed
LOOK_AHEAD_SECONDS = 60.0  # until the next sweep: tasks due by then are queued now, with a delay


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Repairs what lost events and crashed workers leave behind.

    breaker: the name of the model's circuit breaker; None without a model. upgrade: whether the model describes
    images again that hold words of the local describer.
    """

    images: ImageRepository
    rows: SweepRepository
    storage: Storage
    queues: Queues
    notify_owners: Callable[[], int]  # Notifier.notify_owners
    timing: Timing = field(default_factory=Timing)
    clock: Callable[[], float] = time.time
    spending: Spending | None = None
    advance_campaigns: Callable[[], int] | None = None  # Campaigns.advance
    end_batches: Callable[[], None] | None = None  # Batches.end_cancelled
    breakers: CircuitBreakers | None = None
    breaker: str | None = None
    upgrade: bool = False
    abort_parts: Callable[[Image], None] | None = None  # PartUploads.abort
    deliver_webhooks: Callable[[], int] | None = None  # Deliverer.deliver

    def sweep(self) -> SweepReport:
        """Run one sweep and return its counts. It is safe to run at any time, also concurrently.

        A step or a photo that fails keeps no other from its turn; the first error is raised at the end. Where
        the database does not answer, the sweep ends at once.
        """
        if moved := self.rows.repair_clock():
            logger.warning("The database's clock was set back: %d rows were waiting for a past time.", moved)
        run = _Run(self.rows, self.clock)
        attempts = self.timing.max_attempts
        exhausted = run.step(lambda: self.rows.fail_exhausted_tasks(max_attempts=attempts), 0)
        recovered, expired = run.step(lambda: self._recover(run), (0, 0))
        run.step(self._release_paid, None)
        if self.advance_campaigns is not None:
            run.step(self.advance_campaigns, 0)
        wait = run.step(self._seconds_until_probe, LOOK_AHEAD_SECONDS)
        upgraded = run.step(self._release_captions, 0) if wait is None else 0
        redelivered = run.step(lambda: self._redeliver(wait), 0)
        run.step(lambda: self.rows.index_unindexed(limit=LIMIT), 0)
        run.step(lambda: self.rows.delete_old_security_events(older_than=SECURITY_LOG_SECONDS), 0)
        run.step(lambda: self.rows.delete_ended_shares(older_than=ENDED_SHARE_SECONDS, limit=LIMIT), 0)
        purged, notified = run.step(lambda: self._purge(run), 0), run.step(self.notify_owners, 0)
        if self.deliver_webhooks is not None:
            run.step(self.deliver_webhooks, 0)
        missing, repaired = run.step(lambda: self._check_stored_files(run), (0, 0))
        if not run.errors:
            run.step(self.rows.record_sweep, None)
        run.step(self._end_batches, None)
        run.step(self._store_months, None)
        if run.errors:
            raise run.errors[0]
        return SweepReport(
            redelivered=redelivered,
            recovered=recovered,
            expired=expired,
            exhausted=exhausted,
            upgraded=upgraded,
            purged=purged,
            missing=missing,
            repaired=repaired,
            notified=notified,
        )

    def _end_batches(self) -> None:
        """Cancel the batches of cancelled campaigns; where the model is away, the next sweep does."""
        if self.end_batches is None:
            return
        try:
            self.end_batches()
        except ImgcoreError as error:
            logger.warning("Batches of a cancelled campaign are still open: %s (%s)", error.message, error.code)

    def _store_months(self) -> None:
        """Store the sums of months that are over. They save time only: the next sweep tries again."""
        if self.spending is None:
            return
        try:
            self.spending.store_months()
        except ImgcoreError as error:
            logger.warning("The sums of a month were not stored: %s (%s)", error.message, error.code)

    def _release_paid(self) -> None:
        """Release what waits for a cap or for its owner's quota, where that is not reached any more."""
        if self.spending is None:
            return
        if self.spending.reached_cap() is None:
            self.rows.release(CAPS, within=LOOK_AHEAD_SECONDS, limit=LIMIT)
        for owner_id in self.rows.waiting_owners(QUOTAS, within=LOOK_AHEAD_SECONDS):
            if self.spending.reached_quota(owner_id) is None:
                self.rows.release(QUOTAS, within=LOOK_AHEAD_SECONDS, limit=LIMIT, owner_id=owner_id)

    def _seconds_until_probe(self) -> float | None:
        """Return the seconds until a worker probes the model that is away; None while its breaker is closed."""
        if self.breaker is None or self.breakers is None:
            return None
        state = self.breakers.state(self.breaker)
        return None if state.reason is None else state.wait

    def _release_captions(self) -> int:
        """Release what waits for a model that works again; queue and count what was described without one."""
        self.rows.release(BREAKER_CODES, within=LOOK_AHEAD_SECONDS, limit=LIMIT)
        if not self.upgrade or self.rows.is_paused(TaskKind.CAPTION):
            return 0
        if self.spending is not None and self.spending.reached_cap() is not None:
            return 0
        reopened = self.rows.reopen_local(limit=UPGRADES)
        for task in reopened:
            self.queues.send(task.kind, task.image_key)
        return len(reopened)

    def _recover(self, run: _Run) -> tuple[int, int]:
        """Receive uploads whose event never arrived and expire unused forms; return both counts."""
        recovered = expired = 0
        lost_after = self.timing.lost_after
        for _ in range(LIMIT // CLAIMED):  # few at once: the next sweep leaves out what this one has claimed
            images = self.rows.uploads_without_event(
                lost_after=lost_after, again_after=lost_after, limit=CLAIMED
            )
            for status in run.each(images, self._recover_one, keep=STORAGE_SECONDS / 2):
                recovered += status is UploadStatus.RECEIVED
                expired += status is UploadStatus.EXPIRED
            if len(images) < CLAIMED or run.left <= STORAGE_SECONDS / 2:
                break
        return recovered, expired

    def _recover_one(self, image: Image) -> UploadStatus:
        """Receive or expire one upload; return its status."""
        if (found := self.storage.find(image.image_key)) is not None:
            self.images.receive(found, None)
            if image.deleted_at is None:  # else they are queued when it is restored
                for kind in TaskKind:
                    self.queues.send(kind, found.key)
            return UploadStatus.RECEIVED
        if self.rows.has_expired(image.public_id):
            if self.abort_parts is not None:
                self.abort_parts(image)  # first: an expired upload is not looked at again
            if self.rows.expire(image.public_id):
                return UploadStatus.EXPIRED
        return UploadStatus.AWAITING

    def _redeliver(self, wait: float | None) -> int:
        """Queue the tasks that are due, crashed or were never delivered; return how many.

        wait: seconds until the probe of a model that is away. Of what waits for it only one is queued, for that
        time: it probes for all.
        """
        age = self.timing.lost_after
        due = self.rows.due_tasks(
            within=LOOK_AHEAD_SECONDS,
            lost_after=age,
            again_after=age,
            limit=LIMIT,
            held=() if wait is None else BREAKER_CODES,
            held_for=wait or 0.0,
        )
        for task in due:
            self.queues.send(task.kind, task.image_key, task.delay)
        return len(due)

    def _check_stored_files(self, run: _Run) -> tuple[int, int]:
        """Look for the files of a few finished images, others each minute; return how many lack which."""
        images = self.rows.processed_images(turn=int(self.clock() // 60), limit=CHECKED)
        counts = list(run.each(images, self._check_one))
        return sum(missing for missing, _ in counts), sum(repaired for _, repaired in counts)

    def _check_one(self, image: Image) -> tuple[int, int]:
        """Fail an image without its original, so that its card says so; make derived images again."""
        missing = repaired = 0
        if self.storage.find(image.image_key, version_id=image.version_id) is None:
            self.storage.ping()  # raises Unavailable where the bucket itself is away
            missing += self.rows.fail_missing(image.public_id, code=MISSING, message=MISSING_MESSAGE)
        elif not self.storage.has_derived(image.derived_keys):
            for kind in self.images.reopen(image.public_id, [TaskKind.THUMBNAIL], also_done=True):
                self.queues.send(kind, image.image_key)
                repaired += 1
        return missing, repaired

    def _purge(self, run: _Run) -> int:
        """Delete what was in the trash for 30 days; return how many images."""
        images = self.rows.expired_trash(older_than=TRASH_SECONDS, again_after=PURGE_AGAIN_SECONDS, limit=LIMIT)
        return sum(run.each(images, self._purge_one, keep=STORAGE_SECONDS / 6))

    def _purge_one(self, image: Image) -> bool:
        """Delete an image's objects, then its row. One that fails leaves its place to younger ones."""
        try:
            self.storage.remove([image.image_key], derived_keys(image.public_id))
            return self.rows.purge(image.public_id)
        except Exception:
            self.rows.postpone_purge(image.public_id)
            raise


class _Run:
    """What one sweep has used and met.

    errors: those of its steps and photos. left: seconds for the storage.
    """

    def __init__(self, rows: SweepRepository, clock: Callable[[], float]) -> None:
        self.errors: list[Exception] = []
        self.left = STORAGE_SECONDS
        self._rows = rows
        self._clock = clock
        self._away: Exception | None = None

    def step(self, work: Callable[[], T], otherwise: U) -> T | U:
        """Return the result of ``work``, or ``otherwise`` where it fails."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - it is logged, and raised at the end
            self._keep("A step of the sweep", error)
            return otherwise

    def each(self, images: Sequence[Image], work: Callable[[Image], T], *, keep: float = 0.0) -> Iterator[T]:
        """Yield what ``work`` returns for the images that do not fail, until only ``keep`` seconds are left."""
        for image in images:
            if self.left <= keep:
                logger.info("No time is left in this sweep for photo %s and later ones.", image.public_id)
                return
            begun = self._clock()
            try:
                yield work(image)
            except Exception as error:  # noqa: BLE001 - it is logged, and raised at the end
                self._keep(f"The sweep's work on photo {image.public_id}", error)
            self.left -= self._clock() - begun

    def _keep(self, what: str, error: Exception) -> None:
        """Log the error and keep it; raise where the database does not answer: nothing can go on then."""
        if error is self._away:
            raise error
        bug = None if isinstance(error, ImgcoreError) else error
        logger.warning("%s failed: %s", what, error, exc_info=bug)
        self.errors.append(error)
        try:
            self._rows.ping()
        except Exception as away:
            self._away = away
            raise
