"""Cookies of a request, which are read without Python's parser where that gives the same."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

import pytest
from bottle import request
from hypothesis import given
from hypothesis import strategies as st

from web.http.cookies import read_cookie

NAMES = st.sampled_from(["gallery_form", "__Host-gallery", "a", "path", "Secure", "max-age", "$a", "e.f"])
VALUES = st.text('abzAZ09_.-%$="\\, ', max_size=8)
HEADERS = st.lists(st.tuples(NAMES, VALUES, st.sampled_from(["; ", ";", ";;", " ; ", ","])), max_size=5)


@given(HEADERS, NAMES)
def test_cookie_is_that_of_pythons_parser(pairs: list[tuple[str, str, str]], name: str) -> None:
    header = "".join(f"{key}={value}{end}" for key, value, end in pairs).strip(";, ")
    request.bind({"HTTP_COOKIE": header})
    try:
        known = SimpleCookie(header).get(name)
    except CookieError:  # the whole header counts as none
        known = None
    assert (known.value if known is not None else "") == read_cookie(name)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("a=1; gallery_form=2; gallery_form=3", "3"),
        ("gallery_form=2;a=", "2"),
        ('gallery_form="2"', "2"),
        ("gallery_formx=2; xgallery_form=3", ""),
        ("", ""),
    ],
)
def test_cookie_of_a_browser(header: str, value: str) -> None:
    request.bind({"HTTP_COOKIE": header})
    assert value == read_cookie("gallery_form")
