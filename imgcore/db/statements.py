"""Statements: constant SQL with named parameters, written once and rendered for each driver."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_LITERAL_OR_PARAMETER = re.compile(r"'[^']*'|:(?P<name>[a-z]\w*)")


class Statement(NamedTuple):
    """A statement as the driver takes it, and the names of its parameters."""

    text: str
    parameters: frozenset[str]


class Shifted(str):
    """A fragment for a time before or after now: ``{later:lease}`` shifts it by the parameter ``lease``."""

    def __format__(self, parameter: str) -> str:
        return self.replace("?", f":{parameter}")


class Named(str):
    """A fragment around a name: ``{by_index:images_page}``."""

    def __format__(self, name: str) -> str:
        return self.replace("?", name)


def sql(template: str, **parts: str) -> str:
    """Return ``template`` with ``{name}`` replaced by ``parts``: constant SQL, never a value.

    The dialects' fragments, such as ``{now}``, stay in it.
    """
    for name, text in parts.items():
        template = template.replace(f"{{{name}}}", text)
    return template


def render(template: str, fragments: Mapping[str, str], *, pyformat: bool) -> Statement:
    """Return the statement with its fragments filled in.

    Parameters stay ``:name``, as sqlite3 takes them, or with ``pyformat`` become ``%(name)s`` for pymysql,
    which formats the whole text with ``%``, literals included.
    """
    text = template.format_map(fragments)
    names = frozenset(found["name"] for found in _LITERAL_OR_PARAMETER.finditer(text) if found["name"])
    if pyformat:
        text = _LITERAL_OR_PARAMETER.sub(_pyformat, text.replace("%", "%%"))
    return Statement(text, names)


def _pyformat(found: re.Match[str]) -> str:
    return f"%({found['name']})s" if found["name"] else found[0]
