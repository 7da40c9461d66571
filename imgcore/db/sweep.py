"""What the sweeper looks for: due tasks, uploads whose S3 event never arrived, and the trash.

Candidates are found without a lock. Each is then taken by a statement that repeats the condition, in the order
of the primary key: two sweepers never take the same row, and neither waits long for a worker. Owners are served
in turn: one who has thousands of candidates does not delay the first of another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from imgcore.db.campaigns import IN_NO_CAMPAIGN
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import SELECT, Row, image_by_id, images, in_list, micros, moment
from imgcore.db.pauses import is_paused, not_paused
from imgcore.db.statements import sql
from imgcore.db.tasks import fail_crashed_task, reset_task, tell_webhooks
from imgcore.db.waiting import release, waiting
from imgcore.db.word_index import index_unindexed
from imgcore.gallery.models import Image, TaskKind, TaskStatus
from imgcore.pipeline.maintenance_models import DueTask

_GRACE = 300.0  # seconds after the form expired in which an upload that began before may end

_IS_DUE = (
    "((t.status = 'retry' AND t.next_at <= {later:within})"
    " OR (t.status = 'processing' AND t.lease_until <= {now})"
    " OR (t.status = 'pending' AND t.next_at <= {ago:lost_after}))"
    " AND (t.dispatched_at IS NULL OR t.dispatched_at <= {ago:again_after})"
)
_DUE_TASKS = sql(
    "SELECT image_id, kind, status, next_at, public_id, image_key, clock FROM"
    " (SELECT t.image_id, t.kind, t.status, t.next_at, i.public_id, i.image_key, {now} AS clock,"
    " ROW_NUMBER() OVER (PARTITION BY i.owner_id ORDER BY t.dispatched_at, t.image_id, t.kind) AS turn"
    " FROM tasks t JOIN images i ON i.id = t.image_id"
    " WHERE t.status IN ('pending', 'retry', 'processing') AND i.upload_status = 'received'"
    " AND i.deleted_at IS NULL AND {is_due} AND {not_paused} AND {held}) candidates"
    " ORDER BY turn, image_id, kind LIMIT :limit",
    is_due=_IS_DUE,
    not_paused=not_paused("t"),
)
_DISPATCH = sql(
    "UPDATE tasks SET dispatched_at = {now} WHERE image_id = :image_id AND kind = :kind AND {is_due}",
    is_due=_IS_DUE.replace("t.", ""),
)

_LACKS_EVENT = (
    "upload_status = 'awaiting' AND uploaded_at <= {ago:lost_after}"
    " AND (checked_at IS NULL OR checked_at <= {ago:again_after})"
)
_WITHOUT_EVENT = sql(
    "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY owner_id ORDER BY checked_at, id) AS turn"
    " FROM images WHERE {lacks_event}) candidates ORDER BY turn, id LIMIT :limit",
    lacks_event=_LACKS_EVENT,
)
_CHECK = sql(
    "UPDATE images SET checked_at = {now} WHERE id = :image_id AND {lacks_event}", lacks_event=_LACKS_EVENT
)

_OLD = "{select} JOIN ({found}) old ON old.id = i.id ORDER BY i.deleted_at, i.id"
# An awaited upload is received or expires first: files that arrive until then are deleted with its row.
# A worker may write thumbnails until its lease ends; a deleted image gets no new lease
_OLD_DELETED = (
    "SELECT id FROM images WHERE deleted_at <= {ago:older_than} AND upload_status <> 'awaiting' AND {turn}"
    " AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.image_id = images.id AND t.status = 'processing'"
    " AND t.lease_until > {now}) ORDER BY deleted_at LIMIT :limit"
)
_OLD_EXPIRED = (
    "SELECT id FROM images WHERE upload_status = 'expired' AND uploaded_at <= {ago:older_than}"
    " AND deleted_at IS NULL AND {turn} ORDER BY uploaded_at LIMIT :limit"
)
# Those whose files could not be deleted a while ago leave their places to others
_TURN = "(checked_at IS NULL OR checked_at <= {ago:again_after})"
_TRASH = [sql(_OLD, select=SELECT, found=sql(found, turn=_TURN)) for found in (_OLD_DELETED, _OLD_EXPIRED)]
_FORM_EXPIRED = "public_id = :public_id AND upload_status = 'awaiting' AND upload_expires_at <= {ago:grace}"

_CLOCK_SLACK = 60.0  # seconds by which clocks may differ after a failover
_REPAIR_CLOCK = (
    "UPDATE tasks SET next_at = {now}, dispatched_at = NULL, started_at = {now}"
    " WHERE status = 'retry' AND started_at > {later:slack}",
    "UPDATE tasks SET lease_until = {now}, dispatched_at = NULL, started_at = {now}"
    " WHERE status = 'processing' AND started_at > {later:slack}",
    "UPDATE tasks SET next_at = {now}, dispatched_at = NULL"
    " WHERE status = 'pending' AND next_at > {later:slack}",
    "UPDATE tasks SET dispatched_at = NULL"
    " WHERE status IN ('pending', 'retry', 'processing') AND dispatched_at > {later:slack}",
    "UPDATE images SET uploaded_at = {now}, checked_at = NULL"
    " WHERE upload_status = 'awaiting' AND (uploaded_at > {later:slack} OR checked_at > {later:slack})",
)

# Where a model has answered, a person has restored the local words.
_LOCAL = sql(
    "SELECT i.public_id, i.image_key FROM images i JOIN tasks t ON t.image_id = i.id AND t.kind = 'caption'"
    " WHERE i.local_words = 1 AND NOT EXISTS (SELECT 1 FROM word_versions v WHERE v.image_id = i.id"
    " AND v.source IN ('gemini', 'openai'))"
    " AND i.undescribed_at IS NULL AND t.status = 'done' AND {in_no_campaign}"
    " AND i.upload_status = 'received' AND i.deleted_at IS NULL ORDER BY i.id LIMIT :limit",
    in_no_campaign=IN_NO_CAMPAIGN,
)
_PROCESSED = sql(
    "{select} WHERE i.id > :after AND i.id <= :until AND i.upload_status = 'received' AND i.deleted_at IS NULL"
    " AND thumbnail.status = 'done' ORDER BY i.id",
    select=SELECT,
)
_LOCK_RECEIVED = (
    "SELECT id, owner_id FROM images WHERE public_id = :public_id AND upload_status = 'received'"
    " AND deleted_at IS NULL {for_update}"
)
_FAIL_DONE = (
    "UPDATE tasks SET status = 'failed', error = :error, message = :message, finished_at = {now}"
    " WHERE image_id = :image_id AND kind = 'thumbnail' AND status = 'done'"
)


def range_at(turn: int, ranges: int) -> int:
    """Return the number of the range, from 0 to ``ranges`` - 1, whose turn it is; 0 without any.

    The circle has a power of two of turns: with one turn for each range, it would jump with each new range, and
    leave out some. Turns beyond the last range go to lower ones once more.
    """
    circle = 1 << max(ranges - 1, 0).bit_length()
    number = turn % circle
    return number if number < max(ranges, 1) else number - circle // 2


class SweepRepository(Repository):
    """The statements of the sweeper. Each method may run any number of times."""

    def due_tasks(
        self,
        *,
        within: float,
        lost_after: float,
        again_after: float,
        limit: int,
        held: Collection[str] = (),
        held_for: float = 0.0,
    ) -> Sequence[DueTask]:
        """Return up to ``limit`` tasks to send to their queues, each marked as dispatched now.

        Due are retries planned for the next ``within`` seconds, tasks whose lease has expired, and tasks of a
        received image that are pending for ``lost_after`` seconds; none that was dispatched in the last
        ``again_after`` seconds, and none that is paused. held: of the captions that were parked with these
        errors only one is returned, with a delay of ``held_for`` seconds at least; none where that is longer
        than ``within``.
        """
        times = {
            "within": micros(within),
            "lost_after": micros(lost_after),
            "again_after": micros(again_after),
        }

        def work(tx: Transaction) -> list[DueTask]:
            found = list(_due(tx, times, limit, held, held_for if held_for <= within else None))
            found.sort(key=lambda row: (row["image_id"], row["kind"]))
            return [_due_task(row) for row in found if _dispatch(tx, row, times)]

        return self._database.run(work)

    def release(self, codes: Collection[str], *, within: float, limit: int, owner_id: int | None = None) -> int:
        """Make the retries of up to ``limit`` images due now that have one of these errors; return how many.

        within: seconds; those that are due by then are left as they are. owner_id: only this account's images.
        """
        return release(self._database, codes, within=within, limit=limit, owner_id=owner_id)

    def waiting_owners(self, codes: Collection[str], *, within: float) -> Sequence[int]:
        """Return the ids of the accounts with retries that ``release`` would make due."""
        condition, values = waiting(codes, within)
        find = sql(
            "SELECT DISTINCT owner_id FROM images WHERE owner_id IS NOT NULL"
            " AND id IN (SELECT image_id FROM tasks WHERE {waiting}) ORDER BY owner_id",
            waiting=condition,
        )
        return self._database.read(lambda tx: [row["owner_id"] for row in tx.rows(find, **values)])

    def is_paused(self, kind: TaskKind) -> bool:
        """Return whether an administrator has paused all tasks of a kind."""
        return self._database.read(lambda tx: is_paused(tx, kind))

    def repair_clock(self) -> int:
        """Bring forward what waits for a time that a clock set back has moved away; return how many rows.

        A row whose past lies in the future was written before the clock was set back: its lease, its retry or
        its next check would come that much later.
        """
        slack = micros(_CLOCK_SLACK)
        return self._database.run(lambda tx: sum(tx.execute(each, slack=slack) for each in _REPAIR_CLOCK))

    def reopen_local(self, *, limit: int) -> Sequence[DueTask]:
        """Make the captions of up to ``limit`` images pending again that hold words of the local describer.

        Those that a model has described, or has failed to describe for good, are left out, and those of
        campaigns, which have a rate and perhaps half the price.
        """

        def work(tx: Transaction) -> list[DueTask]:
            rows = tx.rows(_LOCAL, limit=limit)
            locked = [tx.row(_LOCK_RECEIVED, public_id=row["public_id"]) for row in rows]
            return [
                DueTask(row["public_id"], row["image_key"], TaskKind.CAPTION, 0.0)
                for row, image in zip(rows, locked, strict=True)
                if image is not None and reset_task(tx, image["id"], TaskKind.CAPTION, ("done",))
            ]

        return self._database.run(work)

    def fail_exhausted_tasks(self, *, max_attempts: int) -> int:
        """Fail (code ``crashed``) the tasks whose last lease has expired; return how many."""

        def work(tx: Transaction) -> int:
            dead = tx.rows(
                "SELECT image_id, kind FROM tasks WHERE status = 'processing' AND lease_until <= {now}"
                " AND attempts >= :max_attempts ORDER BY image_id, kind LIMIT 1000",
                max_attempts=max_attempts,
            )
            return sum(
                _fail_exhausted(tx, row["image_id"], TaskKind(row["kind"]), max_attempts) for row in dead
            )

        return self._database.run(work)

    def uploads_without_event(self, *, lost_after: float, again_after: float, limit: int) -> Sequence[Image]:
        """Return the uploads whose S3 event never arrived, each marked as checked now.

        They are awaited for ``lost_after`` seconds and were not checked for ``again_after`` seconds.
        """
        times = {"lost_after": micros(lost_after), "again_after": micros(again_after)}

        def work(tx: Transaction) -> list[Image]:
            found = sorted(row["id"] for row in tx.rows(_WITHOUT_EVENT, **times, limit=limit))
            mine = [id_ for id_ in found if tx.execute(_CHECK, image_id=id_, **times)]
            return [image_by_id(tx, id_) for id_ in mine]

        return self._database.run(work)

    def has_expired(self, public_id: str) -> bool:
        """Return whether ``expire`` would mark this upload."""
        query = sql("SELECT 1 AS one FROM images WHERE {form_expired}", form_expired=_FORM_EXPIRED)
        values = {"public_id": public_id, "grace": micros(_GRACE)}
        return self._database.read(lambda tx: tx.row(query, **values)) is not None

    def expire(self, public_id: str) -> bool:
        """Mark an awaited upload as expired, five minutes after its form did; False where that is not so."""
        statement = sql(
            "UPDATE images SET upload_status = 'expired', listed_id = NULL WHERE {form_expired}",
            form_expired=_FORM_EXPIRED,
        )
        values = {"public_id": public_id, "grace": micros(_GRACE)}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))

    def expired_trash(self, *, older_than: float, again_after: float, limit: int) -> Sequence[Image]:
        """Return up to ``limit`` images to purge: deleted, or expired, at least ``older_than`` seconds ago.

        Those that were postponed within ``again_after`` seconds are left out, and deleted ones with a lease.
        """
        values = {"older_than": micros(older_than), "again_after": micros(again_after), "limit": limit}

        def work(tx: Transaction) -> list[Image]:
            found: list[Image] = []
            for query in _TRASH:
                if len(found) < limit:
                    found += images(tx.rows(query, **values))
            return found[:limit]

        return self._database.read(work)

    def processed_images(self, *, turn: int, limit: int) -> Sequence[Image]:
        """Return the images with thumbnails in range number ``turn`` of ``limit`` ids, counted in a circle."""

        def work(tx: Transaction) -> list[Image]:
            [newest] = tx.rows("SELECT MAX(id) AS id FROM images")
            after = range_at(turn, -(-(newest["id"] or 0) // limit)) * limit
            return images(tx.rows(_PROCESSED, after=after, until=after + limit))

        return self._database.read(work)

    def fail_missing(self, public_id: str, *, code: str, message: str) -> bool:
        """End the finished thumbnail task of an image as failed; False where it has been changed since."""

        def work(tx: Transaction) -> bool:
            image = tx.row(_LOCK_RECEIVED, public_id=public_id)
            if image is None or not tx.execute(_FAIL_DONE, image_id=image["id"], error=code, message=message):
                return False
            tell_webhooks(tx, image, TaskKind.THUMBNAIL, TaskStatus.FAILED)
            return True

        return self._database.run(work)

    def ping(self) -> None:
        """Check that the database answers. Raises Unavailable."""
        self._database.ping()

    def index_unindexed(self, *, limit: int) -> int:
        """Make up to ``limit`` photos searchable that a release without the search index has written."""
        return self._database.run(lambda tx: index_unindexed(tx, limit))

    def delete_old_security_events(self, *, older_than: float) -> int:
        """Delete the security events that are at least ``older_than`` seconds old; return how many."""
        statement = "DELETE FROM security_events WHERE at <= {ago:older_than}"
        return self._database.run(lambda tx: tx.execute(statement, older_than=micros(older_than)))

    def record_sweep(self) -> None:
        """Store that a sweep is complete."""
        insert = "{insert_ignore} sweeps (name, finished_at) VALUES ('last', {now})"
        update = "UPDATE sweeps SET finished_at = {now} WHERE name = 'last'"
        self._database.run(lambda tx: (tx.execute(insert), tx.execute(update)))

    def delete_ended_shares(self, *, older_than: float, limit: int) -> int:
        """Delete up to ``limit`` links that ended at least ``older_than`` seconds ago; return how many."""
        find = (
            "SELECT id FROM shares WHERE expires_at <= {ago:age} OR revoked_at <= {ago:age} ORDER BY id"
            " LIMIT :limit"
        )

        def work(tx: Transaction) -> int:
            ids = [row["id"] for row in tx.rows(find, age=micros(older_than), limit=limit)]
            return sum(tx.execute("DELETE FROM shares WHERE id = :share_id", share_id=id_) for id_ in ids)

        return self._database.run(work)

    def postpone_purge(self, public_id: str) -> None:
        """Store that the files of an image could not be deleted just now."""
        statement = "UPDATE images SET checked_at = {now} WHERE public_id = :public_id"
        self._database.run(lambda tx: tx.execute(statement, public_id=public_id))

    def purge(self, public_id: str) -> bool:
        """Delete an image's row and tasks for good; False where it was restored or has been uploaded since."""
        statement = (
            "DELETE FROM images WHERE public_id = :public_id"
            " AND (deleted_at IS NOT NULL OR upload_status = 'expired')"
        )
        return bool(self._database.run(lambda tx: tx.execute(statement, public_id=public_id)))


