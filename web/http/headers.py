"""Checks of every request's address and headers, and the security headers of every response."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bottle import request

from web.http.csrf import check_same_origin
from web.http.errors import Problem
from web.http.hosts import LOOPBACK_NAMES, host_name
from web.http.request import BODY_LIMIT

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SHARE_TARGET = (
    "/share-target"  # of the manifest: the page's service worker answers POST, where it is registered
)
OVERDUE = "gallery.overdue"  # in environ: this search has waited so long for a thread that it is refused
SERVER_ADDS_HEADERS = "gallery.server_adds_headers"  # in environ: the server adds the security headers itself
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NOT_SHARED = (
    "The shared photos were not stored. Open the gallery once, then share them again, or add them there."
)


class RequestChecks:
    """Checks that run before routing, without the database.

    hosts: names without ports that the gallery answers to, in addition to the loopback names. A foreign page
    whose name resolves to 127.0.0.1 (DNS rebinding) sends its own name in Host and is refused.
    """

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self.hosts = LOOPBACK_NAMES | {host.strip().lower() for host in hosts if host.strip()}

    def check(self) -> None:
        """Raise Problem (400, 403 or 413) if the current request is malformed or comes from another site."""
        environ = request.environ
        try:
            self._check(environ)
        except Problem as problem:
            # Phones send photos, which are larger than BODY_LIMIT, with the Origin "null"
            if environ["PATH_INFO"] != SHARE_TARGET or problem.status_code not in (403, 413):
                raise
            raise Problem(problem.status_code, problem.code, NOT_SHARED) from problem

    def _check(self, environ: Mapping[str, Any]) -> None:
        _check_path(environ)
        _check_length(environ)
        if environ["PATH_INFO"] != "/healthz":  # load balancers send their target's address as Host
            self._check_host(environ)
        if environ["REQUEST_METHOD"] not in SAFE_METHODS:
            check_same_origin(environ)

    def _check_host(self, environ: Mapping[str, Any]) -> None:
        if host_name(environ.get("HTTP_HOST", "")) not in self.hosts:
            raise Problem(400, "host", "The gallery does not answer to this name. Use the address it printed.")


def _check_path(environ: Mapping[str, Any]) -> None:
    raw = str(environ.get("bottle.raw_path", environ.get("PATH_INFO", "")))
    try:
        path = raw.encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise Problem(400, "malformed", "The address is not UTF-8 text.") from error
    if _CONTROL.search(path):
        raise Problem(400, "malformed", "The address contains a control character.")


def _check_length(environ: Mapping[str, Any]) -> None:
    text = environ.get("CONTENT_LENGTH")
    if not text:
        return
    if not (text.isascii() and text.isdigit()):
        raise Problem(400, "malformed", "Content-Length must be a whole number.")
    # int() refuses more than 4,300 digits, so the number of digits is compared first
    if len(text) > len(str(BODY_LIMIT)) or int(text) > BODY_LIMIT:
        raise Problem(
            413, "body_too_large", f"The body of a request may have {BODY_LIMIT // 1024} KiB at most."
        )


def security_headers(storage_origins: Iterable[str], release: str) -> dict[str, str]:
    """Return the headers of every response.

    The content security policy allows scripts and styles from our own files only, images and uploads also from
    and to ``storage_origins`` (scheme://host[:port] of the buckets), and no script may turn text into markup
    (Trusted Types).
    """
    buckets = " ".join(["'self'", *storage_origins])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; manifest-src 'self'; "
        f"img-src {buckets} data: blob:; connect-src {buckets}; form-action {buckets}; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types worker"
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
