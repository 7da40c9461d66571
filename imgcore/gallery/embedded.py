"""The caption and keywords in an image's own metadata, which the photographer wrote. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from imgcore.gallery.models import Description, PhotoFacts, Source
from imgcore.text import is_boilerplate, one_line, shorten

MAX_CAPTION = 500  # characters
MAX_ALT = 125
MAX_TAGS, MAX_TAG = 8, 40


def description(facts: PhotoFacts) -> Description | None:
    """Return the photo's own caption as a description; None if it has none, or a camera's boilerplate."""
    text = one_line(facts.embedded_caption or "")
    if not any(character.isalpha() for character in text) or is_boilerplate(text):
        return None
    return Description(
        caption=shorten(text, MAX_CAPTION),
        alt_text=shorten(text, MAX_ALT),
        tags=keywords(facts.embedded_keywords),
        source=Source.EMBEDDED,
    )


def keywords(words: Iterable[str]) -> tuple[str, ...]:
    """Return the photo's own keywords as tags: lower case, unique, at most eight."""
    cleaned = (one_line(word).lower() for word in words)
    return tuple(dict.fromkeys(word for word in cleaned if 0 < len(word) <= MAX_TAG))[:MAX_TAGS]
