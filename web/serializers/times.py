"""Times as the API's JSON and as the pages' texts."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(when: datetime) -> str:
    """Return a time as text: 21 November 2026, 09:05."""
    return f"{when.day} {when:%B %Y, %H:%M}"


def utc(when: datetime) -> str:
    """Return a time in UTC as RFC 3339 with Z; a time without a zone is taken as UTC."""
    if when.tzinfo is not None:
        when = when.astimezone(UTC).replace(tzinfo=None)
    return when.isoformat(timespec="milliseconds") + "Z"
