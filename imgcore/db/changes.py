"""The feed of changes. One query a second reads them for all who watch; the last of them are kept in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from imgcore.db.connection import Database, Repository, Transaction
from imgcore.db.mapping import in_list, moment
from imgcore.db.statements import sql
from imgcore.db.tiles import read_tiles
from imgcore.gallery.changes import (
    LIFETIME,
    MOST_ROWS,
    OVERLAP,
    BatchCounts,
    Changes,
    Cursor,
    changed_at,
    changes_since,
    first_cursor,
    parsed_cursor,
    whole_times,
)
from imgcore.gallery.listing import Tile
from imgcore.gallery.models import Viewer
from imgcore.single_flight import SingleFlight

INTERVAL = 1.0  # seconds between two queries
_CLOCK_SECONDS = 60.0  # after which the database's clock is read again
_SLACK = timedelta(seconds=1)  # of the estimated time of the database
_SKEW = timedelta(seconds=0.1)  # between the estimates of two processes
_PAGE = 2 * MOST_ROWS  # rows of one query
_KEPT = 5 * _PAGE  # rows in memory
_BATCHES = 100  # of one answer

_AFTER = "i.changed_at > :since ORDER BY i.changed_at, i.id LIMIT :limit"
_OF_BATCHES = (
    "SELECT i.batch_id, i.owner_id, COUNT(*) AS total,"
    " SUM(CASE WHEN t.status = 'done' THEN 1 ELSE 0 END) AS described,"
    " SUM(CASE WHEN t.status IN ('failed', 'blocked', 'skipped') THEN 1 ELSE 0 END) AS failed"
    " FROM images i JOIN tasks t ON t.image_id = i.id AND t.kind = 'caption'"
    " WHERE i.batch_id IN ({names}) AND i.listed_id IS NOT NULL GROUP BY i.batch_id, i.owner_id"
)

_Batches = Mapping[tuple[int | None, str], BatchCounts]


@dataclass(frozen=True, slots=True)
class _Recent:
    """The changes after ``start``, oldest first.

    start, read_at: in the database's time. clock: of the process, at read_at. clock_read: of the process, when
    the database's time was read.
    """

    start: datetime
    read_at: datetime
    clock: float
    clock_read: float
    rows: tuple[Tile, ...] = ()
    batches: _Batches = field(default_factory=dict)

    def now(self, clock: float) -> datetime:
        """Return the database's time at this time of the process's clock."""
        return self.read_at + timedelta(seconds=clock - self.clock)

    def is_older_than(self, cursor: Cursor, now: datetime) -> bool:
        """Return whether the cursor is after changes that are not in these rows: they would be taken back.

        A cursor to begin with is OVERLAP before the time at which it was given out.
        """
        given_out = cursor.at + OVERLAP
        return self.read_at <= cursor.at + _SKEW or self.read_at < given_out <= now + _SKEW


class ChangeRepository(Repository):
    """The changes as a viewer sees them. clock: seconds, of the process."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(database)
        self._clock = clock
        self._recent = SingleFlight(self._read)

    def start(self, viewer: Viewer) -> Changes:
        """Return a cursor after all that has changed until now, and nothing else."""
        recent = self._current()
        return Changes(first_cursor(recent.rows, viewer, recent.now(self._clock()) - OVERLAP))

    def since(self, text: str, viewer: Viewer) -> Changes:
        """Return what has changed for the viewer since a cursor. Errors: see parsed_cursor."""
        called_at = self._clock()
        recent = self._current()
        now = recent.now(self._clock())
        cursor = parsed_cursor(text, viewer, now)
        if recent.is_older_than(cursor, now):  # of another process, which has read later
            recent = self._recent.result(lambda found: found.clock >= called_at)
        if cursor.at - OVERLAP >= recent.start:
            found = changes_since(recent.rows, cursor, viewer, now)
            return _with_batches(found, recent.batches, viewer)
        return self._database.read(lambda tx: _catch_up(tx, cursor, viewer, now))

    def _current(self) -> _Recent:
        """Return the recent changes, of at most INTERVAL before this call."""
        called_at = self._clock()
        return self._recent.result(lambda recent: called_at - recent.clock < INTERVAL)

    def _read(self, known: _Recent | None) -> _Recent:
        clock = self._clock()
        return self._database.read(lambda tx: _read_on(tx, known, clock))


