"""Kinds of requests, by what waitress has parsed: each kind waits in a line of its own."""

from __future__ import annotations

from collections.abc import Mapping

from waitress.parser import HTTPRequestParser

from web.http.cookies import holds_credential


def path_of(request: HTTPRequestParser) -> str:
    """Return the path that the application is given: waitress takes slashes off its beginning."""
    return "/" + getattr(request, "path", "").lstrip("/")  # no such attribute where the first line is malformed


def is_health_check(request: HTTPRequestParser) -> bool:
    """Return whether a request is one that a load balancer sends: no body, which would have to be read."""
    if request.error or request.content_length or request.chunked:
        return False
    return (request.command, path_of(request)) in (("GET", "/healthz"), ("HEAD", "/healthz"))


def is_readiness_check(request: HTTPRequestParser) -> bool:
    """Return whether a request is for /readyz, which may wait for the database and the object store."""
    return not request.error and path_of(request) == "/readyz"


def is_any_health_check(request: HTTPRequestParser) -> bool:
    """Return whether a request is one of these two."""
    return is_health_check(request) or is_readiness_check(request)


def has_credential(headers: Mapping[str, str]) -> bool:
    """Return whether a request has an API key, or the cookie of a session or of a known browser."""
    return "AUTHORIZATION" in headers or holds_credential(headers.get("COOKIE", ""))
