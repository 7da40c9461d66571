"""Read the JSON object in a model's answer, which may be wrapped, sloppy or cut off. Pure.

The standard parser reads what is correct. The other one, below, reads what models write instead: line feeds in
strings, trailing or missing commas, single quotes, comments, and an end that is missing. Libraries that repair
JSON close what was cut off; here the cut value must be known, because half a caption is not a caption.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

LONGEST = 50_000  # characters that are looked at; an answer has some 3,000, its thoughts perhaps more
DEPTH = 20
STARTS = 20  # opening braces that are tried; others belong to prose

_SPACE = re.compile(r"(?:[\s,;\ufeff\u200b]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BARE = re.compile(r"[^\s,:{}\[\]\"'“”]+")
_KEY = re.compile(r"[\w.\- ]+")
_CONSTANTS = {"true": True, "false": False, "null": None, "none": None, "undefined": None, "nan": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_QUOTES = {'"': '"', "'": "'", "“": "”", "`": "`"}
_NEXT_FIELD = re.compile(r"""["'`“]?[A-Za-z][\w-]{0,20}["'`”]?\s*:""")
_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)


def objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects in ``text``, the likeliest first: each with the fields that are complete.

    Prose and fences around them are skipped, lists and objects around them opened, and strings that hold JSON
    decoded.
    """
    text = _THOUGHTS.sub("", text[: 4 * LONGEST])[:LONGEST].strip("\ufeff\u200b \t\r\n")
    for value in _values(text):
        yield from _objects(value, DEPTH)


def _values(text: str) -> Iterator[Any]:
    try:
        yield json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    else:
        return
    position = 0
    for _ in range(STARTS):
        start = text.find("{", position)
        if start < 0:
            break
        reader = _Reader(text, start)
        yield reader.value(DEPTH)[0]
        position = start + 1 if reader.position <= start + 1 else reader.position
    if re.match(r"""["'`“]caption["'`”]\s*:""", text, re.IGNORECASE):
        yield _Reader("{" + text, 0).value(DEPTH)[0]  # an object without its braces


def _objects(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth == 0:
        return
    if isinstance(value, str) and "{" in value:
        for inner in _values(value.strip()):
            yield from _objects(inner, depth - 1) if inner != value else ()
    elif isinstance(value, dict):
        yield value
        for inner in value.values():
            if isinstance(inner, dict | list | str):
                yield from _objects(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner, depth - 1)


class _Reader:
    """Reads one value from ``position`` on. Each method returns a value, and whether it is complete."""

    def __init__(self, text: str, position: int) -> None:
        self.text, self.position = text, position

    def value(self, depth: int) -> tuple[Any, bool]:
        self._skip()
        mark = self._peek()
        if depth == 0 or not mark:
            self.position = len(self.text)
            return None, False
        if mark == "{":
            return self._object(depth)
        if mark == "[":
            return self._list(depth)
        if mark in _QUOTES:
            return self._string(_QUOTES[mark])
        return self._bare()

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _skip(self) -> None:
        if found := _SPACE.match(self.text, self.position):
            self.position = found.end()

    def _object(self, depth: int) -> tuple[dict[str, Any], bool]:
        found: dict[str, Any] = {}
        self.position += 1
        while True:
            self._skip()
            if not (mark := self._peek()) or mark == "}":
                self.position += 1
                return found, mark == "}"
            key = self._key(mark)
            self._skip()
            if key is None or self._peek() not in (":", "="):
                return found, False
            self.position += 1
            value, complete = self.value(depth - 1)
            if complete or (isinstance(value, list) and value):
                found.setdefault(key, value)
            if not complete:
                return found, False

    def _key(self, mark: str) -> str | None:
        if mark in _QUOTES:
            key, complete = self._string(_QUOTES[mark], key=True)
            return key if complete else None
        bare = _KEY.match(self.text, self.position)
        if bare is None:
            return None
        self.position = bare.end()
        return bare[0].strip()

    def _list(self, depth: int) -> tuple[list[Any], bool]:
        found: list[Any] = []
        self.position += 1
        while True:
            self._skip()
            if not (mark := self._peek()) or mark == "]":
                self.position += 1
                return found, mark == "]"
            start = self.position
            value, complete = self.value(depth - 1)
            if not complete or self.position == start:
                return found, False
            found.append(value)

    def _string(self, quote: str, *, key: bool = False) -> tuple[str, bool]:
        """Read a string to the quote that ends it: one before a comma, colon, bracket, line end or the end."""
        parts: list[str] = []
        self.position += 1
        while self.position < len(self.text):
            mark = self.text[self.position]
            self.position += 1
            if mark == "\\":
                parts.append(self._escape())
            elif mark == quote and self._ends(key=key):
                return "".join(parts), True
            else:
                parts.append(mark)
        return "".join(parts), False

    def _ends(self, *, key: bool) -> bool:
        """Return whether the quote that was just read ends its string; models do not escape all others."""
        rest = self.text[self.position : self.position + 200].lstrip()
        if key or not rest or rest[0] in ":]}":
            return True
        if rest[0] in ",;":
            rest = rest[1:].lstrip()
            return not rest or rest[0] in "\"'“`]}[{/" or _NEXT_FIELD.match(rest) is not None
        return rest[0] in "\"'" or rest.startswith("```") or _NEXT_FIELD.match(rest) is not None

    def _escape(self) -> str:
        mark = self._peek()
        self.position += 1
        if mark == "u" and (code := re.compile(r"[0-9a-fA-F]{4}").match(self.text, self.position)):
            self.position = code.end()
            return self._surrogates(int(code[0], 16))
        return _ESCAPES.get(mark, mark)

    def _surrogates(self, high: int) -> str:
        """Return the character of an escaped UTF-16 unit, or of two that belong together."""
        low = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})").match(self.text, self.position)
        if not 0xD800 <= high < 0xDC00 or low is None:
            return chr(high)
        self.position = low.end()
        return chr(0x10000 + ((high - 0xD800) << 10) + int(low[1], 16) - 0xDC00)

    def _bare(self) -> tuple[Any, bool]:
        found = _BARE.match(self.text, self.position)
        if found is None:
            self.position += 1
            return None, False
        self.position = found.end()
        word = found[0]
        if word.lower() in _CONSTANTS:
            return _CONSTANTS[word.lower()], True
        try:
            return json.loads(word), self.position < len(self.text)
        except ValueError:
            return word, self.position < len(self.text)
