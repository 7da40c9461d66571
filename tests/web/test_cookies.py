"""Cookies of a request, which are read without Python's parser."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest
from bottle import HTTPResponse, request
from hypothesis import given
from hypothesis import strategies as st

from web.http import cookies
from web.http.cookies import holds_credential, read_cookie

NAMES = st.sampled_from(
    ["gallery_for", "__Host-gallery", "a", "path", "Secure", "max-age", "$a", "e.f", "?", ""]
)
VALUES = st.text('abzAZ09_.-%$="\\, ', max_size=8)
OTHERS = st.lists(st.tuples(NAMES, VALUES), max_size=5)
OWN = st.text("abzAZ09_-", min_size=1, max_size=43)


@given(OTHERS, OWN, OTHERS, st.sampled_from(["; ", ";", ";;", " ; "]))
def test_cookie_is_found_among_any_others(
    before: list[tuple[str, str]], own: str, after: list[tuple[str, str]], end: str
) -> None:
    pairs = [*before, ("gallery_form", own), *after]
    request.bind({"HTTP_COOKIE": end.join(f"{key}={value}" for key, value in pairs)})
    assert own == read_cookie("gallery_form")


@given(st.lists(st.tuples(st.sampled_from(["gallery_form", "__Host-gallery"]), OWN), max_size=3))
def test_cookie_of_the_gallery_is_that_of_pythons_parser(pairs: list[tuple[str, str]]) -> None:
    header = "; ".join(f"{key}={value}" for key, value in pairs)
    request.bind({"HTTP_COOKIE": header})
    known = SimpleCookie(header).get("gallery_form")
    assert (known.value if known is not None else "") == read_cookie("gallery_form")


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


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("gallery_session=x", True),
        ("a=1; __Host-gallery=x", True),
        ("a=1; gallery_device=", True),
        ("__Host-gallery_device=x", True),
        ("gallery_form=x; gallery_sign_in=x; gallery_challenge=x", False),
        ("", False),
    ],
)
def test_credential_is_a_session_or_a_known_browser(header: str, expected: bool) -> None:
    assert expected is holds_credential(header)


DAY = 86_400


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        (lambda response: cookies.set_session_cookie(response, "token"), 90 * DAY),
        (lambda response: cookies.set_device_cookie(response, "token"), 180 * DAY),
        (lambda response: cookies.set_sign_in_cookie(response, "token"), 600),
        (lambda response: cookies.set_challenge_cookie(response, "token"), 300),
        (cookies.clear_session_cookie, 0),
        (cookies.clear_sign_in_cookie, 0),
        (cookies.clear_challenge_cookie, 0),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookie_lives_as_long_as_what_it_stands_for(
    change: Callable[[HTTPResponse], HTTPResponse], seconds: int, scheme: str
) -> None:
    """A cookie that is removed is sent no more, and no script reads any of them."""
    request.bind({"wsgi.url_scheme": scheme})
    [cookie] = [value for name, value in change(HTTPResponse()).headerlist if name == "Set-Cookie"]
    parts = {part.strip() for part in cookie.split(";")}
    assert {f"Max-Age={seconds}", "HttpOnly", "SameSite=lax", "Path=/"} <= parts
    assert (scheme == "https") is ("Secure" in parts) is cookie.startswith("__Host-")
