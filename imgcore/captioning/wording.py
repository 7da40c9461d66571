"""Remove what models wrap around a description, and recognise what is none. Pure.

The expressions for each language are in phrases.py.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache, partial

from imgcore.captioning import phrases
from imgcore.text import one_line

LONGEST = 5_000  # characters that are normalized; the rest is beyond every limit
_ROUNDS = 12  # each removes one layer of wrapping


@cache
def _any(expressions: tuple[str, ...], before: str = "", after: str = "") -> re.Pattern[str]:
    return re.compile(f"{before}(?:{'|'.join(expressions)}){after}", re.IGNORECASE)


# Compiled when they are first used: a cold start does not wait for them.
_LABEL = partial(_any, phrases.LABELS, after=r"\s*(?:\([^()]{0,30}\)|\d{1,2})?(?:\s*[:：]\s*|\s+[–—-]\s+)")
_LABEL_LINE = partial(_any, phrases.LABELS, after=r"\s*\d{0,2}\s*[:：]?")
_CHATTER = partial(_any, phrases.CHATTER)
_GOODBYE = partial(_any, phrases.GOODBYE, before=r"(?<=[.!?])\s+")
_IMAGE_OF = partial(_any, phrases.IMAGE_OF)
_REFUSAL = partial(_any, phrases.REFUSALS)
_SELF = partial(_any, phrases.SELF)
_QUOTED = partial(_any, phrases.QUOTED)
_ERROR = partial(_any, phrases.ERROR)
_NOTHING = partial(_any, phrases.NOTHING)
_ABSENT = partial(
    _any,
    phrases.LABELS,
    before=r"(?:(?:the|an?|this|die|das|eine?|la|le|une?|el|una)\s+)?",
    after=rf"(?:\s*(?:{'|'.join(phrases.ABSENT)}))",
)

_TAGS = re.compile(
    r"</?(?:p|br|hr|b|strong|em|i|u|s|small|span|div|caption|figcaption|figure|h[1-6]|ul|ol|li|code|pre|blockquote)"
    r"\b[^<>]{0,200}>",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^\s*(?:```|~~~)[\w+-]*\s*$|```", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$", re.MULTILINE)
_HEADING = re.compile(r"^\s*#{1,6}\s+", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]+?)(?<=\S)\1(?![\w*])")
_UNDERLINE = re.compile(r"(?<![\w_])(_{1,3})(?=[^\s_])([^_]+?)(?<=\S)\1(?![\w_])")
_STRIKE = re.compile(r"(~~|`)(?=\S)([^~`]+?)\1")
_STRAY = re.compile(r"(?<!\S)\*+(?=\S)|(?<=\S)\*+(?!\S)|\*\*+|^`+|`+$")
_ESCAPE = re.compile(r"\\([*_#`~\[\]()>.!\"'+-])")
_ITEM = re.compile(r"^\s*(?:[-*•‣◦–—+>]\s+|[1-9][.)]\s+(?=\w(?:\s|[^\W\dA-ZÀ-Þ])))(.*)$")
_QUOTES = ('""', "''", "“”", "„“", "„”", "”“", "‘’", "‚‘", "«»", "»«", "‹›", "「」", "『』", "``", "‟”", "**")


def plain(text: str) -> str:
    """Return ``text`` in one line, without markup, labels, quotes around all of it, and words to the reader."""
    text = text[:LONGEST]
    for _ in range(_ROUNDS):
        before, text = text, _unwrapped(_one_paragraph(_without_markup(text)))
        if text == before:
            break
    return text


def without_image_of(text: str) -> str:
    """Return ``text`` without "Image of", "The photo shows" and the like, which screen readers say anyway."""
    while found := _IMAGE_OF().match(text):
        text = _capitalized(text[found.end() :].lstrip(" ,:"))
    return text


def settled(text: str, step: Callable[[str], str]) -> str:
    """Return the text that ``step`` does not change any more."""
    for _ in range(_ROUNDS):
        before, text = text, step(text)
        if text == before:
            break
    return text


def is_refusal(text: str) -> bool:
    """Return whether a plain text declines to describe, or asks for an image."""
    text = _without_error(text)
    return _REFUSAL().match(text) is not None or _SELF().search(_QUOTED().sub(" ", text)) is not None


def is_nothing(text: str) -> bool:
    """Return whether a plain text stands for nothing: "N/A", "null", "...", one word again and again."""
    text = _without_error(text)
    letters = sum(character.isalpha() for character in text)
    if letters == 0 or (letters == 1 and text.isascii()) or is_placeholder(text):
        return True
    words = re.findall(r"\w+", text.casefold())
    if len(words) == 1 and len(words[0]) >= 6 and len(set(words[0])) == 1:
        return True
    repeated = len(words) >= 3 and len(set(words)) == 1
    return repeated or (len(words) >= 8 and 4 * len(set(words)) <= len(words))


def is_placeholder(text: str) -> bool:
    """Return whether ``text`` is one of the words and phrases that stand for nothing, such as "N/A"."""
    bare = _without_error(text).strip(" .:!?…。\"'()[]-–—_*")
    return any(expression.fullmatch(bare) for expression in (_NOTHING(), _ABSENT()))


def _without_error(text: str) -> str:
    found = _ERROR().match(text)
    return text[found.end() :] if found else text


def _without_markup(text: str) -> str:
    text = _TAGS.sub(" ", html.unescape(text)).replace("\r", "\n").replace("\\n", "\n")
    text = _ESCAPE.sub(r"\1", text)
    for expression in (_FENCE, _RULE, _HEADING):
        text = expression.sub("", text)
    text = _LINK.sub(r"\1", text)
    for expression in (_EMPHASIS, _UNDERLINE, _STRIKE):
        text = expression.sub(r"\2", text)
    return text


def _one_paragraph(text: str) -> str:
    """Return the lines as one: list items separated by semicolons, lines that are only a label left out."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) > 1:
        lines = [line for line in lines if not _LABEL_LINE().fullmatch(line)] or lines
    if len(lines) == 1 and (mark := re.match(r"([-*•])\s+", lines[0])):
        lines = [f"{mark[0]}{part}" for part in lines[0][mark.end() :].split(f" {mark[1]} ")]
    joined = ""
    for line in lines:
        item = _ITEM.match(line)
        words = item[1] if item else line
        joined += ("; " if item and joined and joined[-1] not in ".!?:;," else " ") + words if joined else words
    return _STRAY.sub("", one_line(joined)).strip()


