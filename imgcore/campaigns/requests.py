"""Requests to start a campaign, as JSON of the API and of the caption function, or as the texts of a form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from imgcore.campaigns.models import Selection
from imgcore.campaigns.service import DEFAULT_RATE, MAX_RATE, Campaigns
from imgcore.errors import Invalid
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.models import Source

IDS = 1000  # in one request
TEXTS = {"query": 200, "source": 20, "model": 100, "tag": 50, "before": 40}  # characters
FIELDS = frozenset({"ids", "failed", "missing", "rate", "dry_run", *TEXTS})


def run(campaigns: Campaigns, body: Mapping[str, Any]) -> dict[str, Any]:
    """Start the campaign that ``body`` describes, or with ``dry_run`` only say what it would do; return JSON.

    Invalid: a member that is unknown or malformed. Conflict where no image matches.
    """
    if unknown := sorted(set(body) - FIELDS):
        raise Invalid(f"A campaign has {', '.join(sorted(FIELDS))}, not {unknown[0]!r}.", code="unknown_field")
    texts = {name: _text(body, name) for name in TEXTS if name in body}
    chosen = selection(texts, _ids(body), failed=_flag(body, "failed"), missing=_flag(body, "missing"))
    rate = body.get("rate", DEFAULT_RATE)
    whole = not isinstance(rate, bool) and isinstance(rate, int | float) and rate == rate // 1
    if not (whole and 1 <= rate <= MAX_RATE):
        raise Invalid(f"rate must be a whole number from 1 to {MAX_RATE}.", code="rate")
    if _flag(body, "dry_run"):
        return campaigns.preview(chosen).as_json()
    return campaigns.start(chosen, int(rate)).as_json()


def selection(texts: Mapping[str, str], ids: list[str], *, failed: bool, missing: bool) -> Selection:
    """Return the selection of texts by the names of TEXTS. Invalid names the one that is malformed."""
    if not all(map(is_public_id, ids)):
        raise Invalid("An id of a photo has 32 characters: 0 to 9 and a to f.", code="ids")
    for name, text in texts.items():
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
            raise Invalid(f"{name} must be text.", code=name)
        if len(text) > TEXTS[name]:
            raise Invalid(f"{name} may have at most {TEXTS[name]} characters.", code=name)
        if not text.strip():
            raise Invalid(f"{name} is empty: leave it out.", code=name)
    known = {name: texts.get(name, "").strip() or None for name in ("query", "model", "tag")}
    return Selection(
        ids=tuple(ids),
        source=_source(texts.get("source")),
        before=_time(texts.get("before")),
        failed=failed,
        missing=missing,
        **known,
    )


def _ids(body: Mapping[str, Any]) -> list[str]:
    if "ids" not in body:
        return []
    ids = body["ids"]
    if not isinstance(ids, list) or not 1 <= len(ids) <= IDS or not all(isinstance(one, str) for one in ids):
        raise Invalid(f"ids is a list of 1 to {IDS} ids of photos.", code="ids")
    return ids


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body[name]
    if not isinstance(value, str):
        raise Invalid(f"{name} must be text.", code=name)
    return value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false.", code=name)
    return value


def _source(text: str | None) -> Source | None:
    if text is None:
        return None
    try:
        return Source(text)
    except ValueError:
        raise Invalid(f"source is one of {', '.join(Source)}.", code="source") from None


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid("before is a day or a time: 2026-11-28, 2026-11-28T14:00Z.", code="before") from None
