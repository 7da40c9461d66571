"""Notifications and the e-mail addresses that receive them."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m003_notices(schema: Schema) -> None:
    """One notification a batch, and the e-mail addresses that notifications are sent to."""
    # name: the owner's id (0 without an owner) and the batch, because UNIQUE ignores NULL. addresses.account_id
    # has no foreign key: the row outlives the account until the address is unsubscribed from the topic.
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS notices (
          id {serial},
          name {name} NOT NULL UNIQUE,
          owner_id {int} NULL,
          batch_id {word} NOT NULL,
          created_at {time} NOT NULL,
          tries {int} NOT NULL DEFAULT 0,
          lease_token {word} NULL,
          lease_until {time} NULL,
          told_at {time} NULL,
          subject {name} NULL,
          body {text} NULL,
          CONSTRAINT notices_owner FOREIGN KEY (owner_id) REFERENCES accounts (id) ON DELETE CASCADE,
          CONSTRAINT notices_told CHECK (told_at IS NULL OR lease_token IS NULL)
        ) {options}
        """
    )
    schema.index("notices_untold", "notices", "told_at, id")
    schema.index("notices_of", "notices", "owner_id, told_at")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS addresses (
          id {serial},
          account_id {int} NOT NULL,
          address {name} NOT NULL,
          arn {name} NOT NULL UNIQUE,
          asked_at {time} NOT NULL,
          ended_at {time} NULL
        ) {options}
        """
    )
    schema.index("addresses_of", "addresses", "account_id, id")