def _unwrapped(text: str) -> str:
    """Return ``text`` without one layer of quotes, labels and chatter; never less than a word."""
    text = _unquoted(text)
    for expression in (_CHATTER(), _LABEL()):
        if (found := expression.match(text)) and text[found.end() :].strip():
            text = _capitalized(text[found.end() :].strip())
    return _GOODBYE().sub("", text).strip()


def _unquoted(text: str) -> str:
    end = text[-1] if text[-2:-1] and text[-1] in ".!?" and text[-2] in "\"'”’»" else ""
    inner = text.removesuffix(end)
    paired = len(inner) >= 2 and inner[0] + inner[-1] in _QUOTES
    if paired and _is_one_quotation(inner[1:-1], inner[0], inner[-1]):
        inner = inner[1:-1].strip()
        return inner if inner.endswith((".", "!", "?")) else inner + end
    if text.count('"') == 1 and (text[0] == '"' or text[-1] == '"'):
        return text.strip('"').strip()
    return text


def _is_one_quotation(inner: str, first: str, last: str) -> bool:
    """Return whether quotes inside open before they close, so that the outer ones belong together."""
    if first != last:
        closing, opening = inner.find(last), inner.find(first)
        return closing < 0 or 0 <= opening < closing
    found = inner.find(first)
    if first == "'":  # an apostrophe is no quote
        return re.search(r"'(?:\s|$)|\s'", inner) is None
    return found < 0 or (inner[found - 1 : found] in ("", " ", "(") and found + 1 < len(inner))


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
