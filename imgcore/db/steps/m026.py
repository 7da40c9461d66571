"""Batches of campaigns."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m026_batches(schema: Schema) -> None:
    """Campaigns through a batch interface, their batches, and the images of each."""
    schema.column("campaigns", "batch", "{int}")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS batches (
          id {serial},
          campaign_id {int} NOT NULL,
          label {word} NOT NULL UNIQUE,
          name {name} NULL,
          lease_until {time} NOT NULL,
          closed_at {time} NULL,
          CONSTRAINT batches_campaign FOREIGN KEY (campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS batch_items (
          batch_id {int} NOT NULL,
          image_id {int} NOT NULL,
          PRIMARY KEY (batch_id, image_id),
          CONSTRAINT batch_items_batch FOREIGN KEY (batch_id) REFERENCES batches (id) ON DELETE CASCADE,
          CONSTRAINT batch_items_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("batch_items_image_id", "batch_items", "image_id")
