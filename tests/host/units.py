"""systemd's units, read for what decides how a service starts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Unit:
    """The lines of a unit: each directive's values in their order."""

    directives: Mapping[str, list[str]]

    def one(self, name: str) -> str:
        """The value of a directive that is there once."""
        (value,) = self.directives[name]
        return value

    def seconds(self, name: str) -> float:
        """A time without a unit."""
        return float(self.one(name))

    def environ(self, root: Path) -> dict[str, str]:
        """What the service sees: its own lines, outranked by its file."""
        words = [word for line in self.directives.get("Environment", []) for word in shlex.split(line)]
        for name in self.directives.get("EnvironmentFile", []):
            words += shlex.split((root / name.lstrip("/")).read_text())
        return dict(word.split("=", 1) for word in words)

    def command(self, environ: Mapping[str, str]) -> list[str]:
        """The command line of ExecStart, its variables put in."""
        words = shlex.split(self.one("ExecStart"))
        for name, value in environ.items():
            words = [word.replace(f"${{{name}}}", value) for word in words]
        return words


def read_unit(text: str) -> Unit:
    """A unit's text, its sections put together."""
    directives: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith(("#", ";", "[")):
            name, _, value = line.partition("=")
            directives.setdefault(name, []).append(value)
    return Unit(directives)
