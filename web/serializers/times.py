"""Times as the API's JSON and as the pages' texts."""

from __future__ import annotations

from datetime import datetime

from imgcore.text import utc as utc


def optional_utc(when: datetime | None) -> str | None:
    """Return a time as the API's JSON, None for none."""
    return utc(when) if when else None


def moment(when: datetime) -> str:
    """Return a time as text: 21 November 2026, 09:05."""
    return f"{when.day} {when:%B %Y, %H:%M}"
