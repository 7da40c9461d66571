"""Perceptual hashes."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m036_image_hashes(schema: Schema) -> None:
    """The perceptual hash of each image, and its four quarters, by which similar ones are found.

    The indexes hold all that a search reads, so that it reads no row.
    """
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS image_hashes (
          image_id {int} NOT NULL PRIMARY KEY,
          hash {int} NOT NULL,
          band_0 {int} NOT NULL,
          band_1 {int} NOT NULL,
          band_2 {int} NOT NULL,
          band_3 {int} NOT NULL,
          CONSTRAINT image_hashes_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
    for band in ("band_0", "band_1", "band_2", "band_3"):
        schema.index(f"image_hashes_{band}", "image_hashes", f"{band}, image_id, hash")
