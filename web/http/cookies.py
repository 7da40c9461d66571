"""The cookies: session, sign-in that needs a code, challenge of a passkey, known browser, CSRF token.

Over HTTPS their names start with ``__Host-``, so that no other host of the domain can set them (RFC 6265bis).
"""

from __future__ import annotations

import re

from bottle import HTTPResponse, request

from web.http.errors import Problem
from web.http.hosts import LOOPBACK_NAMES, host_name

SESSION = "gallery.session"  # key in the request's environ: the token of the authenticated session
_SESSION, _CSRF, _DEVICE = "gallery_session", "gallery_form", "gallery_device"
_SECURE_SESSION = "__Host-gallery"
_CREDENTIALS = tuple(f"{name}=" for name in (_SESSION, _SECURE_SESSION, _DEVICE))
_SIGN_IN, _CHALLENGE = "gallery_sign_in", "gallery_challenge"
_DAY = 86_400
_SIGN_IN_SECONDS = 600
_CHALLENGE_SECONDS = 300
_SESSION_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def is_https() -> bool:
    """Return whether the client used HTTPS, to this process or to the trusted proxy."""
    return bool(request.environ["wsgi.url_scheme"] == "https")


def holds_credential(header: str) -> bool:
    """Return whether a Cookie header has a session or belongs to a known browser, valid or not."""
    return bool(header) and any(name in header for name in _CREDENTIALS)


def csrf_cookie_name() -> str:
    """Return the name of the cookie with the CSRF token."""
    return f"__Host-{_CSRF}" if is_https() else _CSRF


def read_cookie(name: str) -> str:
    """Return the value of a cookie of the request; empty without it.

    The gallery's own values have nothing to unquote. Python's parser takes as long as all else that a cached
    page needs, and before 3.11.10 quadratic time for backslashes (CVE-2024-7592).
    """
    sent = request.environ.get("HTTP_COOKIE", "")
    if name not in sent:
        return ""
    pairs = (pair.strip().partition("=") for pair in sent.split(";"))
    return str({known: value for known, _, value in pairs}.get(name, "")).strip('"')


def session_token() -> str | None:
    """Return the session cookie's value if it has the form of a token, valid or not."""
    token = read_cookie(_session_cookie_name())
    return token if _SESSION_TOKEN.fullmatch(token) else None


def device_token() -> str | None:
    """Return the cookie of a browser that has signed in before, if it has the form of a token."""
    token = read_cookie(_device_cookie_name())
    return token if _SESSION_TOKEN.fullmatch(token) else None


def sign_in_token() -> str | None:
    """Return the cookie of a sign-in that needs a code, if it has the form of a token."""
    token = read_cookie(_sign_in_cookie_name())
    return token if _SESSION_TOKEN.fullmatch(token) else None


def challenge_token() -> str | None:
    """Return the cookie of the challenge that a passkey signs, if it has the form of a token."""
    token = read_cookie(_challenge_cookie_name())
    return token if _SESSION_TOKEN.fullmatch(token) else None


def require_https() -> None:
    """Raise Problem (403) if a password would be sent in clear text: no HTTPS, and not to this computer."""
    if not (is_https() or host_name(request.environ.get("HTTP_HOST", "")) in LOOPBACK_NAMES):
        raise Problem(403, "insecure", "Signing in needs HTTPS. Open the gallery by its https:// address.")


def set_session_cookie(response: HTTPResponse, token: str) -> HTTPResponse:
    """Set the session cookie on a response and return it."""
    return _set_cookie(response, _session_cookie_name(), token, 90 * _DAY)


def set_device_cookie(response: HTTPResponse, token: str) -> HTTPResponse:
    """Set the cookie of a known browser on a response and return it."""
    return _set_cookie(response, _device_cookie_name(), token, 180 * _DAY)


def set_sign_in_cookie(response: HTTPResponse, token: str) -> HTTPResponse:
    """Set the cookie of a sign-in that needs a code on a response and return it."""
    return _set_cookie(response, _sign_in_cookie_name(), token, _SIGN_IN_SECONDS)


def clear_sign_in_cookie(response: HTTPResponse) -> HTTPResponse:
    """Remove the cookie of a sign-in that needed a code by a response, and return it."""
    return _set_cookie(response, _sign_in_cookie_name(), "", 0)


def set_challenge_cookie(response: HTTPResponse, token: str) -> HTTPResponse:
    """Set the cookie of the challenge that a passkey signs on a response and return it."""
    return _set_cookie(response, _challenge_cookie_name(), token, _CHALLENGE_SECONDS)


def clear_challenge_cookie(response: HTTPResponse) -> HTTPResponse:
    """Remove the cookie of a challenge by a response, and return it."""
    return _set_cookie(response, _challenge_cookie_name(), "", 0)


def _set_cookie(response: HTTPResponse, name: str, token: str, seconds: int) -> HTTPResponse:
    response.set_cookie(name, token, path="/", httponly=True, samesite="lax", secure=is_https(), maxage=seconds)
    return response


def clear_session_cookie(response: HTTPResponse) -> HTTPResponse:
    """Remove the session cookie and the browser's cached pages by a response, and return it."""
    _set_cookie(response, _session_cookie_name(), "", 0)
    response.set_header("Clear-Site-Data", '"cache"')
    return response


def _device_cookie_name() -> str:
    return f"__Host-{_DEVICE}" if is_https() else _DEVICE


def _challenge_cookie_name() -> str:
    return f"__Host-{_CHALLENGE}" if is_https() else _CHALLENGE


def _sign_in_cookie_name() -> str:
    return f"__Host-{_SIGN_IN}" if is_https() else _SIGN_IN


def _session_cookie_name() -> str:
    return _SECURE_SESSION if is_https() else _SESSION
