"""Indexes that hold all that the key of a gallery page needs."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m040_page_keys(schema: Schema) -> None:
    """The list and the timeline with the versions of their photos, and with what decides who sees a photo.

    A page's key is read on each request: it reads no rows any more. MySQL finds the photos of a month by
    images_timeline_at all the same.
    """
    schema.index("images_page", "images", "listed_id, version, upload_status, upload_expires_at, owner_id")
    schema.index("images_timeline_versions", "images", "timeline_at, id, version")
