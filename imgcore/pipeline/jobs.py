"""Use cases of administrators: see what the queues and workers do, and retry what failed for one reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.gallery.models import TaskKind
from imgcore.gallery.ports import Queues
from imgcore.pipeline.maintenance_models import JobsOverview

if TYPE_CHECKING:
    from imgcore.db.jobs import JobRepository

AT_ONCE = 500  # tasks that one request retries


@dataclass(frozen=True, slots=True)
class Jobs:
    """The tasks of all images."""

    rows: JobRepository
    queues: Queues

    def overview(self) -> JobsOverview:
        """Return what is waiting, running, due later and failed."""
        return self.rows.overview()

    def retry(self, kind: TaskKind, error: str) -> int:
        """Queue up to 500 tasks again that failed for this reason; return how many.

        It may be interrupted at any point: a task that is pending without a message is sent by the sweep.
        """
        keys = self.rows.retry(kind, error, limit=AT_ONCE)
        for key in keys:
            self.queues.send(kind, key)
        return len(keys)
