"""Errors as an HTTP status, a code for programs and a sentence for people (RFC 9457)."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from bottle import HTTPError

from imgcore.errors import (
    Busy,
    Conflict,
    Forbidden,
    Gone,
    ImgcoreError,
    Invalid,
    Misconfigured,
    NotFound,
    TooManyTries,
    Unauthorized,
    Unavailable,
)

log = logging.getLogger("gallery.web")

RETRY_AFTER = 5  # seconds, if the error states none

_STATUS: tuple[tuple[type[ImgcoreError], int], ...] = (
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Gone, 410),
    (Invalid, 422),
    (TooManyTries, 429),
    (Busy, 429),  # not 503: an alarm on 5xx rolls releases back
    (Unavailable, 503),
    (Misconfigured, 503),
)

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    500: "Something went wrong on our side. It has been noted, and trying again may help.",
}


class Problem(HTTPError):
    """An error response with a code for programs and a sentence for people.

    retry_after: seconds. request_id: the id under which the cause is logged.
    """

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


def as_problem(error: HTTPError) -> Problem:
    """Return one of Bottle's own errors as a Problem, without Bottle's text."""
    if isinstance(error, Problem):
        return error
    status = int(error.status_code)
    detail = _SENTENCES.get(status, f"{HTTPStatus(status).phrase}.")
    return Problem(status, HTTPStatus(status).name.lower(), detail)


def problem_of(error: ImgcoreError) -> Problem:
    """Return imgcore's error as a Problem; a class without a status of its own is a 500 with its sentence."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status not in (429, 503):
        return Problem(status, error.code, error.message)
    wait = RETRY_AFTER if error.retry_after is None else math.ceil(error.retry_after)
    return Problem(status, error.code, error.message, retry_after=max(1, wait))


def problem_of_exception(error: Exception) -> Problem:
    """Return any exception as a Problem, and log what is our fault under the id that the response shows."""
    if not isinstance(error, ImgcoreError):
        problem = Problem(500, "internal", _SENTENCES[500])
        log.error("%s", problem.request_id, exc_info=error)
        return problem
    problem = problem_of(error)
    if problem.status_code >= 500:
        log.warning("%s %s: %s", problem.request_id, error.code, error.message)
    return problem


def as_json(problem: Problem) -> dict[str, Any]:
    """Return the members of application/problem+json."""
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
