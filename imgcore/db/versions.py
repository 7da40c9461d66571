"""The version of each image and the time of its last change: each statement that changes a card sets both.

Transaction.execute passes every statement through here, so that no statement can forget it. Caches, ETags and
the feed of changes are keyed by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

# The columns that no card shows. A statement that sets one of them alone changes no version.
_HIDDEN = re.compile(r"(?:checked_at|search_text|dispatched_at) = [^,]* WHERE ")
_UPDATE = re.compile(r"\s*UPDATE (images|tasks) SET ")

_CHUNK = 500  # images whose versions one statement increases

_CHANGED = "version = version + 1, changed_at = {now}"
INCREASE = f"UPDATE images SET {_CHANGED} WHERE id = :image_id"  # noqa: S608 - constant


def with_version(sql: str) -> str:
    """Return an UPDATE of ``images`` that also sets version and time; any other statement as it is."""
    end = _assignments(sql, "images")
    return sql if end is None or sql == INCREASE else f"{sql[:end]}{_CHANGED}, {sql[end:]}"


def changes_tasks(sql: str) -> bool:
    """Return whether a statement changes tasks, which a card shows with their image."""
    return _assignments(sql, "tasks") is not None


@lru_cache(maxsize=512)
def _assignments(sql: str, table: str) -> int | None:
    """Return where the assignments of a visible UPDATE of the table begin; None for other statements."""
    found = _UPDATE.match(sql)
    return found.end() if found and found[1] == table and not _HIDDEN.match(sql, found.end()) else None


def images_of_tasks(sql: str) -> str:
    """Return the query for the ids of the images whose tasks an UPDATE is about to change, in their order."""
    condition = sql.partition(" WHERE ")[2]
    return f"SELECT DISTINCT image_id FROM tasks WHERE {condition} ORDER BY image_id"  # noqa: S608 - constant


def in_chunks(sql: str, ids: Sequence[int]) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Yield for each chunk of images the increase of their versions, the UPDATE of their tasks, and their ids.

    sql: an UPDATE of tasks. It is limited to these images: a task that matches only after the ids were read
    would change without its image's version.
    """
    changes, _, condition = sql.partition(" WHERE ")
    for start in range(0, len(ids), _CHUNK):
        chunk = {f"image_{number}": id_ for number, id_ in enumerate(ids[start : start + _CHUNK])}
        names = ", ".join(f":{name}" for name in chunk)
        yield (
            f"UPDATE images SET {_CHANGED} WHERE id IN ({names})",  # noqa: S608 - constant
            f"{changes} WHERE ({condition}) AND image_id IN ({names})",
            chunk,
        )
