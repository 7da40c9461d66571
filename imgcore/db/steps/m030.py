"""Uploads in parts."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m030_part_uploads(schema: Schema) -> None:
    """The storage's id of the upload of each image that is uploaded in parts."""
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS part_uploads (
          image_id {int} NOT NULL PRIMARY KEY,
          upload_id {key} NOT NULL,
          CONSTRAINT part_uploads_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
