"""Kinds of files that are uploaded by mistake, by their first bytes: one table for server and page. Pure."""

from __future__ import annotations

import json
from pathlib import Path

# Rows of {at: offset, bytes: as Latin-1 characters, name: with its article}; the page loads the file as it is
FILE = Path(__file__).with_name("foreign_formats.json")

_FORMATS = tuple(
    (row["at"], row["bytes"].encode("latin-1"), row["name"]) for row in json.loads(FILE.read_bytes())
)


def foreign_name(data: bytes) -> str | None:
    """Return the name of another kind of file, for people: "a video"; None if it is not known."""
    for offset, magic, name in _FORMATS:
        if data.startswith(magic, offset):
            return str(name)
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml")) and b"<svg" in head:
        return "an SVG drawing"
    return None
