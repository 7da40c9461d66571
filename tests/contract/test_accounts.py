"""Accounts on both databases: sessions, keys, the first administrator, throttles, owners, deletion."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgcore.accounts.models import Account, Role, Scope
from imgcore.db import migrations
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.statements import sql
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import Image, NewImage, Viewer
from tests.contract.images import FACTS, THUMBNAIL, arrived, claim, event, renditions, stored
from tests.support.repositories import Repositories

MONTH = 30 * 86_400.0


def add(store: AccountRepository, name: str = "ada", role: Role = Role.PERSON) -> Account:
    """An account whose password's hash is ``hash``."""
    return store.add(new_public_id(), name, role, "hash")


def start(store: AccountRepository, account: Account, token: str, seconds: float = 60.0) -> None:
    """A session of that token."""
    where = {"address": "192.0.2.1", "agent": "Mozilla/5.0 (ÄÖÜ)"}
    store.start_session(account.id, new_public_id(), token, **where, seconds=seconds)


def upload(repositories: Repositories, owner: Account | None, name: str = "cat.jpg") -> Image:
    """An image of theirs that has been received."""
    id_ = new_public_id()
    owner_id = owner.id if owner else None
    row = NewImage(id_, f"raw/{id_}.jpg", name, "image/jpeg", 1234, 3600.0, owner_id)
    repositories.images.add(row)
    return repositories.images.receive(event(row), row)


def test_an_account_is_read_as_it_was_made(store: AccountRepository) -> None:
    """The account is found by id and by name, with its password hash."""
    made = add(store, "ada", Role.ADMINISTRATOR)
    assert (made, (made, "hash")) == (store.find(made.public_id), store.named("ada"))
    assert (None, None) == (store.find("nobody"), store.named("nobody"))


def test_a_token_is_void_once_somebody_is_administrator(store: AccountRepository) -> None:
    """Made from a shell, after the gallery had printed it."""
    store.offer_set_up("token", 60.0)
    add(store, "boss", Role.ADMINISTRATOR)
    assert store.set_up("token", new_public_id(), "eve", "hash") is None
    assert store.named("eve") is None


def test_a_name_belongs_to_one(store: AccountRepository) -> None:
    """The second is a conflict."""
    add(store)
    with pytest.raises(Conflict) as caught:
        add(store)
    assert "name_taken" == caught.value.code


def test_everybody_is_listed_with_their_images(store: AccountRepository, repositories: Repositories) -> None:
    """Accounts are sorted by name; the trash is not counted."""
    zoe, ada = add(store, "zoe"), add(store, "ada")
    upload(repositories, zoe)
    repositories.images.delete(upload(repositories, zoe).public_id)
    listed = list(store.all())
    assert [(ada, 0), ("bystander", 0), (zoe, 1)] == [listed[0], (listed[1][0].name, listed[1][1]), listed[2]]


def test_a_session_is_found_by_its_token_until_it_ends(store: AccountRepository, database: Database) -> None:
    """A session ends by time or by request."""
    ada = add(store)
    start(store, ada, "good")
    start(store, ada, "short", seconds=-1.0)
    started = "UPDATE sessions SET created_at = {ago:age} WHERE token = 'good'"
    database.run(lambda tx: tx.execute(started, age=120_000_000))
    found = store.session("good", seconds=60, longest=3600)
    assert found is not None
    assert (ada, "192.0.2.1", "Mozilla/5.0 (ÄÖÜ)") == (found[0], found[1].address, found[1].agent)
    assert [None, None] == [store.session(token, seconds=60, longest=3600) for token in ("short", "none")]
    assert store.session("good", seconds=60, longest=60) is None
    store.end_token("good")
    assert store.session("good", seconds=60, longest=3600) is None


