"""E-mail subscriptions: the addresses to which accounts have their notifications sent."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.db.connection import Transaction
from imgcore.db.login_throttle import LoginThrottle
from imgcore.db.mapping import NAME, Row, lock_account, moment
from imgcore.errors import Conflict
from imgcore.notifications.subscriptions import Address
from imgcore.text import storable


class SubscriptionRepository(LoginThrottle):
    """The e-mail addresses that accounts subscribe with."""

    def current(self, account_id: int) -> Address | None:
        """Return the address that the account is subscribed with; None where it has none."""
        query = (
            "SELECT id, address, arn, asked_at FROM addresses"
            " WHERE account_id = :account_id AND ended_at IS NULL"
        )
        row = self._database.read(lambda tx: tx.row(query, account_id=account_id))
        return _address(row) if row else None

    def keep(self, account_id: int, address: str, arn: str) -> None:
        """Make this the account's only address.

        Conflict where the ARN belongs to another account, NotFound where the account was deleted.
        """

        def work(tx: Transaction) -> None:
            lock_account(tx, account_id)
            known = tx.row("SELECT account_id FROM addresses WHERE arn = :arn {for_update}", arn=arn)
            if known is not None and known["account_id"] != account_id:
                raise Conflict("This address receives the notifications of another account.", code="address")
            tx.execute("DELETE FROM addresses WHERE arn = :arn", arn=arn)
            _end(tx, account_id)
            tx.execute(
                "INSERT INTO addresses (account_id, address, arn, asked_at)"
                " VALUES (:account_id, :address, :arn, {now})",
                account_id=account_id,
                address=storable(address, NAME),
                arn=arn,
            )

        self._database.run(work)

    def end(self, account_id: int) -> None:
        """Mark the account's address as unwanted."""
        self._database.run(lambda tx: _end(tx, account_id))

    def unwanted(self, limit: int) -> Sequence[Address]:
        """Return up to ``limit`` addresses that are unwanted or whose account was deleted.

        Those that were returned longest ago come first, so that one that cannot be removed does not block the
        others.
        """
        query = (
            "SELECT d.id, d.address, d.arn, d.asked_at FROM addresses d"
            " LEFT JOIN accounts a ON a.id = d.account_id"
            " WHERE d.ended_at IS NOT NULL OR a.id IS NULL ORDER BY d.asked_at, d.id LIMIT :limit"
        )
        found = [_address(row) for row in self._database.read(lambda tx: tx.rows(query, limit=limit))]
        if found:
            self._database.run(lambda tx: _touch(tx, found))
        return found

    def drop(self, id_: int) -> None:
        """Delete an address that the topic does not know any more."""
        self._database.run(lambda tx: tx.execute("DELETE FROM addresses WHERE id = :id", id=id_))


def _address(row: Row) -> Address:
    asked_at = moment(row["asked_at"])
    assert asked_at is not None
    return Address(row["id"], row["address"], row["arn"], asked_at)


def _end(tx: Transaction, account_id: int) -> None:
    statement = "UPDATE addresses SET ended_at = {now} WHERE account_id = :account_id AND ended_at IS NULL"
    tx.execute(statement, account_id=account_id)


def _touch(tx: Transaction, found: Sequence[Address]) -> None:
    for address in found:
        tx.execute("UPDATE addresses SET asked_at = {now} WHERE id = :id", id=address.id)
