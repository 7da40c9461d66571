"""Requests at random, the same ones for the same seed: routes with hostile paths, queries, headers and bodies.

Every header that a hook, the authenticator or a handler parses is among them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

METHODS = ("GET", "GET", "GET", "POST", "POST", "PATCH", "DELETE", "HEAD", "PUT", "OPTIONS", "TRACE", "x")
NASTY = (
    "", " ", "0", "-1", "1e9", "9" * 5000, "null", "true", "[]", "{}", "../../etc/passwd", "%2e%2e%2f",
    "%00", "%zz", "%",
    "\x00", "\x7f", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "é", "\u202e", "😀",
    "<script>alert(1)</script>",
    "' OR 1=1 --", '"', "\\", ";", ",", "a" * 20_000, "http://[", "http://]x[", "//evil.example",
    "javascript:alert(1)",
    "a\tb", "=", "&", "?", "#", "*", "W/", '"', 'W/"x', "bytes=0-", "bytes=-1", "q=0", "q=x",
    "identity;q=0", "*;q=0.5",
)  # fmt: skip
HEADERS: dict[str, Sequence[str]] = {
    "Host": (
        "localhost:8000", "127.0.0.1", "[::1]", "[::1", "localhost:x", "localhost:99999", "evil.example",
        "LOCALHOST",
    ),
    "Origin": (
        "http://localhost:8000", "null", "http://[", "https://evil.example",
        "http://localhost:8000.evil.example",
    ),
    "Referer": ("http://localhost:8000/", "http://[", "about:blank"),
    "Cookie": (
        "gallery_session=x", "gallery_form=" + "0" * 32, "a", "a=b; a=c", "=", 'gallery_session="',
        "$Version=1",
    ),
    "Authorization": (
        "Bearer x", "Bearer", "bearer ", "Basic eDp5", "Bearer gallery_" + "0" * 43, "AWS4-HMAC-SHA256 x",
    ),
    "Content-Type": (
        "application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x", "multipart/form-data", "application/json;", ";",
    ),
    "Content-Length": ("0", "1", "-1", "x", "1, 1", "999999999", "9" * 5000, "²"),
    "Transfer-Encoding": ("chunked", "gzip", "chunked, chunked"),
    "Sec-Fetch-Site": ("same-origin", "same-site", "cross-site", "none"),
    "Sec-Fetch-Mode": ("navigate", "cors", "no-cors"),
    "Sec-Fetch-Dest": ("document", "iframe", "image"),
    "Accept": ("text/html", "application/json", "*/*"),
    "Accept-Encoding": ("gzip", "gzip;q=0", "br, gzip;q=0.5", "gzip;q=nan", "gzip;q=1;q=0"),
    "If-None-Match": ("*", '"x"', 'W/"x", "y"'),
    "User-Agent": ("Mozilla/5.0", "x" * 5000),
    "X-Forwarded-For": ("127.0.0.1", "::1", "unknown", "1.2.3.4, 5.6.7.8"),
    "X-Forwarded-Proto": ("https", "http", "x"),
    "Range": ("bytes=0-1", "bytes=x"),
    "Expect": ("100-continue",),
    "Upgrade": ("websocket",),
}  # fmt: skip
FIELDS = (
    "token", "name", "password", "old", "new", "again", "caption", "alt_text", "tags", "type", "size",
    "batch", "label",
    "address", "role", "setup_token", "next", "cursor", "limit", "q", "ids", "deleted", "id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as tests.web.client.Client sends it."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


def requests(count: int, rules: Sequence[str], seed: int = 1) -> Iterator[Request]:
    """Yield ``count`` requests to these routes (Bottle's rules)."""
    dice = random.Random(seed)
    for _ in range(count):
        headers = {name: _value(dice, HEADERS[name]) for name in dice.sample(list(HEADERS), dice.randint(0, 5))}
        headers.pop("Transfer-Encoding", None) if dice.random() < 0.7 else None
        yield Request(dice.choice(METHODS), _path(dice, dice.choice(rules)), _body(dice), headers)


def _path(dice: random.Random, rule: str) -> str:
    parts = []
    for part in rule[1:].split("/"):
        if part.startswith("<"):
            parts.append(
                dice.choice(["0" * 32, "f" * 31, quote(dice.choice(NASTY)[:300], safe="%"), "icon.svg"])
            )
        else:
            parts.append(part if dice.random() < 0.95 else quote(dice.choice(NASTY)[:300], safe="%"))
    return f"/{'/'.join(parts)}".replace("?", "%3F") + (f"?{_fields(dice)}" if dice.random() < 0.5 else "")


def _fields(dice: random.Random) -> str:
    names = dice.choices(FIELDS, k=dice.randint(1, 4))
    if dice.random() < 0.3:
        return "&".join(f"{name}={quote(dice.choice(NASTY)[:2000], safe='%&=')}" for name in names)
    return urlencode([(name, dice.choice(NASTY)[:2000]) for name in names])


def _body(dice: random.Random) -> bytes:
    match dice.randint(0, 4):
        case 0:
            return b""
        case 1:
            return _fields(dice).encode()
        case 2:
            return json.dumps(
                {dice.choice(FIELDS): dice.choice([*NASTY, 1, -1, 1.5, None, True, [], {}, ["x"]])}
            ).encode()
        case 3:
            return dice.choice(
                [b"{", b"[" * 5000, b"\xff\xfe", b'{"a": 1e999}', b'{"a": "\\ud800"}', b"null", b"--x\r\n"]
            )
        case _:
            return dice.randbytes(dice.choice([1, 100, 70_000]))


def _value(dice: random.Random, known: Sequence[str]) -> str:
    """A known value, a part of one, or a nasty one, in the characters that a header can hold."""
    text = dice.choice(known) if dice.random() < 0.6 else dice.choice(NASTY)
    if dice.random() < 0.2 and text:
        at = dice.randrange(len(text))
        text = text[:at] + dice.choice(NASTY)[:50] + text[at:]
    return "".join(c for c in text.encode("utf-8").decode("latin-1") if c not in "\r\n\0")
