"""Folders to pack, and what zips hold."""

from __future__ import annotations

import zipfile
from pathlib import Path


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files with these texts below a folder and return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def names(zipped: Path) -> set[str]:
    """Return the names of the files in a zip."""
    with zipfile.ZipFile(zipped) as opened:
        return set(opened.namelist())
