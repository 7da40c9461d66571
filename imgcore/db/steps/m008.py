"""The browsers that have signed in to an account."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m008_devices(schema: Schema) -> None:
    """Known browsers, so that failed attempts of others do not delay their sign-in."""
    # token: the hexadecimal SHA-256 of the browser's cookie
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS devices (
          account_id {int} NOT NULL,
          token {word} NOT NULL,
          seen_at {time} NOT NULL,
          PRIMARY KEY (account_id, token),
          CONSTRAINT devices_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("devices_seen", "devices", "seen_at")
