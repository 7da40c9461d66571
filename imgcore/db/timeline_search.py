"""The photos of the timeline that a search or a filter finds: counted by month, and those of one month.

Both read a bounded number of photos, however many there are, and the database compares them. Where more match
than are counted, the caller takes the counts of all photos for upper bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.filters import query_of
from imgcore.db.pages import DECODED, findable, found_at
from imgcore.db.scopes import NOBODY, owner_seen, scope_of
from imgcore.db.search_query import Query, Term
from imgcore.db.search_sources import TOP, Condition, Source, conditions_of, source_of, sources_of, texts_of
from imgcore.db.search_words import facet
from imgcore.db.statements import sql
from imgcore.errors import Invalid
from imgcore.gallery.filters import Filters, Progress
from imgcore.gallery.listing import MonthSlice, Sort, month_bounds
from imgcore.gallery.models import Viewer
from imgcore.gallery.places import Place

MOST_COUNTED = 2000  # photos of one term, such as a word or a tag, that are counted by month
MOST_COMPARED = 1000  # photos that other searches and filters find, which are counted by month
# Photos of the month below a cursor: a range of an index, and of those with the cursor's own time the lower ids
BELOW = "{column} >= :first AND {column} <= :at AND ({column} < :at OR {id} < :at_id)"
COLUMN = {Sort.TAKEN: "timeline_at", Sort.UPLOADED: "timeline_upload"}

_MOST_LED = 10_000  # photos of the rarest term that are compared to count those
_SAMPLE = 1000  # newest photos of a term that show how rare it is
_MOST_READ = 30_000  # photos of one month, or of one term, that are compared for a part of the month
MOST_WALKED = 5000  # photos of the month that are compared for a part without an offset: others wait meanwhile
_MOST_TEXTS = 2000  # of up to 8,000 characters, which are read at once for phrases
_LEAST_READ = 400  # photos of a month that are compared at first
_STEP = 4  # times as many are compared next
_FEW = 10  # photos beyond those wanted that are read in place of any that were not decoded

_NEWEST = "SELECT COUNT(*), MIN(id) FROM ({photos}) led"
_FOUND = "SELECT COUNT(*) FROM (SELECT led.id FROM ({photos}) led{joins} WHERE {where} LIMIT :most) found"
_BY_MONTH = (
    "SELECT SUBSTR({place}, 1, 7), {columns} FROM ({photos}) led{joins}"
    " {then_join} images i ON i.id = led.id WHERE {where}{group}"
)
_IN_MONTH = "FROM images WHERE {scope} {below}"
_COUNT = "SELECT COUNT(*) FROM (SELECT 1 AS one {in_month} LIMIT :size) page"
# The inner query has the columns of an index alone: the rows of photos that are not found are not read. The
# same statement reads the last photo that is compared: between two, photos may be added or deleted
_WALKED = (
    "{part}SELECT i.id, i.version, found.place, {text}, {decoded} FROM (SELECT led.id AS id, led.place AS place"
    " FROM (SELECT id, {column} AS place {in_month} ORDER BY {column} DESC, id DESC LIMIT :size) led"
    "{joins} WHERE {where} ORDER BY led.place DESC, led.id DESC LIMIT :wanted) found"
    " {then_join} images i ON i.id = found.id WHERE {texts}) UNION ALL"
    " {part}SELECT id, NULL, {column}, NULL, 0 {in_month}"
    " ORDER BY {column} DESC, id DESC LIMIT 1 OFFSET :before)"
)
_LED = (
    "SELECT i.id, i.version, {place}, {text}, 1"
    " FROM ({photos}) led{joins} {then_join} images i ON i.id = led.id"
    " WHERE {below} AND {where} ORDER BY {place} DESC, i.id DESC LIMIT :wanted"
)

_Row = tuple[int, int, Any]  # id, version and place, which is text or a datetime


@dataclass(frozen=True, slots=True)
class _Search:
    """A query, and what the photos that it finds must and must not be found by."""

    query: Query
    sources: Sequence[Source]
    excluded: Sequence[Source]

    @classmethod
    def of(cls, tx: Transaction, query: Query) -> _Search | None:
        """Return the search; None where it finds nothing."""
        sources = sources_of(tx, query)
        if not query or any(source.words == [] for source in sources):
            return None
        return cls(query, sources, [source_of(tx, term) for term in query.excluded])

    @property
    def phrases(self) -> bool:
        """Whether the texts of photos are compared."""
        return bool(self.query.phrases or self.query.excluded_phrases)

    @property
    def most_read(self) -> int:
        """How many photos are compared at once."""
        return _MOST_TEXTS if self.phrases else _MOST_READ

    def beside(self, led: Source | None, *more: Source) -> Condition:
        """Return what is asked of each photo ``led`` beside one source, and of ``more``."""
        return conditions_of(
            [*more, *(each for each in self.sources if each is not led)], self.excluded, "led.id"
        )

    def rarest(self, tx: Transaction) -> Source:
        """Return the source whose newest photos lie furthest apart; without any, all photos."""
        return next((source for source in self.by_rarity(tx, _SAMPLE) if not source.everything), Source())

    def by_rarity(self, tx: Transaction, sample: int) -> Sequence[Source]:
        """Return the sources, that first whose ``sample`` newest photos lie furthest apart."""
        if len(self.sources) == 1:
            return self.sources

        def order(source: Source) -> tuple[int, int]:
            count, last = (0, TOP) if source.everything else _newest(tx, source, sample)
            return (0 if 0 < count < sample else last, count)

        return sorted(self.sources, key=order)

    def at_most(self, tx: Transaction, most: int) -> Source | None:
        """Return the source of the fewest photos; None where each has more than ``most``, or than are read."""
        found = None
        for source in sorted(
            self.sources, key=lambda each: each.words is not None
        ):  # the shortest to count first
            if most >= 0 and not source.everything:
                # A photo with a word has its stem too, and counts twice
                each = len(source.words) if source.words else 1
                limit = min(each * most, self.most_read)
                count = source.size(tx, limit + 1)
                most, found = (count // each - 1, source) if count <= limit else (most, found)
        return found


def _newest(tx: Transaction, source: Source, limit: int) -> tuple[int, int]:
    """Return how many photos a source has, up to ``limit``, and the oldest of these; 0 for none."""
    photos, values = source.photos()
    [(count, last)] = tx.tuples(sql(_NEWEST, photos=photos), below=TOP, limit=limit, **values)
    return int(count), int(last or 0)


def count_found(
    tx: Transaction, viewer: Viewer, sort: Sort, text: str | None, filters: Filters
) -> dict[str, int] | None:
    """Return how many photos of each month are found; None where more are than are counted, or may be."""
    search = _Search.of(tx, query_of(tx, text, filters, viewer))
    if search is None:
        return {}
    led = search.rarest(tx)
    others = search.beside(led)
    alone = not others.where and not others.joins and not search.phrases
    most, most_led = (
        (MOST_COUNTED, MOST_COUNTED) if alone else (MOST_COMPARED, min(_MOST_LED, search.most_read))
    )
    if _newest(tx, led, most_led + 1)[0] > most_led:
        return None
    photos, values = led.photos()
    values |= {"below": TOP, "limit": most_led, **others.values}
    if not alone and not search.phrases:
        statement = sql(_FOUND, photos=photos, joins=others.joins, where=others.conditions)
        if tx.tuples(statement, most=most + 1, **values)[0][0] > most:
            return None
    texts, compared = texts_of(search.query)
    seen, own = findable(search.query, viewer)
    statement = sql(
        _BY_MONTH,
        place=found_at(COLUMN[sort], filters),
        columns=texts if search.phrases else "COUNT(*)",
        photos=photos,
        joins=others.joins,
        where=f"{others.conditions} AND {compared.conditions} AND {seen}",
        group="" if search.phrases else " GROUP BY 1",
    )
    rows = tx.tuples(statement, **values, **compared.values, **own)
    if not search.phrases:
        return {str(month): int(count) for month, count in rows if month}
    counts = Counter(str(month) for month, folded in rows if month and _holds(search.query, folded))
    return counts if counts.total() <= most else None


def _holds(query: Query, folded: str | None) -> bool:
    """Return whether a text has the phrases and no excluded one; None stands for one without any of these."""
    return folded is None or query.follows(folded)


def slice_found(
    tx: Transaction,
    viewer: Viewer,
    month: str,
    sort: Sort,
    text: str | None,
    filters: Filters,
    below: Place,
    offset: int | None,
    limit: int,
) -> MonthSlice:
    """Return ``limit`` photos of a month that are found after the ``offset`` newest ones below a cursor.

    A client that pages by offsets needs those before its offset found again: more are compared for it.
    Invalid (``offset``) where more photos would have to be compared than may be.
    """
    query = query_of(tx, text, filters, viewer)
    if filters.status is not Progress.FAILED:  # a file that was rejected has the month of its upload
        query = replace(query, required=tuple(_within(month, sort, query.required)))
    search = _Search.of(tx, query)
    if search is None or owner_seen(viewer) == NOBODY:
        return MonthSlice((), more=False)
    most = MOST_WALKED if offset is None else _MOST_READ
    offset = offset or 0
    found, compared = _Month(tx, search, viewer, month, sort, filters, below).newest(offset + limit + 1, most)
    if compared is not None and len(found) < offset:
        raise Invalid("So many photos cannot be left out of this search. Use cursor.", code="offset")
    return slice_of(found[offset:], limit, compared)


def slice_of(rows: Sequence[tuple[Any, ...]], limit: int, end: Place | None = None) -> MonthSlice:
    """Return the part of a month that has up to ``limit`` of ``rows``: ids, versions and places.

    end: the cursor of the following photos where there are no more rows.
    """
    more = len(rows) > limit
    if more:
        id_, _, at = rows[limit - 1]
        end = Place.of(at, id_)
    versions = tuple((row[0], row[1]) for row in rows[:limit])
    return MonthSlice(versions, more=more, cursor=end.text() if end else None)


def below_values(month: str, below: Place) -> dict[str, Any]:
    """Return the values of BELOW."""
    return {"first": month_bounds(month)[0], "at": below.at, "at_id": below.id}


def _within(month: str, sort: Sort, terms: Sequence[Term]) -> Iterator[Term]:
    """Yield the terms of photos of a month, without dates of other months: a range of dates has many words."""
    names = ("placed=", "taken=") if sort is Sort.TAKEN else ("uploaded=",)
    for term in terms:
        name = next((each for each in names if all(word.startswith(each) for word in term.exact)), None)
        if name is None or term.prefix is not None:
            yield term
            continue
        dates = {word.removeprefix(name) for word in term.exact}
        whole = {date for date in dates if month.startswith(date)}
        days = {date for date in dates if date.startswith(month)}
        yield Term(frozenset(f"{name}{date}" for date in (whole or days)))


@dataclass(frozen=True, slots=True)
class _Month:
    """The photos of a month below a cursor that a search finds, newest first, as (id, version, place).

    They are found in one of two ways, whichever reads fewer photos: the photos of the month are compared in
    their order, in growing steps, until enough are found; or those of the rarest term are compared, and
    sorted, once a step would read as many.
    """

    tx: Transaction
    search: _Search
    viewer: Viewer
    month: str
    sort: Sort
    filters: Filters
    below: Place

    def newest(self, wanted: int, most: int) -> tuple[list[_Row], Place | None]:
        """Return up to ``wanted`` of them, and the last photo that was compared where others are left.

        most: how many photos of the month are compared.
        """
        if self.filters.status is Progress.FAILED:  # of a file that was rejected, the timeline knows nothing
            rarest = self.search.at_most(self.tx, _MOST_READ)
            return self._of(rarest or Source(status=Progress.FAILED), wanted), None
        found: list[_Row] = []
        search, start, read = self.search, self.below, 0
        size = min(max(_LEAST_READ, 2 * wanted), search.most_read)
        while rows := self._rows(start, size):
            led = search.at_most(self.tx, rows)
            if led is not None:
                return self._of(led, wanted), None
            if not read:
                search = replace(search, sources=search.by_rarity(self.tx, size))
            walked, last = self._walked(search.beside(None), start, size, wanted - len(found))
            found += walked
            read += size
            if last is None or len(found) >= wanted or read >= most:
                return found, last
            start, size = last, min(size * _STEP, search.most_read, most - read)
        return found, None

    @property
    def _column(self) -> str:
        return COLUMN[self.sort]

    def _range(self, start: Place) -> tuple[str, dict[str, Any]]:
        """Return the photos of the month below a cursor in an index, with their values."""
        scope, values = scope_of(owner_seen(self.viewer))
        below = sql(BELOW, column=self._column, id="id")
        return sql(_IN_MONTH, scope=scope, below=below), below_values(self.month, start) | values

    def _rows(self, start: Place, size: int) -> int:
        """Return how many photos the month has below ``start``, up to ``size``."""
        in_month, values = self._range(start)
        return int(self.tx.tuples(sql(_COUNT, in_month=in_month), size=size, **values)[0][0])

    def _walked(self, same: Condition, start: Place, size: int, wanted: int) -> tuple[list[_Row], Place | None]:
        """Return up to ``wanted`` photos that are found among ``size`` of the month below ``start``.

        Beside them: the last of these ``size`` photos; None where there are fewer.
        """
        in_month, values = self._range(start)
        text, compared = texts_of(self.search.query)
        words = self.search.query.words and not self.filters.status
        statement = sql(
            _WALKED,
            text=text,
            decoded=sql(DECODED, id="i.id") if words else "1",
            column=self._column,
            in_month=in_month,
            joins=same.joins,
            where=same.conditions,
            texts=compared.conditions,
        )
        values |= {"size": size, "before": size - 1, **same.values, **compared.values}
        # A look-up of each photo's task would take longer than all others: few are not decoded
        found: list[_Row] = []
        last: Place | None = None
        for most in (size,) if self.search.phrases else (wanted + _FEW, size):
            rows = self.tx.tuples(statement, wanted=most, **values)
            last = next((Place.of(row[2], row[0]) for row in rows if row[1] is None), None)
            found = self._compared(rows)
            if len(found) >= wanted or len(rows) - (last is not None) < most:
                break
        # A UNION has no order
        return sorted(found, key=lambda row: (row[2], row[0]), reverse=True)[:wanted], last

    def _of(self, led: Source, wanted: int) -> list[_Row]:
        """Return up to ``wanted`` photos that are found among those of one source."""
        photos, values = led.photos()
        word = facet("placed" if self.sort is Sort.TAKEN else "uploaded", self.month)
        in_month = [] if self.filters.status is Progress.FAILED else [Source(words=[word])]
        same = self.search.beside(led, *in_month)
        text, compared = texts_of(self.search.query)
        seen, own = findable(self.search.query, self.viewer)
        place = found_at(self._column, self.filters)
        statement = sql(
            _LED,
            below=sql(BELOW, column=place, id="i.id"),
            text=text,
            photos=photos,
            joins=same.joins,
            place=place,
            where=f"{same.conditions} AND {compared.conditions} AND {seen}",
        )
        limits = {"below": TOP, "limit": _MOST_READ, "wanted": _MOST_READ if self.search.phrases else wanted}
        values |= {**below_values(self.month, self.below), **same.values, **compared.values, **own}
        return self._compared(self.tx.tuples(statement, **limits, **values))

    def _compared(self, rows: Sequence[tuple[Any, ...]]) -> list[_Row]:
        return [
            (id_, version, place)
            for id_, version, place, folded, decoded in rows
            if decoded and _holds(self.search.query, folded)
        ]
