"""Accounts, and the tokens that set up the first administrator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from imgcore.accounts.models import Account, Role
from imgcore.db.account_rows import ALL, BY_PUBLIC_ID, NAMED, lock_verified, locked_account, to_account
from imgcore.db.connection import Transaction
from imgcore.db.credentials import CredentialRepository, revoke_credentials
from imgcore.db.mapping import Row, local_time, micros
from imgcore.db.passkeys import PasskeyRepository
from imgcore.db.quotas import QuotaRepository
from imgcore.db.second_factors import SecondFactorRepository
from imgcore.db.security_log import SecurityLogRepository
from imgcore.db.slices import change_in_slices, find_ids
from imgcore.db.statements import sql
from imgcore.errors import Conflict

# Rows that the database would delete with the account's: so many of one transaction; None: SLICE. A link and an
# album have up to 10,000 rows of their own
_DEPENDENTS = (
    (
        "SELECT d.id FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id"
        " WHERE w.owner_id = :account_id",
        "DELETE FROM webhook_deliveries WHERE id IN ({ids})",
        None,
    ),
    ("SELECT id FROM shares WHERE owner_id = :account_id", "DELETE FROM shares WHERE id IN ({ids})", 1),
    ("SELECT id FROM albums WHERE owner_id = :account_id", "DELETE FROM albums WHERE id IN ({ids})", 1),
)
_IS_KEPT = "owner_id = :account_id AND (deleted_at IS NULL OR deleted_at > {ago:age})"
_KEPT = sql("SELECT id FROM images WHERE {is_kept}", is_kept=_IS_KEPT)
_MOVE = sql(
    "UPDATE images SET deleted_at = {ago:age}, listed_id = NULL WHERE id IN ({ids}) AND {is_kept}",
    is_kept=_IS_KEPT,
)
_VALID = "SELECT token FROM set_up_tokens WHERE token = :token AND expires_at > {now}"


class AccountRepository(
    CredentialRepository, SecondFactorRepository, PasskeyRepository, SecurityLogRepository, QuotaRepository
):
    """Accounts with their credentials and set-up tokens. Tokens are passed as SHA-256 hashes in hex.

    by: the account whose password confirmed the change, as it was read before; see ``lock_verified``.
    """

    def add(
        self, public_id: str, name: str, role: Role, password: str, *, by: Account | None = None
    ) -> Account:
        """Add an account and return it. Conflict (``name_taken``)."""

        def work(tx: Transaction) -> Account:
            lock_verified(tx, by)
            return _add(tx, public_id, name, role, password)

        return self._database.run(work)

    def all(self) -> Sequence[tuple[Account, int]]:
        """Return every account and the number of its images outside the trash, by name."""
        return [(to_account(row), row["images"]) for row in self._database.read(lambda tx: tx.rows(ALL))]

    def count_images(self, account_id: int) -> int:
        """Return the number of the account's images outside the trash."""
        count = "SELECT COUNT(*) AS images FROM images WHERE owner_id = :account_id AND listed_id IS NOT NULL"
        [row] = self._database.read(lambda tx: tx.rows(count, account_id=account_id))
        return int(row["images"])

    def find(self, public_id: str) -> Account | None:
        """Return the account of that public id; None where there is none."""
        return self._database.read(lambda tx: _by_public_id(tx, public_id))

    def named(self, name: str) -> tuple[Account, str] | None:
        """Return the account of that name and the hash of its password; None where there is none."""
        row = self._database.read(lambda tx: tx.row(NAMED, name=name))
        return (to_account(row), row["password"]) if row else None

    def set_password(
        self, account_id: int, password: str, *, by: Account | None = None, keep_keys: bool = False
    ) -> Account:
        """Store the hash of a new password, end every session of the account and revoke its keys.

        keep_keys: the API keys stay valid. Return the account as it is then. The time of its password is later
        than before, although SQLite's clock has milliseconds: ``lock_verified`` tells passwords apart by it.
        """

        def work(tx: Transaction) -> Account:
            lock_verified(tx, by)
            before = locked_account(tx, account_id).password_at
            tx.execute(
                "UPDATE accounts SET password = :password, password_at = CASE WHEN {now} > password_at"
                " THEN {now} ELSE :later END WHERE id = :account_id",
                password=password,
                later=local_time(before + timedelta(microseconds=1)),
                account_id=account_id,
            )
            revoke_credentials(tx, account_id, keep_keys=keep_keys)
            return locked_account(tx, account_id)

        return self._database.run(work)

    def rehash_password(self, account_id: int, old: str, new: str) -> None:
        """Replace a hash by another of the same password, unless it was replaced; sessions and keys stay."""
        statement = "UPDATE accounts SET password = :new WHERE id = :account_id AND password = :old"
        self._database.run(lambda tx: tx.execute(statement, new=new, old=old, account_id=account_id))

    def set_role(self, account_id: int, role: Role, *, by: Account | None = None) -> None:
        """Store the role. A demotion ends the account's sessions and revokes its keys.

        Conflict (``last_administrator``) where no administrator would remain.
        """

        def work(tx: Transaction) -> None:
            if role is not Role.ADMINISTRATOR:
                _keep_one_administrator(tx, account_id)
            lock_verified(tx, by)
            statement = "UPDATE accounts SET role = :role WHERE id = :account_id AND role <> :role"
            if tx.execute(statement, role=role.value, account_id=account_id):
                if role is Role.ADMINISTRATOR:
                    _close_set_up(tx)
                else:
                    revoke_credentials(tx, account_id)

        self._database.run(work)

    def delete(
        self,
        account_id: int,
        *,
        in_trash_for: float,
        by: Account | None = None,
        begun: Callable[[], object] | None = None,
    ) -> int:
        """Delete the account, its sessions, keys and notifications; return the number of its images.

        The images are moved into the trash, as if they had been in it for ``in_trash_for`` seconds. Where the
        database fails meanwhile, another call goes on; the account is no administrator any more.
        begun: is called then, before anything else is changed. Conflict (``last_administrator``).
        """
        self._database.run(lambda tx: _revoke_rights(tx, account_id, by))
        if begun is not None:
            begun()
        for find, delete, size in _DEPENDENTS:
            found = find_ids(self._database, find, account_id=account_id)
            change_in_slices(self._database, found, delete, size=size)
        values = {"account_id": account_id, "age": micros(in_trash_for)}
        images = 0
        while not self._database.run(lambda tx: _delete_without_images(tx, **values)):
            images += change_in_slices(
                self._database, find_ids(self._database, _KEPT, **values), _MOVE, **values
            )
        return images

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
    if role is Role.ADMINISTRATOR:
        _close_set_up(tx)
    return added


def _close_set_up(tx: Transaction) -> None:
    """Delete the set-up tokens: there is an administrator now."""
    tx.execute("DELETE FROM set_up_tokens")


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


def _revoke_rights(tx: Transaction, account_id: int, by: Account | None) -> None:
    """Make the account one of a person, without sessions and keys. Conflict (``last_administrator``)."""
    _keep_one_administrator(tx, account_id)
    lock_verified(tx, by)
    demote = "UPDATE accounts SET role = 'person' WHERE id = :account_id AND role = 'administrator'"
    tx.execute(demote, account_id=account_id)
    revoke_credentials(tx, account_id)


def _delete_without_images(tx: Transaction, account_id: int, age: int) -> bool:
    """Delete the account's row; False where it has images that are not in the trash for ``age`` microseconds.

    The row is locked first: an upload requested meanwhile waits, and then finds the account deleted.
    """
    tx.row("SELECT id FROM accounts WHERE id = :account_id {for_update}", account_id=account_id)
    if tx.row(f"{_KEPT} LIMIT 1", account_id=account_id, age=age) is not None:
        return False
    tx.execute("DELETE FROM accounts WHERE id = :account_id", account_id=account_id)
    return True
