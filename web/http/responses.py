"""JSON answers, fresh ones with an ETag; and what a route is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from bottle import HTTPResponse, request

Route = tuple[str, str, Callable[..., Any]]  # method, path, handler


def encoded(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """JSON that nobody keeps."""
    fixed = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return HTTPResponse(encoded(value), status=status, headers={**fixed, **(headers or {})})


def fresh(value: Any) -> HTTPResponse:
    """With an ETag, so that a poll that finds nothing new costs a few bytes."""
    data = encoded(value)
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    sent = request.environ.get("HTTP_IF_NONE_MATCH", "")
    if sent.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in sent.split(",")}:
        return HTTPResponse(status=304, headers=headers)
    return HTTPResponse(data, headers={**headers, "Content-Type": "application/json"})
