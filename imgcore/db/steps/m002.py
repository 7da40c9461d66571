"""Accounts, sessions, API keys and the throttling of sign-in."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m002_accounts(schema: Schema) -> None:
    """Accounts, the owner and the batch of an image, and the place where it was taken.

    Images from before have no owner: administrators see them, and everybody in open mode.
    """
    schema.column("images", "batch_id", "{word}")
    schema.column("images", "latitude", "{real}")
    schema.column("images", "longitude", "{real}")
    schema.index("images_owner", "images", "owner_id, listed_id")
    schema.index("images_batch", "images", "batch_id")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS accounts (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          name {word} NOT NULL UNIQUE,
          role {word} NOT NULL,
          password {name} NOT NULL,
          created_at {time} NOT NULL,
          password_at {time} NOT NULL,
          CONSTRAINT accounts_role CHECK (role IN ('person', 'administrator'))
        ) {options}
        """
    )
    schema.index("accounts_role_id", "accounts", "role, id")
    _sessions_and_keys(schema)
    _throttles_and_set_up(schema)


def _sessions_and_keys(schema: Schema) -> None:
    # token: the hexadecimal SHA-256 of what the browser or the program holds, never the secret itself
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS sessions (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          account_id {int} NOT NULL,
          token {word} NOT NULL UNIQUE,
          created_at {time} NOT NULL,
          seen_at {time} NOT NULL,
          expires_at {time} NOT NULL,
          address {word} NOT NULL,
          agent {name} NOT NULL,
          CONSTRAINT sessions_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("sessions_of", "sessions", "account_id, id")
    schema.index("sessions_expire", "sessions", "expires_at")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS api_keys (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          account_id {int} NOT NULL,
          token {word} NOT NULL UNIQUE,
          label {name} NOT NULL,
          scopes {word} NOT NULL,
          hint {word} NOT NULL,
          created_at {time} NOT NULL,
          used_at {time} NULL,
          CONSTRAINT api_keys_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("api_keys_of", "api_keys", "account_id, id")


def _throttles_and_set_up(schema: Schema) -> None:
    # name: a hash of the account's name or of the client's address
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS throttles (
          name {word} NOT NULL PRIMARY KEY,
          tries {int} NOT NULL,
          blocked_until {time} NULL,
          updated_at {time} NOT NULL
        ) {options}
        """
    )
    schema.index("throttles_updated", "throttles", "updated_at")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS set_up_tokens (
          token {word} NOT NULL PRIMARY KEY,
          expires_at {time} NOT NULL
        ) {options}
        """
    )
