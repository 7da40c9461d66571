"""Migrated SQLite databases: made once a process, each test gets a copy of the file."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.migrations import migrate


def migrated(folder: Path, fill: Callable[[Transaction], None] | None = None) -> Database:
    """Return the database in ``folder``/gallery.db; make it, migrated, where there is none.

    fill: adds rows to a new one.
    """
    path = folder / "gallery.db"
    if not path.exists():
        path.write_bytes(_template(fill))
    return open_database(f"sqlite:///{path}")


@functools.cache
def _template(fill: Callable[[Transaction], None] | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        database = open_database(f"sqlite:///{path}")
        migrate(database)
        if fill:
            database.run(fill)
        database.close()  # the last connection writes the log into the file
        return path.read_bytes()
