"""Campaigns that describe many images again."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m010_campaigns(schema: Schema) -> None:
    """Campaigns, and the images of each."""
    # advanced_at: up to when its rate was used. public_id: chosen before the row is added.
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS campaigns (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          account_id {int} NULL,
          status {word} NOT NULL,
          selection {text} NOT NULL,
          rate {int} NOT NULL,
          total {int} NOT NULL,
          created_at {time} NOT NULL,
          advanced_at {time} NOT NULL,
          finished_at {time} NULL,
          CONSTRAINT campaigns_status CHECK (status IN ('running', 'paused', 'cancelled', 'done'))
        ) {options}
        """
    )
    schema.index("campaigns_status_id", "campaigns", "status, id")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS campaign_items (
          campaign_id {int} NOT NULL,
          image_id {int} NOT NULL,
          status {word} NOT NULL,
          PRIMARY KEY (campaign_id, image_id),
          CONSTRAINT campaign_items_campaign
            FOREIGN KEY (campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE,
          CONSTRAINT campaign_items_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE,
          CONSTRAINT campaign_items_status CHECK (status IN ('waiting', 'queued', 'done', 'failed', 'skipped'))
        ) {options}
        """
    )
    schema.index("campaign_items_turn", "campaign_items", "campaign_id, status, image_id")
    schema.index(
        "campaign_items_image_id", "campaign_items", "image_id"
    )  # SQLite needs it where an image is purged
