"""SqlRepository, the one class of version 0.1 for all that the repositories do now."""

from __future__ import annotations

import warnings
from typing import Any

from imgcore.db.circuit_breaker import CircuitBreakers
from imgcore.db.connection import Database
from imgcore.db.images import ImageRepository
from imgcore.db.notifications import NotificationRepository
from imgcore.db.pages import PageRepository
from imgcore.db.sweep import SweepRepository
from imgcore.db.tasks import TaskRepository

_RENAMED = {
    "due": "due_tasks",
    "exhaust": "fail_exhausted_tasks",
    "unheard": "uploads_without_event",
    "trash": "expired_trash",
    "take_notice": "claim_finished_batch",
    "close_notice": "complete_notification",
    "postpone_notice": "postpone_notification",
    "forget_notices": "delete_old_notifications",
    "letters": "delivered",
}
_OF_BREAKERS = {"gate": "state", "enter_gate": "acquire", "close_gate": "open", "open_gate": "close"}


class SqlRepository:
    """Deprecated since 0.2.0, to be removed in 0.3.0: use the classes that it forwards to."""

    def __init__(self, database: Database) -> None:
        warnings.warn(
            "imgcore.SqlRepository is deprecated; use ImageRepository, TaskRepository, SweepRepository,"
            " NotificationRepository and CircuitBreakers of imgcore.db.",
            DeprecationWarning,
            stacklevel=2,
        )
        self._breakers = CircuitBreakers(database)
        self._others = (
            ImageRepository(database),
            PageRepository(database),
            TaskRepository(database),
            SweepRepository(database),
            NotificationRepository(database),
        )

    def __getattr__(self, name: str) -> Any:
        """Return the method that has the work of ``name`` now. AttributeError where there is none."""
        if name in _OF_BREAKERS:
            return getattr(self._breakers, _OF_BREAKERS[name])
        current = _RENAMED.get(name, name)
        for repository in self._others:
            if not name.startswith("_") and hasattr(repository, current):
                return getattr(repository, current)
        raise AttributeError(f"'SqlRepository' has no attribute {name!r}")
