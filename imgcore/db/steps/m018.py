"""The second factor of accounts, and sign-ins that wait for it."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m018_second_factors(schema: Schema) -> None:
    """The secrets of authenticator apps, recovery codes, and sign-ins between the password and the code.

    A sign-in without its code is no row of sessions, which the previous release would take for a complete one.
    """
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS second_factors (
          account_id {int} NOT NULL PRIMARY KEY,
          secret {word} NOT NULL,
          last_step {int} NOT NULL,
          created_at {time} NOT NULL,
          CONSTRAINT second_factors_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    # code, token: hexadecimal SHA-256 of what the person or the browser holds
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS recovery_codes (
          account_id {int} NOT NULL,
          code {word} NOT NULL,
          PRIMARY KEY (account_id, code),
          CONSTRAINT recovery_codes_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS pending_sign_ins (
          token {word} NOT NULL PRIMARY KEY,
          account_id {int} NOT NULL,
          expires_at {time} NOT NULL,
          CONSTRAINT pending_sign_ins_account
            FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("pending_sign_ins_expire", "pending_sign_ins", "expires_at")
