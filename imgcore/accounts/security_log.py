"""The security log: who did what to accounts, credentials, photos and settings, from which address, when.

Each event is a JSON line of the logger ``imgcore.security`` and, but for what is refused unread, a row that
administrators see for 90 days. No entry holds a password, token, key or code.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from imgcore.accounts.models import Account, SecurityEntry
from imgcore.errors import ImgcoreError

if TYPE_CHECKING:
    from imgcore.db.security_log import SecurityLogRepository

PAGE = 100  # entries

log = logging.getLogger("imgcore.accounts")
lines = logging.getLogger("imgcore.security")


class SecurityEvent(StrEnum):
    """What happened."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_DELAYED = "sign_in_delayed"  # refused without a look at the password; not stored as a row
    CONFIRMATION_FAILED = "confirmation_failed"  # a wrong password in a signed-in browser
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"  # all of an account
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of an event
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    SECOND_FACTOR_ENABLED = "second_factor_enabled"
    SECOND_FACTOR_DISABLED = "second_factor_disabled"
    SECOND_FACTOR_RESET = "second_factor_reset"  # by an administrator
    SECOND_FACTOR_FAILED = "second_factor_failed"  # a wrong code after the right password
    RECOVERY_CODES_CREATED = "recovery_codes_created"
    ROLE_CHANGED = "role_changed"
    ACCOUNT_CREATED = "account_created"
    ACCOUNT_DELETED = "account_deleted"
    IMAGE_DELETED = "image_deleted"
    IMAGE_RESTORED = "image_restored"
    ALBUM_SHARED = "album_shared"
    ALBUM_UNSHARED = "album_unshared"
    SHARE_CREATED = "share_created"
    SHARE_REVOKED = "share_revoked"
    WEBHOOK_CHANGED = "webhook_changed"
    SHARE_PASSWORD_FAILED = "share_password_failed"  # noqa: S105 - the name of an event
    TASKS_PAUSED = "tasks_paused"
    TASKS_RESUMED = "tasks_resumed"
    SETTING_CHANGED = "setting_changed"


# The events whose subject is an account
ABOUT_ACCOUNTS = frozenset(
    {
        SecurityEvent.SIGN_IN_FAILED,
        SecurityEvent.CONFIRMATION_FAILED,
        SecurityEvent.SESSIONS_ENDED,
        SecurityEvent.KEY_REVOKED,
        SecurityEvent.PASSWORD_RESET,
        SecurityEvent.SECOND_FACTOR_RESET,
        SecurityEvent.SECOND_FACTOR_FAILED,
        SecurityEvent.ROLE_CHANGED,
        SecurityEvent.ACCOUNT_CREATED,
        SecurityEvent.ACCOUNT_DELETED,
        SecurityEvent.ALBUM_SHARED,
        SecurityEvent.ALBUM_UNSHARED,
    }
)


@dataclass(frozen=True, slots=True)
class SecurityLog:
    """Writes and reads the security log."""

    rows: SecurityLogRepository

    def record(
        self,
        event: SecurityEvent,
        *,
        address: str,
        actor: str | None = None,
        subject: str | None = None,
        detail: str = "",
    ) -> None:
        """Write an entry. The action has happened, or begun: where the database is away, the line must do.

        address: the client's IP address. actor: the name of the account that acted, None without one.
        subject: the account, photo or setting concerned. detail: more, never a secret.
        """
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event.value,
            "actor": actor,
            "subject": subject,
            "address": address,
            "detail": detail,
        }
        lines.info("%s", json.dumps(entry))
        if event is SecurityEvent.SIGN_IN_DELAYED:
            return
        try:
            self.rows.add_event(event.value, address=address, actor=actor, subject=subject, detail=detail)
        except ImgcoreError as error:
            log.warning("A security event is in this log only: %s", error.message)

    def page(self, *, before: int | None = None, name: str | None = None) -> Sequence[SecurityEntry]:
        """Return up to 100 entries, the newest first.

        before: the id of the last entry of the previous page. name: of the account that acted or is concerned.
        """
        return self.rows.events(before=before, name=name, limit=PAGE)

    def of_account(self, account: Account, limit: int) -> Sequence[SecurityEntry]:
        """Return the newest entries in which the account acted or that are about it, the newest first."""
        return self.rows.of_account(account, ABOUT_ACCOUNTS, limit)
