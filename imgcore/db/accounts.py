"""Accounts, their sessions, keys and throttles in a SQL database: every statement about them."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.accounts.models import Account, ApiKey, Role, Scope, Session
from imgcore.db.connection import Repository, Transaction
from imgcore.db.login_throttle import Throttles
from imgcore.db.mapping import NAME, WORD, Row, hold_account, micros, moment, storable
from imgcore.errors import Conflict

MOST_KEYS = 100
_TOUCH = 60.0  # seconds; a session's and a key's last use is noted no more often

_ACCOUNT = "a.id, a.public_id, a.name, a.role, a.created_at, a.password_at"
_SESSION = "s.public_id AS session_id, s.created_at AS started_at, s.seen_at, s.address, s.agent"
_KEY = "k.public_id AS key_id, k.label, k.scopes, k.hint, k.created_at AS made_at, k.used_at"


class SqlAccounts(Throttles, Repository):
    """imgcore.accounts.models.AccountStore on SQLite and MySQL."""

    def add(self, public_id: str, name: str, role: Role, password: str) -> Account:
        """Conflict (``name_taken``)."""
        return self._database.run(lambda tx: _add(tx, public_id, name, role, password))

    def all(self) -> Sequence[tuple[Account, int]]:
        """Every account and how many photographs it has, the trash aside; by name."""
        counted = (
            f"SELECT {_ACCOUNT}, (SELECT COUNT(*) FROM images WHERE owner_id = a.id AND listed_id IS NOT NULL)"
            " AS photographs FROM accounts a ORDER BY a.name"
        )
        found = self._database.read(lambda tx: tx.rows(counted))
        return [(_account(row), row["photographs"]) for row in found]

    def find(self, public_id: str) -> Account | None:
        """The account of that id."""
        return self._database.read(lambda tx: _one(tx, "a.public_id = ?", public_id))

    def named(self, name: str) -> tuple[Account, str] | None:
        """The account and its password's hash."""
        sql = f"SELECT {_ACCOUNT}, a.password FROM accounts a WHERE a.name = ?"
        row = self._database.read(lambda tx: tx.row(sql, name))
        return (_account(row), row["password"]) if row else None

    def set_password(self, account_id: int, password: str, *, sign_out: bool) -> None:
        """``sign_out``: and end every session of the account."""

        def work(tx: Transaction) -> None:
            tx.execute(
                "UPDATE accounts SET password = ?"
                + (", password_at = {now}" if sign_out else "")  # else it is the same one, hashed anew
                + " WHERE id = ?",
                password,
                account_id,
            )
            if sign_out:
                tx.execute("DELETE FROM sessions WHERE account_id = ?", account_id)

        self._database.run(work)

    def set_role(self, account_id: int, role: Role) -> None:
        """Conflict (``last_administrator``) where nobody else would be one."""

        def work(tx: Transaction) -> None:
            if role is not Role.ADMINISTRATOR:
                _keep_one_administrator(tx, account_id)
            tx.execute("UPDATE accounts SET role = ? WHERE id = ?", role.value, account_id)

        self._database.run(work)

    def delete(self, account_id: int, *, in_trash_for: float) -> int:
        """The account with all that hangs on it; the number of its photographs, which go into the trash."""

        def work(tx: Transaction) -> int:
            _keep_one_administrator(tx, account_id)
            # Locks the row first: an upload that is asked for meanwhile finds the account gone
            if tx.row("SELECT id FROM accounts WHERE id = ? {for_update}", account_id) is None:
                return 0
            photographs = tx.execute(
                "UPDATE images SET deleted_at = {ago}, listed_id = NULL WHERE owner_id = ?",
                micros(in_trash_for),
                account_id,
            )
            tx.execute("DELETE FROM accounts WHERE id = ?", account_id)
            return photographs

        return self._database.run(work)

    # The first administrator

    def has_administrator(self) -> bool:
        """Whether anybody can make accounts."""
        sql = "SELECT id FROM accounts WHERE role = 'administrator' LIMIT 1"
        return self._database.read(lambda tx: tx.row(sql)) is not None

    def has_anybody(self) -> bool:
        """Whether there is any account at all."""
        return self._database.read(lambda tx: tx.row("SELECT id FROM accounts LIMIT 1")) is not None

    def offer_set_up(self, token: str, seconds: float) -> None:
        """Whoever has this token may make the first administrator."""

        def work(tx: Transaction) -> None:
            tx.execute("DELETE FROM set_up_tokens WHERE expires_at <= {now}")
            sql = "INSERT INTO set_up_tokens (token, expires_at) VALUES (?, {later})"
            tx.execute(sql, token, micros(seconds))

        self._database.run(work)

    def has_set_up_token(self, token: str) -> bool:
        """Return whether this token has been offered and has not expired."""
        sql = "SELECT token FROM set_up_tokens WHERE token = ? AND expires_at > {now}"
        return self._database.read(lambda tx: tx.row(sql, token)) is not None

    def set_up(self, token: str, public_id: str, name: str, password: str) -> Account | None:
        """The first administrator. None where the token is void, or somebody was faster."""

        def work(tx: Transaction) -> Account | None:
            mine = "SELECT token FROM set_up_tokens WHERE token = ? AND expires_at > {now} {for_update}"
            if tx.row(mine, token) is None:
                return None
            # Every token goes: who holds another and comes at the same moment waits for this, or meets it
            # in a deadlock, and finds nothing afterwards
            tx.execute("DELETE FROM set_up_tokens")
            if tx.row("SELECT id FROM accounts WHERE role = 'administrator' LIMIT 1") is not None:
                return None
            return _add(tx, public_id, name, Role.ADMINISTRATOR, password)

        return self._database.run(work)

    # Sessions

    def start_session(
        self, account_id: int, public_id: str, token: str, *, address: str, agent: str, seconds: float
    ) -> None:
        """NotFound where the account is no more. Sessions that have ended, whosever, are tidied away."""

        def work(tx: Transaction) -> None:
            hold_account(tx, account_id)
            tx.execute("DELETE FROM sessions WHERE expires_at <= {now}")
            tx.execute(
                "INSERT INTO sessions (public_id, account_id, token, created_at, seen_at, expires_at, address,"
                " agent) VALUES (?, ?, ?, {now}, {now}, {later}, ?, ?)",
                public_id,
                account_id,
                token,
                micros(seconds),
                storable(address, WORD),
                storable(agent, NAME),
            )

        self._database.run(work)

    def session(self, token: str, *, seconds: float, longest: float) -> tuple[Account, Session] | None:
        """Whose it is, if it has not ended; good for ``seconds`` from now, ``longest`` from its start."""
        sql = (
            f"SELECT {_ACCOUNT}, {_SESSION}, s.id AS row_id, s.seen_at <= {{ago}} AS stale"
            " FROM sessions s JOIN accounts a ON a.id = s.account_id"
            " WHERE s.token = ? AND s.expires_at > {now} AND s.created_at > {ago}"
        )
        row = self._database.read(lambda tx: tx.row(sql, micros(_TOUCH), token, micros(longest)))
        if row is None:
            return None
        if row["stale"]:
            touch = "UPDATE sessions SET seen_at = {now}, expires_at = {later} WHERE id = ?"
            self._database.run(lambda tx: tx.execute(touch, micros(seconds), row["row_id"]))
        return _account(row), _session(row)

    def sessions(self, account_id: int) -> Sequence[Session]:
        """Those that have not ended, the one used last first."""
        sql = (
            f"SELECT {_SESSION} FROM sessions s WHERE s.account_id = ? AND s.expires_at > {{now}}"
            " ORDER BY s.seen_at DESC, s.id DESC LIMIT 200"
        )
        return [_session(row) for row in self._database.read(lambda tx: tx.rows(sql, account_id))]

    def end_session(self, account_id: int, public_id: str) -> bool:
        """One of this account's own; False where there is none of that id."""
        sql = "DELETE FROM sessions WHERE account_id = ? AND public_id = ?"
        return bool(self._database.run(lambda tx: tx.execute(sql, account_id, public_id)))

    def end_token(self, token: str) -> None:
        """End the session with this token, if there is one."""
        self._database.run(lambda tx: tx.execute("DELETE FROM sessions WHERE token = ?", token))

    def end_sessions(self, account_id: int) -> int:
        """Everywhere."""
        sql = "DELETE FROM sessions WHERE account_id = ?"
        return self._database.run(lambda tx: tx.execute(sql, account_id))

    # Keys

    def add_key(
        self, account_id: int, public_id: str, token: str, *, label: str, scopes: frozenset[Scope], hint: str
    ) -> None:
        """Conflict (``too_many_keys``) beyond a hundred of one account."""

        def work(tx: Transaction) -> None:
            hold_account(tx, account_id)
            [counted] = tx.rows("SELECT COUNT(*) AS number FROM api_keys WHERE account_id = ?", account_id)
            if counted["number"] >= MOST_KEYS:
                raise Conflict(f"An account has {MOST_KEYS} keys at most.", code="too_many_keys")
            tx.execute(
                "INSERT INTO api_keys (public_id, account_id, token, label, scopes, hint, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, {now})",
                public_id,
                account_id,
                token,
                storable(label, NAME),
                " ".join(scope.value for scope in Scope if scope in scopes),
                hint,
            )

        self._database.run(work)

    def key(self, token: str) -> tuple[Account, ApiKey] | None:
        """Whose it is; notes that it was used."""
        sql = (
            f"SELECT {_ACCOUNT}, {_KEY}, k.id AS row_id, (k.used_at IS NULL OR k.used_at <= {{ago}}) AS stale"
            " FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.token = ?"
        )
        row = self._database.read(lambda tx: tx.row(sql, micros(_TOUCH), token))
        if row is None:
            return None
        if row["stale"]:
            touch = "UPDATE api_keys SET used_at = {now} WHERE id = ?"
            self._database.run(lambda tx: tx.execute(touch, row["row_id"]))
        return _account(row), _key(row)

    def keys(self, account_id: int) -> Sequence[ApiKey]:
        """The newest first."""
        sql = f"SELECT {_KEY} FROM api_keys k WHERE k.account_id = ? ORDER BY k.id DESC"
        return [_key(row) for row in self._database.read(lambda tx: tx.rows(sql, account_id))]

    def remove_key(self, account_id: int, public_id: str) -> bool:
        """One of this account's own; False where there is none of that id."""
        sql = "DELETE FROM api_keys WHERE account_id = ? AND public_id = ?"
        return bool(self._database.run(lambda tx: tx.execute(sql, account_id, public_id)))


