"""The owners of perceptual hashes."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m038_hash_owners(schema: Schema) -> None:
    """The owner of each hash's image, 0 for nobody, by which similar images are found among his own alone.

    A hash without one was computed by m036's release, in another way: the backfill makes it anew. The indexes
    take the place of those of m036.
    """
    schema.column("image_hashes", "owner", "{int}")
    for band in ("band_0", "band_1", "band_2", "band_3"):
        schema.index(f"image_hashes_owner_{band}", "image_hashes", f"{band}, owner, image_id, hash")
        schema.drop_index(f"image_hashes_{band}", "image_hashes")
