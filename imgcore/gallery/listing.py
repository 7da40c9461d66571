"""What a listing of photos asks for and what it gives: the order, months with counts, and tiles. Pure data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from imgcore.errors import Invalid, NotFound
from imgcore.gallery.models import Image
from imgcore.gallery.places import Place, place_in

MONTH_LIMIT = 1000  # photos of a month that are listed at once
HEAVY_OFFSET = 10_000  # with more photos of a month before those that are listed, the database is kept busy
MOST_SKIPPED = 2_000_000  # photos of a month before those that are listed

END_OF_TIME = "9999-12-31 23:59:59.999999"  # that the databases can store

_MONTH = re.compile(r"(?!0000)\d{4}-(0[1-9]|1[0-2])", re.ASCII)


class Sort(StrEnum):
    """The order of a listing, always the newest first."""

    TAKEN = "taken"  # by the date taken; where the file has none, by the upload
    UPLOADED = "uploaded"


@dataclass(frozen=True, slots=True)
class MonthCount:
    """A month of the timeline, as YYYY-MM, and how many photos it has."""

    month: str
    count: int


@dataclass(frozen=True, slots=True)
class Months:
    """The months that have photos, the newest first. exact: False where the counts are upper bounds."""

    months: tuple[MonthCount, ...]
    exact: bool = True

    @property
    def total(self) -> int:
        """The number of photos in all months."""
        return sum(each.count for each in self.months)


@dataclass(frozen=True, slots=True)
class MonthSlice:
    """Photos of a month as (id, version), the newest first.

    more: whether others are known to follow. cursor: what the following photos lie below; None at the end. A
    search that has compared as many photos as it may gives one without ``more``.
    """

    versions: tuple[tuple[int, int], ...]
    more: bool
    cursor: str | None = None


class Tile(NamedTuple):
    """What the timeline shows of an image.

    image: with the attributes that a tile shows; others are as if they were unknown.
    at: its place in the order; None where it is not on the timeline. changed_at: of its last change, in the
    database's time; None for images that only an older release has changed.
    """

    image: Image
    at: datetime | None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag and how many photos have it. more: whether there are further ones, which were not counted."""

    tag: str
    count: int
    more: bool


@dataclass(frozen=True, slots=True)
class Tags:
    """A page of tags. next: the cursor of the next page; None at the end."""

    tags: tuple[TagCount, ...]
    next: str | None


def checked_month(text: str) -> str:
    """Return a month as YYYY-MM. NotFound for other text."""
    if not _MONTH.fullmatch(text):
        raise NotFound("There is no such month: it is written as YYYY-MM.", code="month")
    return text


def month_place(cursor: str | None, month: str) -> Place:
    """Return the place in a cursor; without one, that above all photos of the month. Invalid: cursor."""
    if cursor is None:
        return Place(month_bounds(month)[1], 0)
    place = place_in(cursor)
    if not str(place.at).startswith(month):
        raise Invalid("The cursor is of another month.", code="cursor")
    return place


def parsed_sort(text: str | None, default: Sort) -> Sort:
    """Return the order that ``text`` names. Invalid: sort."""
    if text is None:
        return default
    if text not in tuple(Sort):
        raise Invalid("sort must be taken or uploaded.", code="sort")
    return Sort(text)


def month_bounds(month: str) -> tuple[str, str]:
    """Return the first moment of a month, and of the month after, as both databases take them."""
    year, number = int(month[:4]), int(month[5:])
    following = f"{year:04d}-{number + 1:02d}" if number < 12 else f"{year + 1:04d}-01"
    end = f"{following}-01 00:00:00.000000" if month != "9999-12" else END_OF_TIME
    return f"{month}-01 00:00:00.000000", end