def _read_on(tx: Transaction, known: _Recent | None, clock: float) -> _Recent:
    if known is None or clock - known.clock_read > _CLOCK_SECONDS:
        [row] = tx.rows("SELECT {now} AS now")
        now = moment(row["now"])
        assert now is not None
        read_at, clock_read = now.replace(tzinfo=None), clock
    else:
        read_at, clock_read = known.now(clock), known.clock_read
    since = known.read_at - OVERLAP - _SLACK if known else read_at - 2 * OVERLAP
    new = _changed(tx, since)
    rows: tuple[Tile, ...]
    if len(new) >= _PAGE:  # too many to keep: older cursors are answered by the database
        rows, start = (), read_at
    elif known is None:
        rows, start = tuple(new), since
    else:
        start = max(known.start, read_at - LIFETIME - OVERLAP)
        again = {row.image.id for row in new}
        kept = [row for row in known.rows if row.image.id not in again]
        rows = tuple(sorted([*kept, *new], key=lambda row: (changed_at(row), row.image.id)))
        if len(rows) > _KEPT:
            start = max(start, changed_at(rows[-_KEPT]))
        rows = tuple(row for row in rows if changed_at(row) > start)
    seen = {(row.image.id, row.image.version) for row in known.rows} if known else set()
    touched = [row for row in new if (row.image.id, row.image.version) not in seen]
    batches = {**(known.batches if known else {}), **_batches(tx, touched)}
    kept_batches = dict(list(batches.items())[-10 * _BATCHES :])
    return _Recent(start, read_at, clock, clock_read, rows, kept_batches)


def _changed(tx: Transaction, since: datetime) -> Sequence[Tile]:
    values = {"since": since.isoformat(" ", "microseconds"), "limit": _PAGE}
    return read_tiles(tx, _AFTER, values, "i.timeline_at")


def _catch_up(tx: Transaction, cursor: Cursor, viewer: Viewer, now: datetime) -> Changes:
    """Answer a cursor that is older than what the process remembers."""
    rows = _changed(tx, cursor.at - OVERLAP)
    if len(rows) < _PAGE:
        found = changes_since(rows, cursor, viewer, now)
    else:
        rows = whole_times(rows, cursor.at)
        found = changes_since(rows, cursor, viewer, now)
        if not found.more:  # of this viewer in these rows
            found = replace(found, cursor=first_cursor(rows, viewer, changed_at(rows[-1])), more=True)
    return _with_batches(found, _batches(tx, rows), viewer)


def _batches(tx: Transaction, rows: Sequence[Tile]) -> dict[tuple[int | None, str], BatchCounts]:
    """Return the counts of the batches of these images, by owner and batch."""
    wanted = list(dict.fromkeys(row.image.batch_id for row in reversed(rows) if row.image.batch_id))
    return read_batches(tx, wanted[:_BATCHES])


def read_batches(tx: Transaction, wanted: Sequence[str]) -> dict[tuple[int | None, str], BatchCounts]:
    """Return the counts of these batches, by owner and batch."""
    names, values = in_list("batch", wanted)
    if not values:
        return {}
    return {
        (row["owner_id"], row["batch_id"]): BatchCounts(
            row["batch_id"], int(row["total"]), int(row["described"]), int(row["failed"])
        )
        for row in tx.rows(sql(_OF_BATCHES, names=names), **values)
    }


def _with_batches(found: Changes, batches: _Batches, viewer: Viewer) -> Changes:
    """Return the changes with the counts of the viewer's own batches among them."""
    own = dict.fromkeys(
        row.image.batch_id
        for row in found.tiles
        if row.image.batch_id and row.image.owner_id == viewer.account_id
    )
    known = [batches.get((viewer.account_id, batch)) for batch in own if batch]
    return replace(found, batches=tuple(each for each in known if each))
