"""Photos that were taken out of albums."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m043_album_removals(schema: Schema) -> None:
    """What an album held of an image, and who took it out: for a day, that person may undo it."""
    # added_by and removed_by have no foreign keys, like added_by of album_images
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS album_removals (
          album_id {int} NOT NULL,
          image_id {int} NOT NULL,
          position {int} NOT NULL,
          added_by {int} NULL,
          added_at {time} NOT NULL,
          removed_by {int} NULL,
          removed_at {time} NOT NULL,
          PRIMARY KEY (album_id, image_id),
          CONSTRAINT album_removals_album FOREIGN KEY (album_id) REFERENCES albums (id) ON DELETE CASCADE,
          CONSTRAINT album_removals_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("album_removals_image_id", "album_removals", "image_id")
