"""Every repository of one database in one object, for tests that need several of them."""

from __future__ import annotations

import itertools

from imgcore.db.accounts import AccountRepository
from imgcore.db.albums import AlbumRepository
from imgcore.db.campaigns import CampaignRepository
from imgcore.db.changes import ChangeRepository
from imgcore.db.circuit_breaker import CircuitBreakers
from imgcore.db.connection import Database
from imgcore.db.front import FrontRepository
from imgcore.db.images import ImageRepository
from imgcore.db.jobs import JobRepository
from imgcore.db.ledger import LedgerRepository
from imgcore.db.notifications import NotificationRepository
from imgcore.db.pages import PageRepository
from imgcore.db.shares import ShareRepository
from imgcore.db.sweep import SweepRepository
from imgcore.db.tag_list import TagListRepository
from imgcore.db.tasks import TaskRepository
from imgcore.db.timeline import TimelineRepository
from imgcore.db.trash import TrashRepository


class Repositories:
    """The repositories of ``database``, by the name of what they hold."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.accounts = AccountRepository(database)
        self.images = ImageRepository(database)
        self.pages = PageRepository(database)
        self.front = FrontRepository(database)
        self.tasks = TaskRepository(database)
        self.sweep = SweepRepository(database)
        self.notifications = NotificationRepository(database)
        self.breakers = CircuitBreakers(database)
        self.campaigns = CampaignRepository(database)
        self.timeline = TimelineRepository(database)
        self.trash = TrashRepository(database)
        self.tag_list = TagListRepository(database)
        self.albums = AlbumRepository(database)
        self.shares = ShareRepository(database)
        clock = itertools.count(step=0.5).__next__  # a second from one request to the next: each reads anew
        self.changes = ChangeRepository(database, clock)
        self.jobs = JobRepository(database)
        self.ledger = LedgerRepository(database)

    def of_processor(self) -> tuple[ImageRepository, TaskRepository, CircuitBreakers]:
        """The first arguments of Processor."""
        return self.images, self.tasks, self.breakers
