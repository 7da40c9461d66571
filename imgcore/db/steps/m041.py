"""Indexes of the security log's names."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m041_security_event_names(schema: Schema) -> None:
    """The events of an account, by who acted and by whom they concern, the newest first."""
    schema.index("security_events_actor", "security_events", "actor, id")
    schema.index("security_events_subject", "security_events", "subject, id")
