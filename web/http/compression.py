"""Pages and lists as gzip for whoever takes it: neither waitress nor a load balancer of AWS does that."""

from __future__ import annotations

import gzip
import io
import secrets
from collections.abc import Callable, Iterable
from typing import Any

LEAST = 1400  # bytes: what is smaller goes in one packet either way
LEVEL = 4  # a page of forty photographs in a millisecond or two, to a ninth of its size
MOST_PADDING = 100  # bytes

_TYPES = ("text/html", "application/json", "application/yaml")

Headers = list[tuple[str, str]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def compressed(app: Wsgi, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What ``app`` answers, packed where that helps; what comes piece by piece stays as it is."""
    started: list[Any] = []

    def hold(status: str, headers: Headers, exc_info: Any = None) -> None:
        started[:] = status, headers, exc_info

    body = app(environ, hold)
    status, headers, exc_info = started
    if isinstance(body, list) and _worth_it(headers, body):
        headers = [*headers, ("Vary", "Accept-Encoding")]
        if takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            body = [_packed(b"".join(body))]
            headers = [(name, _weak(value) if name.lower() == "etag" else value) for name, value in headers]
            headers = [each for each in headers if each[0].lower() != "content-length"]
            headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(body[0])))]
    start_response(status, headers, exc_info)
    return body


def takes_gzip(accepted: str) -> bool:
    """By what Accept-Encoding says; a weight of 0 refuses (RFC 9110, 12.5.3)."""
    for each in accepted.lower().split(","):
        coding, _, weight = each.replace(" ", "").partition(";q=")
        if coding in ("gzip", "*"):
            return weight.strip("0.") != "" or weight == ""
    return False


def _worth_it(headers: Headers, body: list[bytes]) -> bool:
    known = {name.lower(): value for name, value in headers}
    return (
        known.get("content-type", "").startswith(_TYPES)
        and "content-encoding" not in known
        and sum(map(len, body)) >= LEAST
    )


def _weak(etag: str) -> str:
    """Of the same, in other bytes (RFC 9110, 8.8.1)."""
    return etag if etag.startswith("W/") else f"W/{etag}"


def _packed(data: bytes) -> bytes:
    """As gzip, with a file name of random length: a page holds a token and repeats what was searched for,
    and its size alone would tell where the two are alike (BREACH; Palacios et al., "Heal the Breach")."""
    out = io.BytesIO()
    name = "a" * secrets.randbelow(MOST_PADDING)
    with gzip.GzipFile(name, "wb", LEVEL, out, mtime=0) as file:
        file.write(data)
    return out.getvalue()
