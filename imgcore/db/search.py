"""Search: the ids of the photos that a query finds, newest first, by the table ``words``.

The rarest term leads: its photos are read newest first in batches, and each batch is compared with the other
terms, phrases and rights; after the first batch, the database compares the words. The work of one page is
bounded; a page may be shorter than asked for, with a cursor to go on from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from imgcore.db.connection import Row, Transaction
from imgcore.db.mapping import in_list
from imgcore.db.search_query import Query, Term, parse
from imgcore.db.statements import sql
from imgcore.gallery.filters import Progress
from imgcore.gallery.models import Viewer

T = TypeVar("T")

VOCABULARY = 32  # words that a prefix may stand for; beyond, it is compared as a range
BATCH = 400  # photos compared at once, after smaller first batches
MOST_COMPARED = 10_000  # photos compared for one page
RARE = 1000  # photos of a prefix with a large vocabulary that are read at once

_EVERYTHING = "SELECT listed_id AS id FROM images WHERE listed_id < :below ORDER BY listed_id DESC LIMIT :limit"

_STATES = {
    Progress.FAILED: ("failed", "blocked", "skipped"),
    Progress.WAITING: ("pending", "retry", "processing"),
}
_UNDESCRIBED = "SELECT id FROM images WHERE source IS NULL AND {which}"
# A UNION of ranges of an index: an IN would be sorted. DISTINCT, because an image has several tasks, and a
# batch with fewer images than were asked for is taken for the last one
_RANGE = (
    "SELECT * FROM (SELECT DISTINCT image_id AS id FROM tasks WHERE status = '{state}' AND image_id < :below"
    " ORDER BY image_id DESC LIMIT :limit) {state}_tasks"
)
_BY_STATUS = {
    progress: sql(
        "SELECT id FROM ({ranges}) found ORDER BY id DESC LIMIT :limit",
        ranges=" UNION ".join(sql(_RANGE, state=state) for state in states),
    )
    for progress, states in _STATES.items()
} | {Progress.UNDESCRIBED: sql(_UNDESCRIBED, which="id < :below ORDER BY id DESC LIMIT :limit")}
_AMONG = {
    progress: sql(
        "SELECT DISTINCT image_id AS id FROM tasks WHERE image_id IN ({ids}) AND status IN ({states})",
        states=", ".join(f"'{state}'" for state in states),
    )
    for progress, states in _STATES.items()
} | {Progress.UNDESCRIBED: sql(_UNDESCRIBED, which="id IN ({ids})")}

_IN_ALBUM = (
    "SELECT image_id AS id FROM album_images WHERE album_id = :album AND image_id < :below"
    " ORDER BY image_id DESC LIMIT :limit"
)
_AMONG_ALBUM = "SELECT image_id AS id FROM album_images WHERE album_id = :album AND image_id IN ({ids})"

# One row of the primary key: with several words MariaDB reads all words of each photo
_HAS_WORD = "(SELECT 1 FROM words w WHERE w.image_id = led.id AND w.word = :{name}) IS NOT NULL"
_COMMON = "SELECT id FROM ({photos}) led WHERE {conditions} ORDER BY id DESC LIMIT :most"

# Of single words: half the time, because nothing is kept in a temporary table and no subquery is begun
_JOIN = " {then_join} words o{n} ON o{n}.word = :other_{n}_0 AND o{n}.image_id = led.image_id"
_JOINED = (
    "SELECT led.image_id AS id FROM words led{joins} WHERE led.word = :word_0 AND led.image_id < :below"
    " AND led.image_id >= :last ORDER BY led.image_id DESC LIMIT :most"
)

_WORDS_IN_RANGE = "SELECT word FROM vocabulary WHERE word >= :first AND word < :end ORDER BY word LIMIT :limit"
_PHOTOS_IN_RANGE = "SELECT image_id FROM words WHERE word >= :first AND word < :end LIMIT :limit"

Select = Callable[[Sequence[int]], dict[int, str]]  # ids → the folded texts of those that may be shown


@dataclass(frozen=True, slots=True)
class Found:
    """Ids, newest first; next: the id below which to go on where more may follow."""

    ids: tuple[int, ...]
    next: int | None


@dataclass(slots=True)
class _Source:
    """The photos of one term, or all photos.

    words: all that the term stands for; None for too many. ids: all its photos, newest first, where they are
    few although its words are many, or instead of a term; but for those of ``also``, its whole words. status,
    album: of the photos, instead of a term.
    """

    term: Term | None = None
    words: list[str] | None = None
    ids: list[int] | None = None
    also: list[str] = field(default_factory=list)
    status: Progress | None = None
    album: int | None = None

    def batch(self, tx: Transaction, below: int, limit: int) -> list[int]:
        """Return up to ``limit`` ids below ``below``, newest first."""
        if self.status is not None:
            return [row["id"] for row in tx.rows(_BY_STATUS[self.status], below=below, limit=limit)]
        if self.album is not None:
            return [row["id"] for row in tx.rows(_IN_ALBUM, album=self.album, below=below, limit=limit)]
        if self.ids is not None:
            found = {id_ for id_ in self.ids if id_ < below} | set(_read(tx, self.also, below, limit))
            return sorted(found, reverse=True)[:limit]
        if self.words is None:
            return [row["id"] for row in tx.rows(_EVERYTHING, below=below, limit=limit)]
        return _read(tx, self.words, below, limit)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Photos to compare. read: of how many they were chosen; last: the oldest of those; end: none is older."""

    ids: list[int]
    read: int
    last: int
    end: bool