def test_a_session_that_is_used_goes_on(store: AccountRepository, database: Database) -> None:
    """The use of a session is stored once a minute, and postpones its end."""
    ada = add(store)
    start(store, ada, "t", seconds=3600)
    back = "UPDATE sessions SET seen_at = {ago:seen}, expires_at = {later:left} WHERE token = 't'"
    database.run(lambda tx: tx.execute(back, seen=120_000_000, left=60_000_000))
    before, end = store.sessions(ada.id)[0].seen_at, session_end(database)
    assert store.session("t", seconds=3600, longest=86_400) is not None
    found = store.session("t", seconds=3600, longest=86_400)
    assert found is not None
    assert found[1].seen_at > before
    assert session_end(database) > end


def session_end(database: Database) -> Any:
    """Return the end of the session of token ``t``, as the database stores it."""
    row = database.read(lambda tx: tx.row("SELECT expires_at FROM sessions WHERE token = 't'"))
    assert row is not None
    return row["expires_at"]


def test_one_ends_only_ones_own_sessions(store: AccountRepository) -> None:
    """One, or all of them."""
    ada, zoe = add(store, "ada"), add(store, "zoe")
    for number in range(3):
        start(store, ada, f"ada {number}")
    start(store, zoe, "zoe")
    [hers] = store.sessions(zoe.id)
    assert not store.end_session(ada.id, hers.public_id)
    assert store.end_session(ada.id, store.sessions(ada.id)[0].public_id)
    assert (2, 0, 1) == (store.end_sessions(ada.id), len(store.sessions(ada.id)), len(store.sessions(zoe.id)))


def test_a_new_password_ends_sessions_a_new_hash_does_not(store: AccountRepository) -> None:
    """The first is a person's wish, the second ours."""
    ada = add(store)
    start(store, ada, "t")
    add_key(store, ada, "k")
    store.rehash_password(ada.id, "rehashed")
    assert ((1, 1), (ada, "rehashed")) == (credentials(store, ada), store.named("ada"))
    store.set_password(ada.id, "new")
    found = store.named("ada")
    assert found is not None
    assert ((0, 0), "new", True) == (
        credentials(store, ada),
        found[1],
        found[0].password_at >= ada.password_at,
    )


def add_key(store: AccountRepository, account: Account, token: str, seconds: float = 60.0) -> None:
    """A key with all scopes."""
    scopes = frozenset(Scope)
    store.add_key(account.id, new_public_id(), token, label="x", scopes=scopes, hint="h", seconds=seconds)


def credentials(store: AccountRepository, account: Account) -> tuple[int, int]:
    """The numbers of sessions and API keys."""
    return len(store.sessions(account.id)), len(store.keys(account.id))


@pytest.mark.parametrize(
    ("revoke", "left"),
    [
        (lambda store, account: store.set_password(account.id, "new"), (0, 0)),
        (lambda store, account: store.set_password(account.id, "new", keep_keys=True), (0, 2)),
        (lambda store, account: store.end_sessions(account.id), (0, 0)),
        (lambda store, account: store.end_sessions(account.id, keep_keys=True), (0, 2)),
        (lambda store, account: store.set_role(account.id, Role.PERSON), (0, 0)),
        (lambda store, account: store.set_role(account.id, Role.ADMINISTRATOR), (2, 2)),
    ],
)
def test_revocation_ends_the_credentials_of_one_account(
    store: AccountRepository, revoke: Any, left: tuple[int, int]
) -> None:
    """A demotion revokes, a role that does not change does not; another administrator keeps everything."""
    both = add(store, "ada", Role.ADMINISTRATOR), add(store, "zoe", Role.ADMINISTRATOR)
    for account in both:
        for number in range(2):
            start(store, account, f"{account.name} {number}")
            add_key(store, account, f"{account.name} key {number}")
    revoke(store, both[0])
    assert (left, (2, 2)) == tuple(credentials(store, account) for account in both)


