"""A form that is shown again: its status, its sentence."""

from __future__ import annotations

import pytest
from bottle import response

from imgcore.errors import Conflict, Forbidden, ImgcoreError, Invalid, TooManyTries, Unavailable
from web.handlers.forms import error_message, set_error_status


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (Invalid("x"), 422, None),
        (Forbidden("x"), 403, None),
        (Conflict("x"), 409, None),
        (TooManyTries("x", retry_after=1.2), 429, "2"),
    ],
)
def test_form_with_an_error_has_its_status(error: ImgcoreError, status: int, retry_after: str | None) -> None:
    response.bind()
    set_error_status(error)
    assert (status, retry_after) == (response.status_code, response.headers.get("Retry-After"))


@pytest.mark.parametrize("error", [ImgcoreError("x"), Unavailable("x")])
def test_form_is_not_shown_for_an_error_of_the_server(error: ImgcoreError) -> None:
    """The error boundary answers 500 and 503, and logs them."""
    response.bind()
    with pytest.raises(type(error)):
        set_error_status(error)


def test_form_without_an_error_has_no_sentence() -> None:
    response.bind()
    set_error_status(None)
    assert (200, None) == (response.status_code, error_message(None))


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [(0.2, "1 second"), (1.4, "1 second"), (1.6, "2 seconds"), (15.0, "15 seconds")],
)
def test_message_of_too_many_attempts_names_the_wait(seconds: float, wait: str) -> None:
    expected = f"Too many attempts. Wait {wait}, then try again."
    assert expected == error_message(TooManyTries("Wait.", retry_after=seconds))


@pytest.mark.parametrize("error", [TooManyTries("Wait."), Invalid("Wait.")])
def test_message_of_another_error_is_its_own(error: ImgcoreError) -> None:
    assert "Wait." == error_message(error)
