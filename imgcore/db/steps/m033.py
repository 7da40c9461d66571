"""Originals by share links."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m033_shared_originals(schema: Schema) -> None:
    """Which files a link hands out; NULL for the display size."""
    schema.column("shares", "files", "{word} NULL")
