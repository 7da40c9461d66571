"""Retries that wait for a cap, a quota or a model, and their release: they become due now."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from imgcore.db.connection import Database
from imgcore.db.mapping import in_list, micros
from imgcore.db.slices import change_in_slices, find_ids
from imgcore.db.statements import sql

_WAITING = "status = 'retry' AND error IN ({names}) AND next_at > {later:within}"


def waiting(codes: Collection[str], within: float) -> tuple[str, dict[str, Any]]:
    """Return the condition of tasks with these errors that are not due within those seconds, and its values."""
    names, values = in_list("code", codes)
    return sql(_WAITING, names=names), values | {"within": micros(within)}


def release(
    database: Database, codes: Collection[str], *, within: float, limit: int, owner_id: int | None = None
) -> int:
    """Make the retries of up to ``limit`` images due now that have one of these errors; return how many.

    within: seconds; those that are due by then are left as they are. owner_id: only this account's images.
    """
    condition, values = waiting(codes, within)
    if owner_id is not None:
        condition += " AND image_id IN (SELECT id FROM images WHERE owner_id = :owner_id)"
        values["owner_id"] = owner_id
    find = f"SELECT DISTINCT image_id FROM tasks WHERE {condition} ORDER BY image_id LIMIT :limit"  # noqa: S608 - constant
    update = f"UPDATE tasks SET next_at = {{now}} WHERE {condition} AND image_id IN ({{ids}})"  # noqa: S608 - constant
    return change_in_slices(database, find_ids(database, find, limit=limit, **values), update, **values)
