"""Second factors on both databases: a step and a recovery code work once, a pending sign-in ends."""

from __future__ import annotations

import pytest

from imgcore.accounts.models import Account, Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.keys import new_public_id

CODES = ["hash-1", "hash-2", "hash-3"]


@pytest.fixture
def ada(store: AccountRepository) -> Account:
    account = store.add(new_public_id(), "ada", Role.PERSON, "hash")
    store.add_second_factor(account, "SECRET", 100, CODES)
    return account


def left(store: AccountRepository, account: Account) -> int | None:
    found = store.second_factor(account.id)
    return found.recovery_codes if found else None


def test_second_factor_is_read_as_it_was_added(store: AccountRepository, ada: Account, zoe: Account) -> None:
    found = store.second_factor(ada.id)
    assert found is not None
    assert ("SECRET", 100, 3) == (found.secret, found.last_step, found.recovery_codes)
    assert store.second_factor(zoe.id) is None
    assert "SECRET" not in repr(found)


def test_add_second_factor_twice_is_a_conflict(store: AccountRepository, ada: Account) -> None:
    with pytest.raises(Conflict):
        store.add_second_factor(ada, "OTHER", 1, ["hash-9"])
    found = store.second_factor(ada.id)
    assert found is not None
    assert ("SECRET", 3) == (found.secret, found.recovery_codes)


def test_use_step_accepts_each_step_once_and_no_earlier_one(store: AccountRepository, ada: Account) -> None:
    assert [False, True, False, False, True] == [
        store.use_step(ada.id, step) for step in (100, 101, 101, 100, 102)
    ]


def test_use_step_of_one_account_leaves_the_others(
    store: AccountRepository, ada: Account, zoe: Account
) -> None:
    store.add_second_factor(zoe, "OTHER", 100, CODES)
    store.use_step(ada.id, 105)
    found = store.second_factor(zoe.id)
    assert found is not None
    assert 100 == found.last_step


def test_recovery_code_works_once_and_for_its_account(
    store: AccountRepository, ada: Account, zoe: Account
) -> None:
    store.add_second_factor(zoe, "OTHER", 100, ["hash-of-zoe"])
    used = [store.use_recovery_code(ada.id, code) for code in ("hash-2", "hash-2", "hash-of-zoe", "unknown")]
    assert [True, False, False, False] == used
    assert (2, 1) == (left(store, ada), left(store, zoe))


def test_replaced_recovery_codes_are_void(store: AccountRepository, ada: Account, zoe: Account) -> None:
    store.replace_recovery_codes(ada, ["new-1", "new-2"])
    assert [False, True] == [store.use_recovery_code(ada.id, code) for code in ("hash-1", "new-1")]
    with pytest.raises(Conflict):
        store.replace_recovery_codes(zoe, ["new-3"])
    assert not store.use_recovery_code(zoe.id, "new-3")


def test_removed_second_factor_leaves_no_code(store: AccountRepository, ada: Account, zoe: Account) -> None:
    store.add_second_factor(zoe, "OTHER", 1, CODES)
    assert [True, False] == [store.remove_second_factor(ada.id) for _ in range(2)]
    assert (None, False, 3) == (left(store, ada), store.use_recovery_code(ada.id, "hash-1"), left(store, zoe))


def test_deleted_account_leaves_no_second_factor(
    store: AccountRepository, database: Database, ada: Account
) -> None:
    store.start_sign_in(ada, "token", 60.0)
    store.delete(ada.id, in_trash_for=0.0)
    tables = ("second_factors", "recovery_codes", "pending_sign_ins")
    rows = [database.read(lambda tx, t=table: tx.rows(f"SELECT account_id FROM {t}")) for table in tables]
    assert [] == [row for each in rows for row in each if row["account_id"] == ada.id]


def test_pending_sign_in_is_found_until_it_ends(store: AccountRepository, ada: Account, zoe: Account) -> None:
    store.start_sign_in(zoe, "of zoe", 60.0)
    store.start_sign_in(ada, "token", 60.0)
    store.start_sign_in(ada, "expired", -1.0)
    found = [store.pending_sign_in(token) for token in ("token", "expired", "unknown")]
    assert [ada, None, None] == found
    session = {"address": "", "agent": "", "seconds": 60.0, "pending": "token"}
    assert [True, False] == [store.start_session(ada, new_public_id(), f"{n}", **session) for n in range(2)]
    assert [None, zoe] == [store.pending_sign_in(token) for token in ("token", "of zoe")]


def test_start_sign_in_deletes_the_expired_ones(
    store: AccountRepository, database: Database, ada: Account
) -> None:
    store.start_sign_in(ada, "expired", -1.0)
    store.start_sign_in(ada, "token", 60.0)
    rows = database.read(lambda tx: tx.rows("SELECT token FROM pending_sign_ins WHERE token <> 'bystander'"))
    assert ["token"] == [row["token"] for row in rows]


def test_start_sign_in_of_a_deleted_account_is_not_found(store: AccountRepository, ada: Account) -> None:
    store.delete(ada.id, in_trash_for=0.0)
    with pytest.raises(NotFound):
        store.start_sign_in(ada, "token", 60.0)


def test_revocation_ends_pending_sign_ins(store: AccountRepository, ada: Account, zoe: Account) -> None:
    """A person who knew the previous password does not go on to the code."""
    for account in (ada, zoe):
        store.start_sign_in(account, account.name, 60.0)
    store.set_password(ada.id, "other hash")
    assert [None, zoe] == [store.pending_sign_in(name) for name in ("ada", "zoe")]


def test_encrypt_second_factor_replaces_this_secret_of_this_account(
    store: AccountRepository, ada: Account, zoe: Account
) -> None:
    store.add_second_factor(zoe, "SECRET", 1, CODES)
    assert not store.encrypt_second_factor(ada.id, "ANOTHER", "token")
    assert store.encrypt_second_factor(ada.id, "SECRET", "token")
    assert not store.encrypt_second_factor(ada.id, "", "token of an empty secret")
    assert not store.encrypt_second_factor(ada.id, "SECRET", "token of the former secret")
    found = [store.second_factor(account.id) for account in (ada, zoe)]
    assert [("token", True, 100, 3), ("SECRET", False, 1, 3)] == [
        (each.secret, each.encrypted, each.last_step, each.recovery_codes) for each in found if each
    ]


def test_encrypted_second_factor_is_read_as_it_was_added(store: AccountRepository, zoe: Account) -> None:
    store.add_second_factor(zoe, "token", 1, CODES, encrypted=True)
    found = store.second_factor(zoe.id)
    assert found is not None
    assert ("token", True) == (found.secret, found.encrypted)
    assert not store.encrypt_second_factor(zoe.id, "", "another token")
    assert store.encrypt_second_factor(zoe.id, "token", "token of a new key")
