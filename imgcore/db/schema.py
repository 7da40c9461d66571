"""What a migration may do to the schema. Every method is harmless where it has been applied already."""

from __future__ import annotations

from typing import Any

from imgcore.db.connection import Transaction


class Schema:
    """The schema of one database, as the migrations change it."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def run(self, statement: str, **values: Any) -> None:
        """Run a statement that can be repeated: with IF EXISTS, IF NOT EXISTS or OR REPLACE."""
        self._transaction.execute(statement, **values)

    def index(self, name: str, table: str, columns: str) -> None:
        """Create an index where there is none of that name (MySQL has no CREATE INDEX IF NOT EXISTS)."""
        if not self._has_index(name, table):
            self._transaction.execute(f"CREATE INDEX {name} ON {table} ({columns})")

    def column(self, table: str, name: str, declaration: str) -> None:
        """Add a column that may be NULL, where it is missing (MySQL has no ADD COLUMN IF NOT EXISTS)."""
        if not self._has_column(table, name):
            self._transaction.execute(f"ALTER TABLE {table} ADD COLUMN {name} {declaration} NULL")

    def generated_column(self, table: str, name: str, declaration: str, expression: str) -> None:
        """Add a column that is computed when it is read, where it is missing."""
        if not self._has_column(table, name):
            computed = f"{declaration} GENERATED ALWAYS AS ({expression}) VIRTUAL"
            self._transaction.execute(f"ALTER TABLE {table} ADD COLUMN {name} {computed}")

    def _has_column(self, table: str, name: str) -> bool:
        if self._transaction.dialect.name == "sqlite":
            return any(row["name"] == name for row in self._transaction.rows(f"PRAGMA table_xinfo({table})"))
        found = self._transaction.row(
            "SELECT 1 AS one FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = :table AND column_name = :name",
            table=table,
            name=name,
        )
        return found is not None

    def _has_index(self, name: str, table: str) -> bool:
        if self._transaction.dialect.name == "sqlite":
            found = self._transaction.row(
                "SELECT 1 AS one FROM sqlite_master WHERE type = 'index' AND name = :name", name=name
            )
        else:
            found = self._transaction.row(
                "SELECT 1 AS one FROM information_schema.statistics"
                " WHERE table_schema = DATABASE() AND table_name = :table AND index_name = :name",
                table=table,
                name=name,
            )
        return found is not None
