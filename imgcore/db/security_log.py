"""The rows of the security log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from imgcore.accounts.models import Account, SecurityEntry
from imgcore.db.connection import Repository
from imgcore.db.mapping import NAME, WORD, Row, in_list, moment
from imgcore.db.statements import sql
from imgcore.text import storable

_COLUMNS = "e.id, e.at, e.event, e.actor, e.subject, e.address, e.detail"
_PAGE = sql(
    "SELECT {columns} FROM security_events e WHERE e.id < :before ORDER BY e.id DESC LIMIT :limit",
    columns=_COLUMNS,
)
# A UNION, because no index has the newest events of an actor or a subject in their order
_BY = "SELECT id FROM security_events WHERE {column} = :name AND {condition} ORDER BY id DESC LIMIT :limit"
_NAMED = (
    "SELECT {columns} FROM (SELECT * FROM ({acted}) acted UNION SELECT * FROM ({concerned}) concerned) page"
    " {then_join} security_events e ON e.id = page.id ORDER BY e.id DESC LIMIT :limit"
)
_BEFORE = "id < :before"
_SINCE = "at >= (SELECT created_at FROM accounts WHERE id = :account_id)"
# The subject of a changed setting is an account where the setting is its quota
_ABOUT = "(event IN ({events}) OR (event = 'setting_changed' AND SUBSTR(detail, 1, 6) = 'quota:'))"
_TOP = 2**62  # above every id


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
        values: dict[str, Any] = {"before": _TOP if before is None else before, "limit": limit}
        if name is None:
            return self._entries(_PAGE, values)
        return self._entries(_named(_BEFORE, _BEFORE), values | {"name": name})

    def of_account(self, account: Account, about: Collection[str], limit: int) -> Sequence[SecurityEntry]:
        """Return the newest events of an account: those in which it acted, and those that are about it.

        Earlier events are of an account that had the same name. about: the events whose subject is an account;
        the subject of others may be a setting or a task of the same name.
        """
        names, values = in_list("event", about)
        concerned = sql("{since} AND {about}", since=_SINCE, about=sql(_ABOUT, events=names))
        asked = {"name": account.name, "account_id": account.id, "limit": limit}
        return self._entries(_named(_SINCE, concerned), asked | values)

    def _entries(self, statement: str, values: dict[str, Any]) -> Sequence[SecurityEntry]:
        return [_entry(row) for row in self._database.read(lambda tx: tx.rows(statement, **values))]


def _named(acted: str, concerned: str) -> str:
    """Return the statement for the events whose actor or subject is a name, with a condition on each."""
    return sql(
        _NAMED,
        columns=_COLUMNS,
        acted=sql(_BY, column="actor", condition=acted),
        concerned=sql(_BY, column="subject", condition=concerned),
    )


def _entry(row: Row) -> SecurityEntry:
    at = moment(row["at"])
    assert at is not None
    return SecurityEntry(
        row["id"], at, row["event"], row["actor"], row["subject"], row["address"], row["detail"]
    )
