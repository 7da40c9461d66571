"""Encrypted secrets of authenticator apps."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m032_encrypted_secrets(schema: Schema) -> None:
    """Add the encrypted secret. Where it is set, ``secret`` is empty."""
    schema.column("second_factors", "encrypted", "{name}")
