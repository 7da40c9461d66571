"""The timeline: months with their counts, and the photos of one month, by indexes on computed columns.

The counts of all months are kept in this process. A request reads what has changed since they were counted and
counts the months of those images anew, so that they are those of a moment after the request came in. A
transaction sets the time of a change before it commits: the changes of the seconds before a count are read
again, and those that it includes are known by their versions, many of them by sums. An image whose date taken
was another before is found when all months are counted again.
"""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from imgcore.db.connection import PEOPLE_WAIT, Database, Repository, Transaction
from imgcore.db.mapping import in_list, micros
from imgcore.db.pages import found_at
from imgcore.db.scopes import NOBODY, owner_seen, scope_of
from imgcore.db.search import unless_found
from imgcore.db.statements import sql
from imgcore.db.tiles import read_tiles
from imgcore.db.timeline_search import BELOW, COLUMN, below_values, count_found, slice_found, slice_of
from imgcore.errors import Busy, Invalid, Unavailable
from imgcore.gallery.changes import LIFETIME, OVERLAP
from imgcore.gallery.filters import NO_FILTERS, Filters, Progress
from imgcore.gallery.listing import (
    END_OF_TIME,
    HEAVY_OFFSET,
    MOST_SKIPPED,
    MonthCount,
    Months,
    MonthSlice,
    Sort,
    Tile,
    month_bounds,
    month_place,
)
from imgcore.gallery.models import Viewer

_MOST_CHANGED = 2000  # changed images whose months are counted apart; beyond, all months are
_KEPT = 64  # viewers' counts that are kept
# Seconds before the end of their lifetime at which counts are renewed: at random, because processes that were
# started together would otherwise all count a million photos in the same second
_BEFORE_END = (60.0, 300.0)

_FAILED = Filters(status=Progress.FAILED)

_NEWEST = (
    "SELECT {column} AS newest FROM images WHERE {scope} {column} < :before ORDER BY {column} DESC LIMIT 1"
)
_COUNT = "SELECT COUNT(*) AS count FROM images WHERE {scope} {column} >= :first AND {column} < :end"
_CLOCK = "SELECT {now} AS now, {ago:overlap} AS since, {ago:kept} AS oldest"
_CHANGED = (
    "SELECT id, version, SUBSTR(taken_at, 1, 7), SUBSTR(uploaded_at, 1, 7) FROM images"
    " WHERE changed_at > :since LIMIT :limit"
)
_SUMS = "SELECT COUNT(*), SUM(id), SUM(version) FROM images WHERE changed_at > :since"
_SLICE = (
    "SELECT i.id, i.version, page.place FROM (SELECT id, {column} AS place FROM images WHERE {scope} {below}"
    " ORDER BY {column} DESC, id DESC LIMIT :limit OFFSET :offset) page"
    " JOIN images i ON i.id = page.id ORDER BY page.place DESC, i.id DESC"
)


# The images that have changed, as (id, version); of more than are counted apart their number and sums of both,
# which each further change increases
_Seen = frozenset[tuple[int, int]] | tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Counted:
    """Counts of months. since: they may lack changes from then on. counted_at: when all were counted.

    included: the images with changes since then that they do not lack.
    due: when one thread counts all again, by time.monotonic(); the others may use these a little longer.
    """

    counts: dict[str, int]
    since: str
    counted_at: str
    included: _Seen
    due: float


