"""The sweep, run each minute: find what events missed, what is due and what has expired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgcore.gallery.keys import derived_keys, new_image_for_key
from imgcore.gallery.models import TRASH_SECONDS, TaskKind
from imgcore.gallery.ports import Queues, Storage
from imgcore.pipeline.models import SweepReport, Timing
from imgcore.spending.models import CAPS

if TYPE_CHECKING:
    from imgcore.db.images import ImageRepository
    from imgcore.db.sweep import SweepRepository
    from imgcore.spending.service import Spending

LIMIT = 500  # rows of each kind a sweep
LOOK_AHEAD_SECONDS = 60.0  # until the next sweep: tasks due by then are queued now, with a delay


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Repairs what lost events and crashed workers leave behind."""

    images: ImageRepository
    rows: SweepRepository
    storage: Storage
    queues: Queues
    notify_owners: Callable[[], int]  # Notifier.notify_owners
    timing: Timing = field(default_factory=Timing)
    spending: Spending | None = None

    def sweep(self) -> SweepReport:
        """Run one sweep and return its counts. It is safe to run at any time, also concurrently."""
        exhausted = self.rows.fail_exhausted_tasks(max_attempts=self.timing.max_attempts)
        recovered, expired = self._recover()
        if self.spending is not None and self.spending.reached_cap() is None:
            self.rows.release(CAPS, within=LOOK_AHEAD_SECONDS, limit=LIMIT)
        redelivered = self._redeliver()
        return SweepReport(
            redelivered=redelivered,
            recovered=recovered,
            expired=expired,
            exhausted=exhausted,
            purged=self._purge(),
            notified=self.notify_owners(),
        )

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
        return recovered, expired

    def _redeliver(self) -> int:
        """Queue the tasks that are due, crashed or were never delivered; return how many."""
        age = self.timing.lost_after
        due = self.rows.due_tasks(within=LOOK_AHEAD_SECONDS, lost_after=age, again_after=age, limit=LIMIT)
        for task in due:
            self.queues.send(task.kind, task.image_key, task.delay)
        return len(due)

    def _purge(self) -> int:
        """Delete what was in the trash for 30 days, the objects before the row; return how many images."""
        purged = 0
        for image in self.rows.expired_trash(older_than=TRASH_SECONDS, limit=LIMIT):
            self.storage.remove([image.image_key], derived_keys(image.public_id))
            purged += self.rows.purge(image.public_id)
        return purged
