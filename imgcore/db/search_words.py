"""Words of a search: those under which a photo is found, and those that a query asks for. Pure.

Both sides fold their text alike. A word of a query finds the words that begin with it and those with the same
English stem. Scripts without spaces between words are found by pairs of characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from imgcore.errors import Invalid
from imgcore.gallery.filters import FIRST_DAY, LAST_DAY, Days, Progress, date_words, parsed_days
from imgcore.text import fold_for_search, storable

WORD_LENGTH = 32  # characters of a word that count
MOST_WORDS = 16  # words of one query
MOST_TERMS = 32  # what they are searched by: t-shirt counts twice
PHRASE_TERMS = 8  # terms of one phrase; the rest of it is compared with the photo's text
FACETS = ("tag", "source", "taken", "uploaded", "camera", "type", "orientation")  # what tag:cat may name
LIMITS = ("before", "after")  # dates of the upload or, where the file has one, the date taken
END = "\U0010ffff"  # sorts after every character

# Han, Kana and Hangul; Thai, Lao, Myanmar and Khmer
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_WORD = re.compile(r"[^\s'-](?:\S*[^\s'-])?")
_QUERY_PART = re.compile(
    rf"""(?P<no>(?<!\S)-)?(?:(?P<facet>{"|".join((*FACETS, *LIMITS))}):(?=\S))?"""
    r"""(?:"(?P<quoted>[^"]*)"|(?P<word>[^\s"]+)|")"""
)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a photo must, or must not, be found under: any of these words.

    exact: whole words. prefix: the beginning of words.
    """

    exact: frozenset[str]
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A search. phrases, excluded_phrases: words that must, or must not, follow each other.

    status: how far the photos must be. words: whether the words of photos are compared, not their facets alone.
    """

    required: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded_phrases: tuple[tuple[str, ...], ...] = ()
    status: Progress | None = None
    words: bool = False

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded or self.status)

    def follows(self, folded: str) -> bool:
        """Return whether a photo's folded text holds the phrases and none of the excluded ones."""
        if not self.phrases and not self.excluded_phrases:
            return True
        text = _joined(words_in_order(folded))
        return all(_joined(phrase) in text for phrase in self.phrases) and not any(
            _joined(phrase) in text for phrase in self.excluded_phrases
        )


def index_words(folded: str, facets: Iterable[tuple[str, str]] = ()) -> set[str]:
    """Return the words under which a photo with this folded text is found, without those of no use.

    facets: (name of FACETS, value) for what filters compare whole.
    """
    found = {facet(name, value) for name, value in facets}
    for written in _written(folded):
        pieces = _pieces(written)
        for piece in pieces:
            found.update(_index_units(piece))
        if len(pieces) > 1:
            found.add("".join(pieces)[:WORD_LENGTH])  # don't → dont, t-shirt → tshirt
    return found


def facet(name: str, value: str) -> str:
    """Return the word of a facet: tag=cat."""
    return f"{name}={fold_for_search(value)}"[:64]


def words_in_order(folded: str) -> list[str]:
    """Return the words of a folded text in their order; unspaced scripts give a word for each character."""
    found: list[str] = []
    for written in _written(folded):
        for piece in _pieces(written):
            for run in _runs(piece):
                found.extend(run if _UNSPACED.match(run) else [run[:WORD_LENGTH]])
    return found


def parse(text: str) -> Query:
    """Return the query that a person typed. Invalid: too many words, or a lone surrogate.

    ``"two words"`` is a phrase, ``-word`` excludes, ``tag:cat`` compares a facet, ``before:2026-05`` a date.
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
        else:
            _add_words(query, written, no=no)
    terms = len(query["required"]) + len(query["excluded"])
    if terms > MOST_TERMS or sum(1 for _ in _written(folded)) > MOST_WORDS:
        raise Invalid(f"The search has too many words: at most {MOST_WORDS}.", code="query")
    parts: dict[str, Any] = {name: tuple(dict.fromkeys(found)) for name, found in query.items()}
    return Query(**parts, words=terms > facets)


def days_term(name: str, days: Days) -> Term:
    """Return the term for a facet of dates within these days."""
    return Term(frozenset(facet(name, word) for word in date_words(days)))


def _facet_term(name: str, value: str, *, whole: bool) -> Term:
    if name == "before":
        return days_term("placed", Days(FIRST_DAY, parsed_days(value, "q").first - timedelta(days=1)))
    if name == "after":
        return days_term("placed", Days(parsed_days(value, "q").last + timedelta(days=1), LAST_DAY))
    word = facet(name, value)
    return Term(frozenset(), word) if name == "camera" and not whole else Term(frozenset({word}))


def _side(*, no: bool) -> str:
    return "excluded" if no else "required"


def _add_words(query: dict[str, list[Any]], text: str, *, no: bool) -> None:
    for written in _written(text):
        for piece in _pieces(written.replace("'", "")):
            for run in _runs(piece):
                if _UNSPACED.match(run):
                    _add_phrase(query, run, no=no)
                else:
                    query[_side(no=no)].append(_term(run, begins=not no))


def _add_phrase(query: dict[str, list[Any]], text: str, *, no: bool) -> None:
    phrase = tuple(words_in_order(text))
    if len(phrase) > 1:
        query["excluded_phrases" if no else "phrases"].append(phrase)
        if no:
            return
    units = [unit for written in _written(text) for piece in _pieces(written) for unit in _query_units(piece)]
    query[_side(no=no)] += [Term(frozenset({unit})) for unit in units[:PHRASE_TERMS]]


def _term(word: str, *, begins: bool) -> Term:
    word = word[:WORD_LENGTH]
    return Term(frozenset({word, _stem(word)}), word if begins and len(word) > 1 else None)


def _joined(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


def _written(folded: str) -> Iterator[str]:
    """Yield the words of a text, with the apostrophes and hyphens within them; each symbol is a word."""
    spaced = "".join(map(_separated, folded))
    return (found[0] for found in _WORD.finditer(spaced))


@lru_cache(maxsize=4096)
def _separated(character: str) -> str:
    """Return a letter, digit or mark itself, a symbol such as an emoji between spaces, a space for others."""
    category = unicodedata.category(character)
    if character in "'-" or category[0] in "LNM":
        return character
    return f" {character} " if category == "So" else " "


def _pieces(written: str) -> list[str]:
    return [piece for piece in re.split("['-]+", written) if piece]


def _runs(word: str) -> list[str]:
    """Return the parts of a word that are of one kind: spaced or unspaced script."""
    if word.isascii() or not _UNSPACED.search(word):
        return [word]
    return [run for run in re.split(f"({_UNSPACED.pattern})", word) if run]


def _index_units(piece: str) -> Iterator[str]:
    for run in _runs(piece):
        if _UNSPACED.match(run):
            yield from run
            yield from _pairs(run)
        else:
            yield run[:WORD_LENGTH]
            yield _stem(run[:WORD_LENGTH])


def _query_units(piece: str) -> Iterator[str]:
    for run in _runs(piece):
        yield from (_pairs(run) or [run]) if _UNSPACED.match(run) else [run[:WORD_LENGTH]]


def _pairs(run: str) -> list[str]:
    return [run[index : index + 2] for index in range(len(run) - 1)]


@lru_cache(maxsize=16_384)
def _stem(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        return word
    return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english", 0)  # its own cache is not safe between threads