@dataclass(slots=True)
class _Turn:
    """A lock of one count. users: threads that count or wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


class TimelineRepository(Repository):
    """The timeline as a viewer sees it. Each method reads what is committed when it is called."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int | None, Sort], _Counted] = OrderedDict()
        self._counting: dict[tuple[int | None, Sort], _Turn] = {}

    def months(
        self, viewer: Viewer, sort: Sort, text: str | None = None, filters: Filters = NO_FILTERS
    ) -> Months:
        """Return the months that have photos which ``text`` and ``filters`` find, the newest first.

        Where more match than are counted, the counts are those of all photos.
        """
        if text or filters:
            counts = self._database.read_heavy(
                lambda tx: count_found(tx, viewer, sort, text, filters),
                unless_found(text, viewer, {}),
            )
            return replace(self.months(viewer, sort), exact=False) if counts is None else _months(counts)
        owner = owner_seen(viewer)
        if owner == NOBODY:
            return Months(())
        counted = self._updated(owner, sort)
        if counted is None or time.monotonic() > counted.due:
            counted = self._count_all(owner, sort, counted)
        self._keep(owner, sort, counted)
        return _months(counted.counts)

    def _keep(self, owner: int | None, sort: Sort, counted: _Counted, *, all_anew: bool = False) -> None:
        """Keep counts for later requests, unless those that are kept were made later."""
        with self._lock:
            known = self._kept.get((owner, sort))
            # The clock of the database may have been set back
            if (
                all_anew
                or known is None
                or (known.counted_at, known.since) <= (counted.counted_at, counted.since)
            ):
                self._kept[owner, sort] = counted
            self._kept.move_to_end((owner, sort))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def _updated(self, owner: int | None, sort: Sort) -> _Counted | None:
        """Return the kept counts with the changes since; None where there are none that can be used."""
        with self._lock:
            known = self._kept.get((owner, sort))
        return None if known is None else self._database.read(lambda tx: _updated(tx, owner, sort, known))

    def _count_all(self, owner: int | None, sort: Sort, usable: _Counted | None) -> _Counted:
        """Count all months, or return what another thread has counted meanwhile.

        usable: counts to go on with where another thread counts, or too many heavy queries run.
        """
        try:
            with self._turn(owner, sort, wait=PEOPLE_WAIT if usable is None else 0) as mine:
                counted = self._updated(owner, sort) if mine else usable
                if counted is None or (mine and time.monotonic() > counted.due):
                    counted = self._database.read_heavy(lambda tx: _counted(tx, owner, sort))
                    # Before others that wait look whether they have to count
                    self._keep(owner, sort, counted, all_anew=True)
                return counted
        except Unavailable:
            if usable is None:
                raise
            return usable

    @contextmanager
    def _turn(self, owner: int | None, sort: Sort, *, wait: float) -> Iterator[bool]:
        """Let one thread at a time count all months of the same photos; yield whether it is this one.

        Otherwise each thread would count a million photos, and most would be refused as heavy queries. wait:
        seconds; Busy when they are over. With 0, False is yielded: the thread has counts to go on with.
        """
        with self._lock:
            turn = self._counting.setdefault((owner, sort), _Turn())
            turn.users += 1
        try:
            mine = turn.lock.acquire(timeout=wait)
            if wait and not mine:
                raise Busy("The photos are still being counted.", retry_after=1)
            try:
                yield mine
            finally:
                if mine:
                    turn.lock.release()
        finally:
            with self._lock:
                turn.users -= 1
                if not turn.users:
                    del self._counting[owner, sort]

    def month(
        self,
        viewer: Viewer,
        month: str,
        sort: Sort,
        *,
        limit: int,
        offset: int | None = None,
        cursor: str | None = None,
        text: str | None = None,
        filters: Filters = NO_FILTERS,
    ) -> MonthSlice:
        """Return ``limit`` photos of a month (YYYY-MM) after the ``offset`` newest ones below ``cursor``.

        Without an offset, not even 0, a search compares fewer photos and relies on the cursor that it returns.
        Invalid: offset, cursor.
        """
        below, skipped = month_place(cursor, month), offset or 0
        if skipped > MOST_SKIPPED:
            raise Invalid(f"offset may be {MOST_SKIPPED} at most.", code="offset")
        if text or filters:
            return self._database.read_heavy(
                lambda tx: slice_found(tx, viewer, month, sort, text, filters, below, offset, limit),
                unless_found(text, viewer, MonthSlice((), more=False)),
            )
        owner = owner_seen(viewer)
        if owner == NOBODY:
            return MonthSlice((), more=False)
        scope, values = scope_of(owner)
        column = COLUMN[sort]
        statement = sql(_SLICE, below=sql(BELOW, column=column, id="id"), column=column, scope=scope)
        values |= {**below_values(month, below), "offset": skipped, "limit": limit + 1}
        read = self._database.read if skipped <= HEAVY_OFFSET else self._database.read_heavy
        return slice_of(read(lambda tx: tx.tuples(statement, **values)), limit)

    def tiles(self, ids: Sequence[int], sort: Sort = Sort.TAKEN) -> Sequence[Tile]:
        """Return the tiles of these images that exist, in no order."""
        names, values = in_list("id", ids)
        if not values:
            return []
        return self._database.read(
            lambda tx: read_tiles(tx, f"i.id IN ({names})", values, found_at(COLUMN[sort], _FAILED))
        )


