"""Everything that goes wrong, as an HTTP status, a code and one sentence (RFC 9457)."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from bottle import HTTPError, HTTPResponse

from imgcore.errors import (
    Conflict,
    Forbidden,
    ImgcoreError,
    Invalid,
    Misconfigured,
    NotFound,
    TooManyTries,
    Unauthorized,
    Unavailable,
)

log = logging.getLogger("gallery.web")

RETRY_AFTER = 5  # seconds, where nobody knows better

_STATUS: tuple[tuple[type[ImgcoreError], int], ...] = (
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (TooManyTries, 429),
    (Unavailable, 503),
    (Misconfigured, 503),
)

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    500: "Something went wrong on our side. It has been noted, and trying again may help.",
}


class Refused(HTTPError):
    """An answer other than success, with a code for programs and a sentence for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, **(headers or {}))
        self.code = code
        self.retry_after = retry_after
        self.request_id = secrets.token_hex(8)


def refused(error: HTTPError) -> Refused:
    """Any of Bottle's own errors as ours, without what Bottle says about them."""
    if isinstance(error, Refused):
        return error
    status = int(error.status_code)
    detail = _SENTENCES.get(status, f"{HTTPStatus(status).phrase}.")
    return Refused(status, HTTPStatus(status).name.lower(), detail)


def refusal_of(error: ImgcoreError) -> Refused:
    """imgcore's own failures in HTTP's terms; what is unknown here is a 500 with its own sentence."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status not in (429, 503):
        return Refused(status, error.code, error.message)
    wait = RETRY_AFTER if error.retry_after is None else math.ceil(error.retry_after)
    return Refused(status, error.code, error.message, retry_after=max(1, wait))


def as_json(problem: Refused) -> dict[str, Any]:
    """The members of application/problem+json."""
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": problem.body,
        "code": problem.code,
        "request_id": problem.request_id,
    }
    if problem.retry_after is not None:
        members["retry_after"] = problem.retry_after
    return members


def translated(callback: Callable[..., Any]) -> Callable[..., Any]:
    """A Bottle plugin: whatever a handler raises becomes a Refused; what nobody foresaw is logged by its id."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except HTTPResponse:
            raise
        except ImgcoreError as error:
            problem = refusal_of(error)
            if problem.status_code >= 500:
                log.warning("%s %s: %s", problem.request_id, error.code, error.message)
            raise problem from error
        except Exception as error:
            problem = Refused(500, "internal", _SENTENCES[500])
            log.exception("%s", problem.request_id)
            raise problem from error

    return call