@pytest.mark.parametrize("promote", [True, False])
def test_an_administrator_from_elsewhere_deletes_the_set_up_tokens(
    store: AccountRepository, database: Database, promote: bool
) -> None:
    """The gallery printed them before an account was created, or promoted, from a shell."""
    ada = add(store, "ada")
    store.offer_set_up("token", 60.0)
    if promote:
        store.set_role(ada.id, Role.ADMINISTRATOR)
    else:
        add(store, "zoe", Role.ADMINISTRATOR)
    assert [] == database.read(lambda tx: tx.rows("SELECT * FROM set_up_tokens"))


def test_a_person_leaves_the_set_up_token_valid(store: AccountRepository) -> None:
    store.offer_set_up("token", 60.0)
    ada = add(store, "ada")
    store.set_role(ada.id, Role.PERSON)
    assert store.has_set_up_token("token")


def test_a_key_is_found_by_its_token_and_notes_its_use(store: AccountRepository) -> None:
    """A key works until it is removed, which only its owner may do."""
    ada, zoe = add(store, "ada"), add(store, "zoe")
    scopes = frozenset({Scope.EDIT, Scope.READ})
    store.add_key(
        ada.id, new_public_id(), "t", label="Skript – größer", scopes=scopes, hint="gallery_abcd", seconds=60
    )
    [kept] = store.keys(ada.id)
    assert ("Skript – größer", scopes, "gallery_abcd", None) == (
        kept.label,
        kept.scopes,
        kept.hint,
        kept.used_at,
    )
    assert (ada, kept) == store.key("t", "192.0.2.7")
    [used] = store.keys(ada.id)
    assert (True, "192.0.2.7", False) == (used.used_at is not None, used.used_address, used.expired)
    assert store.key("t", "192.0.2.8") is not None
    assert "192.0.2.7" == store.keys(ada.id)[0].used_address  # it is noted once a minute
    assert not store.remove_key(zoe.id, kept.public_id)
    assert store.remove_key(ada.id, kept.public_id)
    assert store.key("t", "") is None


def test_a_key_ends_and_stays_listed(store: AccountRepository, database: Database) -> None:
    """A key of the previous release, which stores no end, is valid for 90 days."""
    ada = add(store)
    add_key(store, ada, "over", seconds=-1.0)
    add_key(store, ada, "good")
    age = "UPDATE api_keys SET expires_at = NULL, created_at = {ago:age} WHERE token = :token"
    for token, days in (("old", 91), ("older release", 89)):
        add_key(store, ada, token)
        database.run(lambda tx, d=days, t=token: tx.execute(age, age=d * 86_400_000_000, token=t))
    tokens = ("over", "good", "old", "older release")
    assert [False, True, False, True] == [store.key(token, "") is not None for token in tokens]
    assert [False, True, False, True] == [key.expired for key in store.keys(ada.id)]


def test_device_is_known_to_one_account_until_it_is_replaced_or_old(
    store: AccountRepository, database: Database
) -> None:
    """A browser that two people use has a token for each."""
    ada, zoe = add(store, "ada"), add(store, "zoe")

    def known() -> list[tuple[bool, bool]]:
        return [tuple(store.knows_device(name, token) for token in ("one", "two")) for name in ("ada", "zoe")]

    store.remember_device(ada.id, "one", None, 60.0)
    store.remember_device(zoe.id, "one", None, 60.0)
    assert [(True, False), (True, False)] == known()
    store.remember_device(ada.id, "two", "one", 60.0)
    assert [(False, True), (True, False)] == known()
    store.set_password(zoe.id, "new")
    assert [(False, True), (False, False)] == known()
    old = "UPDATE devices SET seen_at = {ago:age} WHERE token = 'two'"
    database.run(lambda tx: tx.execute(old, age=61_000_000))
    store.remember_device(zoe.id, "one", None, 60.0)
    assert [(False, False), (True, False)] == known()


def test_there_is_an_end_to_keys(store: AccountRepository) -> None:
    """A hundred."""
    ada = add(store)

    def make(number: int) -> None:
        add_key(store, ada, f"t{number}")

    for number in range(100):
        make(number)
    with pytest.raises(Conflict):
        make(100)


