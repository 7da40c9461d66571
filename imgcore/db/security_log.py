"""The rows of the security log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgcore.accounts.models import SecurityEntry
from imgcore.db.connection import Repository
from imgcore.db.mapping import NAME, WORD, Row, moment
from imgcore.db.statements import sql
from imgcore.text import storable

_PAGE = (
    "SELECT id, at, event, actor, subject, address, detail FROM security_events {where}"
    " ORDER BY id DESC LIMIT :limit"
)


class SecurityLogRepository(Repository):
    """Security events. Rows are added and, after 90 days, deleted by the sweep; nothing changes them."""

    def add_event(
        self, event: str, *, address: str, actor: str | None, subject: str | None, detail: str
    ) -> None:
        """Add an event, at the database's time."""
        statement = (
            "INSERT INTO security_events (at, event, actor, subject, address, detail)"
            " VALUES ({now}, :event, :actor, :subject, :address, :detail)"
        )
        values = {
            "event": event,
            "actor": storable(actor, WORD) if actor is not None else None,
            "subject": storable(subject, NAME) if subject is not None else None,
            "address": storable(address, WORD),
            "detail": storable(detail, NAME),
        }
        self._database.run(lambda tx: tx.execute(statement, **values))

    def events(self, *, before: int | None, name: str | None, limit: int) -> Sequence[SecurityEntry]:
        """Return the newest events with an id below ``before``, of that actor or subject."""
        conditions, values = [], dict[str, Any](limit=limit)
        if before is not None:
            conditions.append("id < :before")
            values["before"] = before
        if name is not None:
            conditions.append("(actor = :name OR subject = :name)")
            values["name"] = name
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = self._database.read(lambda tx: tx.rows(sql(_PAGE, where=where), **values))
        return [_entry(row) for row in rows]


def _entry(row: Row) -> SecurityEntry:
    at = moment(row["at"])
    assert at is not None
    return SecurityEntry(
        row["id"], at, row["event"], row["actor"], row["subject"], row["address"], row["detail"]
    )
