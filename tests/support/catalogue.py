"""The drills of tests/drills/drills.toml: what each proves, how it is run, and which paths concern it."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests" / "drills" / "drills.toml"


@dataclass(frozen=True)
class Drill:
    """A check that takes minutes and proves something rare.

    minutes: how long it takes on two processors, about.
    paths: patterns of the files that it depends on; `make drill D=changed` runs it after a change of one.
    """

    name: str
    proves: str
    run: tuple[str, ...]
    minutes: int
    paths: tuple[str, ...]

    @property
    def command(self) -> list[str]:
        """How it is started, from the repository's root."""
        return [sys.executable, "-m", *self.run]

    def concerns(self, path: str) -> bool:
        """Whether a changed file is one that it depends on."""
        return any(matches(path, pattern) for pattern in self.paths)


@cache
def drills() -> dict[str, Drill]:
    """Return every drill by its name, in the order of the file."""
    tables = tomllib.loads(FILE.read_text())
    return {
        name: Drill(name, table["proves"], tuple(table["run"]), table["minutes"], tuple(table["paths"]))
        for name, table in tables.items()
    }


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern is this path, matches it, or names a folder above it.

    ``roles/web_host`` is everything in that folder; ``*`` stays within one part of a path.
    """
    parts, wanted = PurePosixPath(path).parts, PurePosixPath(pattern).parts
    return len(parts) >= len(wanted) and PurePosixPath(*parts[: len(wanted)]).match(pattern)
