"""What a page of the gallery shows, read by one statement: the key of the page that is kept.

A statement costs more than its rows, and its rows are parsed only where no page is kept. Each row begins with
the name of its part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from imgcore.db.circuit_breaker import FOR_NOTICE
from imgcore.db.connection import Repository, Transaction
from imgcore.db.dialects import Answer
from imgcore.db.pages import decode_cursor, encode_cursor, rights
from imgcore.db.scopes import NOBODY, owner_seen
from imgcore.db.search_sources import TOP
from imgcore.db.statements import sql
from imgcore.gallery.models import PageVersions, TaskKind, Viewer
from imgcore.pipeline.models import Conditions

_IMAGES = (
    "{part}SELECT 'image', id, version, NULL FROM images WHERE listed_id < :below AND {conditions}"
    " ORDER BY listed_id DESC LIMIT :limit)"
)
# What is not on the timeline comes last, with NULL: a condition would cost more than eight rows
_NEWEST = (
    "{part}SELECT 'newest', id, version, timeline_at FROM images{scope}"
    " ORDER BY timeline_at DESC, id DESC LIMIT :newest)"
)
_PAUSED = "SELECT 'paused', kind, reason, NULL FROM pauses"
_KINDS = {kind.value: kind for kind in TaskKind}


@dataclass(frozen=True, slots=True)
class FrontPage:
    """A page of the gallery, the first photos of the timeline, and the conditions of the pipeline.

    Equal ones show the same.
    """

    limit: int
    answer: Answer

    def page(self) -> PageVersions:
        """Return the images of the page."""
        rows = sorted(((int(row[0]), int(row[1])) for row in _part(self.answer, "image")), reverse=True)
        found = tuple(rows[: self.limit])
        return PageVersions(found, encode_cursor(found[-1][0]) if len(rows) > self.limit else None)

    def first_of_timeline(self) -> tuple[tuple[int, int], ...]:
        """Return (id, version) of the first photos of the timeline by the date taken."""
        rows = [(at, int(id_), int(version)) for id_, version, at in _part(self.answer, "newest") if at]
        return tuple((id_, version) for _, id_, version in sorted(rows, reverse=True))

    def conditions(self) -> Conditions:
        """Return what notices tell."""
        return _conditions(self.answer)


class FrontRepository(Repository):
    """The pages of the gallery as keys. Each method is one statement."""

    def page(self, *, cursor: str | None, limit: int, viewer: Viewer, newest: int, breaker: str) -> FrontPage:
        """Return the page after ``cursor``, ``newest`` photos of the timeline, and the pipeline's conditions.

        breaker: the name of the model's circuit breaker. Invalid: a cursor that the gallery did not give out.
        """
        return self._database.read(lambda tx: _read_page(tx, cursor, limit, viewer, newest, breaker))

    def conditions(self, breaker: str) -> Conditions:
        """Return the conditions of the pipeline."""
        statement = f"{_PAUSED} UNION ALL {FOR_NOTICE}"
        return _conditions(self._database.read(lambda tx: tx.answer(statement, breaker=breaker)))


def _read_page(
    tx: Transaction, cursor: str | None, limit: int, viewer: Viewer, newest: int, breaker: str
) -> FrontPage:
    statement, values = _statement(viewer, newest)
    below = TOP if cursor is None else decode_cursor(cursor)
    return FrontPage(limit, tx.answer(statement, below=below, limit=limit + 1, breaker=breaker, **values))


@lru_cache(maxsize=256)
def _statement(viewer: Viewer, newest: int) -> tuple[str, Mapping[str, Any]]:
    """Return the statement for a viewer, and its values beside those of the page."""
    seen, values = rights(viewer)
    parts = [sql(_IMAGES, conditions=" AND ".join(seen)), _PAUSED, FOR_NOTICE]
    owner = owner_seen(viewer)
    if newest and owner != NOBODY:
        parts.append(sql(_NEWEST, scope="" if owner is None else " WHERE owner_id = :owner_id"))
        values |= {"newest": newest} | ({} if owner is None else {"owner_id": owner})
    return " UNION ALL ".join(parts), values


def _part(answer: Answer, name: str) -> list[tuple[str, str, str | None]]:
    """Return the other columns of the rows of one part."""
    return [(row[1] or "", row[2] or "", row[3]) for row in answer.rows if row[0] == name]


@lru_cache(maxsize=64)
def _conditions(answer: Answer) -> Conditions:
    """Return the conditions of the pipeline, which each request needs."""
    pauses = _part(answer, "paused")
    paused = frozenset(_KINDS[kind] for kind, reason, _ in pauses if kind in _KINDS and not reason)
    for reason, message, closed in _part(answer, "breaker"):
        return Conditions(paused, reason or None, message or None, closed == "1")
    return Conditions(paused)
