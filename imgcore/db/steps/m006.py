"""The end of validity of API keys, and the address that used each last."""

from __future__ import annotations

from imgcore.db.schema import Schema

LIFETIME = 90 * 86_400_000_000  # microseconds that keys from before stay valid after the migration


def m006_key_expiry(schema: Schema) -> None:
    """API keys expire. Those from before are valid for another 90 days."""
    schema.column("api_keys", "expires_at", "{time}")
    schema.column("api_keys", "used_address", "{word}")
    schema.run("UPDATE api_keys SET expires_at = {later:lifetime} WHERE expires_at IS NULL", lifetime=LIFETIME)
