"""Paused tasks."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m037_pauses(schema: Schema) -> None:
    """The kinds of tasks that an administrator has paused; reason: only retries with this error, '' for all."""
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS pauses (
          kind {word} NOT NULL,
          reason {word} NOT NULL,
          paused_at {time} NOT NULL,
          account {name} NULL,
          PRIMARY KEY (kind, reason)
        ) {options}
        """
    )
