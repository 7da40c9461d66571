"""What a search asks for, as words that are looked up in the table ``words``. Pure.

A word of a query finds the words that begin with it and those with the same English stem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from imgcore.db.search_words import (
    UNSPACED,
    WORD_LENGTH,
    facet,
    pairs,
    pieces,
    ranges,
    runs,
    stem,
    words_in_order,
    written_words,
)
from imgcore.errors import Invalid
from imgcore.gallery.filters import FIRST_DAY, LAST_DAY, Days, Progress, date_words, parsed_days
from imgcore.text import fold_for_search, storable

MOST_WORDS = 16  # words of one query
MOST_TERMS = 32  # what they are searched by: t-shirt counts twice
PHRASE_TERMS = 8  # terms of one phrase; the rest of it is compared with the photo's text
FACETS = ("tag", "source", "taken", "uploaded", "camera", "type", "orientation")  # what tag:cat may name
LIMITS = ("before", "after")  # dates of the upload or, where the file has one, the date taken

_DAY = timedelta(days=1)
_QUERY_PART = re.compile(
    rf"""(?P<no>(?<!\S)-)?(?:(?P<facet>{"|".join((*FACETS, *LIMITS))}):(?=\S))?"""
    # What is excluded goes to the end without its second quotation mark, which is yet to be typed
    r"""(?:"(?P<quoted>[^"]*)(?(no)(?:"|$)|")|(?P<word>[^\s"]+)|")"""
)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a photo must, or must not, be found under: any of these words.

    exact: whole words. prefix: the beginning of words.
    """

    exact: frozenset[str]
    prefix: str | None = None

    @property
    def ranges(self) -> list[tuple[str, str]]:
        """The ranges (first, end) of the words that begin so; see ``search_words.ranges``."""
        return [] if self.prefix is None else ranges(self.prefix)

    def implies(self, other: Term) -> bool:
        """Return whether photos of this term are photos of the other one."""
        return self.exact <= other.exact and self.prefix in (None, other.prefix)


@dataclass(frozen=True, slots=True)
class Query:
    """A search. phrases, excluded_phrases: words that must, or must not, follow each other.

    status: how far the photos must be. album: the one that they must be in. ids: those that it finds, newest
    first. words: whether the words
    of photos are compared, not their facets alone.
    """

    required: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded_phrases: tuple[tuple[str, ...], ...] = ()
    status: Progress | None = None
    album: int | None = None
    ids: tuple[int, ...] | None = None
    words: bool = False

    def __bool__(self) -> bool:
        compared = self.required or self.excluded or self.excluded_phrases
        return bool(compared or self.status or self.album is not None or self.ids is not None)

    def follows(self, folded: str) -> bool:
        """Return whether a photo's folded text holds the phrases and none of the excluded ones."""
        if not self.phrases and not self.excluded_phrases:
            return True
        return all(_follows(phrase, folded) for phrase in self.phrases) and not any(
            _follows(phrase, folded) for phrase in self.excluded_phrases
        )


def parse(text: str) -> Query:
    """Return the query that a person typed. Invalid: too many words, or a lone surrogate.

    ``"two words"`` is a phrase, ``-word`` excludes, ``-t-shirt`` as a phrase, ``tag:cat`` compares a facet,
    ``before:2026-05`` a date.
    """
    folded = fold_for_search(storable(text, len(text)))
    query: dict[str, list[Any]] = {"required": [], "excluded": [], "phrases": [], "excluded_phrases": []}
    facets = 0
    for part in _QUERY_PART.finditer(folded):
        no, written = part["no"] is not None, part["quoted"] or part["word"] or ""
        if part["facet"]:
            query[_side(no=no)].append(_facet_term(part["facet"], written, whole=part["quoted"] is not None))
            facets += 1
        elif part["quoted"] is not None:
            _add_phrase(query, written, no=no)
        elif no:
            _exclude(query, written)
        else:
            _add_words(query, written)
    terms = sum(len(query[side]) for side in ("required", "excluded", "excluded_phrases"))
    if terms > MOST_TERMS or sum(1 for _ in written_words(folded)) > MOST_WORDS:
        raise Invalid(f"The search has too many words: at most {MOST_WORDS}.", code="query")
    parts: dict[str, Any] = {name: tuple(dict.fromkeys(found)) for name, found in query.items()}
    return Query(**parts, words=terms > facets)


def days_term(name: str, days: Days) -> Term:
    """Return the term for a facet of dates within these days."""
    return Term(frozenset(facet(name, word) for word in date_words(days)))


def _facet_term(name: str, value: str, *, whole: bool) -> Term:
    if name == "before":
        return days_term("placed", Days(FIRST_DAY, max(parsed_days(value, "q").first, FIRST_DAY) - _DAY))
    if name == "after":
        return days_term("placed", Days(min(parsed_days(value, "q").last, LAST_DAY) + _DAY, LAST_DAY))
    word = facet(name, value)
    return Term(frozenset(), word) if name == "camera" and not whole else Term(frozenset({word}))


def _side(*, no: bool) -> str:
    return "excluded" if no else "required"


def _add_words(query: dict[str, list[Any]], text: str) -> None:
    for written in written_words(text):
        for part in written.split("-"):
            found = [run for piece in pieces(part) for run in runs(piece)]
            for run in filter(UNSPACED.match, found):
                _add_phrase(query, run, no=False)
            spaced = [run for run in found if not UNSPACED.match(run)]
            if "'" in part:
                query["required"] += _apostrophe_terms(part, spaced, begins="-" in written)
            else:
                query["required"] += [Term(_forms(run), _prefix(run)) for run in spaced]


def _apostrophe_terms(part: str, between: Sequence[str], *, begins: bool) -> list[Term]:
    """Return the terms of a part with apostrophes: photos have it without them, or what is between them.

    Of "val-d'oise" a photo has the words val, d, oise and valdoise, of "val d'oise" also doise. begins: what
    is between them begins words of photos, and not only the part as a whole.
    """
    whole = part.replace("'", "")
    terms = dict.fromkeys(
        Term(_forms(word) | _forms(whole), _prefix(word if begins else whole)) for word in between
    )
    # The s of john's: photos with john or johns are found by the other term already
    return [term for term in terms if not any(other.implies(term) for other in terms if other != term)]


def _exclude(query: dict[str, list[Any]], text: str) -> None:
    """Exclude a word as it was typed. Of t-shirt, no part is excluded by itself."""
    words = words_in_order(text)
    if len(words) == 1:
        query["excluded"].append(Term(_forms(words[0])))
        return
    _add_phrase(query, text, no=True)
    if "'" in text:  # dont as don't: a word of the index, which costs less than another phrase
        query["excluded"].append(Term(frozenset({"".join(words)[:WORD_LENGTH]})))


def _add_phrase(query: dict[str, list[Any]], text: str, *, no: bool) -> None:
    phrase = tuple(words_in_order(text))
    if len(phrase) > 1:
        query["excluded_phrases" if no else "phrases"].append(phrase)
        if no:
            return
    units = [
        unit for written in written_words(text) for piece in pieces(written) for unit in _query_units(piece)
    ]
    query[_side(no=no)] += [Term(frozenset({unit})) for unit in units[:PHRASE_TERMS]]


def _forms(word: str) -> frozenset[str]:
    word = word[:WORD_LENGTH]
    return frozenset({word, stem(word)})


def _prefix(word: str) -> str | None:
    """Return the beginning of words that a typed word stands for; too many begin with one letter."""
    return word[:WORD_LENGTH] if len(word) > 1 else None


def _follows(phrase: tuple[str, ...], folded: str) -> bool:
    """Return whether the words follow each other in a folded text. Few texts have to be split into words."""
    if _joined(phrase) in f" {folded} ":
        return True
    near = all(pair.search(folded) for pair in _pairs(phrase))
    return near and _joined(phrase) in _joined(words_in_order(folded))


@lru_cache(maxsize=256)
def _pairs(phrase: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Return patterns that each text has in which the words follow each other, and other texts too.

    One for each two words that follow each other, because a pattern of all words may be tried in exponentially
    many ways. Words of signs, and such that were cut, tell too little.
    """
    return tuple(
        re.compile(rf"{re.escape(word)}[\W_]*{re.escape(after)}")
        for word, after in pairwise(phrase)
        if re.fullmatch(r"[^\W_]+", word) and len(word) < WORD_LENGTH
    )


def _joined(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


def _query_units(piece: str) -> Iterator[str]:
    for run in runs(piece):
        yield from (pairs(run) or [run]) if UNSPACED.match(run) else [run[:WORD_LENGTH]]
