"""Turns findings into a caption, an alt text and tags. Pure.

It says "looks like", "perhaps" and "possibly" where a net has guessed, and only counts faces.
"""

from __future__ import annotations

from collections.abc import Iterable

from imgcore.captioning.local.findings import Findings, Impression, Subject

VERSION = "local-1"  # of the wording; raise it when the same picture would be described differently

MAX_ALT = 125  # characters, what screen readers read in one go
_TAGS = (3, 8)

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNTED = 3  # so many faces are counted exactly, more are "about" so many


def caption(seen: Findings) -> str:
    """Return the caption: one English sentence."""
    impression, content = seen.impression, _content(seen)
    if impression.plain:
        return _sentence(f"A {_plain_color(impression)} picture with nothing to make out")
    frame = f"a {_frame(impression, usual=not content)}{_colors(impression, ' that is mostly ')}"
    if not content:
        return _sentence(frame)
    return _sentence(f"{content}{',' if ',' in content else ''} in {frame}")


def alt_text(seen: Findings) -> str:
    """Return the alt text: the subject first, at most MAX_ALT characters."""
    impression = seen.impression
    if impression.plain:
        return _sentence(f"Plain {_plain_color(impression)} surface")
    content = _content(seen)
    frame = _sentence(f"{_frame(impression, usual=not content)}{_colors(impression, ', mostly ')}")
    if not content:
        return f"{frame} The subject was not recognized."
    texts = (f"{_sentence(content)} {frame}", f"{_sentence(_content(seen, detailed=False))} {frame}")
    return next(text for text in texts if len(text) <= MAX_ALT)


def tags(seen: Findings, keywords: Iterable[str] = ()) -> tuple[str, ...]:
    """Return three to eight tags in lower case. ``keywords``: the photo's own; they come first."""
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
    if impression.plain:
        found.append("plain")
    if impression.light:
        found.append(impression.light)
    found.append("panorama" if impression.shape == "panoramic" else impression.shape)
    found = list(dict.fromkeys(found))
    if len(found) < _TAGS[0]:
        found.append(_medium(impression))
    return tuple(found[: _TAGS[1]])


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
    return f"{'about ' if count > _COUNTED else ''}{number} face{'s' if count > 1 else ''}"


def _frame(impression: Impression, *, usual: bool) -> str:
    """ "bright, square photograph"; the article before it is always "a". ``usual``: even "wide" is said."""
    shape = impression.shape if usual or impression.shape != "wide" else None
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
