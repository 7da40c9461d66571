"""The version of each image."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m011_versions(schema: Schema) -> None:
    """A number that each change of what a card shows increases; see imgcore.db.versions.

    The release before does not increase it.
    """
    schema.column("images", "version", "{int} DEFAULT 0")
