"""What the tests of accounts share: accounts, sessions, keys, images, and threads."""

from __future__ import annotations

import threading

from imgcore.accounts.models import Account, Role, Scope
from imgcore.db.accounts import AccountRepository
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import Image, NewImage
from tests.contract.images import event
from tests.support.repositories import Repositories


def add(store: AccountRepository, name: str = "ada", role: Role = Role.PERSON) -> Account:
    """An account whose password's hash is ``hash``."""
    return store.add(new_public_id(), name, role, "hash")


def start(store: AccountRepository, account: Account, token: str, seconds: float = 60.0) -> None:
    """A session of that token."""
    where = {"address": "192.0.2.1", "agent": "Mozilla/5.0 (ÄÖÜ)"}
    store.start_session(account, new_public_id(), token, **where, seconds=seconds)


def upload(repositories: Repositories, owner: Account | None, name: str = "cat.jpg") -> Image:
    """An image of theirs that has been received."""
    id_ = new_public_id()
    owner_id = owner.id if owner else None
    row = NewImage(id_, f"raw/{id_}.jpg", name, "image/jpeg", 1234, 3600.0, owner_id)
    repositories.images.add(row)
    return repositories.images.receive(event(row), row)


def add_key(store: AccountRepository, account: Account, token: str, seconds: float = 60.0) -> None:
    """A key with all scopes."""
    scopes = frozenset(Scope)
    store.add_key(account, new_public_id(), token, label="x", scopes=scopes, hint="h", seconds=seconds)


def credentials(store: AccountRepository, account: Account) -> tuple[int, int]:
    """The numbers of sessions and API keys."""
    return len(store.sessions(account.id)), len(store.keys(account.id))


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
