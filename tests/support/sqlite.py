"""Migrated SQLite databases: the migrations run once a process, each test gets a copy of the file."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate


def migrated(folder: Path) -> Database:
    """Return the database in ``folder``/gallery.db; make it, migrated, where there is none."""
    path = folder / "gallery.db"
    if not path.exists():
        path.write_bytes(_template())
    return open_database(f"sqlite:///{path}")


@functools.cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        database = open_database(f"sqlite:///{path}")
        migrate(database)
        database.close()  # the last connection writes the log into the file
        return path.read_bytes()