def test_one_administrator_remains(store: AccountRepository) -> None:
    """The second may go, the last may not."""
    first, second = add(store, "ada", Role.ADMINISTRATOR), add(store, "zoe", Role.ADMINISTRATOR)
    store.set_role(second.id, Role.PERSON)
    with pytest.raises(Conflict, match="only administrator"):
        store.set_role(first.id, Role.PERSON)
    with pytest.raises(Conflict, match="only administrator"):
        store.delete(first.id, in_trash_for=0)
    store.set_role(second.id, Role.ADMINISTRATOR)
    store.delete(first.id, in_trash_for=0)
    assert store.has_administrator()


def test_two_administrators_who_leave_at_once_do_not_both_leave(store: AccountRepository) -> None:
    """The second of two is the last administrator."""
    both = [add(store, name, Role.ADMINISTRATOR) for name in ("ada", "zoe")]
    refused = together([lambda one=one: store.set_role(one.id, Role.PERSON) for one in both])
    assert 1 == sum(isinstance(error, Conflict) for error in refused)
    assert store.has_administrator()


def test_the_first_administrator_is_made_once(store: AccountRepository) -> None:
    """One of several tokens wins at the same moment; all are void then. The bystander is a person."""
    for token in ("a", "b", "c"):
        store.offer_set_up(token, 60.0)
    store.offer_set_up("over", -1.0)
    made: list[Account | None] = []
    together([lambda t=t: made.append(store.set_up(t, new_public_id(), f"x{t}", "hash")) for t in "abc"])
    assert (1, 2, 1) == (sum(one is not None for one in made), made.count(None), len(store.all()) - 1)
    assert store.set_up("over", new_public_id(), "late", "hash") is None


def test_tokens_of_the_set_up_end(store: AccountRepository) -> None:
    """A token expires, and an unknown token is rejected."""
    store.offer_set_up("short", -1.0)
    assert [None, None] == [store.set_up(t, new_public_id(), "ada", "hash") for t in ("short", "none")]


def test_a_deleted_account_takes_everything_along(store: AccountRepository, repositories: Repositories) -> None:
    """Sessions, keys; and images, as if they had been in the trash for that long."""
    ada, zoe = add(store, "ada"), add(store, "zoe")
    start(store, ada, "t")
    add_key(store, ada, "k")
    mine, other = upload(repositories, ada), upload(repositories, zoe)
    assert 1 == store.delete(ada.id, in_trash_for=MONTH)
    assert [None, None, None] == [
        store.session("t", seconds=60, longest=60),
        store.key("k", ""),
        store.find(ada.public_id),
    ]
    assert [mine.public_id] == [
        one.public_id for one in repositories.sweep.expired_trash(older_than=MONTH, limit=9)
    ]
    assert other == repositories.images.get(other.public_id)
    assert 0 == store.delete(ada.id, in_trash_for=MONTH)


def test_nothing_is_uploaded_to_an_account_that_is_gone(
    store: AccountRepository, repositories: Repositories
) -> None:
    """A deleted account gets no session and no key: nothing would remove them later."""
    ada = add(store)
    store.delete(ada.id, in_trash_for=MONTH)
    with pytest.raises(NotFound):
        upload(repositories, ada)
    with pytest.raises(NotFound):
        start(store, ada, "t")
    with pytest.raises(NotFound):
        add_key(store, ada, "k")


def test_tries_are_free_then_they_are_waited_for(store: AccountRepository) -> None:
    """What is refused is not counted; another name is not concerned."""
    waits = [store.hit([("ada", 3, 900.0)]) for _ in range(5)]
    assert [0, 0, 0] == waits[:3]
    assert all(10 < wait <= 15 for wait in waits[3:])
    assert 0 == store.hit([("zoe", 3, 900.0)])


