"""Search: the ids of the photos that a query finds, newest first, by the table ``words``.

The rarest term leads: its photos are read newest first in batches, and each batch is compared with the other
terms, phrases and rights; after the first batch, the database compares the words. The work of one page is
bounded; a page may be shorter than asked for, with a cursor to go on from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from imgcore.db.connection import Row, Transaction
from imgcore.db.mapping import in_list
from imgcore.db.search_query import Query, Term, parse
from imgcore.db.search_sources import (
    AMONG,
    AMONG_ALBUM,
    WORDS_IN_RANGE,
    Source,
    conditions_of,
    in_ranges,
    photos_of,
    sources_of,
)
from imgcore.db.statements import sql
from imgcore.gallery.models import Viewer

T = TypeVar("T")

BATCH = 400  # photos compared at once, after smaller first batches
MOST_COMPARED = 10_000  # photos compared for one page

_COMMON = "SELECT led.id FROM ({photos}) led{joins} WHERE {conditions} ORDER BY led.id DESC LIMIT :most"
# Of single words: half the time, because nothing is kept in a temporary table
_JOINED = (
    "SELECT led.image_id FROM words led{joins} WHERE led.word = :word AND led.image_id < :below"
    " AND led.image_id >= :last ORDER BY led.image_id DESC LIMIT :most"
)

Select = Callable[[Sequence[int]], dict[int, str]]  # ids → the folded texts of those that may be shown


@dataclass(frozen=True, slots=True)
class Found:
    """Ids, newest first; next: the id below which to go on where more may follow."""

    ids: tuple[int, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Photos to compare. read: of how many they were chosen; last: the oldest of those; end: none is older."""

    ids: list[int]
    read: int
    last: int
    end: bool


def _common(tx: Transaction, words: Sequence[str], others: Sequence[Source], below: int, limit: int) -> _Batch:
    """Read ``limit`` photos of the words, and return the BATCH newest that have a word of each other source.

    The database compares them.
    """
    photos, values = photos_of(words)
    limits = {"below": below, "limit": limit}
    [read] = tx.rows(
        sql("SELECT COUNT(*) AS n, MIN(id) AS last FROM ({photos}) led", photos=photos), **values, **limits
    )
    if not read["n"]:
        return _Batch([], 0, 0, end=True)
    if all(len(each) == 1 for each in (words, *(source.words or [] for source in others))):
        same = conditions_of(others, (), "led.image_id")
        statement = sql(_JOINED, joins=same.joins)
        values = {"word": words[0], "below": below, "last": read["last"]}
    else:
        same = conditions_of(others, (), "led.id")
        statement = sql(_COMMON, photos=photos, joins=same.joins, conditions=same.conditions)
        values |= limits
    rows = tx.tuples(statement, most=BATCH, **values, **same.values)
    return _compared([row[0] for row in rows], read, limit)


def _compared(ids: list[int], read: Row, limit: int) -> _Batch:
    """Return the batch of those photos that were kept among the ``read`` ones."""
    if len(ids) == BATCH:  # there may be more among those that were read
        return _Batch(ids, int(read["n"]), ids[-1], end=False)
    return _Batch(ids, int(read["n"]), int(read["last"]), end=int(read["n"]) < limit)


def _whole(ids: list[int], size: int) -> _Batch:
    """Return a batch of all ids that were read; ``size`` were asked for."""
    return _Batch(ids, len(ids), ids[-1] if ids else 0, end=len(ids) < size)


