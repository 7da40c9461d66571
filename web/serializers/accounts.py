"""Accounts, sessions, API keys and the security log as the API's JSON and as the pages' texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imgcore.accounts.models import Account, ApiKey, Quota, Role, Scope, SecurityEntry, Session, Usage
from imgcore.accounts.security_log import SecurityEvent
from imgcore.text import file_size
from web.serializers.times import moment, optional_utc, utc


def account_json(account: Account) -> dict[str, Any]:
    """Return an account as the API's JSON."""
    return {
        "id": account.public_id,
        "name": account.name,
        "role": account.role,
        "created_at": utc(account.created_at),
    }


def account_row(account: Account, images: int) -> dict[str, Any]:
    """Return an account for the administrators' pages."""
    return {
        "id": account.public_id,
        "name": account.name,
        "administrator": account.role is Role.ADMINISTRATOR,
        "photos": f"{images:,} photo{'' if images == 1 else 's'}",
        "since": moment(account.created_at),
        "since_machine": utc(account.created_at),
    }


def account_usage(used: Usage | None, spent: str | None) -> dict[str, str | None]:
    """Return what an account uses, for the page of all accounts.

    spent: this month, as text; None where no ledger is kept.
    """
    return {
        "size": file_size(used.bytes if used else 0),
        "spent": spent,
    }


def session(found: Session, here: str | None) -> dict[str, Any]:
    """Return a session for the account page. here: the id of the current session."""
    return {
        "id": found.public_id,
        "browser": browser(found.agent),
        "address": found.address or "an unknown address",
        "seen": moment(found.seen_at),
        "seen_machine": utc(found.seen_at),
        "here": found.public_id == here,
    }


def key(found: ApiKey) -> dict[str, Any]:
    """Return an API key for the account page."""
    return {
        "id": found.public_id,
        "label": found.label,
        "hint": found.hint,
        "scopes": ", ".join(scope for scope in Scope if scope in found.scopes),
        "used": moment(found.used_at) if found.used_at else None,
        "used_machine": optional_utc(found.used_at),
        "used_address": found.used_address,
        "expires": moment(found.expires_at),
        "expires_machine": utc(found.expires_at),
        "expired": found.expired,
    }


def quota_rows(
    used: Usage, quota: Quota, spent: tuple[float, float] | None = None
) -> list[tuple[str, str, str]]:
    """Return (what, used, limit) of an account's quota as texts.

    spent: what its descriptions cost today and this month, in US dollars; None leaves both out.
    """
    limits = (("Descriptions today", quota.spend_day), ("Descriptions this month", quota.spend_month))
    costs = [
        (what, f"${cost:.2f}", "no limit" if limit is None else f"${limit:g}")
        for (what, limit), cost in zip(limits, spent or (), strict=False)
    ]
    return [
        ("Photos, with those in the trash", f"{used.images:,}", f"{quota.images:,}"),
        ("Size of the originals", file_size(used.bytes), file_size(quota.bytes)),
        ("Uploads in progress", f"{used.uploads:,}", f"{quota.uploads:,}"),
        *costs,
    ]


_EVENT_TEXT = {
    SecurityEvent.SIGNED_IN: "Signed in",
    SecurityEvent.SIGN_IN_FAILED: "Sign-in failed",
    SecurityEvent.SIGN_IN_DELAYED: "Sign-in refused: too many attempts",
    SecurityEvent.CONFIRMATION_FAILED: "Wrong password in an open session",
    SecurityEvent.SIGNED_OUT: "Signed out",
    SecurityEvent.SESSION_ENDED: "Signed out another browser",
    SecurityEvent.SESSIONS_ENDED: "Signed out everywhere",
    SecurityEvent.KEY_CREATED: "API key created",
    SecurityEvent.KEY_REVOKED: "API key revoked",
    SecurityEvent.PASSWORD_CHANGED: "Password changed",
    SecurityEvent.PASSWORD_RESET: "Password reset",
    SecurityEvent.ROLE_CHANGED: "Role changed",
    SecurityEvent.ACCOUNT_CREATED: "Account created",
    SecurityEvent.ACCOUNT_DELETED: "Account deleted",
    SecurityEvent.IMAGE_DELETED: "Photo moved to the trash",
    SecurityEvent.IMAGE_RESTORED: "Photo restored",
    SecurityEvent.ALBUM_SHARED: "Album shared with an account",
    SecurityEvent.ALBUM_UNSHARED: "Album not shared with an account any more",
    SecurityEvent.SHARE_CREATED: "Share link created",
    SecurityEvent.SHARE_REVOKED: "Share link revoked",
    SecurityEvent.WEBHOOK_CHANGED: "Webhook changed",
    SecurityEvent.SHARE_PASSWORD_FAILED: "Wrong password of a share link",
    SecurityEvent.TASKS_PAUSED: "Tasks paused",
    SecurityEvent.TASKS_RESUMED: "Tasks resumed",
    SecurityEvent.SETTING_CHANGED: "Setting changed",
}


def security_entries(entries: Iterable[SecurityEntry]) -> list[dict[str, str]]:
    """Return entries of the security log for the pages. An event of a later release is shown by its name."""
    texts = {event.value: text for event, text in _EVENT_TEXT.items()}
    return [
        {
            "text": texts.get(entry.event, entry.event),
            "actor": entry.actor or "nobody signed in",
            "subject": entry.subject if entry.subject and entry.subject != entry.actor else "",
            "address": entry.address or "no address",
            "detail": entry.detail,
            "at": moment(entry.at),
            "at_machine": utc(entry.at),
        }
        for entry in entries
    ]


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser(agent: str) -> str:
    """Return browser and system from a User-Agent header: "Chrome on Linux"."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    return f"{name} on {system}" if system else name
