"""The addresses that people have notices sent to, in a SQL database."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.db.connection import Repository, Transaction
from imgcore.db.login_throttle import Throttles
from imgcore.db.mapping import NAME, hold_account, storable
from imgcore.errors import Conflict
from imgcore.notifications.subscriptions import Address


class SqlAddresses(Throttles, Repository):
    """imgcore.notifications.subscriptions.AddressStore on SQLite and MySQL."""

    def current(self, account_id: int) -> Address | None:
        """The one that is wanted."""
        sql = "SELECT id, address, arn FROM addresses WHERE account_id = ? AND ended_at IS NULL"
        row = self._database.read(lambda tx: tx.row(sql, account_id))
        return Address(**row) if row else None

    def keep(self, account_id: int, address: str, arn: str) -> None:
        """This one and no other. NotFound where the account is no more."""

        def work(tx: Transaction) -> None:
            hold_account(tx, account_id)
            known = tx.row("SELECT account_id FROM addresses WHERE arn = ? {for_update}", arn)
            if known is not None and known["account_id"] != account_id:
                raise Conflict("This address gets the notices of another account.", code="address")
            tx.execute("DELETE FROM addresses WHERE arn = ?", arn)
            _end(tx, account_id)
            tx.execute(
                "INSERT INTO addresses (account_id, address, arn, asked_at) VALUES (?, ?, ?, {now})",
                account_id,
                storable(address, NAME),
                arn,
            )

        self._database.run(work)

    def end(self, account_id: int) -> None:
        """None is wanted."""
        self._database.run(lambda tx: _end(tx, account_id))

    def unwanted(self, limit: int) -> Sequence[Address]:
        """The one that was asked about longest ago first, so that none keeps another from its turn."""

        sql = (
            "SELECT d.id, d.address, d.arn FROM addresses d LEFT JOIN accounts a ON a.id = d.account_id"
            " WHERE d.ended_at IS NOT NULL OR a.id IS NULL ORDER BY d.asked_at, d.id LIMIT ?"
        )
        found = [Address(**row) for row in self._database.read(lambda tx: tx.rows(sql, limit))]
        if found:
            self._database.run(lambda tx: _touch(tx, found))
        return found

    def drop(self, id_: int) -> None:
        """Forget it."""
        self._database.run(lambda tx: tx.execute("DELETE FROM addresses WHERE id = ?", id_))


def _end(tx: Transaction, account_id: int) -> None:
    sql = "UPDATE addresses SET ended_at = {now} WHERE account_id = ? AND ended_at IS NULL"
    tx.execute(sql, account_id)


def _touch(tx: Transaction, found: Sequence[Address]) -> None:
    for each in found:
        tx.execute("UPDATE addresses SET asked_at = {now} WHERE id = ?", each.id)
