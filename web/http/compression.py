"""gzip for pages and JSON: neither waitress nor an AWS load balancer compresses responses."""

from __future__ import annotations

import gzip
import io
import secrets
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

MIN_BYTES = 1400  # smaller bodies fit into one packet either way
LEVEL = 4  # a page of 40 images takes 1 to 2 ms and shrinks to a ninth
PADDING_BITS = 7  # of the number of bytes, which is at most 127

_TYPES = ("text/html", "application/json", "application/yaml")

Headers = list[tuple[str, str]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def compress_response(
    app: Wsgi, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Call ``app`` and compress its body if the client accepts that; a streamed body is passed through."""
    started: list[Any] = []

    def hold(status: str, headers: Headers, exc_info: Any = None) -> None:
        started[:] = status, headers, exc_info

    body = app(environ, hold)
    status, headers, exc_info = started
    head = environ["REQUEST_METHOD"] == "HEAD"
    if isinstance(body, list) and _is_compressible(headers, None if head else sum(map(len, body))):
        headers = [*headers, ("Vary", "Accept-Encoding")]
        if accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            headers = [(name, _weak(value) if name.lower() == "etag" else value) for name, value in headers]
            headers = [each for each in headers if each[0].lower() != "content-length"]
            headers.append(("Content-Encoding", "gzip"))
            if not head:  # the length that GET would have is not known (RFC 9110, 8.6)
                body = [_gzip(b"".join(body))]
                headers.append(("Content-Length", str(len(body[0]))))
    start_response(status, headers, exc_info)
    return body


@lru_cache(maxsize=64)
def accepts_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header accepts gzip.

    A weight of 0 refuses it; what is said of gzip counts, not what is said of ``*`` (RFC 9110, 12.5.3).
    """
    codings = (each.replace(" ", "").partition(";q=") for each in accepted.lower().split(","))
    weights = {coding: weight or "1" for coding, _, weight in codings}
    return weights.get("gzip", weights.get("*", "0")).strip("0.") != ""


def _is_compressible(headers: Headers, size: int | None) -> bool:
    """size: bytes of the body; None where only its Content-Length is known."""
    known = dict(headers)  # Bottle writes their names so
    return (
        "Content-Encoding" not in known
        and known.get("Content-Type", "").startswith(_TYPES)
        and (int(known.get("Content-Length", 0)) if size is None else size) >= MIN_BYTES
    )


def _weak(etag: str) -> str:
    """Return the ETag as a weak one: same content, other bytes (RFC 9110, 8.8.1)."""
    return etag if etag.startswith("W/") else f"W/{etag}"


def _gzip(data: bytes) -> bytes:
    """Return ``data`` as gzip with a file name of random length.

    A page contains a CSRF token and echoes the search words; without padding its size would reveal where the
    two are equal (BREACH; Palacios et al., "Heal the Breach").
    """
    out = io.BytesIO()
    name = "a" * secrets.randbits(PADDING_BITS)
    with gzip.GzipFile(name, "wb", LEVEL, out, mtime=0) as file:
        file.write(data)
    return out.getvalue()
