"""What every request has to pass and what every answer carries, whoever asks."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from bottle import request, response

from web.http.cookies import SESSION, form_cookie, secure
from web.http.errors import Refused
from web.http.request import BODY_LIMIT

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_TOKEN = re.compile(r"[0-9a-f]{32}")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:\d{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address, can be reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """The checks before any handler runs.

    hosts: the names that the gallery answers to, without ports, beside those of loopback. A page of
    somebody else whose name was pointed at 127.0.0.1 (DNS rebinding) sends its own name and is refused.
    """

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self.hosts = LOOPBACK_NAMES | {host.strip().lower() for host in hosts if host.strip()}

    def check(self) -> None:
        """Refused for a request that no browser of ours and no honest program sends."""
        environ = request.environ
        _check_path(environ)
        _check_length(environ)
        if environ["PATH_INFO"] != "/healthz":  # load balancers ask for it by address
            self._check_host(environ)
        if environ["REQUEST_METHOD"] not in SAFE_METHODS:
            _check_same_site(environ)

    def _check_host(self, environ: Mapping[str, Any]) -> None:
        match = _HOST.fullmatch(environ.get("HTTP_HOST", "").lower())
        if match is None or match[1] not in self.hosts:
            raise Refused(400, "host", "The gallery does not answer to this name. Use the address it printed.")


def _check_path(environ: Mapping[str, Any]) -> None:
    raw = str(environ.get("bottle.raw_path", environ.get("PATH_INFO", "")))
    try:
        path = raw.encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise Refused(400, "malformed", "The address is not UTF-8 text.") from error
    if any(ord(c) < 32 or c == "\x7f" for c in path):
        raise Refused(400, "malformed", "The address holds a character that no address may hold.")


def _check_length(environ: Mapping[str, Any]) -> None:
    text = environ.get("CONTENT_LENGTH") or "0"
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, "malformed", "Content-Length must be a whole number.")
    if int(text) > BODY_LIMIT:
        raise Refused(413, "body_too_large", f"A request may carry {BODY_LIMIT // 1024} KiB at most.")


def _check_same_site(environ: Mapping[str, Any]) -> None:
    """Fetch Metadata where the browser sends it (W3C), Origin where it does not; programs send neither."""
    site = environ.get("HTTP_SEC_FETCH_SITE", "").lower()
    origin = environ.get("HTTP_ORIGIN", "").lower()
    host = environ.get("HTTP_HOST", "").lower()
    foreign_site = site not in ("", "same-origin", "none")
    foreign_origin = bool(origin) and urlsplit(origin).netloc != host
    if foreign_site or foreign_origin:
        raise Refused(403, "cross_site", "This was sent from another site. Open the gallery and try there.")


def says_same_site() -> bool:
    """Whether the browser says that a page of ours sent this. Every browser of today says so or the contrary;
    for a session that is not enough to be silent about."""
    environ = request.environ
    return environ.get("HTTP_SEC_FETCH_SITE", "").lower() == "same-origin" or bool(environ.get("HTTP_ORIGIN"))


def form_token() -> str:
    """The token that this browser's forms carry: its session's, or one in a cookie as well (double submit)."""
    if own := _session_token():
        return own
    token = request.get_cookie(form_cookie()) or ""
    if not _TOKEN.fullmatch(token):
        token = secrets.token_hex(16)
        response.set_cookie(form_cookie(), token, path="/", httponly=True, samesite="lax", secure=secure())
    return token


def _session_token() -> str | None:
    """A hash of the session's own token, which only that session's pages can hold."""
    session = request.environ.get(SESSION)
    return hashlib.sha256(f"form {session}".encode()).hexdigest()[:32] if session else None


def check_form(fields: dict[str, str]) -> dict[str, str]:
    """The form's own fields, without the token. Refused (403) where it does not fit the session or cookie."""
    sent = fields.pop("token", "")
    kept = _session_token() or request.get_cookie(form_cookie()) or ""
    if not (_TOKEN.fullmatch(kept) and hmac.compare_digest(sent.encode(), kept.encode())):
        raise Refused(
            403, "form_expired", "This form is out of date. Go back, reload the page and send it again."
        )
    return fields


def answer_headers(storage_origins: Iterable[str], release: str) -> dict[str, str]:
    """Headers of every answer. Scripts and styles come from files of ours only; images and uploads also
    from and to the buckets; no script may turn text into markup (Trusted Types)."""
    buckets = " ".join(["'self'", *storage_origins])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; manifest-src 'self'; "
        f"img-src {buckets} data: blob:; connect-src {buckets}; form-action {buckets}; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "X-Release": release,
    }
