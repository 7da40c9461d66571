"""The photos that one part of a query finds: a term, a status, an album or a list of ids.

A source is read by itself, newest first, or is a condition on each photo that another source finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.mapping import in_list
from imgcore.db.search_query import PHRASE_TERMS, Query, Term
from imgcore.db.statements import sql
from imgcore.gallery.filters import Progress

TOP = 2**62  # above every id
VOCABULARY = 32  # words that a prefix may stand for; beyond, it is compared as a range
RARE = 1000  # photos of a prefix with a large vocabulary that are read at once

WORDS_IN_RANGE = "SELECT word FROM vocabulary WHERE word >= :first AND word < :end ORDER BY word LIMIT :limit"

_EVERYTHING = "SELECT listed_id AS id FROM images WHERE listed_id < :below ORDER BY listed_id DESC LIMIT :limit"
_STATES = {
    Progress.FAILED: ("failed", "blocked", "skipped"),
    Progress.WAITING: ("pending", "retry", "processing"),
}
_UNDESCRIBED = "SELECT id FROM images WHERE source IS NULL AND {which}"
# A UNION of ranges of an index: an IN would be sorted. DISTINCT, because an image has several tasks, and a
# batch with fewer images than were asked for is taken for the last one. MariaDB would read all tasks of the
# status by another index, and sort them
_RANGE = (
    "SELECT * FROM (SELECT DISTINCT image_id AS id FROM tasks {by_index:tasks_status_image}"
    " WHERE status = '{state}' AND image_id < :below ORDER BY image_id DESC LIMIT :limit) {state}_tasks"
)
_BY_STATUS = {
    progress: sql(
        "SELECT id FROM ({ranges}) found ORDER BY id DESC LIMIT :limit",
        ranges=" UNION ".join(sql(_RANGE, state=state) for state in states),
    )
    for progress, states in _STATES.items()
} | {Progress.UNDESCRIBED: sql(_UNDESCRIBED, which="id < :below ORDER BY id DESC LIMIT :limit")}
AMONG = {
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
AMONG_ALBUM = "SELECT image_id AS id FROM album_images WHERE album_id = :album AND image_id IN ({ids})"
_OF_WORD = (
    "SELECT image_id AS id FROM words WHERE word = :{name} AND image_id < :below"
    " ORDER BY image_id DESC LIMIT :limit"
)
_SIZE = "SELECT COUNT(*) FROM ({photos}) led"
_OF_WORDS = "SELECT 1 AS one FROM words WHERE word IN ({names}) LIMIT :limit"
_OF_ALBUM = "SELECT 1 AS one FROM album_images WHERE album_id = :album LIMIT :limit"
_LISTED = "SELECT id FROM images WHERE id IN ({names}) AND id < :below ORDER BY id DESC LIMIT :limit"
_PHOTOS_IN_RANGE = "SELECT image_id FROM words WHERE word >= :first AND word < :end LIMIT :limit"


# One row of the primary key: with several words MariaDB reads all words of each photo. A value of a subquery is
# looked up photo by photo; as a semi-join, the database may read all photos of a frequent word
_HAS_WORD = "(SELECT 1 FROM words w WHERE w.word = :{name} AND w.image_id = {id}) IS NOT NULL"
_LIKE = "i.search_text LIKE :{name}"
_HAS_ONE_IN = "(SELECT 1 FROM words w WHERE w.image_id = {id} AND ({ranges}) LIMIT 1) IS NOT NULL"
_HAS_STATUS = {
    progress: sql(
        "(SELECT 1 FROM tasks t WHERE t.image_id = {id} AND t.status IN ({states}) LIMIT 1) IS NOT NULL",
        states=", ".join(f"'{state}'" for state in states),
    )
    for progress, states in _STATES.items()
} | {
    Progress.UNDESCRIBED: "(SELECT 1 FROM images u WHERE u.id = {id} AND u.source IS NULL) IS NOT NULL",
}
_IS_IN_ALBUM = "(SELECT 1 FROM album_images a WHERE a.album_id = :{name} AND a.image_id = {id}) IS NOT NULL"
# Of a single word: half the time, because no subquery is begun
_JOIN = " {then_join} words {name} ON {name}.word = :{name} AND {name}.image_id = {id}"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a statement says of each photo that it names: joins, conditions for its WHERE, and their values."""

    joins: str = ""
    where: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def conditions(self) -> str:
        """The conditions as one."""
        return " AND ".join(self.where) or "1 = 1"

    def __add__(self, other: Condition) -> Condition:
        return Condition(self.joins + other.joins, self.where + other.where, self.values | other.values)


