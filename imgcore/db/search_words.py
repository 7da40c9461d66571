"""Words under which a photo is found. Pure.

The texts of photos and of queries are folded alike. Scripts without spaces between words are found by pairs of
characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from imgcore.text import fold_for_search

WORD_LENGTH = 32  # characters of a word that count
END = "\U0010ffff"  # sorts after every character
# Of the words of filters, such as tag=cat. No word of a text has the sign.
FACET_NAMES = ("camera", "orientation", "owner", "placed", "source", "tag", "taken", "type", "uploaded")

# Han, Kana and Hangul; Thai, Lao, Myanmar and Khmer
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_WORD = re.compile(r"[^\s'-](?:\S*[^\s'-])?")


def index_words(folded: str, facets: Iterable[tuple[str, str]] = ()) -> set[str]:
    """Return the words under which a photo with this folded text is found, without those of no use.

    facets: (name of FACETS of search_query, value) for what filters compare whole.
    """
    found = {facet(name, value) for name, value in facets}
    for written in written_words(folded):
        parts = pieces(written)
        for piece in parts:
            found.update(_index_units(piece))
        if len(parts) > 1:
            found.add("".join(parts)[:WORD_LENGTH])  # don't → dont, t-shirt → tshirt
    return found


def facet(name: str, value: str) -> str:
    """Return the word of a facet: tag=cat."""
    assert name in FACET_NAMES, name
    return f"{name}={fold_for_search(value)}"[:64]


def ranges(prefix: str) -> list[tuple[str, str]]:
    """Return the ranges (first, end) of the words that begin with ``prefix``; the end is not part of its range.

    What is typed finds words of texts: "place" does not find placed=2018. The prefix of a facet has its sign.
    """
    found, first = [], prefix
    if "=" not in prefix:
        for name in FACET_NAMES:  # in their order
            if name.startswith(prefix):
                found.append((first, f"{name}="))
                first = f"{name}>"  # the sign after "="
    return [*found, (first, prefix + END)]


def words_in_order(folded: str) -> list[str]:
    """Return the words of a folded text in their order; unspaced scripts give a word for each character."""
    found: list[str] = []
    for written in written_words(folded):
        for piece in pieces(written):
            for run in runs(piece):
                found.extend(run if UNSPACED.match(run) else [run[:WORD_LENGTH]])
    return found


def written_words(folded: str) -> Iterator[str]:
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


def pieces(written: str) -> list[str]:
    """Return the parts of a word between its apostrophes and hyphens."""
    return [piece for piece in re.split("['-]+", written) if piece]


def runs(word: str) -> list[str]:
    """Return the parts of a word that are of one kind: spaced or unspaced script."""
    if word.isascii() or not UNSPACED.search(word):
        return [word]
    return [run for run in re.split(f"({UNSPACED.pattern})", word) if run]


def _index_units(piece: str) -> Iterator[str]:
    for run in runs(piece):
        if UNSPACED.match(run):
            yield from run
            yield from pairs(run)
        else:
            yield run[:WORD_LENGTH]
            yield stem(run[:WORD_LENGTH])


def pairs(run: str) -> list[str]:
    """Return each two characters that follow each other in an unspaced script."""
    return [run[index : index + 2] for index in range(len(run) - 1)]


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """Return the English stem of a word of letters of ASCII; any other word as it is."""
    if not (word.isascii() and word.isalpha()):
        return word
    return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english", 0)  # its own cache is not safe between threads
