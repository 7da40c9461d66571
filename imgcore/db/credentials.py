"""The sessions and API keys of accounts."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.accounts.models import KEY_DAYS, Account, ApiKey, Scope, Session
from imgcore.db.account_rows import (
    KEY_BY_TOKEN,
    KEYS,
    OPEN_SESSION,
    SESSIONS,
    is_unchanged,
    lock_verified,
    to_account,
    to_key,
    to_session,
)
from imgcore.db.connection import Transaction
from imgcore.db.login_throttle import LoginThrottle
from imgcore.db.mapping import NAME, WORD, lock_account, micros
from imgcore.errors import Conflict
from imgcore.text import storable

MOST_KEYS = 100
_TOUCH = 60.0  # seconds between two updates of the last use of a session or a key
_LIFETIME = {"lifetime": micros(KEY_DAYS * 86_400.0)}


class CredentialRepository(LoginThrottle):
    """Sessions and API keys. Tokens are passed as SHA-256 hashes in hex.

    account: as it was read before its password was verified; see ``lock_verified``.
    """

    # Sessions

    def start_session(
        self,
        account: Account,
        public_id: str,
        token: str,
        *,
        address: str,
        agent: str,
        seconds: float,
        pending: str | None = None,
        passkey: int | None = None,
    ) -> bool:
        """Add a session that expires in ``seconds``, and delete all expired ones.

        token: the hash of what the browser holds. pending: the token of the sign-in that had waited for its
        code, which ends. passkey: the id of the one that signed. False where what was verified is not valid any
        more: one of these, or else the password. NotFound where the account was deleted.
        """

        def work(tx: Transaction) -> bool:
            if not _is_valid(tx, account, pending, passkey):
                return False
            tx.execute("DELETE FROM sessions WHERE expires_at <= {now}")
            tx.execute(
                "INSERT INTO sessions (public_id, account_id, token, created_at, seen_at, expires_at, address,"
                " agent) VALUES (:public_id, :account_id, :token, {now}, {now}, {later:seconds}, :address,"
                " :agent)",
                public_id=public_id,
                account_id=account.id,
                token=token,
                seconds=micros(seconds),
                address=storable(address, WORD),
                agent=storable(agent, NAME),
            )
            return True

        return self._database.run(work)

    def session(self, token: str, *, seconds: float, longest: float) -> tuple[Account, Session] | None:
        """Return the session of that token and its account, and let it expire in ``seconds`` from now.

        None where it has expired, or started more than ``longest`` seconds ago.
        """
        values = {"token": token, "longest": micros(longest), "touch": micros(_TOUCH)}
        row = self._database.read(lambda tx: tx.row(OPEN_SESSION, **values))
        if row is None:
            return None
        if row["stale"]:
            touch = "UPDATE sessions SET seen_at = {now}, expires_at = {later:seconds} WHERE id = :id"
            self._database.run(lambda tx: tx.execute(touch, seconds=micros(seconds), id=row["row_id"]))
        return to_account(row), to_session(row)

    def sessions(self, account_id: int) -> Sequence[Session]:
        """Return the account's sessions that have not expired, the one used last first."""
        rows = self._database.read(lambda tx: tx.rows(SESSIONS, account_id=account_id))
        return [to_session(row) for row in rows]

    def end_session(self, account_id: int, public_id: str) -> bool:
        """End a session of this account; False where it has none of that id."""
        statement = "DELETE FROM sessions WHERE account_id = :account_id AND public_id = :public_id"
        values = {"account_id": account_id, "public_id": public_id}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))

    def end_token(self, token: str) -> None:
        """End the session with this token, if there is one."""
        self._database.run(lambda tx: tx.execute("DELETE FROM sessions WHERE token = :token", token=token))

    def end_sessions(self, account_id: int, *, keep_keys: bool = False) -> int:
        """End all sessions of this account, revoke its keys unless kept; return the number of sessions."""
        return self._database.run(lambda tx: revoke_credentials(tx, account_id, keep_keys=keep_keys))

    # Devices

    def knows_device(self, name: str, token: str) -> bool:
        """Return whether the browser with this token has signed in to the account of that name."""
        query = (
            "SELECT d.account_id FROM devices d JOIN accounts a ON a.id = d.account_id"
            " WHERE a.name = :name AND d.token = :token"
        )
        return self._database.read(lambda tx: tx.row(query, name=name, token=token)) is not None

    def remember_device(self, account: Account, token: str, before: str | None, seconds: float) -> None:
        """Store a browser's token in place of the one before; delete those not used for ``seconds``.

        Nothing is stored where the password was changed since the sign-in: its session has ended.
        """

        def work(tx: Transaction) -> None:
            if not is_unchanged(tx, account):
                return
            tx.execute("DELETE FROM devices WHERE seen_at <= {ago:age}", age=micros(seconds))
            if before is not None:
                statement = "DELETE FROM devices WHERE account_id = :account_id AND token = :token"
                tx.execute(statement, account_id=account.id, token=before)
            statement = "INSERT INTO devices (account_id, token, seen_at) VALUES (:account_id, :token, {now})"
            tx.execute(statement, account_id=account.id, token=token)

        self._database.run(work)

    # Keys

    def add_key(
        self,
        account: Account,
        public_id: str,
        token: str,
        *,
        label: str,
        scopes: frozenset[Scope],
        hint: str,
        seconds: float,
    ) -> None:
        """Add an API key for ``seconds``. Conflict (``too_many_keys``) where the account has a hundred already.

        token: the hash of what the program holds. hint: the key's first characters.
        """

        def work(tx: Transaction) -> None:
            lock_verified(tx, account)
            count = "SELECT COUNT(*) AS number FROM api_keys WHERE account_id = :account_id"
            [counted] = tx.rows(count, account_id=account.id)
            if counted["number"] >= MOST_KEYS:
                raise Conflict(f"An account has {MOST_KEYS} keys at most.", code="too_many_keys")
            tx.execute(
                "INSERT INTO api_keys (public_id, account_id, token, label, scopes, hint, created_at,"
                " expires_at) VALUES (:public_id, :account_id, :token, :label, :scopes, :hint, {now},"
                " {later:seconds})",
                public_id=public_id,
                account_id=account.id,
                token=token,
                label=storable(label, NAME),
                scopes=" ".join(scope.value for scope in Scope if scope in scopes),
                hint=hint,
                seconds=micros(seconds),
            )

        self._database.run(work)

    def key(self, token: str, address: str) -> tuple[Account, ApiKey] | None:
        """Return the API key of that token and its account, and note when and by which address it is used.

        None where there is none, or it has expired.
        """
        values = {"token": token, "touch": micros(_TOUCH), **_LIFETIME}
        row = self._database.read(lambda tx: tx.row(KEY_BY_TOKEN, **values))
        if row is None:
            return None
        if row["stale"]:
            touch = "UPDATE api_keys SET used_at = {now}, used_address = :address WHERE id = :id"
            values = {"id": row["row_id"], "address": storable(address, WORD)}
            self._database.run(lambda tx: tx.execute(touch, **values))
        return to_account(row), to_key(row)

    def keys(self, account_id: int) -> Sequence[ApiKey]:
        """Return the account's API keys, the newest first, expired ones included."""
        values = {"account_id": account_id, **_LIFETIME}
        return [to_key(row) for row in self._database.read(lambda tx: tx.rows(KEYS, **values))]

    def remove_key(self, account_id: int, public_id: str) -> bool:
        """Delete an API key of this account; False where it has none of that id."""
        statement = "DELETE FROM api_keys WHERE account_id = :account_id AND public_id = :public_id"
        values = {"account_id": account_id, "public_id": public_id}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))


