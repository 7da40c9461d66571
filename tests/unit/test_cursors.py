"""Cursors of pages: what encode_cursor has made is read, any other text is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcore.db.pages import decode_cursor, encode_cursor
from imgcore.errors import Invalid

BIGGEST = 10**18 - 1


@given(st.integers(0, BIGGEST) | st.just(BIGGEST))
def test_cursor_is_read_as_it_was_made(image_id: int) -> None:
    assert image_id == decode_cursor(encode_cursor(image_id))


@given(st.text(max_size=20))
def test_cursor_of_another_text_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        decode_cursor(text)


@pytest.mark.parametrize(
    "text", ["", "7", "id<", "id>7", "id<-7", "id<07", "id<7 ", "id< 7", "id<٧", "id<²", "id<7id<7", "id<1e3"]
)
def test_cursor_of_another_form_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        decode_cursor(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


@pytest.mark.parametrize("digits", [19, 20, 40, 5000])
def test_cursor_of_a_number_that_no_column_holds_is_invalid(digits: int) -> None:
    """A number of more than 4,300 digits would raise ValueError in int()."""
    with pytest.raises(Invalid, match="cursor"):
        decode_cursor(base64.urlsafe_b64encode(b"id<" + b"1" * digits).decode().rstrip("="))


@pytest.mark.parametrize(("before", "behind"), [("", "="), ("", "\n"), ("!", ""), ("", "é")])
def test_cursor_with_more_characters_is_invalid(before: str, behind: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        decode_cursor(before + encode_cursor(7) + behind)
