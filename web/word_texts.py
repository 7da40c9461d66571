"""Sources and versions of words as the API's JSON and as the pages' texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imgcore.gallery.models import Edit, Image, Source, WordField, WordVersion
from web.form_texts import form_fields
from web.serializers import moment, source_label, utc

FIELD_NAMES = {WordField.CAPTION: "Caption", WordField.ALT_TEXT: "Alt text", WordField.TAGS: "Tags"}


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
    """Return the ``form_fields`` of an image's words."""
    present = {field.value: image[field] or "" for field in WordField}
    return form_fields(present | {"tags": ", ".join(image["tags"] or ())}, sent)


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
    if version.applied:
        return ""
    undone = version.source is Source.HUMAN
    return "Undone" if undone else "Not used: a text of higher rank stayed"
