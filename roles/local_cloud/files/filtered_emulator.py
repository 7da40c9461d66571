"""Run ministack behind a filter: ``python -P filtered_emulator.py BUCKET_PREFIX HEALTH_PATH``.

ministack has administrative endpoints without authentication (``POST /_ministack/reset`` deletes everything),
and a web page of any origin can send requests to a port of loopback. So each request is refused with 403 here
unless

- it carries a SigV4 ``Authorization`` header and does not come from a browser, or
- it is a request of the gallery's page to S3: a presigned GET, HEAD or PUT of an object, a form POST to a
  bucket of this project, or the CORS preflight of one of these, from no other origin than one of loopback, or
- it is a health check that does not come from a browser.

The ``Host`` header must name loopback, so that a host name rebound to it (DNS rebinding) does not pass.
ministack itself then verifies signatures and policies, and durable_objects.py lets it acknowledge only what
is on the disk.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, unquote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOOPBACK = r"(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d{1,5})?"
_HOST = re.compile(_LOOPBACK)
_ORIGIN = re.compile(rf"http://{_LOOPBACK}")
# Sent by browsers with every request to loopback, never by an SDK; https://www.w3.org/TR/fetch-metadata/
_BROWSER_HEADERS = ("origin", "sec-fetch-site", "sec-fetch-mode", "referer")


class Filter:
    """ASGI middleware that answers 403 if ``refusal`` returns a reason, and else calls ``application``."""

    def __init__(self, application: Application, bucket_prefix: str, health_path: str) -> None:
        self._application = application
        self._health_path = health_path
        self._object = re.compile(rf"/{re.escape(bucket_prefix)}[a-z0-9.-]+/.+", re.DOTALL)
        self._bucket = re.compile(rf"/{re.escape(bucket_prefix)}[a-z0-9.-]+/?")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 with the reason, or pass the request on."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] != "http":  # a WebSocket; the gallery has none
            await send({"type": "websocket.close", "code": 1008})
        elif reason := self.refusal(scope):
            await _refuse(send, reason)
        else:
            await self._application(scope, receive, send)

    def refusal(self, scope: Mapping[str, Any]) -> str | None:
        """Return why this request is refused; None if it is passed on."""
        headers = _headers(scope["headers"])
        if headers is None:
            return "A header is sent twice."
        if not _HOST.fullmatch(headers.get("host", "")):
            return "This host name is not served."
        method, path = str(scope["method"]), unquote(str(scope["path"]))
        if any(name in headers for name in _BROWSER_HEADERS):
            return self._browser_refusal(method, path, scope["query_string"], headers)
        if method == "GET" and path == self._health_path:
            return None
        if path.startswith("/_"):
            return "Administrative endpoints are not served."
        if headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return None
        return self._browser_refusal(method, path, scope["query_string"], headers)

    def _browser_refusal(
        self, method: str, path: str, query_string: bytes, headers: Mapping[str, str]
    ) -> str | None:
        """Return why this is not a request to S3 of the gallery's page; None if it is one."""
        origin = headers.get("origin")
        if origin is not None and not _ORIGIN.fullmatch(origin):
            return "This origin may not send requests here."
        if method == "OPTIONS" and (self._object.fullmatch(path) or self._bucket.fullmatch(path)):
            return None
        if method in ("GET", "HEAD", "PUT") and self._object.fullmatch(path) and _presigned(query_string):
            return None
        form = headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"
        if method == "POST" and self._bucket.fullmatch(path) and form and not query_string:
            return None
        return "Only signed requests are served."


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str] | None:
    """Return the headers by lower-case name; None if a header that the filter checks is sent twice."""
    found: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        if key in found and key in ("host", "authorization", "content-type", *_BROWSER_HEADERS):
            return None
        found[key] = value.decode("latin-1")
    return found


def _presigned(query_string: bytes) -> bool:
    """Return whether the query has a SigV4 signature for S3."""
    query = parse_qs(query_string.decode("latin-1"))
    credential = query.get("X-Amz-Credential", [""])[-1]
    return bool(query.get("X-Amz-Signature")) and credential.endswith("/s3/aws4_request")


async def _refuse(send: Send, reason: str) -> None:
    body = f"{reason}\n".encode()
    fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    # Without reading the body: hypercorn closes the connection after such an answer
    await send({"type": "http.response.start", "status": 403, "headers": [*fields, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})


def _beside(name: str) -> ModuleType:
    """Import a module of this folder, which ``-P`` keeps out of the path so that it hides no other module."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Serve until a signal ends the process."""
    from ministack import app as ministack
    from ministack.core import iam_evaluator
    from ministack.services import s3

    # ministack does not verify the signatures of root keys: its own, "test", and any account number.
    iam_evaluator._is_root_key = lambda access_key_id: False
    _beside("durable_objects").install(s3)
    ministack.app = Filter(ministack.app, *sys.argv[1:])
    del sys.argv[1:]
    os.umask(0o077)
    ministack.main()


if __name__ == "__main__":
    main()
