"""The search and the filters among the query parameters of a request."""

from __future__ import annotations

from collections.abc import Mapping

from imgcore.errors import Invalid
from imgcore.gallery.filters import Filters, parsed_filters
from imgcore.gallery.service import QUERY_LENGTH
from web.http.errors import Problem

# The query parameters that filter a list, beside the words
FILTERS = (
    "month", "tag", "camera", "status", "source", "type", "orientation",
    "taken_from", "taken_to", "uploaded_from", "uploaded_to", "owner", "album",
    "similar",
)  # fmt: skip


def searched(asked: Mapping[str, str]) -> tuple[str | None, Filters]:
    """Return the words of the search, or None, and the filters. Problem: 400 with the parameter's name."""
    text = asked.get("q", "").strip() or None
    if text is not None and len(text) > QUERY_LENGTH:
        raise Invalid(f"q may have at most {QUERY_LENGTH} characters.", code="q")
    try:
        return text, parsed_filters(asked)
    except Invalid as error:
        raise Problem(400, error.code, error.message) from error