@dataclass(slots=True)
class Source:
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

    @property
    def everything(self) -> bool:
        """Whether its photos cannot be read by themselves: all photos are read, and compared with it."""
        return all(each is None for each in (self.words, self.ids, self.status, self.album))

    def batch(self, tx: Transaction, below: int, limit: int) -> list[int]:
        """Return up to ``limit`` ids below ``below``, newest first."""
        if self.ids is not None:
            also = Source(words=self.also).batch(tx, below, limit) if self.also else []
            return sorted({*also, *(id_ for id_ in self.ids if id_ < below)}, reverse=True)[:limit]
        photos, values = self.photos()
        return [row[0] for row in tx.tuples(photos, below=below, limit=limit, **values)]

    def photos(self) -> tuple[str, dict[str, Any]]:
        """Return the statement for up to ``:limit`` ids below ``:below``, newest first, and its values."""
        if self.status is not None:
            return _BY_STATUS[self.status], {}
        if self.album is not None:
            return _IN_ALBUM, {"album": self.album}
        if self.ids is not None:
            return photos_of(self.also, self.ids)
        return (_EVERYTHING, {}) if self.words is None else photos_of(self.words)

    def size(self, tx: Transaction, limit: int) -> int:
        """Return how many photos it has, up to ``limit``. A photo counts once for each of its words."""
        statement, values = self.photos()
        if self.words:
            names, values = in_list("word", self.words)
            statement = sql(_OF_WORDS, names=names)
        elif self.album is not None:
            statement = _OF_ALBUM
        else:
            values |= {"below": TOP}
        return int(tx.tuples(sql(_SIZE, photos=statement), limit=limit, **values)[0][0])

    def condition(self, name: str, id_: str) -> Condition:
        """Return that a photo is one of these. name: of its values; id_: the expression of the photo's id."""
        if self.status is not None:
            return Condition(where=(sql(_HAS_STATUS[self.status], id=id_),))
        if self.album is not None:
            return Condition(where=(sql(_IS_IN_ALBUM, name=name, id=id_),), values={name: self.album})
        if self.words is not None:
            return _has_words(self.words, name, id_)
        if self.term is not None:
            return _has_one_of(self.term, name, id_)
        names, values = in_list(name, self.ids or ())
        return Condition(where=(sql("{id} IN ({names})", id=id_, names=names or "NULL"),), values=values)

    def excluded(self, name: str, id_: str) -> Condition:
        """Return that a photo is none of these, which are those of a term."""
        assert self.term is not None
        words = self.words
        found = _has_one_of(self.term, name, id_) if words is None else _has_any(words, name, id_)
        return Condition(where=tuple(f"NOT ({each})" for each in found.where), values=found.values)


def _has_words(words: Sequence[str], name: str, id_: str) -> Condition:
    if len(words) == 1:
        return Condition(sql(_JOIN, name=name, id=id_), values={name: words[0]})
    return _has_any(words, name, id_)


def _has_any(words: Sequence[str], name: str, id_: str) -> Condition:
    values = {f"{name}_{number}": word for number, word in enumerate(words)}
    any_ = " OR ".join(sql(_HAS_WORD, name=key, id=id_) for key in values)
    return Condition(where=(f"({any_})" if any_ else "1 = 0",), values=values)


