"""The search and the filters among the query parameters of a request."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_plus

from imgcore.errors import Invalid
from imgcore.gallery.filters import Filters, parsed_filters
from imgcore.gallery.listing import HEAVY_OFFSET
from imgcore.gallery.service import QUERY_LENGTH
from web.http.errors import Problem
from web.http.request import FIELDS_LIMIT

# The query parameters that filter a list, beside the words
FILTERS = (
    "month", "tag", "camera", "status", "source", "type", "orientation",
    "taken_from", "taken_to", "uploaded_from", "uploaded_to", "owner", "album",
    "similar",
)  # fmt: skip

_COSTLY = frozenset({"q", "offset", *FILTERS})
_COSTLY_PAGES = frozenset({"/tags", "/api/v1/tags"})
_DIGITS = len(str(HEAVY_OFFSET))
_LONGEST = 3 * max(map(len, _COSTLY))  # of their names, with each character percent-encoded


def searched(asked: Mapping[str, str]) -> tuple[str | None, Filters]:
    """Return the words of the search, or None, and the filters. Problem: 400 with the parameter's name."""
    text = asked.get("q", "").strip() or None
    if text is not None and len(text) > QUERY_LENGTH:
        raise Invalid(f"q may have at most {QUERY_LENGTH} characters.", code="q")
    try:
        return text, parsed_filters(asked)
    except Invalid as error:
        raise Problem(400, error.code, error.message) from error


def may_search(path: str, query: str) -> bool:
    """Return whether an address may name words, a filter, a place deep in a month, or the list of all tags.

    Such a request may take the database seconds. One with too many fields is refused before that.
    """
    if path in _COSTLY_PAGES:
        return True
    if not query or query.count("&") >= FIELDS_LIMIT:
        return False
    pairs = (pair.partition("=") for pair in query.split("&"))
    return any(_costs(name, value) for name, _, value in pairs if value and len(name) <= _LONGEST)


def _costs(name: str, value: str) -> bool:
    named = unquote_plus(name)
    near = value.isascii() and value.isdigit() and len(value) <= _DIGITS and int(value) <= HEAVY_OFFSET
    return named in _COSTLY and not (named == "offset" and near)
