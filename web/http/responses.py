"""JSON responses, with and without an ETag."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from bottle import HTTPResponse, request

Route = tuple[str, str, Callable[..., Any]]  # method, path, handler


def encode_json(value: Any) -> bytes:
    """Return ``value`` as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """Return a JSON response that caches must not store."""
    fixed = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return HTTPResponse(encode_json(value), status=status, headers={**fixed, **(headers or {})})


def matches_etag(etag: str) -> bool:
    """Return whether the client states that it has the response of this ETag (RFC 9110, 13.1.2)."""
    sent = request.environ.get("HTTP_IF_NONE_MATCH", "")
    if not sent:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in sent.split(",")}
    return sent.strip() == "*" or etag.removeprefix("W/") in tags


def json_of_key(key: Hashable, build: Callable[[], Any]) -> HTTPResponse:
    """Return the JSON of ``build``, or 304, without building it, if the client has the response of this key.

    key: everything that the response shows.
    """
    etag = f'W/"{hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if matches_etag(etag):
        return HTTPResponse(status=304, headers=headers)
    return HTTPResponse(encode_json(build()), headers={**headers, "Content-Type": "application/json"})


def json_with_etag(value: Any) -> HTTPResponse:
    """Return a JSON response with an ETag, or 304 if the client has it already (RFC 9110, 13.1.2)."""
    data = encode_json(value)
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if matches_etag(etag):
        return HTTPResponse(status=304, headers=headers)
    return HTTPResponse(data, headers={**headers, "Content-Type": "application/json"})
