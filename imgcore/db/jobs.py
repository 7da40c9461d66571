"""What the queues and workers do at the moment, for administrators, who pause tasks and retry failed ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from imgcore.db.changes import read_batches
from imgcore.db.circuit_breaker import open_until, read_breakers
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import Row, moment
from imgcore.db.pauses import is_paused, pause, read_pauses, resume
from imgcore.db.places import SHOWN
from imgcore.db.statements import sql
from imgcore.db.tasks import reset_task
from imgcore.gallery.changes import BatchCounts
from imgcore.gallery.models import EVERYBODY, TaskKind, TaskStatus, Viewer
from imgcore.pipeline.maintenance_models import Activity, JobGroup, JobsOverview, Pause
from imgcore.pipeline.models import next_attempt

_GROUPS = 50  # reasons that are shown at most

# Tasks of images that were received and are not in the trash
_OF_IMAGES = sql("FROM tasks t JOIN images i ON i.id = t.image_id WHERE {shown} AND {condition}", shown=SHOWN)
_COUNTS = "SELECT t.kind, t.status, COUNT(*) AS n {tasks} GROUP BY t.kind, t.status"
_REASONS = (
    "SELECT t.kind, t.status, t.error, COUNT(*) AS n, MAX(t.message) AS message, {at} AS at {tasks}"
    " GROUP BY t.kind, t.status, t.error ORDER BY n DESC, t.kind, t.error LIMIT :limit"
)
# The batches of the newest uploads, the newest first. The inner query reads its index alone: for more columns
# MySQL would read all photos of a small gallery
_NEWEST_BATCHES = (
    "SELECT i.batch_id, MAX(i.id) AS newest FROM"
    " (SELECT listed_id FROM images WHERE {owner} AND listed_id IS NOT NULL"
    " ORDER BY listed_id DESC LIMIT 1000) page"
    " {then_join} images i ON i.id = page.listed_id"
    " WHERE i.batch_id IS NOT NULL GROUP BY i.batch_id ORDER BY newest DESC LIMIT 10"
)
_FAILED = "t.status IN ('failed', 'blocked')"


class JobRepository(Repository):
    """Reads of all tasks, and the retry of those that failed for one reason."""

    def overview(self, breaker: str | None = None) -> JobsOverview:
        """Return the counts of tasks by state, the retries and failures by reason, and the circuit breakers.

        breaker: the name of the model's, whose next probe captions wait for; None without a model.
        """

        def work(tx: Transaction) -> JobsOverview:
            sweep = tx.row("SELECT finished_at FROM sweeps WHERE name = 'last'")
            return JobsOverview(
                counts=tuple(_group(row) for row in _rows(tx, _COUNTS, "1 = 1")),
                retries=_retries(tx, open_until(tx, breaker) if breaker is not None else None),
                failures=_reasons(tx, _FAILED, "MAX(t.finished_at)"),
                breakers=tuple(read_breakers(tx)),
                last_sweep=moment(sweep["finished_at"]) if sweep else None,
                pauses=read_pauses(tx),
            )

        return self._database.read_heavy(work)

    def activity(self, viewer: Viewer) -> Activity:
        """Return the failures of photos that the viewer may change, and the viewer's newest batches."""

        def work(tx: Transaction) -> Activity:
            return Activity(
                failures=_reasons(
                    tx, f"{_FAILED} AND {_changed_by(viewer)}", "MAX(t.finished_at)", **_account(viewer)
                ),
                batches=_newest_batches(tx, viewer),
                breakers=tuple(found for found in read_breakers(tx) if found.reason is not None),
            )

        return self._database.read_heavy(work)

    def failed(self, viewer: Viewer, most: int) -> int:
        """Return how many tasks of photos that the viewer may change have failed; no more than ``most``."""
        condition = f"{_FAILED} AND {_changed_by(viewer)}"
        statement = sql(
            "SELECT COUNT(*) AS n FROM (SELECT 1 {tasks} LIMIT :most) candidates",
            tasks=sql(_OF_IMAGES, condition=condition),
        )
        found = self._database.read(lambda tx: tx.rows(statement, most=most, **_account(viewer)))
        return int(found[0]["n"])

    def pause(self, kind: TaskKind, reason: str | None, account: str | None) -> None:
        """Let no worker claim tasks of a kind, or its retries with this error, until ``resume``."""
        self._database.run(lambda tx: pause(tx, kind, reason, account))

    def resume(self, kind: TaskKind, reason: str | None) -> bool:
        """End a pause; False where there was none. The next sweeps queue what is due."""
        return self._database.run(lambda tx: resume(tx, kind, reason))

    def pauses(self) -> Sequence[Pause]:
        """Return the pauses, by kind and reason."""
        return self._database.read(read_pauses)

    def is_paused(self, kind: TaskKind) -> bool:
        """Return whether all tasks of a kind are paused."""
        return self._database.read(lambda tx: is_paused(tx, kind))

    def retry(self, kind: TaskKind, error: str, *, limit: int, viewer: Viewer = EVERYBODY) -> Sequence[str]:
        """Make up to ``limit`` tasks that failed for this reason pending again; return the images' keys.

        viewer: whose rights decide which images are changed.
        """
        # CASE, because SQLite prefers all photos of the account to the failed tasks
        condition = (
            "{failed} AND t.kind = :kind AND t.error = :error AND CASE WHEN {changed} THEN 1 ELSE 0 END = 1"
        )
        find = sql(
            "SELECT i.id {tasks} ORDER BY i.id LIMIT :limit",
            tasks=sql(_OF_IMAGES, condition=sql(condition, failed=_FAILED, changed=_changed_by(viewer))),
        )
        asked = {"kind": kind.value, "error": error, "limit": limit} | _account(viewer)
        lock = (
            "SELECT image_key FROM images WHERE id = :image_id AND deleted_at IS NULL"
            " AND upload_status = 'received' {for_update}"
        )

        def reopen(image_id: int) -> str | None:
            def work(tx: Transaction) -> str | None:
                row = tx.row(lock, image_id=image_id)
                if row is None or not reset_task(tx, image_id, kind, ("failed", "blocked")):
                    return None
                return str(row["image_key"])

            return self._database.run(work)

        rows = self._database.read(lambda tx: tx.rows(find, **asked))
        return [key for row in rows if (key := reopen(row["id"])) is not None]


