"""Protection against cross-site request forgery: Fetch Metadata, Origin, and a token in every form."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bottle import request, response

from web.http.cookies import SESSION, csrf_cookie_name, is_https, read_cookie
from web.http.errors import Problem
from web.http.request import form

_TOKEN = re.compile(r"[0-9a-f]{32}")


def check_same_origin(environ: Mapping[str, Any]) -> None:
    """Raise Problem (403) if the request comes from another site.

    Browsers send Sec-Fetch-Site (W3C Fetch Metadata), older ones Origin; programs send neither and pass.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE", "").lower()
    origin = environ.get("HTTP_ORIGIN", "").lower()
    foreign_site = site not in ("", "same-origin", "none")
    foreign_origin = bool(origin) and _host_of(origin) != environ.get("HTTP_HOST", "").lower()
    if foreign_site or foreign_origin:
        raise Problem(403, "cross_site", "This was sent from another site. Open the gallery and try there.")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # an unclosed bracket: http://[
        return None


def is_same_origin_stated() -> bool:
    """Return whether the request states that one of our pages sent it.

    A request with a session cookie must state it: all current browsers send Sec-Fetch-Site or Origin.
    ``check_same_origin`` has refused foreign values already.
    """
    environ = request.environ
    return environ.get("HTTP_SEC_FETCH_SITE", "").lower() == "same-origin" or bool(environ.get("HTTP_ORIGIN"))


def csrf_token() -> str:
    """Return the token for this browser's forms.

    With a session it is derived from the session's token; without one it is a random value that is also set as
    a cookie (double submit).
    """
    if own := _session_csrf_token():
        return own
    name = csrf_cookie_name()
    token = read_cookie(name)
    if not _TOKEN.fullmatch(token):
        token = secrets.token_hex(16)
        # Bottle's set_cookie takes as long as all else that a cached page needs of Bottle
        secure = "; Secure" if is_https() else ""
        cookie = f"{name}={token}; HttpOnly; Path=/; SameSite=lax{secure}"
        response.add_header("Set-Cookie", cookie)
    return token


def verified_form() -> dict[str, str]:
    """Return the submitted form's fields without its token, with "\\n" where browsers end lines by "\\r\\n".

    Problem: 403 if the token does not match the session or the cookie; 400 or 415 if the form is malformed.
    """
    fields = form()
    sent = fields.pop("token", "")
    expected = _session_csrf_token() or read_cookie(csrf_cookie_name())
    if not (_TOKEN.fullmatch(expected) and hmac.compare_digest(sent.encode(), expected.encode())):
        raise Problem(
            403, "form_expired", "This form is out of date. Go back, reload the page and send it again."
        )
    return {name: value.replace("\r\n", "\n") for name, value in fields.items()}


def _session_csrf_token() -> str | None:
    """Return a hash of the session's token, so that only this session's pages can contain it."""
    session = request.environ.get(SESSION)
    return hashlib.sha256(f"form {session}".encode()).hexdigest()[:32] if session else None
