"""The rows that other tests must leave alone: kept from test to test, without what the tests add."""

from __future__ import annotations

from imgcore.accounts.models import Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database, Transaction
from imgcore.gallery.keys import new_public_id
from tests.contract.bystanders import add_bystanders, bystanders_in, empty_but_bystanders


def test_rows_of_a_test_are_deleted_and_bystanders_stay(database: Database) -> None:
    database.run(add_bystanders)
    kept = bystanders_in(database)
    AccountRepository(database).add(new_public_id(), "ada", Role.PERSON, "hash")
    [bystander] = kept["accounts"]

    def add_rows(tx: Transaction) -> None:
        tx.insert(
            "INSERT INTO recovery_codes (account_id, code) VALUES (:account_id, 'own')",
            account_id=bystander["id"],
        )
        tx.insert("INSERT INTO words (word, image_id) VALUES ('own', :id)", id=kept["images"][0]["id"])

    database.run(add_rows)
    database.run(lambda tx: empty_but_bystanders(tx, ("accounts", "images")))

    assert kept == bystanders_in(database)
    for table, count in (("accounts", 1), ("recovery_codes", 1), ("words", 0)):
        rows = database.read(lambda tx, table=table: tx.rows(f"SELECT 1 FROM {table}"))
        assert count == len(rows), table


def test_every_kept_table_has_bystanders(database: Database, bystanders: None) -> None:
    assert [] == [table for table, rows in bystanders_in(database).items() if not rows]
