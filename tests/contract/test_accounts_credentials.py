"""Sessions, API keys and known devices of accounts, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from imgcore.accounts.models import Role, Scope
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.errors import Conflict
from imgcore.gallery.keys import new_public_id
from tests.contract.account_tools import add, add_key, credentials, start


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
    store.rehash_password(ada.id, "another hash", "stale")
    store.rehash_password(ada.id, "hash", "rehashed")
    assert ((1, 1), (ada, "rehashed")) == (credentials(store, ada), store.named("ada"))
    changed = store.set_password(ada.id, "new")
    assert ((0, 0), (changed, "new")) == (credentials(store, ada), store.named("ada"))


def test_each_password_of_an_account_has_a_later_time(store: AccountRepository, database: Database) -> None:
    """The time tells passwords apart, also within a tick of the clock and where the clock was set back."""
    account = add(store)
    ahead = "UPDATE accounts SET password_at = {later:age} WHERE id = :id"
    times = [account.password_at, *(store.set_password(account.id, "new").password_at for _ in range(5))]
    database.run(lambda tx: tx.execute(ahead, age=3_600_000_000, id=account.id))
    found = store.named("ada")
    assert found is not None
    times += [found[0].password_at, store.set_password(account.id, "new").password_at]
    assert times == sorted(set(times))


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


def test_a_key_is_found_by_its_token_and_notes_its_use(store: AccountRepository) -> None:
    """A key works until it is removed, which only its owner may do."""
    ada, zoe = add(store, "ada"), add(store, "zoe")
    scopes = frozenset({Scope.EDIT, Scope.READ})
    store.add_key(
        ada, new_public_id(), "t", label="Skript – größer", scopes=scopes, hint="gallery_abcd", seconds=60
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

    store.remember_device(ada, "one", None, 60.0)
    store.remember_device(zoe, "one", None, 60.0)
    assert [(True, False), (True, False)] == known()
    store.remember_device(ada, "two", "one", 60.0)
    assert [(False, True), (True, False)] == known()
    zoe = store.set_password(zoe.id, "new")
    assert [(False, True), (False, False)] == known()
    old = "UPDATE devices SET seen_at = {ago:age} WHERE token = 'two'"
    database.run(lambda tx: tx.execute(old, age=61_000_000))
    store.remember_device(zoe, "one", None, 60.0)
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
