"""What the uploader said of a photo."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m012_hint(schema: Schema) -> None:
    """The hint for the model that describes an image."""
    schema.column("images", "hint", "{text}")
