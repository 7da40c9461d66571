"""A database of release 0.1.0 (commit 346cd09) is migrated and keeps every row."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from imgcore.accounts.models import Account, Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate, pending
from imgcore.db.subscriptions import SubscriptionRepository
from imgcore.gallery.models import Image, Safety, Source
from tests.mariadb import MariaDb
from tests.support.repositories import Repositories

DATA = Path(__file__).parent / "data"
LONG = 100 * 365 * 86_400.0  # seconds
STATES = {
    "done.jpg": ("received", "done", "done"),
    "edited.jpg": ("received", "done", "done"),
    "nobody.jpg": ("received", "done", "done"),
    "pending.jpg": ("received", "pending", "pending"),
    "processing.jpg": ("received", "done", "processing"),
    "retry.jpg": ("received", "done", "retry"),
    "failed.jpg": ("received", "done", "failed"),
    "blocked.jpg": ("received", "done", "blocked"),
    "rejected.jpg": ("rejected", "skipped", "skipped"),
    "awaiting.jpg": ("awaiting", "pending", "pending"),
    "expired.jpg": ("expired", "pending", "pending"),
    "deleted.jpg": ("received", "done", "done"),
}


@pytest.fixture(params=["sqlite", "mariadb"])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of 0.1.0 after the migration."""
    if request.param == "sqlite":
        shutil.copy(DATA / "release-0.1.0.db", tmp_path / "gallery.db")
        url = f"sqlite:///{tmp_path}/gallery.db"
    else:
        url = request.getfixturevalue("mariadb_url")
        server: MariaDb = request.getfixturevalue("mariadb_server")
        statements = (DATA / "release-0.1.0.sql").read_text().removesuffix(";\n").split(";\n")
        server.sql(*statements, database=urlsplit(url).path[1:])
    database = open_database(url)
    assert "m004_drop_outbox" == pending(database)[0]
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def repositories(upgraded: Database) -> Repositories:
    """Today's repositories over it."""
    return Repositories(upgraded)


@pytest.fixture
def images(repositories: Repositories) -> dict[str, Image]:
    """All of its images by name."""
    found = repositories.images.get_many([f"{number:032x}" for number in range(1, len(STATES) + 1)])
    return {image.name: image for image in found}


@pytest.fixture
def ben(upgraded: Database) -> Account:
    """One of its accounts."""
    found = AccountRepository(upgraded).named("ben")
    assert found is not None
    assert "made-up hash of ben" == found[1]
    return found[0]


def test_upgrade_keeps_every_image_and_task(images: dict[str, Image]) -> None:
    states = {
        name: (image.upload_status.value, *(task.status.value for task in image.tasks))
        for name, image in images.items()
    }

    assert states == STATES
    assert [False, True] == [images[name].deleted_at is not None for name in ("done.jpg", "deleted.jpg")]
    assert ("rate_limited", 0) == (images["retry.jpg"].tasks[1].error, images["retry.jpg"].tasks[1].attempts)
    assert "No caption." == images["failed.jpg"].tasks[1].message


def test_upgraded_images_may_have_a_source_of_today(upgraded: Database) -> None:
    """Release 0.1.0 allowed four."""
    upgraded.run(lambda tx: tx.execute("UPDATE images SET source = 'openai' WHERE source = 'gemini'"))
    sources = upgraded.read(lambda tx: tx.rows("SELECT DISTINCT source FROM images WHERE source IS NOT NULL"))

    assert "openai" in {row["source"] for row in sources}


def test_upgrade_keeps_words_and_facts(images: dict[str, Image]) -> None:
    done, edited, nobody = (images[name] for name in ("done.jpg", "edited.jpg", "nobody.jpg"))

    assert ("A ginger cat on a wall.", "Ginger cat.", ("cat", "wall")) == (
        done.caption,
        done.alt_text,
        done.tags,
    )
    assert (Source.GEMINI, "CAFÉ", Safety.OK) == (done.source, done.visible_text, done.safety)
    assert ("gemini-3.5-flash-lite", "1", 1100, 90, 0.0006) == (
        done.model,
        done.prompt_version,
        done.input_tokens,
        done.output_tokens,
        done.price_usd,
    )
    assert (4032, 3024, "JPEG", "Contoso Phone 7") == (done.width, done.height, done.format, done.camera)
    assert f"thumbnails/{done.public_id}/200.webp" == done.thumbnail_key
    assert ("Émile’s cat 🐈", Source.HUMAN, ("émile",)) == (edited.caption, edited.source, edited.tags)
    assert ("ben", "ada", None) == (done.owner, edited.owner, nobody.owner)


def test_upgrade_keeps_the_gallery_and_its_search(repositories: Repositories) -> None:
    page = repositories.pages.page(cursor=None, limit=50, query=None)
    found = repositories.pages.page(cursor=None, limit=50, query="emile")

    shown = [name for name in reversed(STATES) if name not in ("awaiting.jpg", "expired.jpg", "deleted.jpg")]
    assert shown == [image.name for image in page.images]
    assert ["edited.jpg"] == [image.name for image in found.images]


def test_upgrade_keeps_accounts_sessions_and_keys(upgraded: Database, ben: Account) -> None:
    accounts = AccountRepository(upgraded)
    session = accounts.session("d" * 64, seconds=LONG, longest=LONG)
    key = accounts.key("f" * 64, "192.0.2.7")

    assert [("ada", Role.ADMINISTRATOR, 1), ("ben", Role.PERSON, 8)] == [
        (account.name, account.role, count) for account, count in accounts.all()
    ]
    assert session is not None
    assert ("ada", "192.0.2.1") == (session[0].name, session[1].address)
    assert key is not None
    assert (ben.id, "script", "wxyz") == (key[0].id, key[1].label, key[1].hint)
    assert 89 <= (key[1].expires_at - datetime.now(UTC)).days <= 90
    assert accounts.has_set_up_token("set-up-token")


def test_upgrade_keeps_everything_else(upgraded: Database, repositories: Repositories, ben: Account) -> None:
    address = SubscriptionRepository(upgraded).current(ben.id)
    throttles = upgraded.read(lambda tx: tx.rows("SELECT name, tries FROM throttles"))

    assert address is not None
    assert "ben@example.org" == address.address
    assert [{"name": "throttle-name", "tries": 1}] == throttles
    assert "key_refused" == repositories.breakers.state("gemini").reason
    assert repositories.breakers.state("other").reason is None
    assert ["1 photograph is ready"] == [
        each.subject for each in repositories.notifications.delivered(ben.id, 5)
    ]


def test_upgraded_tasks_go_on(repositories: Repositories, images: dict[str, Image]) -> None:
    """Leases and retries of 0.1.0 are over by now, and what it left in the trash is found."""
    due = repositories.sweep.due_tasks(within=0, lost_after=0, again_after=60, limit=50)
    trash = repositories.sweep.expired_trash(older_than=0, again_after=0.0, limit=50)
    names = {image.public_id: name for name, image in images.items()}

    assert {"pending.jpg", "processing.jpg", "retry.jpg"} == {names[task.public_id] for task in due}
    assert ["deleted.jpg", "expired.jpg"] == [image.name for image in trash]
    for name in ("pending.jpg", "processing.jpg", "retry.jpg"):
        image = images[name]
        kind = image.tasks[1].kind
        assert repositories.tasks.claim(image.image_key, kind, lease=60, max_attempts=5) is not None