def test_all_or_none_is_counted(store: AccountRepository) -> None:
    """A blocked address does not use up the tries of a name."""
    store.hit([("address", 1, 900.0)])
    for _ in range(3):
        assert store.hit([("name", 2, 900.0), ("address", 1, 900.0)]) > 0
    assert 0 == store.hit([("name", 2, 900.0)])


def test_the_wait_doubles_up_to_the_longest(store: AccountRepository, database: Database) -> None:
    """15, 30, 60, … seconds."""
    waits = []
    for _ in range(5):
        store.hit([("ada", 1, 100.0)])
        waits.append(round(store.hit([("ada", 1, 100.0)])))
        database.run(
            lambda tx: tx.execute("UPDATE throttles SET blocked_until = {now} WHERE name NOT LIKE 'bystander%'")
        )
    assert [15, 30, 60, 100, 100] == waits


def test_success_forgets_the_name_and_pays_the_address_back(store: AccountRepository) -> None:
    """A household with many sign-ins is not treated as an attack."""
    for _ in range(10):
        assert 0 == store.hit([("name", 2, 900.0), ("address", 2, 900.0)])
        store.reset(["name"], ["address"])


def test_an_hour_without_a_try_forgets_them(store: AccountRepository, database: Database) -> None:
    """A waiting entry is kept."""
    for _ in range(2):
        store.hit([("ada", 2, 900.0)])
    long_ago = "UPDATE throttles SET updated_at = {ago:age}{more} WHERE name NOT LIKE 'bystander%'"
    database.run(lambda tx: tx.execute(sql(long_ago, more=""), age=3_700_000_000))
    assert store.hit([("ada", 2, 900.0)]) > 0
    database.run(lambda tx: tx.execute(sql(long_ago, more=", blocked_until = NULL"), age=3_700_000_000))
    assert [0, 0] == [store.hit([("ada", 2, 900.0)]) for _ in range(2)]


def test_many_tries_at_once_are_all_counted(store: AccountRepository) -> None:
    """Eight threads: not one more than the free ones passes."""
    waits: list[float] = []
    together([lambda: waits.append(store.hit([("ada", 3, 900.0), ("here", 99, 900.0)]))] * 8)
    assert (3, 8) == (waits.count(0), len(waits))


def together(works: list[object]) -> list[BaseException]:
    """Each in a thread of its own, all at once; what they raised."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: object) -> None:
        barrier.wait()
        try:
            work()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001 - the test says which it wants
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


# Images and their owners


def test_an_image_knows_its_owner_and_its_batch(store: AccountRepository, repositories: Repositories) -> None:
    ada = add(store)
    id_ = new_public_id()
    batch = "7f0c3c2e-5a52-4f39-9d53-9f3d0b5a6f10"
    image = repositories.images.add(NewImage(id_, f"raw/{id_}.jpg", "cat", None, None, 60.0, ada.id, batch))
    assert (ada.id, "ada", batch) == (image.owner_id, image.owner, image.batch_id)
    assert image == repositories.images.get(id_)


def test_a_page_shows_what_its_viewer_sees(store: AccountRepository, repositories: Repositories) -> None:
    """One's own; with what others have uploaded; everything; and, for nobody, what has arrived."""
    ada, zoe = add(store, "ada"), add(store, "zoe")
    upload(repositories, ada, "ada.jpg")
    upload(repositories, zoe, "zoe.jpg")
    upload(repositories, None, "nobody.jpg")
    id_ = new_public_id()
    repositories.images.add(NewImage(id_, f"raw/{id_}.jpg", "awaited.jpg", None, None, 60.0, zoe.id))

    def names(viewer: Viewer, query: str | None = None) -> list[str]:
        page = repositories.pages.page(cursor=None, limit=10, query=query, viewer=viewer)
        return [image.name for image in page.images]

    private = {"sees_others": False, "changes_others": False}
    assert ["ada.jpg"] == names(Viewer(ada.id, **private))
    assert ["awaited.jpg", "zoe.jpg"] == names(Viewer(zoe.id, **private))
    assert ["nobody.jpg", "zoe.jpg", "ada.jpg"] == names(Viewer(ada.id, changes_others=False))
    assert ["nobody.jpg", "zoe.jpg", "ada.jpg"] == names(Viewer(None, changes_others=False))
    assert [] == names(Viewer(None, **private))
    assert ["awaited.jpg", "nobody.jpg", "zoe.jpg", "ada.jpg"] == names(Viewer(ada.id))
    assert [] == names(Viewer(ada.id, **private), "zoe")


