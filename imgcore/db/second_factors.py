"""The second factor of accounts: secrets of authenticator apps, recovery codes, and pending sign-ins."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.accounts.models import Account, SecondFactor
from imgcore.db.account_rows import PENDING_SIGN_IN, is_unchanged, lock_verified, to_account
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import micros, moment
from imgcore.errors import Conflict

_OF_ACCOUNT = (
    "SELECT f.secret, f.encrypted, f.last_step, f.created_at,"
    " (SELECT COUNT(*) FROM recovery_codes WHERE account_id = f.account_id) AS codes"
    " FROM second_factors f WHERE f.account_id = :account_id"
)


class SecondFactorRepository(Repository):
    """Second factors. Recovery codes and tokens are passed as SHA-256 hashes in hex.

    account: as it was read before its password was verified; see ``lock_verified``. by: the account whose
    password confirmed the change, likewise.
    """

    def second_factor(self, account_id: int) -> SecondFactor | None:
        """Return the account's second factor; None where it has none."""
        row = self._database.read(lambda tx: tx.row(_OF_ACCOUNT, account_id=account_id))
        if row is None:
            return None
        created_at = moment(row["created_at"])
        assert created_at is not None
        encrypted = row["encrypted"] is not None
        secret = row["encrypted"] if encrypted else row["secret"]
        return SecondFactor(secret, row["last_step"], created_at, int(row["codes"]), encrypted)

    def add_second_factor(
        self, account: Account, secret: str, step: int, codes: Sequence[str], *, encrypted: bool = False
    ) -> None:
        """Add the account's second factor. Conflict (``second_factor``) where it has one.

        secret: where ``encrypted``, its token. step: the time step of the code that confirmed the secret.
        codes: the recovery codes.
        """

        def work(tx: Transaction) -> None:
            lock_verified(tx, account)
            if tx.row(_OF_ACCOUNT, account_id=account.id) is not None:
                raise Conflict("This account has a second factor already.", code="second_factor")
            tx.execute(
                "INSERT INTO second_factors (account_id, secret, encrypted, last_step, created_at)"
                " VALUES (:account_id, :secret, :encrypted, :step, {now})",
                account_id=account.id,
                secret="" if encrypted else secret,
                encrypted=secret if encrypted else None,
                step=step,
            )
            _store_codes(tx, account.id, codes)

        self._database.run(work)

    def encrypt_second_factor(self, account_id: int, known: str, token: str) -> bool:
        """Replace the secret, or its earlier token, by a token; False where another one is stored."""
        statement = (
            "UPDATE second_factors SET encrypted = :token, secret = '' WHERE account_id = :account_id"
            " AND ((encrypted IS NULL AND secret = :known) OR encrypted = :known)"
        )
        values = {"account_id": account_id, "known": known, "token": token}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))

    def use_step(self, account_id: int, step: int) -> bool:
        """Note that the code of this time step was used; False where it, or a later one, was used before."""
        statement = (
            "UPDATE second_factors SET last_step = :step WHERE account_id = :account_id AND last_step < :step"
        )
        return bool(self._database.run(lambda tx: tx.execute(statement, account_id=account_id, step=step)))

    def use_recovery_code(self, account_id: int, code: str) -> bool:
        """Delete a recovery code of this account; False where it has none of that hash."""
        statement = "DELETE FROM recovery_codes WHERE account_id = :account_id AND code = :code"
        return bool(self._database.run(lambda tx: tx.execute(statement, account_id=account_id, code=code)))

    def replace_recovery_codes(self, account: Account, codes: Sequence[str]) -> None:
        """Store other recovery codes. Conflict (``second_factor``) where the account has no second factor."""

        def work(tx: Transaction) -> None:
            lock_verified(tx, account)
            if tx.row(_OF_ACCOUNT, account_id=account.id) is None:
                raise Conflict("This account has no second factor.", code="second_factor")
            _store_codes(tx, account.id, codes)

        self._database.run(work)

    def remove_second_factor(self, account_id: int, *, by: Account | None = None) -> bool:
        """Delete the account's second factor and recovery codes; False where it has none."""

        def work(tx: Transaction) -> bool:
            lock_verified(tx, by)
            _store_codes(tx, account_id, ())
            statement = "DELETE FROM second_factors WHERE account_id = :account_id"
            return bool(tx.execute(statement, account_id=account_id))

        return self._database.run(work)

    # Sign-ins after the password and before the code

    def start_sign_in(self, account: Account, token: str, seconds: float) -> bool:
        """Add a sign-in that waits for its code for ``seconds``, and delete the expired ones.

        False where the password that was verified was changed. NotFound where the account was deleted.
        """

        def work(tx: Transaction) -> bool:
            if not is_unchanged(tx, account):
                return False
            tx.execute("DELETE FROM pending_sign_ins WHERE expires_at <= {now}")
            tx.execute(
                "INSERT INTO pending_sign_ins (token, account_id, expires_at)"
                " VALUES (:token, :account_id, {later:seconds})",
                token=token,
                account_id=account.id,
                seconds=micros(seconds),
            )
            return True

        return self._database.run(work)

    def pending_sign_in(self, token: str) -> Account | None:
        """Return the account of a sign-in that waits for its code; None where there is none, or it expired."""
        row = self._database.read(lambda tx: tx.row(PENDING_SIGN_IN, token=token))
        return to_account(row) if row else None


def _store_codes(tx: Transaction, account_id: int, codes: Sequence[str]) -> None:
    tx.execute("DELETE FROM recovery_codes WHERE account_id = :account_id", account_id=account_id)
    for code in codes:
        statement = "INSERT INTO recovery_codes (account_id, code) VALUES (:account_id, :code)"
        tx.execute(statement, account_id=account_id, code=code)
