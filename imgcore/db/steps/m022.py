"""How each photo was taken."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m022_details(schema: Schema) -> None:
    """Exposure, lens and the like as a JSON object; see imgcore.gallery.models.PhotoDetails."""
    schema.column("images", "details", "{text}")
