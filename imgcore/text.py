"""Text from outside made fit to store, to show, to search and to count. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from imgcore.errors import Invalid

JOINERS = "\u200c\u200d"  # zero width: Persian, Indic scripts and emoji need them between characters
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # Unicode general categories
_CUT_OFF = " ,;:–—-" + JOINERS  # what does not stand before an ellipsis
_KIB, _MIB = 2**10, 2**20
_UNITS = ((2**40, "TiB"), (2**30, "GiB"), (_MIB, "MiB"))

# The flag of a part of a country: a black flag, its code in characters that do not show, and an end
# (Unicode TR 51, C.1)
_FLAG_OF_REGION = re.compile("(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)")

# Before the compatibility decomposition, which turns an acute accent used as an apostrophe into a space.
_PUNCTUATION = dict.fromkeys(map(ord, "`´‘’‚‛′‵ʹʻʼʽʾʿˈ՚ꞌ＇"), "'") | dict.fromkeys(
    map(ord, "“”„‟«»‹›″‶〝〞〟「」『』＂"), '"'
)
_PUNCTUATION |= {ord("−"): "-", ord("⁃"): "-"}
# Letters that Unicode neither decomposes nor names after another letter, and the Arabic letter stretcher
_FOLDED_LETTERS = {"æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th", "ŋ": "n", "ə": "e", "ĸ": "k", "ـ": ""}

_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")  # Unicode TR 9, 2.1 to 2.5
_NOT_SHOWABLE = re.compile("[\0-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
_MOST_MARKS = 30  # of one letter
_SHORT = 500  # characters of a text in which any number of marks does no harm

_BOILERPLATE = re.compile(
    r"""(olympus|minolta|konica\ minolta|kodak|sony|sanyo|samsung|fujifilm|pentax|casio|nikon|canon|hp)?
        \s*(digital\ (still\ )?camera|camera\ pictures|dsc)
      | dig\w*\ camera | dcim | exif_jpeg_picture | jpeg | screenshot | untitled | default | description
      | caption | image | photo
      | (created|edited|made|generated)\ (with|by|in)\ .*
      | (img|dsc|dscn|dscf|p|pict|mvi|pxl)[-_\d]+(\.\w+)?
    """,
    re.IGNORECASE | re.VERBOSE,
)


def normalized(form: _Form, text: str) -> str:
    """Return ``text`` in that normalization form, without the marks of a letter beyond thirty (UAX 15, 13).

    Sorting the marks of a letter takes quadratic time: a text of 64 KiB would keep all threads for seconds.
    """
    if len(text) > _SHORT and not text.isascii():
        kept, marks = [], 0
        for character in text:
            marks = marks + 1 if unicodedata.combining(character) else 0
            if marks <= _MOST_MARKS:
                kept.append(character)
        text = "".join(kept)
    return unicodedata.normalize(form, text)


def printable(text: str) -> str:
    """Return ``text`` in NFC without control, direction and invisible characters and lone surrogates.

    Databases refuse some of those; others make a text look like something else (Unicode TR 36, 3.1).
    """
    if text.isascii() and text.isprintable():  # most file names and messages: nothing to look up
        return text.strip()
    pieces = _FLAG_OF_REGION.split(text)  # the flags are every second one
    pieces[::2] = ["".join(filter(_is_printable, piece)) for piece in pieces[::2]]
    kept = "".join(pieces)
    return normalized("NFC", kept).strip().strip(" " + JOINERS)


def one_line(text: str) -> str:
    """Return ``printable(text)`` with one space for each run of whitespace and line breaks."""
    return " ".join(printable(" ".join(text.split())).split())


def without_overrides(text: str) -> str:
    """Return ``text`` without the characters that change the direction of what follows, also after the text.

    These are U+202A to U+202E and U+2066 to U+2069. The marks and joiners of right-to-left text remain.
    """
    return text if text.isascii() else _OVERRIDES.sub("", text)


def shorten(text: str, limit: int, mark: str = "…") -> str:
    """Return ``text`` if it has at most ``limit`` characters, else its beginning and ``mark``.

    It is cut after a word. A single long word is cut where no accent, vowel sign or joined emoji is separated
    from the character that it completes.
    """
    if len(text) <= limit:
        return text
    end = text.rfind(" ", 0, limit - len(mark) + 1)
    if end <= limit // 2:
        end = limit - len(mark)
        while end and _completes_previous(text, end):
            end -= 1
    return (text[:end] or text[: limit - len(mark)]).rstrip(_CUT_OFF) + mark


def cut_to_bytes(text: str, limit: int) -> str:
    """Return the beginning of ``text`` that has at most ``limit`` bytes in UTF-8.

    It is cut where no accent, vowel sign or joined emoji is separated from the character that it completes.
    """
    end = len(text.encode()[:limit].decode("utf-8", "ignore"))
    if end < len(text):
        whole = end
        while whole and _completes_previous(text, whole):
            whole -= 1
        end = whole or end
    return text[:end].rstrip(" " + JOINERS)


def is_boilerplate(caption: str) -> bool:
    """Return whether ``caption`` is what a camera or a program writes into every file."""
    return _BOILERPLATE.fullmatch(caption) is not None


def storable(text: str, limit: int) -> str:
    """Return ``text`` without NUL characters, at most ``limit`` characters. Invalid for a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("The text holds characters that cannot be stored.") from None
    return text.replace("\0", "")[:limit]


