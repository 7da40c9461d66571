"""A caption that the photograph brought along: its author knows better than any net. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from imgcore.gallery.models import Description, PhotoFacts, Source

MAX_CAPTION = 500  # characters
MAX_ALT = 125
MAX_TAGS, MAX_TAG = 8, 40

# What cameras and programs write into the field by themselves.
_BOILERPLATE = re.compile(
    r"""(olympus|minolta|konica\ minolta|kodak|sony|sanyo|samsung|fujifilm|pentax|casio|nikon|canon|hp)?
        \s*(digital\ (still\ )?camera|dsc)
      | dig\w*\ camera | dcim | screenshot | untitled | default | description | caption | image | photo
      | (created|edited|made|generated)\ (with|by|in)\ .*
      | (img|dsc|dscn|dscf|p|pict|mvi|pxl)[-_\d]+(\.\w+)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Characters that reorder the text around them (Unicode TR 9).
_REORDERING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF))


def description(facts: PhotoFacts) -> Description | None:
    """The photograph's own words as a description; None where it brought none worth showing."""
    text = _clean(facts.embedded_caption or "")
    if not any(character.isalpha() for character in text) or _BOILERPLATE.fullmatch(text):
        return None
    return Description(
        caption=_clamp(text, MAX_CAPTION),
        alt_text=_clamp(text, MAX_ALT),
        tags=keywords(facts.embedded_keywords),
        source=Source.EMBEDDED,
    )


def keywords(words: Iterable[str]) -> tuple[str, ...]:
    """The photograph's own keywords as tags: small letters, no doubles, at most eight."""
    cleaned = (_clean(word).lower() for word in words)
    return tuple(dict.fromkeys(word for word in cleaned if 0 < len(word) <= MAX_TAG))[:MAX_TAGS]


def _clean(text: str) -> str:
    """One line without control characters, in composed form."""
    text = unicodedata.normalize("NFC", text.translate(_REORDERING))
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(text.split())


def _clamp(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut between words where there are any."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    between = head.rfind(" ")
    return (head[:between] if between > limit // 2 else head).rstrip(" ,;:.-") + "…"