def _add(tx: Transaction, public_id: str, name: str, role: Role, password: str) -> Account:
    if tx.row("SELECT id FROM accounts WHERE name = ?", name) is not None:
        raise Conflict(f"There is an account named {name} already.", code="name_taken")
    id_ = tx.insert(
        "INSERT INTO accounts (public_id, name, role, password, created_at, password_at)"
        " VALUES (?, ?, ?, ?, {now}, {now})",
        public_id,
        name,
        role.value,
        password,
    )
    made = _one(tx, "a.id = ?", id_)
    assert made is not None
    return made


def _one(tx: Transaction, condition: str, value: object) -> Account | None:
    row = tx.row(f"SELECT {_ACCOUNT} FROM accounts a WHERE {condition}", value)
    return _account(row) if row else None


def _keep_one_administrator(tx: Transaction, account_id: int) -> None:
    """Conflict where the account is the only administrator. All of them are locked, in one order."""
    sql = "SELECT id FROM accounts WHERE role = 'administrator' ORDER BY id {for_update}"
    if [account_id] == [row["id"] for row in tx.rows(sql)]:
        raise Conflict(
            "This is the only administrator. Make somebody else one first.", code="last_administrator"
        )


def _account(row: Row) -> Account:
    created_at, password_at = moment(row["created_at"]), moment(row["password_at"])
    assert created_at is not None
    assert password_at is not None
    return Account(row["id"], row["public_id"], row["name"], Role(row["role"]), created_at, password_at)


def _session(row: Row) -> Session:
    started_at, seen_at = moment(row["started_at"]), moment(row["seen_at"])
    assert started_at is not None
    assert seen_at is not None
    return Session(row["session_id"], started_at, seen_at, row["address"], row["agent"])


def _key(row: Row) -> ApiKey:
    made_at = moment(row["made_at"])
    assert made_at is not None
    scopes = frozenset(Scope(name) for name in row["scopes"].split())
    return ApiKey(row["key_id"], row["label"], scopes, row["hint"], made_at, moment(row["used_at"]))
