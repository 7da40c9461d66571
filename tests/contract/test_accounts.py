"""Accounts on both databases: names, administrators, the set-up token, deletion."""

from __future__ import annotations

import pytest

from imgcore.accounts.models import Account, Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.keys import new_public_id
from tests.contract.account_tools import add, add_key, start, together, upload
from tests.support.repositories import Repositories

MONTH = 30 * 86_400.0


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


def test_role_that_an_account_has_already_revokes_nothing(store: AccountRepository) -> None:
    """A form that was sent twice, or a demotion of somebody who is no administrator."""
    ada = add(store, "ada")
    start(store, ada, "token")
    store.set_role(ada.id, Role.PERSON)
    assert 1 == len(store.sessions(ada.id))


def test_set_up_tokens_are_deleted_when_they_are_worth_nothing(
    store: AccountRepository, database: Database
) -> None:
    """Those that have expired when another is offered, all after the set-up."""

    def kept() -> list[str]:
        return [row["token"] for row in database.read(lambda tx: tx.rows("SELECT token FROM set_up_tokens"))]

    store.offer_set_up("expired", -1.0)
    store.offer_set_up("first", 60.0)
    store.offer_set_up("second", 60.0)
    assert ["first", "second"] == sorted(kept())
    assert store.set_up("first", new_public_id(), "ada", "hash") is not None
    assert [] == kept()


def test_one_administrator_remains(store: AccountRepository) -> None:
    """The second may go, the last may not."""
    first, second = add(store, "ada", Role.ADMINISTRATOR), add(store, "zoe", Role.ADMINISTRATOR)
    store.set_role(second.id, Role.PERSON)
    with pytest.raises(Conflict, match="only administrator"):
        store.set_role(first.id, Role.PERSON)
    with pytest.raises(Conflict, match="only administrator"):
        store.delete(first.id, in_trash_for=0, begun=lambda: pytest.fail("It was refused."))
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
        one.public_id for one in repositories.sweep.expired_trash(older_than=MONTH, again_after=0.0, limit=9)
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
