"""What models may cost for each account."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m025_spend_quotas(schema: Schema) -> None:
    """The quotas of spending that an administrator has set for an account, in US dollars."""
    for name in ("quota_spend_day", "quota_spend_month"):
        schema.column("accounts", name, "{real}")
