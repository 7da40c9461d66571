"""Filters of a listing: what photos must have beside the words of a search. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from imgcore.errors import Invalid, NotFound
from imgcore.gallery.models import Source

VALUE_LENGTH = 200  # characters
FIRST_DAY, LAST_DAY = date(1826, 1, 1), date(2099, 12, 31)  # of dates that are compared
TYPES = (
    "jpeg", "png", "webp", "gif", "avif", "heic", "bmp", "tiff", "dng", "cr2", "cr3", "nef", "arw", "raf",
)  # fmt: skip
ORIENTATIONS = ("landscape", "portrait", "square")

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)


class Progress(StrEnum):
    """How far photos are."""

    FAILED = "failed"  # a task failed, the model refused, or the file was rejected
    WAITING = "waiting"  # waiting or working
    UNDESCRIBED = "undescribed"  # without any words


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a calendar, both ends included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Filters:
    """What photos must have. month: of the timeline, YYYY-MM. owner: the name of an account. album: its id.

    similar: the id of a photo that they must look like.
    """

    taken: Days | None = None
    uploaded: Days | None = None
    month: str | None = None
    tag: str | None = None
    camera: str | None = None
    source: str | None = None
    status: Progress | None = None
    media_type: str | None = None
    orientation: str | None = None
    owner: str | None = None
    album: str | None = None
    similar: str | None = None

    def __bool__(self) -> bool:
        return self != NO_FILTERS


NO_FILTERS = Filters()


def parsed_filters(asked: Mapping[str, str]) -> Filters:
    """Return the filters among query parameters; an empty value is none. Invalid: the parameter's name."""
    given = {name: value for name, value in asked.items() if value}
    if not given:
        return NO_FILTERS
    for name in ("tag", "camera", "owner", "album", "similar"):
        if len(given.get(name, "")) > VALUE_LENGTH:
            raise Invalid(f"{name} may have at most {VALUE_LENGTH} characters.", code=name)
    return Filters(
        taken=_days(given, "taken"),
        uploaded=_days(given, "uploaded"),
        month=_month(given.get("month")),
        tag=given.get("tag"),
        camera=given.get("camera"),
        source=_one_of(given, "source", tuple(Source)),
        status=Progress(status) if (status := _one_of(given, "status", tuple(Progress))) else None,
        media_type=_one_of(given, "type", TYPES),
        orientation=_one_of(given, "orientation", ORIENTATIONS),
        owner=given.get("owner"),
        album=given.get("album"),
        similar=given.get("similar"),
    )


def parsed_days(text: str, name: str) -> Days:
    """Return the days of YYYY, YYYY-MM or YYYY-MM-DD. Invalid (``name``)."""
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, day = (int(part) if part else None for part in found.groups())
        assert year is not None
        if day is not None and month is not None:
            return Days(date(year, month, day), date(year, month, day))
        first, last = date(year, month or 1, 1), date(year, month or 12, 1)
        end = (
            date(last.year + last.month // 12, last.month % 12 + 1, 1) if last < date(9999, 12, 1) else date.max
        )
        return Days(first, end - timedelta(days=1) if end != date.max else end)
    except ValueError:
        raise Invalid(f"{name} must be a date: YYYY, YYYY-MM or YYYY-MM-DD.", code=name) from None


def date_words(days: Days) -> Iterator[str]:
    """Yield the fewest decades (YYY), years, months and days of these days, from FIRST_DAY to LAST_DAY."""
    day, end = max(days.first, FIRST_DAY), min(days.last, LAST_DAY) + timedelta(days=1)
    while day < end:
        for form, following in _steps(day):
            if following <= end:
                yield form
                day = following
                break


def _steps(day: date) -> Iterator[tuple[str, date]]:
    """Yield the periods that begin with a day and the day after each, the longest first."""
    first_of_year = (day.month, day.day) == (1, 1)
    if first_of_year and day.year % 10 == 0:
        yield f"{day.year // 10:03d}", date(day.year + 10, 1, 1)
    if first_of_year:
        yield f"{day.year:04d}", date(day.year + 1, 1, 1)
    if day.day == 1:
        yield f"{day:%Y-%m}", date(day.year + day.month // 12, day.month % 12 + 1, 1)
    yield f"{day:%Y-%m-%d}", day + timedelta(days=1)


def _days(given: Mapping[str, str], name: str) -> Days | None:
    begin, end = given.get(f"{name}_from"), given.get(f"{name}_to")
    if begin is None and end is None:
        return None
    return Days(
        parsed_days(begin, f"{name}_from").first if begin else FIRST_DAY,
        parsed_days(end, f"{name}_to").last if end else LAST_DAY,
    )


def _month(text: str | None) -> str | None:
    from imgcore.gallery.listing import checked_month  # the functions, which index words, list nothing

    try:
        return checked_month(text) if text else None
    except NotFound:
        raise Invalid("month must be written as YYYY-MM.", code="month") from None


def _one_of(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str | None:
    value = given.get(name)
    if value is not None and value not in choices:
        raise Invalid(f"{name} must be one of {', '.join(choices)}.", code=name)
    return value
