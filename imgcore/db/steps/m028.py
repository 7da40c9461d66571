"""The last sweep."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m028_sweeps(schema: Schema) -> None:
    """One row: when the last complete sweep ended."""
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS sweeps (
          name {word} NOT NULL PRIMARY KEY,
          finished_at {time} NOT NULL
        ) {options}
        """
    )
