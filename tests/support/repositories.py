"""Every repository of one database in one object, for tests that need several of them."""

from __future__ import annotations

from imgcore.db.circuit_breaker import CircuitBreakers
from imgcore.db.connection import Database
from imgcore.db.images import ImageRepository
from imgcore.db.notifications import NotificationRepository
from imgcore.db.sweep import SweepRepository
from imgcore.db.tasks import TaskRepository


class Repositories:
    """The repositories of ``database``, by the name of what they hold."""

    def __init__(self, database: Database) -> None:
        self.images = ImageRepository(database)
        self.tasks = TaskRepository(database)
        self.sweep = SweepRepository(database)
        self.notifications = NotificationRepository(database)
        self.breakers = CircuitBreakers(database)

    def all(
        self,
    ) -> tuple[ImageRepository, TaskRepository, SweepRepository, NotificationRepository, CircuitBreakers]:
        """All of them, in the order in which Pipeline takes them."""
        return self.images, self.tasks, self.sweep, self.notifications, self.breakers
