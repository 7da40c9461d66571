"""The security log."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m013_security_events(schema: Schema) -> None:
    """Events of accounts, credentials, photos and settings. They outlive the accounts that they name."""
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS security_events (
          id {serial},
          at {time} NOT NULL,
          event {word} NOT NULL,
          actor {word} NULL,
          subject {name} NULL,
          address {word} NOT NULL,
          detail {name} NOT NULL
        ) {options}
        """
    )
    schema.index("security_events_at", "security_events", "at")
