"""What a page of the gallery shows, read by one statement: the key of the page that is kept.

A statement costs more than its rows. Each list comes as one JSON text; it is parsed where no page is kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from imgcore.db.circuit_breaker import FOR_NOTICE
from imgcore.db.connection import Repository, Transaction
from imgcore.db.pages import TOP, decode_cursor, encode_cursor, rights
from imgcore.db.scopes import NOBODY, owner_seen, scope_of
from imgcore.db.statements import sql
from imgcore.gallery.models import PageVersions, TaskKind, Viewer
from imgcore.pipeline.models import Conditions

_IMAGES = (
    "(SELECT {array_of}(JSON_ARRAY(id, version)) FROM (SELECT id, version FROM images"
    " WHERE listed_id < :below AND {conditions} ORDER BY listed_id DESC LIMIT :limit) page)"
)
_NEWEST = (
    "(SELECT {array_of}(JSON_ARRAY(id, version, timeline_at)) FROM (SELECT id, version, timeline_at FROM images"
    " WHERE {scope} timeline_at IS NOT NULL ORDER BY timeline_at DESC, id DESC LIMIT :newest) page)"
)
_PAUSED = "(SELECT {array_of}(kind) FROM pauses WHERE kind IN ('thumbnail', 'caption') AND reason = '')"


@dataclass(frozen=True, slots=True)
class FrontPage:
    """A page of the gallery, the first photos of the timeline, and the conditions of the pipeline, as JSON.

    Equal ones show the same.
    """

    limit: int
    images: str | None
    newest: str | None
    paused: str | None
    breaker: str | None

    def page(self) -> PageVersions:
        """Return the images of the page."""
        rows = sorted((tuple(row) for row in json.loads(self.images or "[]")), reverse=True)
        found = tuple(rows[: self.limit])
        return PageVersions(found, encode_cursor(found[-1][0]) if len(rows) > self.limit else None)

    def first_of_timeline(self) -> tuple[tuple[int, int], ...]:
        """Return (id, version) of the first photos of the timeline by the date taken."""
        rows = sorted(json.loads(self.newest or "[]"), key=lambda row: (row[2], row[0]), reverse=True)
        return tuple((id_, version) for id_, version, _ in rows)

    def conditions(self) -> Conditions:
        """Return what notices tell."""
        return _conditions(self.paused, self.breaker)


class FrontRepository(Repository):
    """The pages of the gallery as keys. Each method is one statement."""

    def page(self, *, cursor: str | None, limit: int, viewer: Viewer, newest: int, breaker: str) -> FrontPage:
        """Return the page after ``cursor``, ``newest`` photos of the timeline, and the pipeline's conditions.

        breaker: the name of the model's circuit breaker. Invalid: a cursor that the gallery did not give out.
        """
        return self._database.read(lambda tx: _read_page(tx, cursor, limit, viewer, newest, breaker))

    def conditions(self, breaker: str) -> Conditions:
        """Return the conditions of the pipeline."""
        statement = sql("SELECT {paused}, ({breaker})", paused=_PAUSED, breaker=FOR_NOTICE)
        [row] = self._database.read(lambda tx: tx.tuples(statement, breaker=breaker))
        return _conditions(*row)


def _read_page(
    tx: Transaction, cursor: str | None, limit: int, viewer: Viewer, newest: int, breaker: str
) -> FrontPage:
    seen, values = rights(viewer)
    owner = owner_seen(viewer)
    scope = None
    if newest and owner != NOBODY:
        scope, named = scope_of(owner)
        values |= named | {"newest": newest}
    [row] = tx.tuples(
        _statement(tuple(seen), scope),
        below=TOP if cursor is None else decode_cursor(cursor),
        limit=limit + 1,
        breaker=breaker,
        **values,
    )
    return FrontPage(limit, *row)


@cache
def _statement(seen: tuple[str, ...], scope: str | None) -> str:
    columns = (
        sql(_IMAGES, conditions=" AND ".join(seen)),
        "NULL" if scope is None else sql(_NEWEST, scope=scope),
        _PAUSED,
        f"({FOR_NOTICE})",
    )
    return sql("SELECT {columns}", columns=", ".join(columns))


def _conditions(paused: str | None, breaker: str | None) -> Conditions:
    """Return the conditions of the pipeline from JSON texts."""
    reason, message, closed = json.loads(breaker) if breaker else (None, None, True)
    kinds = frozenset(TaskKind(kind) for kind in json.loads(paused or "[]"))
    return Conditions(kinds, reason, message, bool(closed))
