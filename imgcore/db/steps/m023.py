"""Passkeys of accounts."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m023_passkeys(schema: Schema) -> None:
    """Passkeys, and the challenges that browsers are about to sign."""
    # credential: the hexadecimal SHA-256 of the credential's id. credential_id, public_key: in base64url
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS passkeys (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          account_id {int} NOT NULL,
          credential {word} NOT NULL UNIQUE,
          credential_id {text} NOT NULL,
          public_key {text} NOT NULL,
          sign_count {int} NOT NULL,
          label {name} NOT NULL,
          created_at {time} NOT NULL,
          used_at {time} NULL,
          CONSTRAINT passkeys_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("passkeys_of", "passkeys", "account_id, id")
    # token: the hexadecimal SHA-256 of the browser's cookie. account_id: NULL for a sign-in
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS passkey_challenges (
          token {word} NOT NULL PRIMARY KEY,
          account_id {int} NULL,
          expires_at {time} NOT NULL,
          CONSTRAINT passkey_challenges_account
            FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("passkey_challenges_expire", "passkey_challenges", "expires_at")
