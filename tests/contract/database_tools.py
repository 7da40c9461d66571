"""A table of names, for the tests of connections and transactions."""

from __future__ import annotations

from imgcore.db.connection import Database, Transaction


def insert(tx: Transaction, name: str) -> int:
    return tx.execute("INSERT INTO gates (name) VALUES (:name)", name=name)


def gates(database: Database) -> list[str]:
    return [row["name"] for row in database.read(lambda tx: tx.rows("SELECT name FROM gates ORDER BY name"))]
