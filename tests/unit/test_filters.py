"""Filters as query parameters, and dates as the fewest words."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from imgcore.db.search_query import Term, days_term, parse
from imgcore.errors import Invalid
from imgcore.gallery.filters import (
    FIRST_DAY,
    LAST_DAY,
    TYPES,
    Days,
    Filters,
    date_words,
    parsed_days,
    parsed_filters,
)
from imgcore.gallery.models import MEDIA_TYPES


def test_empty_parameters_are_no_filter() -> None:
    assert not parsed_filters({"tag": "", "taken_from": "", "status": "", "q": "cat", "cursor": "x"})


def test_open_ends_reach_to_the_first_and_last_day() -> None:
    found = parsed_filters({"taken_from": "2024", "uploaded_to": "2024-02"})
    assert Days(date(2024, 1, 1), LAST_DAY) == found.taken
    assert Days(FIRST_DAY, date(2024, 2, 29)) == found.uploaded


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("taken_from", "2024-13"),
        ("taken_to", "2023-02-29"),
        ("uploaded_from", "24"),
        ("uploaded_to", "2024-1"),
        ("uploaded_to", "0000"),
        ("taken_from", "٢٠٢٤"),
        ("month", "2024"),
        ("month", "2024-00"),
        ("source", "nobody"),
        ("status", "done"),
        ("type", "svg"),
        ("orientation", "round"),
        ("tag", "x" * 201),
        ("camera", "x" * 201),
        ("owner", "x" * 201),
        ("similar", "x" * 201),
    ],
)
def test_filter_that_does_not_parse_names_its_parameter(name: str, value: str) -> None:
    with pytest.raises(Invalid) as raised:
        parsed_filters({name: value})
    assert name == raised.value.code


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-12", date(2024, 12, 1), date(2024, 12, 31)),
        ("2024-05-07", date(2024, 5, 7), date(2024, 5, 7)),
        ("9999", date(9999, 1, 1), date(9999, 12, 31)),
        ("9999-12", date(9999, 12, 1), date(9999, 12, 31)),
    ],
)
def test_date_is_a_year_a_month_or_a_day(text: str, first: date, last: date) -> None:
    assert Days(first, last) == parsed_days(text, "x")


def test_date_words_are_the_longest_periods() -> None:
    assert ["2019-12-31", "202", "2030", "2031-01", "2031-02-01"] == list(
        date_words(Days(date(2019, 12, 31), date(2031, 2, 1)))
    )
    assert 40 > len(list(date_words(Days(FIRST_DAY, LAST_DAY))))
    assert [] == list(date_words(Days(date(2024, 5, 2), date(2024, 5, 1))))


@pytest.mark.parametrize("seed", range(30))
def test_date_words_find_a_day_exactly_where_it_is_between_the_ends(seed: int) -> None:
    chance = random.Random(seed)
    first = date(1990, 1, 1) + timedelta(days=chance.randrange(15_000))
    last = first + timedelta(days=chance.randrange(3000))
    words = list(date_words(Days(first, last)))
    for _ in range(300):
        day = first + timedelta(days=chance.randrange(-400, 3400))
        own = {f"{day.year // 10:03d}", f"{day:%Y}", f"{day:%Y-%m}", f"{day:%Y-%m-%d}"}
        assert (first <= day <= last) is bool(own & set(words))
        assert len(own & set(words)) <= 1


def test_typed_date_limits_are_terms() -> None:
    before, after = (next(iter(parse(text).required)).exact for text in ("before:2024-05", "after:2024-05"))
    assert "placed=2024-04" in before
    assert "placed=2024-05" not in before | after
    assert "placed=2024-06" in after
    with pytest.raises(Invalid) as raised:
        parse("before:yesterday")
    assert "q" == raised.value.code


@pytest.mark.parametrize(
    "text", ["before:0001", "before:0001-01-01", "before:1826", "after:9999", "after:9999-12-31", "after:2099"]
)
def test_day_beyond_all_days_finds_nothing(text: str) -> None:
    assert (Term(frozenset()),) == parse(text).required


@pytest.mark.parametrize("text", ["before:9999-12-31", "after:0001-01-01"])
def test_day_at_the_other_end_finds_all_days(text: str) -> None:
    assert days_term("placed", Days(FIRST_DAY, LAST_DAY)) in parse(text).required


def test_typed_camera_is_compared_by_its_beginning_and_quoted_whole() -> None:
    assert "camera=contoso" == parse("camera:Contoso").required[0].prefix
    assert frozenset({"camera=contoso phone"}) == parse('camera:"Contoso Phone"').required[0].exact


def test_words_are_distinguished_from_facets() -> None:
    assert not parse("tag:cat -type:jpeg").words
    assert parse("tag:cat sofa").words


def test_filters_without_a_value_are_false() -> None:
    assert not Filters()
    assert Filters(tag="cat")


def test_types_are_those_that_are_accepted() -> None:
    assert {"heif", *TYPES} == {name.rpartition("-")[2] for name in map(media_name, MEDIA_TYPES)}


def media_name(media_type: str) -> str:
    return media_type.removeprefix("image/")
