"""Passkeys on both databases: whose they are, their number, and challenges that work once."""

from __future__ import annotations

import pytest

from imgcore.accounts.models import Account
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.db.passkeys import MOST_PASSKEYS
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.keys import new_public_id


def add(store: AccountRepository, account: Account, credential: str, public_id: str = "") -> str:
    public_id = public_id or new_public_id()
    key = {
        "credential_id": b"\0id\xff",
        "public_key": b"\0key\xff" * 20,
        "sign_count": 7,
        "label": "Ädas phone",
    }
    store.add_passkey(account, public_id, credential, **key)  # type: ignore[arg-type]
    return public_id


def labels(store: AccountRepository, account: Account) -> list[str]:
    return [passkey.public_id for passkey in store.passkeys(account.id)]


def test_passkey_is_read_as_it_was_added(store: AccountRepository, ada: Account) -> None:
    public_id = add(store, ada, "hash")
    found = store.passkey("hash")
    assert found is not None
    account, passkey = found
    assert (ada, public_id, "Ädas phone", None) == (account, passkey.public_id, passkey.label, passkey.used_at)
    assert (b"\0id\xff", b"\0key\xff" * 20, 7) == (passkey.credential, passkey.public_key, passkey.sign_count)
    assert ([passkey], None) == (list(store.passkeys(ada.id)), store.passkey("unknown"))


def test_passkey_belongs_to_one_account(store: AccountRepository, ada: Account, zoe: Account) -> None:
    mine = add(store, ada, "hash")
    for account in (zoe, ada):
        with pytest.raises(Conflict):
            add(store, account, "hash")
    assert ([mine], []) == (labels(store, ada), labels(store, zoe))


def test_account_has_a_limited_number_of_passkeys(store: AccountRepository, ada: Account, zoe: Account) -> None:
    for number in range(MOST_PASSKEYS):
        add(store, ada, f"hash {number}")
    with pytest.raises(Conflict):
        add(store, ada, "one more")
    add(store, zoe, "of another")
    assert (MOST_PASSKEYS, 1) == (len(store.passkeys(ada.id)), len(store.passkeys(zoe.id)))


def test_use_of_a_passkey_is_noted(store: AccountRepository, ada: Account) -> None:
    used, other = add(store, ada, "used"), add(store, ada, "other")
    store.use_passkey(next(p.id for p in store.passkeys(ada.id) if p.public_id == used), 8)
    noted = {p.public_id: (p.used_at is not None, p.sign_count) for p in store.passkeys(ada.id)}
    assert {used: (True, 8), other: (False, 7)} == noted


def test_remove_passkey_removes_only_ones_own(store: AccountRepository, ada: Account, zoe: Account) -> None:
    first, second = add(store, ada, "first"), add(store, ada, "second")
    assert [False, True, False] == [store.remove_passkey(who.id, first) for who in (zoe, ada, ada)]
    assert [second] == labels(store, ada)


@pytest.mark.parametrize("keep", [True, False])
def test_revocation_removes_passkeys_unless_they_are_kept(
    store: AccountRepository, ada: Account, zoe: Account, keep: bool
) -> None:
    mine, theirs = add(store, ada, "mine"), add(store, zoe, "theirs")
    store.end_sessions(ada.id, keep_keys=keep)
    assert ([mine] if keep else [], [theirs]) == (labels(store, ada), labels(store, zoe))


def test_challenge_is_taken_once_by_its_account(store: AccountRepository, ada: Account, zoe: Account) -> None:
    store.offer_challenge("token", ada.id, 60.0)
    takers = (("other", ada.id), ("token", zoe.id), ("token", None), ("token", ada.id), ("token", ada.id))
    assert [False, False, False, True, False] == [store.take_challenge(*taker) for taker in takers]


def test_challenge_of_a_sign_in_is_no_account_s(store: AccountRepository, ada: Account) -> None:
    store.offer_challenge("token", None, 60.0)
    assert [False, True, False] == [store.take_challenge("token", who) for who in (ada.id, None, None)]


def test_expired_challenge_is_not_taken_and_deleted_later(
    store: AccountRepository, database: Database, ada: Account
) -> None:
    store.offer_challenge("expired", ada.id, -1.0)
    assert not store.take_challenge("expired", ada.id)
    store.offer_challenge("new", None, 60.0)
    rows = database.read(lambda tx: tx.rows("SELECT token FROM passkey_challenges WHERE token <> 'bystander'"))
    assert ["new"] == [row["token"] for row in rows]


def test_deleted_account_leaves_no_passkey(store: AccountRepository, ada: Account) -> None:
    add(store, ada, "hash")
    store.delete(ada.id, in_trash_for=0.0)
    assert store.passkey("hash") is None
    with pytest.raises(NotFound):
        store.offer_challenge("token", ada.id, 60.0)
