"""The language in which the current request's reader sees the words of photos."""

from __future__ import annotations

from collections.abc import Sequence

from bottle import HTTPResponse, request

from imgcore.gallery.languages import Language, accepted, choose
from web.http.cookies import is_https, read_cookie

_COOKIE, _DAYS = "gallery_language", 365


def current_language(languages: Sequence[Language]) -> str | None:
    """Return the code of the chosen language: by cookie, by Accept-Language, or the gallery's own."""
    if len(languages) < 2:
        return languages[0].code if languages else None
    wanted = [read_cookie(_COOKIE), *accepted(request.environ.get("HTTP_ACCEPT_LANGUAGE", ""))]
    return choose(languages, filter(None, wanted))


def set_language_cookie(response: HTTPResponse, code: str) -> HTTPResponse:
    """Remember a chosen language in this browser by a response, and return it."""
    response.set_cookie(
        _COOKIE, code, path="/", httponly=True, samesite="lax", secure=is_https(), maxage=_DAYS * 86_400
    )
    return response
