"""The sweep, run each minute: find what events missed, what is due and what has expired."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgcore.accounts.models import SECURITY_LOG_SECONDS
from imgcore.errors import ImgcoreError
from imgcore.gallery.keys import derived_keys, new_image_for_key
from imgcore.gallery.models import MISSING, TRASH_SECONDS, Image, TaskKind
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

UPGRADES = 100  # images a sweep that a model describes after the local describer
LIMIT = 500  # rows of each kind a sweep
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
        """Run one sweep and return its counts. It is safe to run at any time, also concurrently."""
        if moved := self.rows.repair_clock():
            logger.warning("The database's clock was set back: %d rows were waiting for a past time.", moved)
        exhausted = self.rows.fail_exhausted_tasks(max_attempts=self.timing.max_attempts)
        recovered, expired = self._recover()
        if self.spending is not None:
            self._release_paid(self.spending)
        if self.advance_campaigns is not None:
            self.advance_campaigns()
        wait = self._seconds_until_probe()
        upgraded = self._release_captions() if wait is None else 0
        redelivered = self._redeliver(wait)
        self.rows.index_unindexed(limit=LIMIT)
        self.rows.delete_old_security_events(older_than=SECURITY_LOG_SECONDS)
        self.rows.delete_ended_shares(older_than=ENDED_SHARE_SECONDS, limit=LIMIT)
        purged, notified = self._purge(), self.notify_owners()
        if self.deliver_webhooks is not None:
            self.deliver_webhooks()
        missing, repaired = self._check_stored_files()  # last: it raises where a bucket is away
        self.rows.record_sweep()
        self._end_batches()
        self._store_months()
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

    def _release_paid(self, spending: Spending) -> None:
        """Release what waits for a cap or for its owner's quota, where that is not reached any more."""
        if spending.reached_cap() is None:
            self.rows.release(CAPS, within=LOOK_AHEAD_SECONDS, limit=LIMIT)
        for owner_id in self.rows.waiting_owners(QUOTAS, within=LOOK_AHEAD_SECONDS):
            if spending.reached_quota(owner_id) is None:
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

    def _recover(self) -> tuple[int, int]:
        """Receive uploads whose event never arrived and expire unused forms; return both counts."""
        recovered = expired = 0
        lost_after = self.timing.lost_after
        for image in self.rows.uploads_without_event(
            lost_after=lost_after, again_after=lost_after, limit=LIMIT
        ):
            if (found := self.storage.find(image.image_key)) is not None:
                self.images.receive(found, new_image_for_key(found.key))
                for kind in TaskKind:
                    self.queues.send(kind, found.key)
                recovered += 1
            elif self.rows.expire(image.public_id):
                expired += 1
                if self.abort_parts is not None:
                    self.abort_parts(image)
        return recovered, expired

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

    def _check_stored_files(self) -> tuple[int, int]:
        """Look for the files of a few finished images, others each minute; return how many lack which.

        An image without its original fails, so that its card says so. Derived images are made again.
        """
        missing = repaired = 0
        for image in self.rows.processed_images(turn=int(self.clock() // 60), limit=CHECKED):
            if self.storage.find(image.image_key, version_id=image.version_id) is None:
                self.storage.ping()  # raises Unavailable where the bucket itself is away
                missing += self.rows.fail_missing(image.public_id, code=MISSING, message=MISSING_MESSAGE)
            elif not self.storage.has_derived(image.derived_keys):
                for kind in self.images.reopen(image.public_id, [TaskKind.THUMBNAIL], also_done=True):
                    self.queues.send(kind, image.image_key)
                    repaired += 1
        return missing, repaired

    def _purge(self) -> int:
        """Delete what was in the trash for 30 days, the objects before the row; return how many images."""
        purged = 0
        for image in self.rows.expired_trash(older_than=TRASH_SECONDS, limit=LIMIT):
            self.storage.remove([image.image_key], derived_keys(image.public_id))
            purged += self.rows.purge(image.public_id)
        return purged