def is_showable(text: str) -> bool:
    """Return whether ``text`` holds what people can read and every format can carry.

    Not so: ASCII control characters but tab and newline, lone surrogates, and U+FFFE and U+FFFF, which XML
    forbids too.
    """
    return _NOT_SHOWABLE.search(text) is None


def xml_text(text: str) -> str:
    """Return ``text`` without the characters that no XML document may have (XML 1.0, 2.2), not even escaped."""
    return _NOT_XML.sub("", text)


def fold_for_search(text: str) -> str:
    """Return ``text`` as it is searched: no case, accents or invisible characters, one space between words.

    Apostrophes, quotation marks, dashes and digits of all scripts become the ASCII ones; letters with a stroke
    or hook and ligatures become those that people type instead (Łódź → lodz, Ærø → aero, ılıca → ilica).
    """
    if text.isascii():
        return " ".join(text.lower().replace("`", "'").split())
    compatible = normalized("NFKD", text.translate(_PUNCTUATION)).casefold()
    folded = "".join(map(_folded_character, normalized("NFKD", compatible)))
    return normalized("NFC", " ".join(folded.split()))  # joins Hangul syllables again


@lru_cache(maxsize=4096)
def _folded_character(character: str) -> str:
    """Return what stands for a decomposed lower-case character in a folded text."""
    category = unicodedata.category(character)
    if character in _FOLDED_LETTERS:
        return _FOLDED_LETTERS[character]
    if category == "Cf" or unicodedata.combining(character) or _is_variation_selector(character):
        return ""
    if category == "Pd":
        return "-"
    if category == "Nd":
        return str(unicodedata.decimal(character))
    base, _, _ = unicodedata.name(character, "").partition(" WITH ")
    try:
        return unicodedata.lookup(base) if category == "Ll" else character
    except KeyError:
        return character


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def utc(when: datetime) -> str:
    """Return a time in UTC as RFC 3339 with Z; a time without a zone is taken as UTC."""
    if when.tzinfo is not None:
        when = when.astimezone(UTC).replace(tzinfo=None)
    return when.isoformat(timespec="milliseconds") + "Z"


def _round_half_up(number: float) -> int:
    """Return what JavaScript's Math.round does; Python's round takes the even one of two."""
    return math.floor(number + 0.5)


def file_size(size: int, rounded: Callable[[float], int] = _round_half_up) -> str:
    """Return ``size`` bytes in words: 512 bytes, 340 KiB, 1.2 MiB, 1 TiB; as fileSize of model/size.js."""
    if size < _KIB:
        return "1 byte" if size == 1 else f"{size} bytes"
    if size < _MIB:
        return f"{rounded(size / _KIB)} KiB"
    unit, name = next((unit, name) for unit, name in _UNITS if size >= unit)
    return f"{rounded(10 * size / unit) / 10:,.1f}".removesuffix(".0") + f" {name}"


def too_large(size: int, limit: int) -> str:
    """Return the sentence for a file of ``size`` bytes where ``limit`` bytes are accepted.

    The size is rounded up and the limit down, so that the two never read the same.
    """
    return f"This file has {file_size(size, math.ceil)}; the limit is {file_size(limit, math.floor)}."


def attachment(name: str) -> str:
    """Return the Content-Disposition header with an ASCII and a UTF-8 file name (RFC 6266)."""
    ascii_name = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"


def _is_printable(character: str) -> bool:
    if character in JOINERS:
        return True
    return unicodedata.category(character) not in _DROPPED and not _is_noncharacter(character)


def _is_noncharacter(character: str) -> bool:
    """Return whether Unicode reserves a code point for internal use (23.7)."""
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def _completes_previous(text: str, index: int) -> bool:
    character = text[index]
    completes = unicodedata.category(character).startswith("M") or 0x1F3FB <= ord(character) <= 0x1F3FF
    of_flag = "\U000e0020" <= character <= "\U000e007f"
    return completes or of_flag or character in JOINERS or text[index - 1] in JOINERS
