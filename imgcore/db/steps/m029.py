"""The picture for the grid."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m029_grid(schema: Schema) -> None:
    """The key of the rendition that the timeline shows; NULL where it is not made or not needed."""
    schema.column("images", "grid_key", "{key}")
