"""Pages of lists through which a cursor leads, for people: a cursor that is of no use shows the first page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlencode

from imgcore.errors import Invalid
from imgcore.gallery.models import Page
from web.http import request


class Listed(NamedTuple):
    """A page of a list. cursor: that it was found by; None for the first page."""

    page: Page
    cursor: str | None

    @property
    def first(self) -> bool:
        """Whether it is the first page."""
        return self.cursor is None


def listed(read: Callable[[str | None], Page]) -> Listed:
    """Return the page that the address asks for.

    The order of the list may have changed since the cursor was given out, or all photos after it may have been
    deleted: then it is the first page.
    """
    cursor = request.query().get("cursor") or None
    if cursor is not None:
        with suppress(Invalid):
            page = read(cursor)
            if page.images:
                return Listed(page, cursor)
    return Listed(read(None), None)


def here(**more: str) -> str:
    """Return the query of an address of the page that the present one asks for, with ``more``."""
    cursor = request.query().get("cursor", "")
    values = {**more, **({"cursor": cursor} if cursor else {})}
    return f"?{urlencode(values)}" if values else ""
