"""Turns findings into a caption, an alt text and tags. Pure.

It says "looks like", "perhaps" and "possibly" where a net has guessed, and counts people by their faces.
Without a subject it states facts that tell one photo from another: when, where and with which camera it was
taken, and the colours of its middle.
"""

from __future__ import annotations

from collections.abc import Iterable

from imgcore.captioning.local.findings import Findings, Impression, Subject
from imgcore.gallery.models import PhotoFacts
from imgcore.text import shorten

VERSION = "local-2"  # of the wording; raise it when the same picture would be described differently

MAX_ALT = 125  # characters, what screen readers read in one go
_TAGS = 8
_CAMERA = 40  # characters

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNTED = 3  # so many faces are counted exactly, more are "about" so many


def caption(seen: Findings, facts: PhotoFacts | None = None) -> str:
    """Return the caption: one English sentence. ``facts``: of the file, used where no subject is named."""
    impression, content = seen.impression, _content(seen)
    if impression.plain:
        return _sentence(f"A {_plain_color(impression)} picture with nothing to make out")
    if not content:
        return _facts(impression, facts)
    frame = f"a {_frame(impression)}{_colors(impression, ' that is mostly ')}"
    return _sentence(f"{content}{',' if ',' in content else ''} in {frame}")


def alt_text(seen: Findings, facts: PhotoFacts | None = None) -> str:
    """Return the alt text: the subject first, at most MAX_ALT characters."""
    impression = seen.impression
    if impression.plain:
        return _sentence(f"Plain {_plain_color(impression)} surface")
    if not _content(seen):
        return shorten(_facts(impression, facts), MAX_ALT)
    frame = _sentence(f"{_frame(impression)}{_colors(impression, ', mostly ')}")
    texts = (f"{_sentence(_content(seen))} {frame}", f"{_sentence(_content(seen, detailed=False))} {frame}")
    return next(text for text in texts if len(text) <= MAX_ALT)


def tags(seen: Findings, keywords: Iterable[str] = ()) -> tuple[str, ...]:
    """Return one to eight tags in lower case. ``keywords``: the photo's own; they come first."""
    impression = seen.impression
    found = list(keywords)
    if seen.subject:
        found += seen.subject.tags
    if seen.faces:
        found.append("person" if seen.faces == 1 else "people")
    if impression.black_and_white:
        found.append("black and white")
    else:
        found += impression.colors or ("colorful",)
    if impression.plain:
        found.append("plain")
    if impression.light:
        found.append(impression.light)
    if impression.shape == "panoramic":
        found.append("panorama")
    return tuple(dict.fromkeys(found))[:_TAGS]


def _facts(impression: Impression, facts: PhotoFacts | None) -> str:
    """ "Taken on 3 May 2026 with Pixel 8: mostly green, red in the middle."; without facts the colours."""
    taken = _taken(facts) if facts else ""
    return _sentence(": ".join(part for part in (taken, _look(impression)) if part))


def _taken(facts: PhotoFacts) -> str:
    parts = []
    if facts.taken_at:
        parts.append(f"on {facts.taken_at.day} {facts.taken_at:%B %Y}")
    if facts.location:
        parts.append(f"at {_degrees(facts.location[0], 'NS')}, {_degrees(facts.location[1], 'EW')}")
    if facts.camera:
        parts.append(f"with {shorten(facts.camera, _CAMERA)}")
    return f"taken {' '.join(parts)}" if parts else ""


def _degrees(value: float, directions: str) -> str:
    return f"{abs(value):.1f}° {directions[value < 0]}"


def _look(impression: Impression) -> str:
    """ "dark, mostly green, red in the middle"."""
    words = [impression.light or ""]
    if impression.black_and_white:
        words.append("black and white")
    elif impression.colors:
        words.append(_colors(impression, "mostly ").removeprefix(" with "))
        middle = [color for color in impression.foreground if color not in impression.colors]
        words.append(f"{' and '.join(middle)} in the middle" if middle else "")
    words.append("panoramic" if impression.shape == "panoramic" else "")
    return ", ".join(word for word in words if word) or "of many colors"


def _content(seen: Findings, *, detailed: bool = True) -> str:
    return " and ".join(part for part in (_faces(seen.faces), _subject(seen.subject, detailed)) if part)


def _subject(subject: Subject | None, detailed: bool) -> str:
    if subject is None:
        return ""
    if not subject.sure:
        return f"possibly {subject.phrase}"
    detail = f", perhaps {subject.detail}" if subject.detail and detailed else ""
    return f"what looks like {subject.phrase}{detail}"


def _faces(count: int) -> str:
    if not count:
        return ""
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    if count == 1:
        return "a person"
    return f"{'about ' if count > _COUNTED else ''}{number} people"


def _frame(impression: Impression) -> str:
    """ "bright, square photograph"; the article before it is always "a"."""
    shape = None if impression.shape == "wide" else impression.shape
    adjectives = ", ".join(word for word in (impression.light, shape) if word)
    if impression.black_and_white:
        adjectives = f"{adjectives} black-and-white".lstrip()
    return f"{adjectives} {_medium(impression)}".lstrip()


def _colors(impression: Impression, mostly: str) -> str:
    if impression.black_and_white or not impression.colors:
        return ""
    names = " and ".join(impression.colors)
    if set(impression.colors) == {"blue", "light blue"}:
        names = "shades of blue"
    return f"{mostly}{names}" if impression.mostly else f" with some {names}"


def _medium(impression: Impression) -> str:
    return "picture" if impression.drawn or impression.plain else "photograph"


def _plain_color(impression: Impression) -> str:
    return impression.colors[0] if impression.colors else "gray"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
