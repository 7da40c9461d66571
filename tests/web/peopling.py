"""A gallery with accounts: the real repository, accounts and hasher in a SQLite file, the rest made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from imgcore.accounts.models import Account, Role, Visibility
from imgcore.accounts.service import Accounts, ClientInfo
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.db.notifications import NotificationRepository
from imgcore.db.subscriptions import SubscriptionRepository
from imgcore.gallery.models import Image, Viewer
from imgcore.gallery.service import Gallery
from imgcore.notifications.subscriptions import SubscriptionService
from imgcore.pipeline.models import ObjectCreated
from tests.unit.fakes import FakeTopic
from tests.web.client import Answer, Client
from tests.web.fakes import fake_gallery, hasher
from web.app import Application, create_app

PASSWORD = "a made-up password"
HOME = ClientInfo("127.0.0.1", "tests")
ORIGIN = {"Origin": "http://localhost:8000"}


@dataclass
class Site:
    """A gallery, its accounts, and three people: an administrator, the owner of photos, and another."""

    database: Database
    gallery: Gallery
    accounts: Accounts
    people: dict[str, Account] = field(default_factory=dict)
    topic: FakeTopic = field(default_factory=FakeTopic)
    _keys: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    def app(self, visibility: Visibility = Visibility.PRIVATE, *, api_rate: int = 100_000) -> Application:
        """The application over them."""
        return create_app(
            self.gallery,
            accounts=self.accounts,
            visibility=visibility,
            api_rate=api_rate,
            subscriptions=SubscriptionService(
                SubscriptionRepository(self.database), NotificationRepository(self.database), self.topic
            ),
        )

    def upload(self, name: str | None = "owner", file: str = "cat.jpg") -> Image:
        """A photo of somebody's that has been received."""
        who = self.people[name].id if name else None
        seen = self.gallery.for_viewer(Viewer(who, sees_others=False, changes_others=False))
        image, _ = (seen if name else self.gallery).request_upload(file, 1234, "image/jpeg")
        created = ObjectCreated("uploads", image.image_key, 1234, "etag")
        new = self.gallery.images.receive(created, None)
        assert new is not None
        assert new.owner_id == who
        return new

    def browser(self, app: Application, name: str | None) -> Browser:
        """A client that is signed in as somebody, or as nobody."""
        found = Browser(app)
        if name:
            found.cookies["gallery_session"] = self.accounts.start_session(self.people[name], HOME)
        return found

    def program(self, app: Application, name: str, *scopes: str) -> Program:
        """A client that sends a key of somebody's."""
        found = Program(app)
        if (name, scopes) not in self._keys:
            self._keys[name, scopes] = self.accounts.create_key(self.people[name], "tests", scopes)
        found.key = self._keys[name, scopes]
        return found


class Browser(Client):
    """Says where its changes come from, as browsers do."""

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        given = headers or {}
        return super().request(method, path, body, given if method in ("GET", "HEAD") else ORIGIN | given)

    def submit(self, page: str, path: str, **fields: str) -> Answer:
        """The form of a page, sent."""
        return self.post(path, {"token": self.get(page).token, **fields})


class Program(Client):
    """Sends a key with every request."""

    key = ""

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self.key}"} | (headers or {})
        return super().request(method, path, body, sent)


def site(folder: Path) -> Site:
    """Return an application with all kinds of accounts."""
    found = empty_site(folder)
    for name, role in (("boss", Role.ADMINISTRATOR), ("owner", Role.PERSON), ("other", Role.PERSON)):
        found.people[name] = found.accounts.add(name, PASSWORD, role)
    return found


def empty_site(folder: Path) -> Site:
    """Return an application without accounts."""
    gallery = fake_gallery(folder, max_bytes=20 * 2**20)
    database = gallery.images.database
    return Site(database, gallery, Accounts(AccountRepository(database), hasher()))
