"""Changes of all rows of an account, a trash or a webhook are short transactions, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from imgcore.accounts.models import Account, Role
from imgcore.accounts.passwords import Argon2Hasher
from imgcore.collections.albums import Albums
from imgcore.collections.share_models import NewShare
from imgcore.collections.shares import Shares
from imgcore.db import slices
from imgcore.db.connection import Database, Transaction
from imgcore.db.login_throttle import LoginThrottle
from imgcore.db.webhooks import WebhookRepository
from imgcore.errors import Conflict, Unavailable
from imgcore.gallery.models import TRASH_SECONDS, Image, Viewer
from imgcore.webhooks.models import WebhookEvent
from tests.contract.account_tools import add, credentials, start, together, upload
from tests.support.repositories import Repositories

PHOTOS, SLICE = 7, 2
# Whose rows a statement may change, also by its foreign keys
TABLES = ("images", "albums", "album_images", "shares", "share_images", "webhooks", "webhook_deliveries")
DELIVERIES = (
    "INSERT INTO webhook_deliveries (public_id, webhook_id, event, image_id, status, attempts, created_at)"
    " SELECT public_id, :webhook, 'photo.described', id, 'delivered', 1, {ago:age} FROM images"
    " WHERE owner_id = :owner"
)

Work = Callable[[], int | None]


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", SLICE)


@pytest.fixture
def photos(repositories: Repositories, ada: Account) -> list[Image]:
    return [upload(repositories, ada) for _ in range(PHOTOS)]


@pytest.fixture
def webhook(database: Database, ada: Account, photos: list[Image]) -> int:
    """A webhook that had a delivery of each photo two months ago."""
    events = [WebhookEvent.PHOTO_DESCRIBED]
    webhook = WebhookRepository(database).create(ada.id, "https://example.org/", events, "made-up").id
    values = {"webhook": webhook, "owner": ada.id, "age": 2 * 30 * 86_400 * 10**6}
    database.run(lambda tx: tx.execute(DELIVERIES, **values))
    return webhook


@pytest.fixture
def collections(database: Database, repositories: Repositories, ada: Account, photos: list[Image]) -> None:
    """Three albums and three links of two photos each."""
    viewer = Viewer(ada.id, sees_others=False, changes_others=False)
    albums = Albums(repositories.albums, repositories.images, viewer)
    attempts = LoginThrottle(database)
    shares = Shares(repositories.shares, albums, repositories.images, attempts, Argon2Hasher, viewer)
    ids = tuple(image.public_id for image in photos[:2])
    for _ in range(3):
        albums.add(albums.create("Album").public_id, ids)
        shares.create(NewShare(ids=ids))


@pytest.fixture(params=["restore", "empty", "account", "webhook", "old deliveries"])
def work(
    request: pytest.FixtureRequest,
    repositories: Repositories,
    database: Database,
    ada: Account,
    photos: list[Image],
    webhook: int,
    collections: None,
) -> Work:
    """Return what changes all that the account has of something; it may be called again and again."""
    viewer = Viewer(ada.id, sees_others=False, changes_others=False)
    if request.param in ("restore", "empty"):
        for image in photos:
            repositories.images.delete(image.public_id)
    works: dict[str, Work] = {
        "restore": lambda: repositories.trash.restore_all(viewer),
        "empty": lambda: repositories.trash.delete_all(viewer),
        "account": lambda: repositories.accounts.delete(ada.id, in_trash_for=TRASH_SECONDS),
        "webhook": lambda: WebhookRepository(database).delete(webhook),
        "old deliveries": lambda: WebhookRepository(database).delete_old(older_than=86_400.0),
    }
    return works[request.param]


@contextmanager
def changes(monkeypatch: pytest.MonkeyPatch, fail_at: int = 0) -> Iterator[list[int]]:
    """Yield the rows that each transaction changes, with those of the foreign keys.

    fail_at: the number of the transaction in which the database fails, from 1 on; 0 for none.
    """
    found: list[int] = []
    execute, run = Transaction.execute, Database.run

    def rows(tx: Transaction) -> dict[str, int]:
        return {table: tx.rows(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"] for table in TABLES}

    def counted(tx: Transaction, sql: str, /, **values: object) -> int:
        before = rows(tx)
        changed = execute(tx, sql, **values)
        after = rows(tx)
        found[-1] += max(changed, *(before[table] - after[table] for table in TABLES))
        return changed

    def begun(database: Database, work: Callable[[Transaction], object]) -> object:
        found.append(0)
        if fail_at == len(found):
            raise Unavailable("The database took too long over this.")
        return run(database, work)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "execute", counted)
        patch.setattr(Database, "run", begun)
        yield found


def test_no_transaction_changes_more_than_a_slice(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    with changes(monkeypatch) as found:
        done = work()
    assert done in (PHOTOS, None)
    assert found
    # An album and a link count with their two photos, and an account's row
    assert max(found) <= SLICE + 1, found


def test_work_that_failed_goes_on_where_it_ended(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    with changes(monkeypatch, fail_at=3) as before, pytest.raises(Unavailable):
        work()
    with changes(monkeypatch) as after:
        work()
    with changes(monkeypatch) as ended:
        assert work() in (0, None)
    assert (True, True, 0) == (sum(before) > 0, sum(after) > 0, sum(ended))


def test_account_that_is_half_deleted_has_no_sessions_and_rules_nobody(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = repositories.accounts
    ada, _ = add(store, "ada2", Role.ADMINISTRATOR), add(store, "zoe2", Role.ADMINISTRATOR)
    start(store, ada, "t")
    upload(repositories, ada)
    begun: list[Role] = []
    with changes(monkeypatch, fail_at=2), pytest.raises(Unavailable):
        store.delete(
            ada.id,
            in_trash_for=TRASH_SECONDS,
            begun=lambda: begun.extend(each.role for each, _ in store.all() if each.id == ada.id),
        )
    assert [Role.PERSON] == begun
    found = store.find(ada.public_id)
    assert found is not None
    assert ((0, 0), Role.PERSON) == (credentials(store, ada), found.role)
    assert 1 == store.delete(ada.id, in_trash_for=TRASH_SECONDS)


def test_administrators_who_delete_one_another_at_once_do_not_both_lose_photos(
    repositories: Repositories,
) -> None:
    store = repositories.accounts
    both = [add(store, name, Role.ADMINISTRATOR) for name in ("ada2", "zoe2")]
    images = [upload(repositories, account) for account in both]
    works: list[object] = [lambda one=one: store.delete(one.id, in_trash_for=TRASH_SECONDS) for one in both]
    assert [Conflict] == [type(error) for error in together(works)]
    kept = [image.id for image in repositories.images.get_many([image.public_id for image in images])
            if image.deleted_at is None]  # fmt: skip
    assert [image.id for image, one in zip(images, both, strict=True) if store.find(one.public_id)] == kept


def test_photos_that_are_uploaded_while_an_account_is_deleted_go_with_it(
    repositories: Repositories, ada: Account, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, late = Database.run, list[Image]()

    def begun(database: Database, work: Callable[[Transaction], object]) -> object:
        done = run(database, work)
        if done == SLICE and not late:  # the first photos are in the trash
            with monkeypatch.context() as patch:
                patch.setattr(Database, "run", run)
                late.append(upload(repositories, ada))
        return done

    monkeypatch.setattr(Database, "run", begun)
    assert PHOTOS + 1 == repositories.accounts.delete(ada.id, in_trash_for=TRASH_SECONDS)
    kept = repositories.images.get(late[0].public_id)
    assert kept is not None
    assert kept.deleted_at is not None
