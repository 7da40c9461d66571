"""Use cases of administrators: see what the queues and workers do, pause tasks, and retry failed ones."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imgcore.errors import ImgcoreError, Invalid
from imgcore.gallery.models import EVERYBODY, TaskKind, Viewer
from imgcore.gallery.ports import Queues
from imgcore.pipeline.maintenance_models import Activity, JobsOverview, Pause

if TYPE_CHECKING:
    from imgcore.db.jobs import JobRepository

logger = logging.getLogger(__name__)

AT_ONCE = 500  # tasks that one request retries
MOST_COUNTED = 100  # failed tasks

# MySQL compares without blanks at the end: to it, " " is the empty reason, which pauses the whole kind
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Jobs:
    """The tasks of all images. breaker: the name of the model's circuit breaker; None without a model."""

    rows: JobRepository
    queues: Queues
    breaker: str | None = None

    def overview(self) -> JobsOverview:
        """Return what is waiting, running, due later, failed and paused, and the counts of dead letters."""
        overview = self.rows.overview(self.breaker)
        try:
            return replace(overview, dead_letters=tuple(self.queues.dead_letters()))
        except ImgcoreError as error:
            logger.warning("The dead letters are not counted: %s", error)
            return overview

    def activity(self, viewer: Viewer) -> Activity:
        """Return what is under way or needs attention of the photos that the viewer may change."""
        return self.rows.activity(viewer)

    def failed(self, viewer: Viewer) -> int:
        """Return how many tasks of these photos have failed; MOST_COUNTED stands for that many or more."""
        return self.rows.failed(viewer, MOST_COUNTED)

    def pause(self, kind: TaskKind, reason: str | None = None, *, account: str | None = None) -> None:
        """Let no worker claim tasks of a kind until they are resumed; what runs is finished.

        reason: only its retries with this error code. account: the name of the administrator. Raises Invalid.
        """
        _check(reason)
        self.rows.pause(kind, reason, account)

    def resume(self, kind: TaskKind, reason: str | None = None) -> bool:
        """End a pause; False where there was none. The sweep queues what has waited, 500 tasks a minute.

        Raises Invalid for a reason that is not an error code.
        """
        _check(reason)
        return self.rows.resume(kind, reason)

    def pauses(self) -> Sequence[Pause]:
        """Return the pauses, by kind and reason."""
        return self.rows.pauses()

    def retry(self, kind: TaskKind, error: str, viewer: Viewer = EVERYBODY) -> int:
        """Queue up to 500 tasks again that failed for this reason; return how many.

        viewer: whose rights decide which photos are changed.

        It may be interrupted at any point: a task that is pending without a message is sent by the sweep.
        Raises Invalid for a reason that is not an error code.
        """
        _check(error)
        keys = self.rows.retry(kind, error, limit=AT_ONCE, viewer=viewer)
        for key in keys:
            self.queues.send(kind, key)
        return len(keys)


def _check(code: str | None) -> None:
    if code is not None and _CODE.fullmatch(code) is None:
        raise Invalid("reason is the code of an error: 1 to 64 of a-z, 0-9 and _.", code="reason")
