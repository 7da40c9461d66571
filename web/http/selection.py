"""A selection by a search in the body of a request: the words and filters, and the ids that are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from imgcore.collections.models import IDS
from imgcore.collections.selections import QuerySelection
from web.http import request
from web.http.errors import Problem
from web.http.filters import FILTERS, searched

MEMBERS = frozenset({"query", "except"})
_NAMES = frozenset({"q", *FILTERS})
_UNTIL = re.compile(r"([1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z?", re.ASCII)
_MILLISECOND = timedelta(microseconds=999)  # the rest of one: times are given out without it


def selection_of_body(body: Mapping[str, Any]) -> QuerySelection | None:
    """Return the selection of a JSON body, or None where it names ids. Problem: 422 with the member's name."""
    if "query" not in body:
        if "except" in body:
            raise Problem(422, "except", "except belongs to query.")
        return None
    if "ids" in body:
        raise Problem(422, "ids", "Name either ids or query.")
    query = body["query"]
    if not isinstance(query, dict):
        raise Problem(422, "query", "query must be an object with the parameters of a list.")
    excluded = request.strings(body.get("except", []), "except", most=IDS)
    return _selection({name: request.string(query, name) for name in query}, excluded)


def selection_of_form(fields: Mapping[str, str]) -> QuerySelection | None:
    """Return the selection of a form or an address, or None where it has none. Problem: 422.

    Its field ``selection`` is the query string of the list, with the question mark: it is never empty.
    """
    text = fields.get("selection", "")
    if not text:
        return None
    excluded = [part for part in fields.get("except", "").split(",") if part]
    try:
        query = dict(parse_qsl(text[1:], max_num_fields=len(_NAMES) + 1))
    except ValueError:  # more fields
        query = None
    if query is None or not text.startswith("?") or len(excluded) > IDS:
        raise Problem(422, "selection", "This selection is not one of the page.")
    return _selection(query, excluded)


def _selection(query: Mapping[str, str], excluded: list[str]) -> QuerySelection:
    known = _NAMES | {"until"}
    if unknown := sorted(set(query) - known):
        raise Problem(422, "query", f"query may contain {', '.join(sorted(known))}, not {unknown[0]!r}.")
    until = _time(query["until"]) if "until" in query else None
    listed = {name: value for name, value in query.items() if name != "until"}
    try:
        return QuerySelection(*searched(listed), frozenset(excluded), until)
    except Problem as error:  # 400 in the query string of a list
        raise Problem(422, "query", str(error.body)) from error


def _time(text: str) -> datetime:
    """Return the end of the millisecond that ``text`` names. Problem: 422."""
    found = _UNTIL.fullmatch(text)
    try:
        at = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        at = None
    if at is None:
        raise Problem(422, "until", "until must be a time such as 2026-11-28T09:30:00.000.")
    return at + _MILLISECOND
