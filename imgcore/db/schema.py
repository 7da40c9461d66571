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

    def drop_index(self, name: str, table: str) -> None:
        """Drop an index where there is one of that name (MySQL has no DROP INDEX IF EXISTS)."""
        if self._has_index(name, table):
            of_table = "" if self._transaction.dialect.name == "sqlite" else f" ON {table}"
            self._transaction.execute(f"DROP INDEX {name}{of_table}")

    def column(self, table: str, name: str, declaration: str) -> None:
        """Add a column that may be NULL, where it is missing (MySQL has no ADD COLUMN IF NOT EXISTS)."""
        if not self._has_column(table, name):
            self._transaction.execute(f"ALTER TABLE {table} ADD COLUMN {name} {declaration} NULL")

    def generated_column(self, table: str, name: str, declaration: str, expression: str) -> None:
        """Add a column that is computed when it is read, where it is missing."""
        if not self._has_column(table, name):
            computed = f"{declaration} GENERATED ALWAYS AS ({expression}) VIRTUAL"
            self._transaction.execute(f"ALTER TABLE {table} ADD COLUMN {name} {computed}")

    def drop_check(self, table: str, name: str, condition: str) -> None:
        """Drop a CHECK constraint where it is there. condition: as it was written; SQLite needs it."""
        if self._transaction.dialect.name == "sqlite":
            self._drop_check_in_text(table, f"CONSTRAINT {name} CHECK ({condition}),")
        elif self._transaction.row(
            "SELECT 1 AS one FROM information_schema.table_constraints WHERE table_schema = DATABASE()"
            " AND table_name = :table AND constraint_name = :name AND constraint_type = 'CHECK'",
            table=table,
            name=name,
        ):
            self._transaction.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def _drop_check_in_text(self, table: str, constraint: str) -> None:
        """Remove a constraint from the stored text of a table, which SQLite documents for constraints alone.

        https://www.sqlite.org/lang_altertable.html#otheralter
        """
        [version] = self._transaction.rows("PRAGMA schema_version")
        self._transaction.execute("PRAGMA writable_schema = ON")
        self._transaction.execute(
            "UPDATE sqlite_master SET sql = REPLACE(sql, :text, '') WHERE type = 'table' AND name = :table",
            text=constraint,
            table=table,
        )
        self._transaction.execute(f"PRAGMA schema_version = {version['schema_version'] + 1}")
        self._transaction.execute("PRAGMA writable_schema = RESET")

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
