"""Read a model's answer leniently, and store it strictly: bounded plain words, or an error. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imgcore.captioning import lenient_json
from imgcore.captioning.prompt import (
    ALT_CHARACTERS,
    CAPTION_CHARACTERS,
    CAPTION_WORDS,
    TAG_CHARACTERS,
    TAGS,
    VISIBLE_CHARACTERS,
)
from imgcore.captioning.wording import is_nothing, is_placeholder, is_refusal, plain, settled, without_image_of
from imgcore.gallery.models import Safety, Translation
from imgcore.text import one_line, shorten


@dataclass(frozen=True, slots=True)
class Words:
    """A model's answer, normalized: each text printable, of one line and of bounded length."""

    caption: str
    alt_text: str
    tags: tuple[str, ...]
    visible_text: str
    safety: Safety | None
    translations: tuple[Translation, ...] = ()


class DeclinedError(ValueError):
    """The answer declines to describe, or says nothing."""


# What models call the fields, without case, blanks and marks.
_NAMES = {
    "caption": "caption", "imagecaption": "caption", "photocaption": "caption", "title": "title",
    "description": "description", "alttext": "alt_text", "alt": "alt_text", "alternativetext": "alt_text",
    "altdescription": "alt_text", "tags": "tags", "keywords": "tags", "labels": "tags", "tag": "tags",
    "visibletext": "visible_text", "text": "visible_text", "ocr": "visible_text", "safety": "safety",
    "translations": "translations", "safetyrating": "safety", "rating": "safety",
}  # fmt: skip
_LINE = re.compile(
    r"^[\W_]*(caption|alt(?:ernative)?[ _-]?text|tags|keywords|visible[ _-]?text|safety)"
    r"[\W_]*?[:：][*_\s]*(.+)$",
    re.IGNORECASE | re.MULTILINE,
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")  # of an entry of a list
_NO_TEXT = re.compile(r"n/?a|none|null|nil|no(?: visible| readable| legible)? text.*|there is no .*text.*|-+")
_SAFETY = {"safe": Safety.OK, "none": Safety.OK, "nsfw": Safety.UNSAFE, "explicit": Safety.UNSAFE}


def read(text: str, *, cut: bool = False, translations: Sequence[str] = ()) -> Words:
    """Read ``text``, which should be JSON of the schema. ValueError: it holds no caption; its message says why.

    translations: the codes of further languages; one without usable words is left out. cut: the model stopped
    before the end; then caption and alt text have to be complete. DeclinedError: the words
    decline to describe, or say nothing. Only the caption is required: it stands in for an alt text that is
    missing or says nothing.
    """
    fields = _fields(text)
    if not fields:
        said = plain(text)
        if not cut and (is_refusal(said) or is_placeholder(said)):
            raise DeclinedError("declines in prose")
        raise ValueError("no fields of a description")
    if "caption" not in fields:
        fields["caption"] = fields.get("description")
    if not _text(fields["caption"]).strip():
        raise ValueError("no caption")
    if cut and "alt_text" not in fields:
        raise ValueError("cut off before the alt text")
    found = _words(fields)
    others = (_translation(fields.get("translations"), code) for code in translations)
    return replace(found, translations=tuple(one for one in others if one is not None))


def _translation(value: Any, code: str) -> Translation | None:
    """Return the words in one language, from an object by codes; None without a caption."""
    members = value if isinstance(value, dict) else {}
    given = next((one for name, one in members.items() if str(name).lower() == code.lower()), None)
    named = given if isinstance(given, dict) else {}
    fields = {_NAMES.get(re.sub(r"[\W_]", "", name).lower()): one for name, one in named.items()}
    said = caption(_text(fields.get("caption")))
    if not _describes(said):
        return None
    alternative = alt_text(_text(fields.get("alt_text")))
    return Translation(
        language=code,
        caption=said,
        alt_text=alternative if _describes(alternative) else alt_text(said) or said[:ALT_CHARACTERS],
        tags=tags(fields.get("tags")),
    )


def _words(fields: dict[str, Any]) -> Words:
    said, alternative = caption(_text(fields["caption"])), alt_text(_text(fields.get("alt_text")))
    if not _describes(said):
        if not _describes(alternative):
            raise DeclinedError("declines to describe" if said else "an empty caption")
        said = alternative
    if not _describes(alternative):
        alternative = alt_text(said)
    return Words(
        caption=said,
        alt_text=alternative or said[:ALT_CHARACTERS],
        tags=tags(fields.get("tags")),
        visible_text=visible_text(fields.get("visible_text")),
        safety=safety(fields.get("safety")),
    )


def _describes(text: str) -> bool:
    return bool(text) and not is_refusal(text) and not is_nothing(text)


def _fields(text: str) -> dict[str, Any]:
    """Return the fields of all objects in ``text``, the first of each name; or those of labelled lines."""
    found: dict[str, Any] = {}
    for fields in lenient_json.objects(text):
        for name, value in fields.items():
            known = _NAMES.get(re.sub(r"[\W_]", "", name).lower())
            if known is not None and value is not None:
                found.setdefault(known, value)
    if found:
        return found if "caption" in found or "description" in found else {}
    lines = {_NAMES[re.sub(r"[\W_]", "", name).lower()]: value for name, value in _LINE.findall(text[:20_000])}
    return lines if "caption" in lines else {}


def _text(value: Any) -> str:
    """Return the text in a value that should be one: of a list all, of an object the first."""
    if isinstance(value, dict):
        value = list(value.values())[:1]
    if isinstance(value, list):
        return "\n".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""


def caption(text: str) -> str:
    """Return the caption, normalized: plain, at most 25 words and 250 characters."""
    return settled(text, lambda text: _bounded_caption(without_image_of(plain(text))))


def _bounded_caption(text: str) -> str:
    words = text.split(" ")
    short = " ".join(words[:CAPTION_WORDS])
    if len(words) > CAPTION_WORDS and not short.endswith((".", "!", "?")):
        short = short.rstrip(" ,;:–—-") + "…"
    return shorten(short, CAPTION_CHARACTERS)


def alt_text(text: str) -> str:
    """Return the alt text, normalized: plain, at most 125 characters, without "image of"."""
    return settled(text, lambda text: shorten(without_image_of(plain(text)), ALT_CHARACTERS))


def tags(values: Any) -> tuple[str, ...]:
    """Return the tags, normalized: at most eight, in lower case, each once, in the order given.

    values: a list of texts, numbers or objects; an object with the tags as names; or one text with separators.
    """
    parts = (settled(part, _tag) for value in _items(values) for part in _parts(value))
    found = dict.fromkeys(tag for tag in parts if tag and not is_placeholder(tag))
    return tuple(found)[:TAGS]


def _parts(value: str) -> Iterator[str]:
    """Yield what stands between the separators, as it is after its characters have been normalized."""
    for line in value.split("\n"):
        for part in re.split("[,;]", one_line(line)):
            yield from re.split(" (?=#)", _BULLET.sub("", part))


def _tag(text: str) -> str:
    bare = _BULLET.sub("", one_line(text.lower())).strip(" #.:!?\"'()[]{}*_`“”«»")
    return shorten(bare, TAG_CHARACTERS, mark="").strip()


def _items(values: Any) -> list[str]:
    if isinstance(values, str):
        inner = re.fullmatch(r"\s*\[(.*)\]\s*", values, re.DOTALL)
        return [inner[1] if inner else values]
    if isinstance(values, dict):
        values = list(values)
    found: list[str] = []
    for value in values if isinstance(values, list) else ():
        if isinstance(value, dict):
            value = next((item for item in value.values() if isinstance(item, str)), None)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            found.append(str(value))
    return found


def visible_text(value: Any) -> str:
    """Return the text that is readable in the photo, in one bounded line; empty where there is none."""
    text = one_line(_text(value))
    said = plain(text).lower().rstrip(".")
    return "" if _NO_TEXT.fullmatch(said) else shorten(text, VISIBLE_CHARACTERS)


def safety(value: Any) -> Safety | None:
    """Return the safety rating; None where it is none of the schema's."""
    word = value.strip().lower() if isinstance(value, str) else ""
    return Safety(word) if word in list(Safety) else _SAFETY.get(word)
