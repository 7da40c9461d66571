"""Puts what was seen into a sentence, an alternative text and tags. Pure.

It says "looks like", "perhaps" and "possibly" where a net has guessed, and only counts faces.
"""

from __future__ import annotations

from collections.abc import Iterable

from imgcore.describing.seen import Impression, Seen

VERSION = "local-1"  # of the wording; raise it when the same picture would be described differently

MAX_ALT = 125  # characters, what screen readers read in one go
_TAGS = (3, 8)

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNTED = 3  # so many faces are counted exactly, more are "about" so many


def caption(seen: Seen) -> str:
    """One English sentence."""
    if seen.impression.plain:
        return _sentence(f"A {_plain_color(seen.impression)} picture with nothing to make out")
    frame = _frame(seen.impression)
    lead = " and ".join(part for part in (_faces(seen.faces), _subject(seen)) if part)
    return _sentence(f"{lead}, in a {frame}" if lead else f"a {frame}")


def alt_text(seen: Seen) -> str:
    """For a screen reader: what is shown comes first. At most MAX_ALT characters."""
    if seen.impression.plain:
        return _sentence(f"Plain {_plain_color(seen.impression)} surface")
    frame = _sentence(_frame(seen.impression))
    for detailed in (True, False):
        content = " and ".join(part for part in (_faces(seen.faces), _subject(seen, detailed)) if part)
        text = f"{_sentence(content)} {frame}" if content else f"{frame} The subject was not recognized."
        if len(text) <= MAX_ALT:
            break
    return text


def tags(seen: Seen, keywords: Iterable[str] = ()) -> tuple[str, ...]:
    """Three to eight, in small letters. ``keywords``: the photographer's own; they come first."""
    impression = seen.impression
    found = list(keywords)
    if seen.subject:
        found += seen.subject.tags
    if seen.faces:
        found.append("face" if seen.faces == 1 else "faces")
    if impression.black_and_white:
        found.append("black and white")
    else:
        found += impression.colors or ("colorful",)
    found += ["plain"] * impression.plain + ([impression.light] if impression.light else [])
    found.append("panorama" if impression.shape == "panoramic" else impression.shape)
    found = list(dict.fromkeys(found))
    if len(found) < _TAGS[0]:
        found.append(_medium(impression))
    return tuple(found[: _TAGS[1]])


def _subject(seen: Seen, detailed: bool = True) -> str:
    if seen.subject is None:
        return ""
    if not seen.subject.sure:
        return f"possibly {seen.subject.phrase}"
    detail = f", perhaps {seen.subject.detail}" if seen.subject.detail and detailed else ""
    return f"what looks like {seen.subject.phrase}{detail}"


def _faces(count: int) -> str:
    if not count:
        return ""
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{'about ' if count > _COUNTED else ''}{number} face{'s' if count > 1 else ''}"


def _frame(impression: Impression) -> str:
    """ "bright, wide photograph, mostly blue and green"; its article is always "a"."""
    adjectives = ", ".join(word for word in (impression.light, impression.shape) if word)
    if impression.black_and_white:
        return f"{adjectives} black-and-white {_medium(impression)}"
    colors = " and ".join(impression.colors)
    extent = f", mostly {colors}" if impression.mostly else f" with some {colors}" if colors else ""
    return f"{adjectives} {_medium(impression)}{extent}"


def _medium(impression: Impression) -> str:
    return "picture" if impression.drawn or impression.plain else "photograph"


def _plain_color(impression: Impression) -> str:
    return impression.colors[0] if impression.colors else "gray"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