def _read(tx: Transaction, words: Sequence[str], below: int, limit: int) -> list[int]:
    """Return up to ``limit`` ids below ``below`` of photos with one of the words, newest first."""
    if not words:
        return []
    photos, values = _photos_of(words)
    return [row["id"] for row in tx.rows(photos, below=below, limit=limit, **values)]


def _photos_of(words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the statement for up to ``:limit`` ids below ``:below`` with one of the words, newest first."""
    branches = " UNION ".join(
        sql(
            "SELECT * FROM (SELECT image_id AS id FROM words WHERE word = :word_{n} AND image_id < :below"
            " ORDER BY image_id DESC LIMIT :limit) w{n}",
            n=str(number),
        )
        for number in range(len(words))
    )
    values = {f"word_{number}": word for number, word in enumerate(words)}
    return sql("SELECT id FROM ({branches}) found ORDER BY id DESC LIMIT :limit", branches=branches), values


def _common(tx: Transaction, words: Sequence[str], others: Sequence[_Source], below: int, limit: int) -> _Batch:
    """Read ``limit`` photos of the words, and return the BATCH newest that have a word of each other source.

    The database compares them. A condition with a subquery that gives a value is looked up photo by photo; as
    a semi-join, the database may read all photos of a frequent word.
    """
    photos, values = _photos_of(words)
    values |= {"below": below, "limit": limit}
    [read] = tx.rows(sql("SELECT COUNT(*) AS n, MIN(id) AS last FROM ({photos}) led", photos=photos), **values)
    if not read["n"]:
        return _Batch([], 0, 0, end=True)
    if all(len(each) == 1 for each in (words, *(source.words or [] for source in others))):
        return _joined(tx, words[0], others, below, limit, read)
    conditions = []
    for number, source in enumerate(others):
        own = {f"other_{number}_{index}": word for index, word in enumerate(source.words or [])}
        conditions.append(f"({' OR '.join(sql(_HAS_WORD, name=name) for name in own)})")
        values |= own
    statement = sql(_COMMON, photos=photos, conditions=" AND ".join(conditions))
    ids = [row["id"] for row in tx.rows(statement, most=BATCH, **values)]
    return _compared(ids, read, limit)


def _joined(tx: Transaction, word: str, others: Sequence[_Source], below: int, limit: int, read: Row) -> _Batch:
    """Return what ``_common`` does, where each source has one word."""
    joins = "".join(sql(_JOIN, n=str(number)) for number in range(len(others)))
    values = {f"other_{number}_0": (source.words or [])[0] for number, source in enumerate(others)}
    rows = tx.rows(sql(_JOINED, joins=joins), word_0=word, below=below, last=read["last"], most=BATCH, **values)
    return _compared([row["id"] for row in rows], read, limit)


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
    sources = [*(_source(tx, term) for term in query.required), *_filters(query)]
    alone = len(sources) == 1 and not query.excluded and not query.phrases
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


def of_one_term(tx: Transaction, query: Query) -> tuple[str, dict[str, Any]] | None:
    """Return the statement for up to ``:limit`` ids below ``:below`` that a query finds, and its values.

    None for a query that asks for more than one term of a few words.
    """
    others = query.excluded or query.phrases or query.excluded_phrases or _filters(query)
    if len(query.required) != 1 or others:
        return None
    words = _source(tx, query.required[0]).words
    return _photos_of(words) if words else None


def among(tx: Transaction, query: Query, ids: Sequence[int]) -> set[int]:
    """Return those of up to BATCH photos that the query finds, whose phrases are still to be compared."""
    required = [*(_Source(term) for term in query.required), *_filters(query)]
    return set(_matching(tx, ids, required, query.excluded))


def _filters(query: Query) -> list[_Source]:
    """Return what the query asks for beside terms."""
    found = [] if query.status is None else [_Source(status=query.status)]
    found += [] if query.album is None else [_Source(album=query.album)]
    return found if query.ids is None else [*found, _Source(ids=list(query.ids))]


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
    return bool(_in_ranges(tx, _WORDS_IN_RANGE, term, 1) or (values and tx.row(known, **values)))


def _in_ranges(tx: Transaction, statement: str, term: Term, limit: int) -> list[Any]:
    """Return up to ``limit`` values that the statement reads of the words that begin as the term says."""
    found: list[Any] = []
    for first, end in term.ranges:
        found += [row[0] for row in tx.tuples(statement, first=first, end=end, limit=limit - len(found))]
        if len(found) == limit:
            break
    return found


def _source(tx: Transaction, term: Term) -> _Source:
    if term.prefix is None:
        return _Source(term, sorted(term.exact))
    found = _in_ranges(tx, _WORDS_IN_RANGE, term, VOCABULARY + 1)
    if len(found) <= VOCABULARY:
        return _Source(term, sorted({*found} | term.exact))
    few = _in_ranges(tx, _PHOTOS_IN_RANGE, term, RARE + 1)
    if len(few) > RARE:
        return _Source(term)
    return _Source(term, ids=few, also=sorted(term.exact))


def _rarest(tx: Transaction, sources: Sequence[_Source], below: int, size: int) -> tuple[_Source, list[int]]:
    """Return the term whose photos lie furthest apart, and its first batch."""
    everything = _Source()
    best: tuple[int, _Source, list[int]] | None = None
    for source in sources:
        if all(each is None for each in (source.words, source.ids, source.status, source.album)):
            continue
        batch = source.batch(tx, below, size)
        last = batch[-1] if len(batch) == size else -1  # fewer: all of it
        if best is None or last < best[0] or not batch:
            best = (last, source, batch)
        if not batch:
            break
    return (best[1], best[2]) if best else (everything, everything.batch(tx, below, size))


def _matching(
    tx: Transaction, ids: Sequence[int], required: Sequence[_Source], excluded: Sequence[Term]
) -> list[int]:
    left = set(ids)
    for source in required:
        if left and source.status is not None:
            left &= _having(tx, left, _AMONG[source.status])
        elif left and source.album is not None:
            left &= _having(tx, left, _AMONG_ALBUM, album=source.album)
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
