"""Names a release by what is in it: the same contents have the same name on every machine."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DIGITS = 12
LEFT_OUT = ("*/__pycache__/*", "*.md")


def files(parts: list[str], root: str, without: list[str]) -> Iterator[tuple[str, Path]]:
    """Every file of the parts by its name below ``root``, in order. FileNotFoundError names a missing part."""
    for part in sorted(parts):
        top = Path(root, part)
        if not top.exists():
            raise FileNotFoundError(f"{top} is to go into the image and is not there")
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            name = path.relative_to(root).as_posix()
            if path.is_file() and not any(fnmatch.fnmatchcase(name, each) for each in (*LEFT_OUT, *without)):
                yield name, path


def content_hash(parts: list[str], root: str, without: list[str] | None = None, beside: Any = None) -> str:
    """Twelve hexadecimal digits.

    parts: files and folders below ``root``; without: patterns of names that do not count; beside: whatever
    else decides what comes out. Neither times nor owners count, of the modes only who may execute.
    """
    digest = hashlib.sha256(json.dumps(beside, sort_keys=True).encode())
    for name, path in files(parts, root, without or []):
        kind = "x" if path.stat().st_mode & 0o100 else "-"
        digest.update(f"\0{name}\0{kind}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()[:DIGITS]


class FilterModule:
    """Ansible's door."""

    def filters(self) -> dict[str, Any]:
        """The filters by name."""
        return {"content_hash": content_hash}
