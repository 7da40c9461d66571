"""Checks of what people and programs send with uploads and searches. Pure."""

from __future__ import annotations

import re

from imgcore.errors import Invalid

PAGE_LIMIT = 100  # images a page
QUERY_LENGTH = 200  # characters

_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE | re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def checked_query(limit: int, query: str | None) -> str | None:
    """Return the words of a search; None for none. Invalid: limit or query."""
    if not 1 <= limit <= PAGE_LIMIT:
        raise Invalid(f"limit must be a whole number from 1 to {PAGE_LIMIT}.", code="limit")
    if query is not None and len(query) > QUERY_LENGTH:
        raise Invalid(f"A search may have at most {QUERY_LENGTH} characters.", code="query")
    return (query or "").strip() or None


def checked_sha256(text: str) -> str:
    """Return a SHA-256 in lower case. Invalid: sha256."""
    if not _SHA256.fullmatch(text):
        raise Invalid("sha256 has 64 hexadecimal digits.", code="sha256")
    return text.lower()


def checked_batch(text: str | None) -> str | None:
    """Return the UUID of a batch in lower case; None for none. Invalid: batch."""
    if text is not None and not _UUID.fullmatch(text):
        raise Invalid("batch must be a UUID, the same for all files uploaded together.", code="batch")
    return text.lower() if text else None
