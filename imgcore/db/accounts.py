"""Accounts, their sessions and API keys, and the tokens that set up the first administrator."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.accounts.models import Account, ApiKey, Role, Scope, Session
from imgcore.db.account_rows import (
    ALL,
    BY_PUBLIC_ID,
    KEY_BY_TOKEN,
    KEYS,
    NAMED,
    OPEN_SESSION,
    SESSIONS,
    to_account,
    to_key,
    to_session,
)
from imgcore.db.connection import Transaction
from imgcore.db.login_throttle import LoginThrottle
from imgcore.db.mapping import NAME, WORD, Row, lock_account, micros
from imgcore.db.statements import sql
from imgcore.errors import Conflict
from imgcore.text import storable

MOST_KEYS = 100
_TOUCH = 60.0  # seconds between two updates of the last use of a session or a key

_VALID = "SELECT token FROM set_up_tokens WHERE token = :token AND expires_at > {now}"


class AccountRepository(LoginThrottle):
    """Accounts with their sessions, API keys and set-up tokens. Tokens are passed as SHA-256 hashes in hex."""

    def add(self, public_id: str, name: str, role: Role, password: str) -> Account:
        """Add an account and return it. Conflict (``name_taken``)."""
        return self._database.run(lambda tx: _add(tx, public_id, name, role, password))

    def all(self) -> Sequence[tuple[Account, int]]:
        """Return every account and the number of its images outside the trash, by name."""
        return [(to_account(row), row["images"]) for row in self._database.read(lambda tx: tx.rows(ALL))]

    def find(self, public_id: str) -> Account | None:
        """Return the account of that public id; None where there is none."""
        return self._database.read(lambda tx: _by_public_id(tx, public_id))

    def named(self, name: str) -> tuple[Account, str] | None:
        """Return the account of that name and the hash of its password; None where there is none."""
        row = self._database.read(lambda tx: tx.row(NAMED, name=name))
        return (to_account(row), row["password"]) if row else None

    def set_password(self, account_id: int, password: str, *, sign_out: bool) -> None:
        """Store the hash of a password.

        sign_out: the password is a new one: note the time and end every session of the account. Otherwise it is
        the same password, hashed anew.
        """

        def work(tx: Transaction) -> None:
            new = ", password_at = {now}" if sign_out else ""
            statement = sql("UPDATE accounts SET password = :password{new} WHERE id = :account_id", new=new)
            tx.execute(statement, password=password, account_id=account_id)
            if sign_out:
                tx.execute("DELETE FROM sessions WHERE account_id = :account_id", account_id=account_id)

        self._database.run(work)

    def set_role(self, account_id: int, role: Role) -> None:
        """Store the role. Conflict (``last_administrator``) where no administrator would remain."""

        def work(tx: Transaction) -> None:
            if role is not Role.ADMINISTRATOR:
                _keep_one_administrator(tx, account_id)
            statement = "UPDATE accounts SET role = :role WHERE id = :account_id"
            tx.execute(statement, role=role.value, account_id=account_id)

        self._database.run(work)

    def delete(self, account_id: int, *, in_trash_for: float) -> int:
        """Delete the account, its sessions, keys and notifications; return the number of its images.

        The images are moved into the trash, as if they had been in it for ``in_trash_for`` seconds.
        Conflict (``last_administrator``).
        """

        def work(tx: Transaction) -> int:
            _keep_one_administrator(tx, account_id)
            # The row is locked first: an upload requested meanwhile waits, and then finds the account deleted
            locked = "SELECT id FROM accounts WHERE id = :account_id {for_update}"
            if tx.row(locked, account_id=account_id) is None:
                return 0
            images = tx.execute(
                "UPDATE images SET deleted_at = {ago:age}, listed_id = NULL WHERE owner_id = :account_id",
                age=micros(in_trash_for),
                account_id=account_id,
            )
            tx.execute("DELETE FROM accounts WHERE id = :account_id", account_id=account_id)
            return images

        return self._database.run(work)

    # The first administrator

    def has_administrator(self) -> bool:
        """Return whether there is an administrator."""
        return self._database.read(_an_administrator) is not None

    def has_anybody(self) -> bool:
        """Return whether there is any account."""
        return self._database.read(lambda tx: tx.row("SELECT id FROM accounts LIMIT 1")) is not None

    def offer_set_up(self, token: str, seconds: float) -> None:
        """Store a token with which the first administrator can be added within ``seconds``."""

        def work(tx: Transaction) -> None:
            tx.execute("DELETE FROM set_up_tokens WHERE expires_at <= {now}")
            statement = "INSERT INTO set_up_tokens (token, expires_at) VALUES (:token, {later:seconds})"
            tx.execute(statement, token=token, seconds=micros(seconds))

        self._database.run(work)

    def has_set_up_token(self, token: str) -> bool:
        """Return whether this token has been offered and has not expired."""
        return self._database.read(lambda tx: tx.row(_VALID, token=token)) is not None

    def set_up(self, token: str, public_id: str, name: str, password: str) -> Account | None:
        """Add the first administrator and return it.

        None where the token is unknown or expired, or there is an administrator already.
        """

        def work(tx: Transaction) -> Account | None:
            if tx.row(_VALID + " {for_update}", token=token) is None:
                return None
            # All tokens are deleted: a caller with another token at the same moment waits for this
            # transaction, or runs into a deadlock with it, and finds no token afterwards
            tx.execute("DELETE FROM set_up_tokens")
            if _an_administrator(tx) is not None:
                return None
            return _add(tx, public_id, name, Role.ADMINISTRATOR, password)

        return self._database.run(work)

    # Sessions

    def start_session(
        self, account_id: int, public_id: str, token: str, *, address: str, agent: str, seconds: float
    ) -> None:
        """Add a session that expires in ``seconds``, and delete all expired ones.

        token: the hash of what the browser holds. NotFound where the account was deleted.
        """

        def work(tx: Transaction) -> None:
            lock_account(tx, account_id)
            tx.execute("DELETE FROM sessions WHERE expires_at <= {now}")
            tx.execute(
                "INSERT INTO sessions (public_id, account_id, token, created_at, seen_at, expires_at, address,"
                " agent) VALUES (:public_id, :account_id, :token, {now}, {now}, {later:seconds}, :address,"
                " :agent)",
                public_id=public_id,
                account_id=account_id,
                token=token,
                seconds=micros(seconds),
                address=storable(address, WORD),
                agent=storable(agent, NAME),
            )

        self._database.run(work)

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

    def end_sessions(self, account_id: int) -> int:
        """End all sessions of this account; return how many."""
        statement = "DELETE FROM sessions WHERE account_id = :account_id"
        return self._database.run(lambda tx: tx.execute(statement, account_id=account_id))

    # Keys

    def add_key(
        self, account_id: int, public_id: str, token: str, *, label: str, scopes: frozenset[Scope], hint: str
    ) -> None:
        """Add an API key. Conflict (``too_many_keys``) where the account has a hundred already.

        token: the hash of what the program holds. hint: the key's last characters.
        """

        def work(tx: Transaction) -> None:
            lock_account(tx, account_id)
            count = "SELECT COUNT(*) AS number FROM api_keys WHERE account_id = :account_id"
            [counted] = tx.rows(count, account_id=account_id)
            if counted["number"] >= MOST_KEYS:
                raise Conflict(f"An account has {MOST_KEYS} keys at most.", code="too_many_keys")
            tx.execute(
                "INSERT INTO api_keys (public_id, account_id, token, label, scopes, hint, created_at)"
                " VALUES (:public_id, :account_id, :token, :label, :scopes, :hint, {now})",
                public_id=public_id,
                account_id=account_id,
                token=token,
                label=storable(label, NAME),
                scopes=" ".join(scope.value for scope in Scope if scope in scopes),
                hint=hint,
            )

        self._database.run(work)

    def key(self, token: str) -> tuple[Account, ApiKey] | None:
        """Return the API key of that token and its account, and note its use; None where there is none."""
        row = self._database.read(lambda tx: tx.row(KEY_BY_TOKEN, token=token, touch=micros(_TOUCH)))
        if row is None:
            return None
        if row["stale"]:
            touch = "UPDATE api_keys SET used_at = {now} WHERE id = :id"
            self._database.run(lambda tx: tx.execute(touch, id=row["row_id"]))
        return to_account(row), to_key(row)

    def keys(self, account_id: int) -> Sequence[ApiKey]:
        """Return the account's API keys, the newest first."""
        return [to_key(row) for row in self._database.read(lambda tx: tx.rows(KEYS, account_id=account_id))]

    def remove_key(self, account_id: int, public_id: str) -> bool:
        """Delete an API key of this account; False where it has none of that id."""
        statement = "DELETE FROM api_keys WHERE account_id = :account_id AND public_id = :public_id"
        values = {"account_id": account_id, "public_id": public_id}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))


