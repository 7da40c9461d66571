"""Changes of any number of rows, in transactions that are short enough while a person waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgcore.db.connection import Database
from imgcore.db.mapping import in_list
from imgcore.db.statements import sql

SLICE = 100  # rows of one transaction: an edit of one of them does not wait for long


def find_ids(database: Database, query: str, **values: Any) -> list[int]:
    """Return the first column of a query, in the order in which transactions lock rows."""
    return sorted(id_ for (id_,) in database.read(lambda tx: tx.tuples(query, **values)))


def change_in_slices(
    database: Database, ids: Sequence[int], statement: str, *, size: int | None = None, **values: Any
) -> int:
    """Run a statement on so many rows at a time, each time in a transaction; return how many rows it matched.

    statement: has ``{ids}`` for the list of an IN, and repeats the condition by which the rows were found: they
    may have been changed since. size: rows; SLICE where None. What was changed stays changed where a later
    transaction fails, so that another call goes on from there.
    """
    size = size or SLICE

    def change(some: Sequence[int]) -> int:
        names, named = in_list("id", some)
        return database.run(lambda tx: tx.execute(sql(statement, ids=names), **values, **named))

    return sum(change(ids[start : start + size]) for start in range(0, len(ids), size))