def _rows(tx: Transaction, statement: str, condition: str, **values: Any) -> list[Row]:
    return tx.rows(sql(statement, tasks=sql(_OF_IMAGES, condition=condition)), **values)


def _reasons(tx: Transaction, condition: str, at: str, **values: Any) -> tuple[JobGroup, ...]:
    rows = _rows(tx, sql(_REASONS, at=at), condition, limit=_GROUPS, **values)
    return tuple(_group(row) for row in rows)


def _retries(tx: Transaction, probe_at: datetime | None) -> tuple[JobGroup, ...]:
    found = _reasons(tx, "t.status = 'retry'", "MIN(t.next_at)")
    return tuple(
        replace(group, at=next_attempt(group.kind, group.error, group.at, probe_at)) for group in found
    )


def _changed_by(viewer: Viewer) -> str:
    return "1 = 1" if viewer.changes_others else "i.owner_id = :viewer_id"


def _account(viewer: Viewer) -> dict[str, Any]:
    return {} if viewer.changes_others else {"viewer_id": viewer.account_id}


def _newest_batches(tx: Transaction, viewer: Viewer) -> tuple[BatchCounts, ...]:
    nobody = viewer.account_id is None
    statement = sql(_NEWEST_BATCHES, owner="owner_id IS NULL" if nobody else "owner_id = :owner")
    rows = tx.rows(statement, **({} if nobody else {"owner": viewer.account_id}))
    wanted = [str(row["batch_id"]) for row in rows]
    counts = read_batches(tx, wanted)
    return tuple(counts[key] for batch in wanted if (key := (viewer.account_id, batch)) in counts)


def _group(row: Row) -> JobGroup:
    return JobGroup(
        TaskKind(row["kind"]),
        TaskStatus(row["status"]),
        row["n"],
        row.get("error"),
        row.get("message"),
        moment(row["at"]) if row.get("at") else None,
    )
