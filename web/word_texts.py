"""Sources and versions of words as the API's JSON and as the pages' texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imgcore.gallery.edits import same_words
from imgcore.gallery.models import Edit, Image, Source, WordField, WordVersion
from web.serializers import moment, source_label, utc

FIELD_NAMES = {WordField.CAPTION: "Caption", WordField.ALT_TEXT: "Alt text", WordField.TAGS: "Tags"}
SHOWN = "shown_"  # prefix of the hidden fields with the words that the form showed


def version_json(version: WordVersion) -> dict[str, Any]:
    """Return a version as the API's JSON; id 0 is a text from before versions were kept."""
    return {
        "id": version.id,
        "field": version.field,
        "value": version.value if isinstance(version.value, str) else list(version.value),
        "source": version.source,
        "source_label": source_label(version.source),
        "account": version.account,
        "model": version.model,
        "prompt_version": version.prompt_version,
        "input_tokens": version.input_tokens,
        "output_tokens": version.output_tokens,
        "price_usd": version.price_usd,
        "created_at": utc(version.created_at),
        "applied": version.applied,
        "current": version.current,
    }


def version_row(version: WordVersion) -> dict[str, Any]:
    """Return a version for the history page."""
    text = version.value if isinstance(version.value, str) else ", ".join(version.value)
    return {
        "id": version.id,
        "field": FIELD_NAMES[version.field],
        "text": text or "(empty)",
        "by": _author(version),
        "at": moment(version.created_at),
        "at_machine": utc(version.created_at),
        "note": _note(version),
        "restorable": version.id > 0 and not version.current,
    }


def provenance(image: Image) -> dict[WordField, str]:
    """Return who wrote each field that has words."""
    sources = {
        WordField.CAPTION: image.caption_source,
        WordField.ALT_TEXT: image.alt_text_source,
        WordField.TAGS: image.tags_source,
    }
    return {field: source_label(source) for field, source in sources.items() if source is not None}


def written_by(image: Image) -> str | None:
    """Return who wrote the fields, each source once: "caption: a person; alt text and tags: Gemini"."""
    fields: dict[str, list[str]] = {}
    for field, source in provenance(image).items():
        fields.setdefault(source, []).append(FIELD_NAMES[field].lower())
    parts = [f"{_listed(names)}: {source}" for source, names in fields.items()]
    return "; ".join(parts) or None


def sent_words(fields: Mapping[str, str], prefix: str = "") -> Edit:
    """Return the words in the fields of a form whose names begin with ``prefix``."""
    tags = fields.get(f"{prefix}tags")
    return Edit(
        caption=fields.get(f"{prefix}caption"),
        alt_text=fields.get(f"{prefix}alt_text"),
        tags=None if tags is None else tags.split(","),
    )


def words_form(image: Mapping[str, Any], sent: Mapping[str, str]) -> dict[str, dict[str, str | None]]:
    """Return for each field of the form its text, and the words of the image as they are ``now``.

    sent: the fields of a form that is shown again. Its texts stay where a person changed them; ``other`` is the
    text that somebody else stored meanwhile.
    """
    form = {}
    for field in WordField:
        now = image[field] or ""
        now = now if isinstance(now, str) else ", ".join(now)
        own, shown = sent.get(field, now), sent.get(f"{SHOWN}{field}", now)
        kept = not same_words(own, shown)
        other = now if kept and not same_words(now, shown) and not same_words(now, own) else None
        form[field.value] = {"text": own if kept else now, "now": now, "other": other}
    return form


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _author(version: WordVersion) -> str:
    if version.source is Source.HUMAN:
        return version.account or "A person"
    parts = [source_label(version.source), version.model]
    if version.prompt_version:
        parts.append(f"prompt {version.prompt_version}")
    if version.input_tokens is not None:
        parts.append(f"{version.input_tokens:,} + {version.output_tokens or 0:,} tokens")
        parts.append("price unknown" if version.price_usd is None else f"${version.price_usd:.5f}")
    return ", ".join(part for part in parts if part)


def _note(version: WordVersion) -> str:
    if version.current:
        return "Shown now"
    return "" if version.applied else "Not used: a text of higher rank stayed"