def _has_one_of(term: Term, name: str, id_: str) -> Condition:
    """Return that a photo has one of the very many words that begin as the term says, or an exact one."""
    names, values = in_list(f"{name}_exact", sorted(term.exact))
    parts = [f"w.word IN ({names})"] if values else []
    for number, (first, end) in enumerate(term.ranges):
        parts.append(f"(w.word >= :{name}_first_{number} AND w.word < :{name}_end_{number})")
        values |= {f"{name}_first_{number}": first, f"{name}_end_{number}": end}
    return Condition(where=(sql(_HAS_ONE_IN, id=id_, ranges=" OR ".join(parts)),), values=values)


def photos_of(words: Sequence[str], ids: Sequence[int] = ()) -> tuple[str, dict[str, Any]]:
    """Return the statement for up to ``:limit`` ids below ``:below``, newest first, and its values.

    It reads the photos that have one of the words, and those of ``ids``.
    """
    values: dict[str, Any] = {f"word_{number}": word for number, word in enumerate(words)}
    branches = [sql(_OF_WORD, name=name) for name in values]
    if ids or not words:
        names, listed = in_list("id", ids)
        branches.append(sql(_LISTED, names=names or "NULL"))
        values |= listed
    if len(branches) == 1:
        return branches[0], values
    united = " UNION ".join(
        sql("SELECT * FROM ({part}) w{n}", part=each, n=str(number)) for number, each in enumerate(branches)
    )
    return sql("SELECT id FROM ({united}) found ORDER BY id DESC LIMIT :limit", united=united), values


def sources_of(tx: Transaction, query: Query) -> list[Source]:
    """Return what the photos of a query must be found by: its terms and its filters."""
    filters = [] if query.status is None else [Source(status=query.status)]
    filters += [] if query.album is None else [Source(album=query.album)]
    filters += [] if query.ids is None else [Source(ids=list(query.ids))]
    return [*(source_of(tx, term) for term in query.required), *filters]


def conditions_of(sources: Sequence[Source], excluded: Sequence[Source], id_: str) -> Condition:
    """Return that a photo is of each source, and of no excluded one. id_: the expression of its id."""
    found = Condition()
    for number, source in enumerate(sources):
        found += source.condition(f"source_{number}", id_)
    for number, source in enumerate(excluded):
        found += source.excluded(f"excluded_{number}", id_)
    return found


def texts_of(query: Query) -> tuple[str, Condition]:
    """Return the text of a photo ``i`` that is to be compared with the phrases, and what it must be like.

    It is NULL where there are no phrases, or the photo has the words of no excluded one in their order.
    """
    values = {f"phrase_{number}": _like(phrase) for number, phrase in enumerate(query.phrases)}
    if values:
        return "i.search_text", Condition(where=tuple(sql(_LIKE, name=name) for name in values), values=values)
    values = {f"excluded_phrase_{number}": _like(each) for number, each in enumerate(query.excluded_phrases)}
    if not values:
        return "NULL", Condition()
    any_ = " OR ".join(sql(_LIKE, name=name) for name in values)
    return f"CASE WHEN {any_} THEN i.search_text END", Condition(values=values)


def _like(phrase: Sequence[str]) -> str:
    """Return a pattern of all texts with the first words of a phrase in their order. Words have no % or _."""
    return f"%{'%'.join(phrase[:PHRASE_TERMS])}%"


def source_of(tx: Transaction, term: Term) -> Source:
    """Return the photos of a term. A few rows of the vocabulary say what its prefix stands for."""
    if term.prefix is None:
        return Source(term, sorted(term.exact))
    found = in_ranges(tx, WORDS_IN_RANGE, term, VOCABULARY + 1)
    if len(found) <= VOCABULARY:
        return Source(term, sorted({*found} | term.exact))
    few = in_ranges(tx, _PHOTOS_IN_RANGE, term, RARE + 1)
    if len(few) > RARE:
        return Source(term)
    return Source(term, ids=few, also=sorted(term.exact))


def in_ranges(tx: Transaction, statement: str, term: Term, limit: int) -> list[Any]:
    """Return up to ``limit`` values that the statement reads of the words that begin as the term says."""
    found: list[Any] = []
    for first, end in term.ranges:
        found += [row[0] for row in tx.tuples(statement, first=first, end=end, limit=limit - len(found))]
        if len(found) == limit:
            break
    return found
