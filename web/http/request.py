"""Strict parsers for query strings, forms and JSON bodies: UTF-8 only, no duplicates, no unknown members.

Bottle's own accessors decode forms as Latin-1 and drop what they cannot decode, so they are not used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from bottle import request

from web.http.errors import Problem

BODY_LIMIT = 64 * 1024  # bytes; images are uploaded to the bucket, not here
FIELDS_LIMIT = 64


def query() -> dict[str, str]:
    """Return the query parameters. Problem: 400 if they are not UTF-8 or one occurs twice."""
    text = request.environ.get("QUERY_STRING", "")
    return _pairs(text, "The address") if text else {}


def form() -> dict[str, str]:
    """Return a form's fields. Problem: 415 for another media type, 400 if malformed or a field occurs twice."""
    _expect("application/x-www-form-urlencoded")
    try:
        text = _body().decode("ascii")
    except UnicodeDecodeError as error:
        raise Problem(400, "malformed", "The form contains bytes that browsers do not send.") from error
    return _pairs(text, "The form")


def json_object(allowed: frozenset[str]) -> dict[str, Any]:
    """Return the JSON object in the body. Problem: 415 for another media type, 400 if malformed, 422 if it has
    members that are not in ``allowed``."""
    _expect("application/json")
    try:
        value = json.loads(_body().decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "malformed", "The body is not well-formed JSON.") from error
    return members(value, "The body", allowed)


def members(value: Any, what: str, allowed: frozenset[str]) -> dict[str, Any]:
    """Return ``value``, which must be an object. Problem: 422, also if it has members not in ``allowed``."""
    if not isinstance(value, dict):
        raise Problem(422, "malformed", f"{what} must be a JSON object.")
    if unknown := sorted(set(value) - allowed):
        names = ", ".join(sorted(allowed))
        raise Problem(422, "unknown_field", f"{what} may contain {names}, not {unknown[0]!r}.")
    return value


def string(body: Mapping[str, Any], name: str) -> str:
    """Return the member ``name``, which must be a string. Problem: 422."""
    return _text(body.get(name), name)


def strings(value: Any, name: str, *, most: int) -> list[str]:
    """Return ``value``, which must be a list of at most ``most`` strings. Problem: 422."""
    if not isinstance(value, list) or len(value) > most:
        raise Problem(422, name, f"{name} must be a list of at most {most} texts.")
    return [_text(item, name) for item in value]


def flag(body: Mapping[str, Any], name: str) -> bool:
    """Return the member ``name``, which is false where it is missing. Problem: 422 where it is no boolean."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Problem(422, name, f"{name} must be true or false.")
    return value


def whole_number(value: Any, name: str) -> int:
    """Return ``value``, which must be an integer in the sense of JSON Schema (3.0 included). Problem: 422."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise Problem(422, name, f"{name} must be a whole number.")
    if not -(2**53) < value < 2**53:
        raise Problem(422, name, f"{name} is out of range.")
    return int(value)


def digits(text: str, most: int) -> int | None:
    """Return the number that ``text`` is, in at most ``most`` ASCII digits; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= most else None


def number(asked: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """Return a query parameter that is a whole number in that range. Problem: 422."""
    text = asked.get(name, str(default))
    found = digits(text, len(str(most)))
    if found is not None and least <= found <= most:
        return found
    raise Problem(422, name, f"{name} must be a whole number from {least} to {most}.")


def short(asked: Mapping[str, str], name: str, most: int = 200) -> str | None:
    """Return a query parameter; None where it is absent or empty. Problem: 422 beyond ``most`` characters."""
    text = asked.get(name) or None
    if text is not None and len(text) > most:
        raise Problem(422, name, f"{name} may have at most {most} characters.")
    return text


def _pairs(text: str, what: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT)
    except ValueError as error:
        raise Problem(400, "malformed", f"{what} cannot be read as UTF-8 text.") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Problem(400, "malformed", f"{what} contains {name!r} more than once.")
        if "\0" in value:
            raise Problem(400, "malformed", f"{what} contains a character that cannot be stored.")
        found[name] = value
    return found


def _expect(media_type: str) -> None:
    kind, _, parameters = request.environ.get("CONTENT_TYPE", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != media_type or charset not in ("", "utf-8"):
        raise Problem(415, "media_type", f"Send this as {media_type} in UTF-8.")


def _body() -> bytes:
    length = request.content_length  # headers.RequestChecks refused a malformed or too large one
    return request.environ["wsgi.input"].read(length) if length > 0 else b""


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise Problem(422, name, f"{name} must be text.")
    if any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise Problem(422, name, f"{name} contains a character that cannot be stored.")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice")
    return found
