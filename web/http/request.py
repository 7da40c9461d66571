"""What a request says, read strictly: UTF-8 or nothing, no unknown fields, no character that cannot be stored.

Bottle's own accessors decode forms as Latin-1 and drop what they cannot read, so none of them is used here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from bottle import request

from web.http.errors import Refused

BODY_LIMIT = 64 * 1024  # bytes; photographs go to the bucket, never here
FIELDS_LIMIT = 64


def query() -> dict[str, str]:
    """The query string. Refused (400) where it is not UTF-8 or names a parameter twice."""
    return _pairs(request.environ.get("QUERY_STRING", ""), "The address")


def form() -> dict[str, str]:
    """A form's fields. Refused: 415 for another type, 400 where it is not UTF-8 or names a field twice."""
    _expect("application/x-www-form-urlencoded")
    try:
        text = _body().decode("ascii")
    except UnicodeDecodeError as error:
        raise Refused(400, "malformed", "The form holds bytes that no browser sends.") from error
    return _pairs(text, "The form")


def json_object(allowed: frozenset[str]) -> dict[str, Any]:
    """A JSON object with no other members than ``allowed``. Refused: 415 for another type, 400 or 422."""
    _expect("application/json")
    try:
        value = json.loads(_body().decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "malformed", "The body is not well-formed JSON.") from error
    if not isinstance(value, dict):
        raise Refused(422, "malformed", "The body must be a JSON object.")
    if unknown := sorted(set(value) - allowed):
        raise Refused(
            422, "unknown_field", f"The body may hold {', '.join(sorted(allowed))}, not {unknown[0]!r}."
        )
    return value


def string(body: Mapping[str, Any], name: str) -> str:
    """A member that must be text. Refused (422)."""
    return _text(body.get(name), name)


def strings(value: Any, name: str, *, most: int) -> list[str]:
    """A list of at most ``most`` texts. Refused (422)."""
    if not isinstance(value, list) or len(value) > most:
        raise Refused(422, name, f"{name} must be a list of at most {most} texts.")
    return [_text(item, name) for item in value]


def whole_number(value: Any, name: str) -> int:
    """A whole number, 3.0 included, as JSON Schema has it. Refused (422)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise Refused(422, name, f"{name} must be a whole number.")
    if not -(2**53) < value < 2**53:
        raise Refused(422, name, f"{name} is out of range.")
    return int(value)


def _pairs(text: str, what: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT)
    except ValueError as error:
        raise Refused(400, "malformed", f"{what} cannot be read as UTF-8 text.") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Refused(400, "malformed", f"{what} says {name!r} more than once.")
        if "\0" in value:
            raise Refused(400, "malformed", f"{what} holds a character that cannot be stored.")
        found[name] = value
    return found


def _expect(media_type: str) -> None:
    kind, _, parameters = request.environ.get("CONTENT_TYPE", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != media_type or charset not in ("", "utf-8"):
        raise Refused(415, "media_type", f"Send this as {media_type} in UTF-8.")


def _body() -> bytes:
    length = request.content_length  # security.Guard has refused what is malformed or too long
    return request.environ["wsgi.input"].read(length) if length > 0 else b""


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise Refused(422, name, f"{name} must be text.")
    if any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise Refused(422, name, f"{name} holds a character that cannot be stored.")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice")
    return found
