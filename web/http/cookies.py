"""The two cookies: a browser's session, and the token of its forms before there is one.

Over HTTPS their names begin with ``__Host-``, so that no other host of the domain can set them (RFC 6265bis).
"""

from __future__ import annotations

import re

from bottle import HTTPResponse, request

from web.http.errors import Refused

SESSION = "gallery.session"  # in the request's environment: the token of the session that was found good
_SESSION, _FORM = "gallery_session", "gallery_form"
_DAYS = 90
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


def secure() -> bool:
    """Whether the present request came over HTTPS, to us or to the trusted proxy."""
    return bool(request.environ["wsgi.url_scheme"] == "https")


def form_cookie() -> str:
    """The name of the cookie for forms."""
    return f"__Host-{_FORM}" if secure() else _FORM


def session_token() -> str | None:
    """What the browser holds, if it has the shape of a token."""
    token = request.get_cookie(_session_cookie()) or ""
    return token if _SHAPE.fullmatch(token) else None


def check_private() -> None:
    """Refused (403) where a password would travel for everybody to read: not HTTPS, and not this machine."""
    if not (secure() or _LOOPBACK.fullmatch(request.environ.get("HTTP_HOST", ""))):
        raise Refused(403, "insecure", "Signing in needs HTTPS. Open the gallery by its https:// address.")


def keep_session(answer: HTTPResponse, token: str) -> HTTPResponse:
    """The same answer; with it the browser holds ``token``."""
    answer.set_cookie(
        _session_cookie(),
        token,
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure(),
        maxage=_DAYS * 86_400,
    )
    return answer


def drop_session(answer: HTTPResponse) -> HTTPResponse:
    """The same answer; with it the browser holds no token, and forgets the pages that it has seen."""
    answer.set_cookie(_session_cookie(), "", path="/", httponly=True, samesite="lax", secure=secure(), maxage=0)
    answer.set_header("Clear-Site-Data", '"cache"')
    return answer


def _session_cookie() -> str:
    return "__Host-gallery" if secure() else _SESSION
