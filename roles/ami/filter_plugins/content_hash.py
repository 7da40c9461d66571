"""Filter content_hash: a release name computed from file contents, the same on every machine."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DIGITS = 12
IGNORED = ("*/__pycache__/*", "*.md")


def files(parts: list[str], root: str, excluded: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield every file of the parts with its path relative to ``root``, sorted.

    Raises FileNotFoundError if a part does not exist.
    """
    for part in sorted(parts):
        top = Path(root, part)
        if not top.exists():
            raise FileNotFoundError(f"{top} must be part of the AMI but does not exist")
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            name = path.relative_to(root).as_posix()
            if path.is_file() and not any(fnmatch.fnmatchcase(name, each) for each in (*IGNORED, *excluded)):
                yield name, path


def content_hash(parts: list[str], root: str, excluded: list[str] | None = None, further: Any = None) -> str:
    """Return twelve hexadecimal digits that identify the contents.

    parts: files and folders below ``root``. excluded: patterns of relative paths to leave out. further: any
    JSON value that also determines the result. File times and owners do not count; of the modes, only the
    owner's execute bit does.
    """
    digest = hashlib.sha256(json.dumps(further, sort_keys=True).encode())
    for name, path in files(parts, root, excluded or []):
        kind = "x" if path.stat().st_mode & 0o100 else "-"
        digest.update(f"\0{name}\0{kind}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()[:DIGITS]


class FilterModule:
    """Register the filters with Ansible."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"content_hash": content_hash}
