"""Hashes of files."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m024_hashes(schema: Schema) -> None:
    """Find the images of a file by its hash."""
    schema.index("images_sha256", "images", "sha256")