def search(tx: Transaction, query: Query, below: int, limit: int, select: Select) -> Found:
    """Return up to ``limit`` photos with ids below ``below`` that the query finds.

    select: keeps those ids of a batch that may be shown.
    """
    if not query:
        return Found((), None)
    sources = sources_of(tx, query)
    alone = len(sources) == 1 and not (query.excluded or query.phrases or query.excluded_phrases)
    size = limit + 1 if alone else min(2 * (limit + 1), BATCH)
    leader, ids = _rarest(tx, sources, below, size)
    others = [source for source in sources if source is not leader]
    common = [source for source in others if source.words] if leader.words else []
    batch = _whole(ids, size)
    found: list[int] = []
    compared = 0
    while batch.read:
        compared += batch.read
        kept = select(_matching(tx, batch.ids, others, query.excluded))
        for id_ in batch.ids:
            if id_ in kept and query.follows(kept[id_]):
                found.append(id_)
            if len(found) > limit:
                return Found(tuple(found[:limit]), found[limit - 1])
        if batch.end:
            break
        if compared >= MOST_COMPARED:
            return Found(tuple(found), batch.last)
        if common:
            size = min(10 * size, MOST_COMPARED - compared)
            batch = _common(tx, leader.words or [], common, batch.last, size)
            others = [source for source in others if source not in common]
        else:
            size = min(2 * size, BATCH)
            batch = _whole(leader.batch(tx, batch.last, size), size)
    return Found(tuple(found), None)


def unless_found(text: str | None, viewer: Viewer, nothing: T) -> Callable[[Transaction], T | None]:
    """Return the light work of ``read_heavy`` for a search: ``nothing`` where it finds nothing, else None."""
    return lambda tx: nothing if _finds_nothing(tx, text, viewer) else None


def _finds_nothing(tx: Transaction, text: str | None, viewer: Viewer) -> bool:
    """Return whether a typed query has a word that no photo has ever had. Few rows are read for a word.

    Always False for who may not see the photos of others: it would tell their words. Invalid: see ``parse``.
    """
    if not text or not (viewer.changes_others or viewer.sees_others):
        return False
    return any(not _in_vocabulary(tx, term) for term in parse(text).required)


def _in_vocabulary(tx: Transaction, term: Term) -> bool:
    names, values = in_list("word", sorted(term.exact))
    known = sql("SELECT word FROM vocabulary WHERE word IN ({names}) LIMIT 1", names=names)
    return bool(in_ranges(tx, WORDS_IN_RANGE, term, 1) or (values and tx.row(known, **values)))


def _rarest(tx: Transaction, sources: Sequence[Source], below: int, size: int) -> tuple[Source, list[int]]:
    """Return the term whose photos lie furthest apart, and its first batch."""
    everything = Source()
    best: tuple[int, Source, list[int]] | None = None
    for source in sources:
        if source.everything:
            continue
        batch = source.batch(tx, below, size)
        last = batch[-1] if len(batch) == size else -1  # fewer: all of it
        if best is None or last < best[0] or not batch:
            best = (last, source, batch)
        if not batch:
            break
    return (best[1], best[2]) if best else (everything, everything.batch(tx, below, size))


def _matching(
    tx: Transaction, ids: Sequence[int], required: Sequence[Source], excluded: Sequence[Term]
) -> list[int]:
    left = set(ids)
    for source in required:
        if left and source.status is not None:
            left &= _having(tx, left, AMONG[source.status])
        elif left and source.album is not None:
            left &= _having(tx, left, AMONG_ALBUM, album=source.album)
        elif left and source.term is not None:
            left &= _under(tx, left, source.term)
        elif source.ids is not None:
            left &= set(source.ids)
    for term in excluded:
        if left:
            left -= _under(tx, left, term)
    return sorted(left, reverse=True)


def _having(tx: Transaction, ids: set[int], statement: str, **given: int) -> set[int]:
    """Return those of the photos that a statement finds."""
    names, values = in_list("id", sorted(ids))
    return {row["id"] for row in tx.rows(sql(statement, ids=names), **values, **given)}


def _under(tx: Transaction, ids: set[int], term: Term) -> set[int]:
    """Return those of the photos that are found under the term."""
    id_names, values = in_list("id", sorted(ids))
    word_names, words = in_list("word", sorted(term.exact))
    conditions = [f"word IN ({word_names})"] if words else []
    values |= words
    for number, (first, end) in enumerate(term.ranges):
        conditions.append(f"(word >= :first_{number} AND word < :end_{number})")
        values |= {f"first_{number}": first, f"end_{number}": end}
    if not conditions:
        return set()
    query = sql(
        "SELECT DISTINCT image_id FROM words WHERE image_id IN ({ids}) AND {condition}",
        ids=id_names,
        condition=f"({' OR '.join(conditions)})",
    )
    return {row["image_id"] for row in tx.rows(query, **values)}