def _due(
    tx: Transaction, times: dict[str, Any], limit: int, held: Collection[str], held_for: float | None
) -> Iterator[Row]:
    """Yield the due tasks. held_for: the least delay of the one that is held; None: it is left out."""
    if not held:
        yield from tx.rows(sql(_DUE_TASKS, held="1 = 1"), **times, limit=limit)
        return
    names, values = in_list("code", held)
    waits = f"(t.kind = 'caption' AND t.status = 'retry' AND t.error IN ({names}))"
    yield from tx.rows(sql(_DUE_TASKS, held=f"NOT {waits}"), **times, **values, limit=limit - 1)
    if held_for is not None:
        for row in tx.rows(sql(_DUE_TASKS, held=waits), **times, **values, limit=1):
            yield row | {"least_delay": held_for}


def _dispatch(tx: Transaction, row: Row, times: dict[str, Any]) -> bool:
    return bool(tx.execute(_DISPATCH, image_id=row["image_id"], kind=row["kind"], **times))


def _due_task(row: Row) -> DueTask:
    next_at, clock = moment(row["next_at"]), moment(row["clock"])
    delay = (next_at - clock).total_seconds() if row["status"] == "retry" and next_at and clock else 0.0
    return DueTask(
        row["public_id"], row["image_key"], TaskKind(row["kind"]), max(row.get("least_delay", 0.0), delay)
    )


def _fail_exhausted(tx: Transaction, image_id: int, kind: TaskKind, max_attempts: int) -> bool:
    locked = tx.row(
        "SELECT id FROM images WHERE id = :image_id AND deleted_at IS NULL {for_update}", image_id=image_id
    )
    return locked is not None and fail_crashed_task(tx, image_id, kind, max_attempts)
