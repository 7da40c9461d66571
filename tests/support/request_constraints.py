"""Check a request to AWS against botocore's model of the operation and against AWS's documents.

botocore checks only what is required and the types before it sends a request; an emulator checks less. Here
a request is also checked for enumerations, lengths, ranges and patterns of the model, for the filter names that
the model's documentation lists, and for the constraints that AWS gives in prose: ``request_constraints.toml``.

::

    problems = violations(client.meta.service_model.operation_model("CreateSecurityGroup"), parameters)
"""

from __future__ import annotations

import fnmatch
import html
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_suffix(".toml")
# What the regular expressions of the models (Java's) mean, in those of Python.
TRANSLATED = {
    r"\p{L}\p{Z}\p{N}_": r"\w\s",
    r"\p{L}\p{Z}\p{N}\p{P}\p{M}": r"\x20-\U0010ffff",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010ffff",
    r"\w-": r"\w\-",
}


def violations(operation: Any, parameters: dict[str, Any]) -> list[str]:
    """Return a sentence for each constraint that the request breaks.

    ``operation`` is botocore's OperationModel; ``parameters`` are those of the boto3 call.
    """
    shape = operation.input_shape
    service = operation.service_model.service_name
    found = [] if shape is None else list(_by_model(shape, parameters, ""))
    found += _filters(shape, parameters, accepted_filters(service, operation.name))
    found += _by_document(service, operation.name, parameters)
    return [f"{service} {operation.name}: {problem}" for problem in found]


def _by_model(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Check a value and what it contains against its shape."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in shape.required_members:
            if name not in value:
                yield f"{path}{name} is required"
        for name, part in value.items():
            if name in shape.members:
                yield from _by_model(shape.members[name], part, f"{path}{name}.")
    elif shape.type_name == "list" and isinstance(value, list | tuple):
        yield from _length(shape, value, path)
        for part in value:
            yield from _by_model(shape.member, part, f"{path}*.")
    elif shape.type_name == "map" and isinstance(value, dict):
        yield from _length(shape, value, path)
        for key, part in value.items():
            yield from _by_model(shape.key, key, f"{path}key.")
            yield from _by_model(shape.value, part, f"{path}{key}.")
    elif isinstance(value, str):
        yield from _text(shape, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _range(shape, value, path)


def _length(shape: Any, value: Any, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < low or (high is not None and len(value) > high):
        yield f"{path[:-1]} has length {len(value)}, not {low} to {high}"


def _range(shape: Any, value: float, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        yield f"{path[:-1]} is {value}, not {low} to {high}"


def _text(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _length(shape, value, path)
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        yield f"{path[:-1]} is {value!r}, not one of {', '.join(enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        yield f"{path[:-1]} is {value!r}, which does not match {pattern}"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of a model for Python's ``re``; re.error if it cannot be translated."""
    for theirs, ours in TRANSLATED.items():
        pattern = pattern.replace(theirs, ours)
    return re.compile(pattern, re.DOTALL)


def _filters(shape: Any, parameters: dict[str, Any], accepted: set[str]) -> Iterator[str]:
    """Check the names of filters against the list in the documentation of the parameter, where there is one."""
    for member in ("Filters", "Filter"):
        for each in parameters.get(member) or ():
            described = shape.members.get(member) or shape.members["Filter"]  # boto3 accepts Filters for both
            name, known = each.get("Name") or each.get("Key"), documented_filters(described)
            if known and name not in known | accepted and not ("tag" in known and str(name).startswith("tag:")):
                yield f"{member} names {name!r}; documented are {', '.join(sorted(known))}"


def documented_filters(shape: Any) -> set[str]:
    """Return the filter names that the documentation of a parameter lists."""
    named = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", shape.documentation)
    return {html.unescape(name).partition(":<")[0] for name in named}


@cache
def documented() -> dict[str, list[dict[str, Any]]]:
    """Return the file with what AWS says in prose."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def table() -> list[dict[str, Any]]:
    """Return the constraints that AWS documents in prose."""
    return documented()["constraint"]


def accepted_filters(service: str, operation: str) -> set[str]:
    """Return the filter names that AWS accepts although the documentation of the operation lacks them."""
    rows = [
        row for row in documented()["filter"] if row["service"] == service and row["operation"] == operation
    ]
    return {name for row in rows for name in row["names"]}


def _by_document(service: str, operation: str, parameters: dict[str, Any]) -> Iterator[str]:
    rows = [row for row in table() if row["service"] in (service, "*")]
    rows = [row for row in rows if any(fnmatch.fnmatchcase(operation, name) for name in row["operations"])]
    if not rows:
        return
    for path, value in _parts(parameters, ""):
        for row in rows:
            if fnmatch.fnmatchcase(path, row["parameter"]) and (problem := _breaks(row, value)):
                yield f"{path} {problem} ({row['source']})"


def _parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Return every parameter, the outer ones too, with its path; items of a list have their number as name."""
    if path:
        yield path, value
    if isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in items:
            yield from _parts(part, f"{path}.{name}" if path else str(name))


def _breaks(row: dict[str, Any], value: Any) -> str:
    """Say how a value breaks the constraint of a row; nothing if it does not."""
    if "values" in row and value not in row["values"]:
        return f"is {value!r}, not one of {row['values']}"
    if "range" in row and not row["range"][0] <= int(value) <= row["range"][1]:
        return f"is {value}, not {row['range'][0]} to {row['range'][1]}"
    if "items" in row and len(value) > row["items"]:
        return f"has {len(value)} items, more than {row['items']}"
    if "pattern" in row and not re.fullmatch(row["pattern"], str(value), re.DOTALL):
        return f"is {value!r}, which does not match {row['pattern']}"
    if "bytes" in row and len(encoded(value)) > row["bytes"]:
        return f"has {len(encoded(value))} bytes, more than {row['bytes']}"
    if "letters" in row and len(re.sub(r"\s", "", str(value))) > row["letters"]:
        return f"has more than {row['letters']} characters without white space"
    return ""


def encoded(value: Any) -> bytes:
    """Return the bytes that a quota of AWS counts: of a text, of bytes, or of a map as JSON."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))).encode()