def test_ones_own_pages_follow_one_another(store: AccountRepository, repositories: Repositories) -> None:
    """The cursor skips the images of others."""
    ada, zoe = add(store, "ada"), add(store, "zoe")
    mine = [upload(repositories, who).public_id for who in (ada, zoe) * 5][::2]
    viewer = Viewer(ada.id, sees_others=False, changes_others=False)
    first = repositories.pages.page(cursor=None, limit=3, query=None, viewer=viewer)
    second = repositories.pages.page(cursor=first.next, limit=3, query=None, viewer=viewer)
    assert mine[::-1] == [image.public_id for image in (*first.images, *second.images)]
    assert second.next is None


def test_where_it_was_taken_is_stored_if_it_was_read(repositories: Repositories) -> None:
    """The location is None otherwise."""
    found = []
    for location in ((48.1371, -11.5754), None):
        image = arrived(repositories)
        facts = replace(FACTS, location=location)
        assert repositories.tasks.finish_thumbnail(
            claim(repositories, image, THUMBNAIL), facts, renditions(image)
        )
        now = stored(repositories, image)
        found.append((now.latitude, now.longitude))
    assert [(48.1371, -11.5754), (None, None)] == found


# Upgrading

BEFORE = (  # as the release before accounts writes a row, which it may still do while this one is rolled out
    "INSERT INTO images (public_id, image_key, name, media_type, size, upload_status, uploaded_at,"
    " upload_expires_at, search_text, listed_id)"
    " SELECT :public_id, :key, 'old.jpg', NULL, NULL, 'received', {now}, {now}, 'old', COALESCE(MAX(id), 0) + 1"
    " FROM images"  # not by an UPDATE, to which this release would add the version that its table has not yet
)


def before(tx: Transaction, number: int) -> None:
    """A row of that release."""
    id_ = tx.insert(BEFORE, public_id=f"{number:032x}", key=f"raw/{number}.jpg")
    for kind in ("thumbnail", "caption"):
        tx.execute(
            "INSERT INTO tasks (image_id, kind, status) VALUES (:id, :kind, 'pending')", id=id_, kind=kind
        )


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_a_database_of_before_keeps_its_images(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are nobody's: an administrator sees them, and in open mode everybody; a person does not."""
    url = f"sqlite:///{tmp_path}/old.db" if kind == "sqlite" else request.getfixturevalue("mariadb_url")
    database = open_database(url)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_STEPS", migrations._STEPS[:1])
        migrations.migrate(database)
    database.run(lambda tx: before(tx, 1))
    assert "m002_accounts" in migrations.migrate(database)
    database.run(lambda tx: before(tx, 2))

    seen = [
        len(Repositories(database).pages.page(cursor=None, limit=9, query=None, viewer=viewer).images)
        for viewer in (Viewer(), Viewer(7), Viewer(7, sees_others=False, changes_others=False))
    ]
    database.close()
    assert [2, 2, 0] == seen


def test_attempt_that_has_to_wait_only_reads(store: AccountRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of them locks no rows, whichever of the names has to wait."""
    tries = [("short", 1, 15.0), ("long", 1, 15.0), ("free", 99, 15.0)]
    assert 0 == store.hit(tries[:1]) == store.hit(tries[1:])
    monkeypatch.setattr(Database, "run", lambda *_: pytest.fail("A transaction that writes was begun."))
    assert 0 < store.hit(tries) <= 15.0
    assert 0 < store.hit([tries[2], tries[0]]) <= 15.0
