"""Webhooks."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m031_webhooks(schema: Schema) -> None:
    """Addresses that are called, and what is to be delivered to them."""
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS webhooks (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          owner_id {int} NULL,
          url {name} NOT NULL,
          events {name} NOT NULL,
          secret {word} NOT NULL,
          old_secret {word} NULL,
          old_secret_until {time} NULL,
          created_at {time} NOT NULL,
          CONSTRAINT webhooks_owner FOREIGN KEY (owner_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("webhooks_owner_id", "webhooks", "owner_id, id")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS webhook_deliveries (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          webhook_id {int} NOT NULL,
          event {word} NOT NULL,
          image_id {int} NULL,
          batch_id {word} NULL,
          body {text} NULL,
          status {word} NOT NULL,
          attempts {int} NOT NULL,
          created_at {time} NOT NULL,
          next_at {time} NULL,
          lease_token {word} NULL,
          response {int} NULL,
          error {name} NULL,
          CONSTRAINT webhook_deliveries_webhook FOREIGN KEY (webhook_id) REFERENCES webhooks (id)
            ON DELETE CASCADE,
          CONSTRAINT webhook_deliveries_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("webhook_deliveries_webhook_id", "webhook_deliveries", "webhook_id, id")
    schema.index("webhook_deliveries_image_id", "webhook_deliveries", "image_id")
    schema.index("webhook_deliveries_due", "webhook_deliveries", "status, next_at")
    schema.index("webhook_deliveries_created_at", "webhook_deliveries", "created_at")
