"""Months and orders of a listing: what is accepted, and where a month begins and ends."""

from __future__ import annotations

import re

import pytest

from imgcore.errors import Invalid, NotFound
from imgcore.gallery import listing
from imgcore.gallery.listing import MonthCount, Months, Sort, checked_month, month_bounds, parsed_sort
from tests.loading import ROOT


@pytest.mark.parametrize(
    ("month", "begin", "end"),
    [
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("0999-01", "0999-01-01", "0999-02-01"),
        ("9999-11", "9999-11-01", "9999-12-01"),
    ],
)
def test_month_ends_where_the_next_begins(month: str, begin: str, end: str) -> None:
    midnight = " 00:00:00.000000"
    assert month_bounds(checked_month(month)) == (begin + midnight, end + midnight)


def test_last_month_ends_at_the_end_of_time() -> None:
    assert month_bounds("9999-12") == ("9999-12-01 00:00:00.000000", "9999-12-31 23:59:59.999999")


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-00", "2026-13", "0000-01", "26-01", "2026-1", "2026-01 ", "٢٠٢٦-01"]
)
def test_month_of_another_form_is_not_found(text: str) -> None:
    with pytest.raises(NotFound) as raised:
        checked_month(text)
    assert raised.value.code == "month"


def test_sort_is_one_of_two_or_the_default() -> None:
    assert [parsed_sort(text, Sort.TAKEN) for text in (None, "taken", "uploaded")] == [
        "taken",
        "taken",
        "uploaded",
    ]
    with pytest.raises(Invalid, match="taken or uploaded") as raised:
        parsed_sort("newest", Sort.TAKEN)
    assert raised.value.code == "sort"


def test_months_are_exact_unless_said_otherwise_and_add_up() -> None:
    months = Months((MonthCount("2026-11", 3), MonthCount("2026-10", 4)))
    assert (months.total, months.exact) == (7, True)


def test_limits_are_those_of_the_description() -> None:
    described = (ROOT / "web" / "openapi.yaml").read_text().partition("\n  /timeline/{month}:\n")[2]
    most = [
        int(number) for number in re.findall(r"type: integer, minimum: [01], maximum: (\d+)", described)[:2]
    ]
    assert most == [listing.MOST_SKIPPED, listing.MONTH_LIMIT]
