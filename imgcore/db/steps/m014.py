"""Quotas of accounts."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m014_quotas(schema: Schema) -> None:
    """The quota that an administrator has set for an account, and the index that sums up what it uses."""
    for name in ("quota_images", "quota_bytes", "quota_uploads"):
        schema.column("accounts", name, "{int}")
    schema.index("images_usage", "images", "owner_id, upload_status, size")
