"""The place of a photo in an order, as cursors hold it: the photos that follow come after it."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import NamedTuple

from imgcore.errors import Invalid

_PLACE = re.compile(
    r"(?:(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?)|(-?\d{1,18})) (\d{1,18})",
    re.ASCII,
)


class Place(NamedTuple):
    """What an order compares of a photo, and its id, which decides where that is the same.

    Unlike an offset, it does not change with photos that are added or deleted before it. at: a time, as the
    databases take it, or the number of a place that was chosen by hand.
    """

    at: str | int
    id: int

    @classmethod
    def of(cls, at: datetime | str | int, id_: int) -> Place:
        """Return the place of what a database gives."""
        return cls(at.isoformat(" ", "microseconds") if isinstance(at, datetime) else at, id_)

    def text(self) -> str:
        """Return the cursor as the API gives it out."""
        return base64.urlsafe_b64encode(f"{self.at} {self.id}".encode()).decode().rstrip("=")


def place_in(cursor: str, *, timed: bool = True) -> Place:
    """Return the place in a cursor. timed: of an order by time, else by hand. Invalid: cursor."""
    try:
        decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        if found := _PLACE.fullmatch(decoded):
            time, number, id_ = found.groups()
            if time is not None:
                datetime.fromisoformat(time)  # MySQL refuses to compare with a date that does not exist
            place = Place(int(number) if time is None else time, int(id_))
            if timed is (time is not None) and place.text() == cursor:
                return place
    except ValueError:
        pass
    raise Invalid("The cursor is not one that the gallery gave out for this list.", code="cursor")
