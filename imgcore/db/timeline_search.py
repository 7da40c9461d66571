"""The photos of the timeline that a search or a filter finds: counted by month, and those of one month.

Both read a bounded number of photos, however many there are. Where more match than are counted, the caller
takes the counts of all photos for upper bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.filters import query_of
from imgcore.db.pages import TOP, Seen, findable, found_at, matching, visible
from imgcore.db.scopes import owner_seen, scope_of
from imgcore.db.search import BATCH, among, of_one_term
from imgcore.db.search_query import Query, Term
from imgcore.db.search_words import facet
from imgcore.db.statements import sql
from imgcore.gallery.filters import Filters, Progress
from imgcore.gallery.listing import MonthSlice, Sort, month_bounds
from imgcore.gallery.models import Viewer

MOST_COUNTED = 2000  # photos of one term, such as a word or a tag, that are counted by month
MOST_COMPARED = 1000  # photos of other searches and filters, which are compared one by one
COLUMN = {Sort.TAKEN: "timeline_at", Sort.UPLOADED: "timeline_upload"}

_MOST_SORTED = 20_000  # photos of one month that are put in order
_SEARCHES = 3  # to collect those
_LEAST_WALKED = 100  # photos of a month that tell whether many of them match
_SPARSE = 4  # one of so many, or fewer, matches: they are found from their words instead
_BY_MONTH = (
    "SELECT {month}, COUNT(*) FROM ({photos}) led JOIN images i ON i.listed_id = led.id WHERE {conditions}"
    " GROUP BY 1"
)
_IN_MONTH = (
    "SELECT id FROM images WHERE {scope} {column} >= :first AND {column} < :end"
    " ORDER BY {column} DESC, id DESC LIMIT :limit OFFSET :offset"
)


def count_found(
    tx: Transaction, viewer: Viewer, sort: Sort, text: str | None, filters: Filters
) -> dict[str, int] | None:
    """Return how many photos of each month are found; None where more are than are counted, or may be."""
    query = query_of(tx, text, filters, viewer)
    month = sql("SUBSTR({place}, 1, 7)", place=found_at(COLUMN[sort], filters))
    of_term = of_one_term(tx, query)
    if of_term is not None:
        return _count_term(tx, query, viewer, month, *of_term)
    found, complete = matching(tx, query, viewer, MOST_COMPARED, month)
    return Counter(str(each.place) for each in found if each.place is not None) if complete else None


def _count_term(
    tx: Transaction, query: Query, viewer: Viewer, month: str, photos: str, values: Mapping[str, Any]
) -> dict[str, int] | None:
    """Do what ``count_found`` does for one term, by its statement: in a quarter of the time."""
    limited = {"below": TOP, "limit": MOST_COUNTED + 1, **values}
    if tx.tuples(sql("SELECT COUNT(*) FROM ({photos}) led", photos=photos), **limited)[0][0] > MOST_COUNTED:
        return None
    conditions, own = findable(query, viewer)
    statement = sql(_BY_MONTH, month=month, photos=photos, conditions=conditions)
    return {str(month): int(count) for month, count in tx.tuples(statement, **limited, **own) if month}


def slice_found(
    tx: Transaction,
    viewer: Viewer,
    month: str,
    sort: Sort,
    text: str | None,
    filters: Filters,
    offset: int,
    limit: int,
) -> MonthSlice:
    """Return ``limit`` photos of a month that are found after the ``offset`` newest ones."""
    query = query_of(tx, text, filters, viewer)
    if not query:
        return MonthSlice((), more=False)
    found = _walked(tx, query, viewer, month, sort, filters, offset + limit + 1)
    if found is None:
        in_month = Term(frozenset({facet("placed" if sort is Sort.TAKEN else "uploaded", month)}))
        narrowed = replace(query, required=(*query.required, in_month))
        place = found_at(COLUMN[sort], filters)
        matched, _ = matching(tx, narrowed, viewer, _MOST_SORTED, place, _SEARCHES)
        found = sorted((each for each in matched if each.place is not None), reverse=True)
    window = found[offset : offset + limit]
    return MonthSlice(tuple((each.id, each.version) for each in window), more=len(found) > offset + limit)


def _walked(
    tx: Transaction,
    query: Query,
    viewer: Viewer,
    month: str,
    sort: Sort,
    filters: Filters,
    wanted: int,
) -> list[Seen] | None:
    """Return the ``wanted`` newest photos of a month, or all, by comparing its photos in their order.

    None where few of them match: looking through the month would take longer than sorting those.
    """
    # Of a file that was rejected, the timeline knows nothing; of similar photos there are few
    if filters.status is Progress.FAILED or query.ids is not None or wanted > _MOST_SORTED:
        return None
    first, end = month_bounds(month)
    scope, values = scope_of(owner_seen(viewer))
    statement = sql(_IN_MONTH, column=COLUMN[sort], scope=scope)
    size, compared = _LEAST_WALKED, 0
    seen: dict[int, Seen] = {}
    found: list[Seen] = []
    while len(found) < wanted:
        rows = tx.tuples(statement, first=first, end=end, limit=size, offset=compared, **values)
        ids = [row[0] for row in rows]
        matched = among(tx, query, ids)
        texts = visible(tx, [id_ for id_ in ids if id_ in matched], query, viewer, seen)
        found += [seen[id_] for id_ in ids if id_ in texts and query.follows(texts[id_])]
        compared += len(ids)
        if len(ids) < size:
            break
        if _SPARSE * len(found) < compared:
            return None
        size = min(2 * size, BATCH)
    return found