def _is_valid(tx: Transaction, account: Account, pending: str | None, passkey: int | None) -> bool:
    """Lock the account and what was verified, see ``start_session``; return whether it is valid still."""
    if pending is None and passkey is None:
        return is_unchanged(tx, account)
    lock_account(tx, account.id)
    if pending is not None:
        return bool(tx.execute("DELETE FROM pending_sign_ins WHERE token = :token", token=pending))
    return tx.row("SELECT id FROM passkeys WHERE id = :id {for_update}", id=passkey) is not None


def revoke_credentials(tx: Transaction, account_id: int, *, keep_keys: bool = False) -> int:
    """End the account's sessions and pending sign-ins, forget its browsers, revoke its API keys and passkeys.

    Return the number of sessions.
    """
    tx.execute("DELETE FROM pending_sign_ins WHERE account_id = :account_id", account_id=account_id)
    tx.execute("DELETE FROM devices WHERE account_id = :account_id", account_id=account_id)
    if not keep_keys:
        tx.execute("DELETE FROM api_keys WHERE account_id = :account_id", account_id=account_id)
        tx.execute("DELETE FROM passkeys WHERE account_id = :account_id", account_id=account_id)
    return tx.execute("DELETE FROM sessions WHERE account_id = :account_id", account_id=account_id)
