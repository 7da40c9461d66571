"""Batches as they were sent."""

from __future__ import annotations

from imgcore.db.schema import Schema
from imgcore.db.steps.m026 import m026_batches


def m034_sent_batches(schema: Schema) -> None:
    """Add when and how each batch was sent. Its images stay in it when they are deleted for good."""
    schema.column("batches", "sent_at", "{time}")
    schema.column("batches", "model", "{name}")
    schema.column("batches", "language", "{name}")
    schema.column("batches", "prompt_version", "{word}")
    schema.run("UPDATE batches SET sent_at = {now} WHERE sent_at IS NULL")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS batch_images (
          batch_id {int} NOT NULL,
          image_id {int} NOT NULL,
          public_id {word} NOT NULL,
          owner_id {int} NULL,
          PRIMARY KEY (batch_id, image_id),
          CONSTRAINT batch_images_batch FOREIGN KEY (batch_id) REFERENCES batches (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("batch_images_image_id", "batch_images", "image_id")
    m026_batches(schema)  # its table is missing where this step was interrupted after the last statement
    schema.run(
        "{insert_ignore} batch_images (batch_id, image_id, public_id, owner_id)"
        " SELECT b.batch_id, b.image_id, i.public_id, i.owner_id"
        " FROM batch_items b JOIN images i ON i.id = b.image_id"
    )
    schema.run("DROP TABLE batch_items")
