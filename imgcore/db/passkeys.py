"""The passkeys of accounts, and the challenges that browsers are about to sign."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence

from imgcore.accounts.models import Account, Passkey
from imgcore.db.account_rows import PASSKEY_BY_CREDENTIAL, PASSKEYS, lock_verified, to_account, to_passkey
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import NAME, lock_account, micros
from imgcore.errors import Conflict
from imgcore.text import storable

MOST_PASSKEYS = 20


class PasskeyRepository(Repository):
    """Passkeys and challenges. Ids of credentials and tokens are passed as SHA-256 hashes in hex."""

    def add_passkey(
        self,
        account: Account,
        public_id: str,
        credential: str,
        *,
        credential_id: bytes,
        public_key: bytes,
        sign_count: int,
        label: str,
    ) -> None:
        """Add a passkey. Conflict (``passkey``) where it is known already, or the account has twenty.

        account: as it was read before its password was verified; see ``lock_verified``. credential: the hash of
        ``credential_id``.
        """

        def work(tx: Transaction) -> None:
            lock_verified(tx, account)
            if tx.row(PASSKEY_BY_CREDENTIAL, credential=credential) is not None:
                raise Conflict("This passkey has been added already.", code="passkey")
            if len(tx.rows(PASSKEYS, account_id=account.id)) >= MOST_PASSKEYS:
                raise Conflict(f"An account has {MOST_PASSKEYS} passkeys at most.", code="passkey")
            tx.execute(
                "INSERT INTO passkeys (public_id, account_id, credential, credential_id, public_key,"
                " sign_count, label, created_at) VALUES (:public_id, :account_id, :credential, :credential_id,"
                " :public_key, :sign_count, :label, {now})",
                public_id=public_id,
                account_id=account.id,
                credential=credential,
                credential_id=urlsafe_b64encode(credential_id).decode(),
                public_key=urlsafe_b64encode(public_key).decode(),
                sign_count=sign_count,
                label=storable(label, NAME),
            )

        self._database.run(work)

    def passkeys(self, account_id: int) -> Sequence[Passkey]:
        """Return the account's passkeys, the oldest first."""
        return [
            to_passkey(row) for row in self._database.read(lambda tx: tx.rows(PASSKEYS, account_id=account_id))
        ]

    def passkey(self, credential: str) -> tuple[Account, Passkey] | None:
        """Return the passkey of that hash and its account; None where there is none."""
        row = self._database.read(lambda tx: tx.row(PASSKEY_BY_CREDENTIAL, credential=credential))
        return (to_account(row), to_passkey(row)) if row else None

    def use_passkey(self, passkey_id: int, sign_count: int) -> None:
        """Note that a passkey signed now, and its count of signatures."""
        statement = "UPDATE passkeys SET used_at = {now}, sign_count = :sign_count WHERE id = :id"
        self._database.run(lambda tx: tx.execute(statement, sign_count=sign_count, id=passkey_id))

    def remove_passkey(self, account_id: int, public_id: str) -> bool:
        """Delete a passkey of this account; False where it has none of that id."""
        statement = "DELETE FROM passkeys WHERE account_id = :account_id AND public_id = :public_id"
        values = {"account_id": account_id, "public_id": public_id}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))

    def offer_challenge(self, token: str, account_id: int | None, seconds: float) -> None:
        """Store a challenge for ``seconds``, and delete the expired ones.

        account_id: of the account that adds a passkey; None for a sign-in.
        """

        def work(tx: Transaction) -> None:
            if account_id is not None:
                lock_account(tx, account_id)
            tx.execute("DELETE FROM passkey_challenges WHERE expires_at <= {now}")
            tx.execute(
                "INSERT INTO passkey_challenges (token, account_id, expires_at)"
                " VALUES (:token, :account_id, {later:seconds})",
                token=token,
                account_id=account_id,
                seconds=micros(seconds),
            )

        self._database.run(work)

    def take_challenge(self, token: str, account_id: int | None) -> bool:
        """Delete a challenge; False where there is none of this token for this purpose, or it expired."""
        statement = (
            "DELETE FROM passkey_challenges WHERE token = :token AND expires_at > {now}"
            " AND COALESCE(account_id, 0) = :account_id"  # ids begin with 1
        )
        values = {"token": token, "account_id": account_id or 0}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))
