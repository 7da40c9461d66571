"""How many searches collect the photos that a query finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from imgcore.db import pages
from imgcore.db.pages import TOP, Seen, matching
from imgcore.db.search import Found
from imgcore.gallery.models import EVERYBODY


@pytest.mark.parametrize(
    ("results", "most", "expected"),
    [
        ([Found((9,), 9), Found((8,), 8), Found((7,), 7)], 10, ([9, 8, 7], False)),
        ([Found((), 9), Found((), 8), Found((7,), None)], 10, ([7], True)),
        ([Found((9, 8), 8)], 2, ([9, 8], False)),
        ([Found((9, 8), None)], 2, ([9, 8], True)),
        ([Found((9,), 9), Found((8,), 8)], 2, ([9, 8], False)),
        ([Found((), None)], 2, ([], True)),
    ],
    ids=["three searches", "end after three", "as many as asked for", "and no more", "in two searches", "none"],
)
def test_photos_are_collected_by_as_many_searches_as_are_allowed(
    results: list[Found], most: int, expected: tuple[list[int], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each goes on where the one before ended. One more than is listed would be an IndexError."""
    left, begun = list(results), []

    def search(tx: object, query: object, below: int, limit: int, select: Callable[[Any], object]) -> Found:
        begun.append((below, limit))
        select(left[0].ids)
        return left.pop(0)

    def visible(tx: object, ids: Sequence[int], query: object, viewer: object, seen: Any, place: str) -> None:
        seen.update({id_: Seen(place, id_, 1) for id_ in ids})

    monkeypatch.setattr(pages, "search", search)
    monkeypatch.setattr(pages, "visible", visible)
    unused: Any = None
    found, complete = matching(unused, unused, EVERYBODY, most, "a place", 3)
    assert expected == ([each.id for each in found], complete)
    assert {"a place"} >= {each.place for each in found}
    assert [(below, most) for below in (TOP, *(each.next for each in results[:-1]))] == begun