def _add(tx: Transaction, public_id: str, name: str, role: Role, password: str) -> Account:
    if tx.row("SELECT id FROM accounts WHERE name = :name", name=name) is not None:
        raise Conflict(f"An account named {name} exists already.", code="name_taken")
    tx.execute(
        "INSERT INTO accounts (public_id, name, role, password, created_at, password_at)"
        " VALUES (:public_id, :name, :role, :password, {now}, {now})",
        public_id=public_id,
        name=name,
        role=role.value,
        password=password,
    )
    added = _by_public_id(tx, public_id)
    assert added is not None
    return added


def _by_public_id(tx: Transaction, public_id: str) -> Account | None:
    row = tx.row(BY_PUBLIC_ID, public_id=public_id)
    return to_account(row) if row else None


def _an_administrator(tx: Transaction) -> Row | None:
    return tx.row("SELECT id FROM accounts WHERE role = 'administrator' LIMIT 1")


def _keep_one_administrator(tx: Transaction, account_id: int) -> None:
    """Raise Conflict where the account is the only administrator. All of them are locked, in one order."""
    administrators = "SELECT id FROM accounts WHERE role = 'administrator' ORDER BY id {for_update}"
    if [account_id] == [row["id"] for row in tx.rows(administrators)]:
        raise Conflict(
            "This is the only administrator. Make another account an administrator first.",
            code="last_administrator",
        )
