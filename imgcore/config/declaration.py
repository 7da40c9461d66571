"""How a setting is declared and read from a string."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from ipaddress import ip_address
from math import inf
from typing import Any

from imgcore.errors import Misconfigured


class Secret:
    """A string that does not print itself; ``reveal()`` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "<SECRET>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def setting(
    *names: str,
    group: str,
    help: str,
    default: Any = None,
    unit: str = "",
    choices: tuple[str, ...] = (),
    minimum: float = 0,
    maximum: float = inf,
) -> Any:
    """Declare one setting.

    names: environment variables, of which the first that is set counts. help: Markdown. minimum, maximum: of a
    number.
    """
    metadata = {
        "names": names,
        "group": group,
        "help": help,
        "unit": unit,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
    }
    return field(default=default, metadata=metadata)


def parse(name: str, text: str, kind: str, metadata: Mapping[str, Any]) -> Any:
    """Return the value of variable ``name`` whose text is ``text``.

    kind: the field's annotation. metadata: what ``setting`` declared. Misconfigured where it is not acceptable.
    """
    if metadata["choices"] and text not in metadata["choices"]:
        raise Misconfigured(f"{name} must be one of {', '.join(metadata['choices'])}; it is {text!r}.")
    if kind.startswith("Secret"):
        return Secret(text)
    if kind.startswith("tuple"):
        return tuple(part for part in (part.strip() for part in text.split(",")) if part)
    kind = kind.removesuffix(" | None")
    return _number(name, text, kind, metadata) if kind in ("int", "float") else text


def _number(name: str, text: str, kind: str, metadata: Mapping[str, Any]) -> float:
    minimum, maximum = metadata["minimum"], metadata["maximum"]
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        number = None
    if number is not None and minimum <= number <= maximum and number < inf:
        return number
    if maximum < inf:
        raise Misconfigured(f"{name} must be a number from {minimum:g} to {maximum:g}; it is {text!r}.")
    if number is None:
        raise Misconfigured(f"{name} must be a number; it is {text!r}.")
    raise Misconfigured(f"{name} must be at least {minimum:g}; it is {text}.")


def is_loopback(host: str) -> bool:
    """Return whether ``host``, a name or an address, is reachable from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