def _months(counts: Mapping[str, int]) -> Months:
    found = sorted(counts.items(), reverse=True)
    return Months(tuple(MonthCount(month, count) for month, count in found if count))


def _counted(tx: Transaction, owner: int | None, sort: Sort) -> _Counted:
    """Count all months."""
    now, since, _ = _clock(tx)
    # Before the months: what commits meanwhile may not be in all
    included = _seen(tx, since, _changed(tx, since))
    due = time.monotonic() + LIFETIME.total_seconds() - random.uniform(*_BEFORE_END)  # noqa: S311 - jitter
    return _Counted(_all_months(tx, owner, sort), since, now, included, due)


def _updated(tx: Transaction, owner: int | None, sort: Sort, known: _Counted) -> _Counted | None:
    """Return ``known`` with the months counted anew that have changed.

    None where its lifetime is over, or too much has changed.
    """
    now, since, oldest = _clock(tx)
    if not (oldest < known.counted_at <= now and known.since <= now):
        return None
    changed = _changed(tx, known.since)
    if len(changed) > _MOST_CHANGED:
        fresh = _seen(tx, since, _changed(tx, since))  # before the sums: what commits after it is in them
        same = _seen(tx, known.since, changed) == known.included
        return replace(known, since=since, included=fresh) if same else None
    before = known.included if isinstance(known.included, frozenset) else frozenset()
    counts = dict(known.counts)
    months = {month for version in changed.keys() - before for month in changed[version] if month}
    for month in months:
        counts[month] = _count_month(tx, owner, sort, month)
    return replace(known, counts=counts, since=since, included=frozenset(changed))


def _clock(tx: Transaction) -> tuple[str, str, str]:
    """Return the database's time, from when a count may lack changes, and when the oldest usable was made."""
    [clock] = tx.rows(_CLOCK, overlap=micros(OVERLAP.total_seconds()), kept=micros(LIFETIME.total_seconds()))
    return str(clock["now"]), str(clock["since"]), str(clock["oldest"])


def _changed(tx: Transaction, since: str) -> dict[tuple[int, int], tuple[str | None, str | None]]:
    """Return the months of the images that have changed, by (id, version); at most one more than usable."""
    rows = tx.tuples(_CHANGED, since=since, limit=_MOST_CHANGED + 1)
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _seen(tx: Transaction, since: str, changed: Mapping[tuple[int, int], object]) -> _Seen:
    """Return what a count that is made now includes of the changes since then, which ``changed`` has."""
    if len(changed) <= _MOST_CHANGED:
        return frozenset(changed)
    [(count, ids, versions)] = tx.tuples(_SUMS, since=since)
    return int(count), int(ids), int(versions)


def _all_months(tx: Transaction, owner: int | None, sort: Sort) -> dict[str, int]:
    """Count each month by itself: a range of the index, whose first entry is looked up."""
    scope, values = scope_of(owner)
    newest = sql(_NEWEST, column=COLUMN[sort], scope=scope)
    found: dict[str, int] = {}
    before = END_OF_TIME
    while (row := tx.row(newest, before=before, **values)) is not None:
        month = str(row["newest"])[:7]
        found[month] = _count_month(tx, owner, sort, month)
        before = month_bounds(month)[0]
    return found


def _count_month(tx: Transaction, owner: int | None, sort: Sort, month: str) -> int:
    scope, values = scope_of(owner)
    first, end = month_bounds(month)
    [row] = tx.rows(sql(_COUNT, column=COLUMN[sort], scope=scope), first=first, end=end, **values)
    return int(row["count"])
