"""Files by their hash on both databases: one image for simultaneous requests, and the hash of the content."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from imgcore.accounts.models import Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.errors import AlreadyPresent
from tests.contract.images import FACTS, THUMBNAIL, claim, event, finish, new, stored
from tests.support.repositories import Repositories

HASH = "ab" * 32


@pytest.mark.parametrize("owned", [True, False])
def test_requests_at_the_same_time_end_as_one_image(
    database: Database, repositories: Repositories, *, owned: bool
) -> None:
    owner = None
    if owned:
        name = secrets.token_hex(16)
        owner = AccountRepository(database).add(name, name, Role.PERSON, "hash").id

    def add(_: int) -> str:
        try:
            row = replace(new(), sha256=HASH, owner_id=owner)
            return repositories.images.add(row, again=False).public_id
        except AlreadyPresent as error:
            return error.public_id

    with ThreadPoolExecutor(3) as pool:
        ids = set(pool.map(add, range(6)))
    assert 1 == len(ids)
    assert {HASH: ids.pop()} == repositories.images.present([HASH, "cd" * 32], owner)
    assert {} == repositories.images.present([HASH], -1)


def test_same_file_again_is_another_image_unless_it_is_refused(repositories: Repositories) -> None:
    ids = {repositories.images.add(replace(new(), sha256=HASH)).public_id for _ in range(2)}
    assert 2 == len(ids)
    with pytest.raises(AlreadyPresent):
        repositories.images.add(replace(new(), sha256=HASH), again=False)


def test_hash_of_the_content_replaces_the_declared_one(repositories: Repositories) -> None:
    row = replace(new(), sha256=HASH)
    image = repositories.images.add(row, again=False)
    repositories.images.receive(event(row), row)
    assert finish(repositories, image, claim(repositories, image, THUMBNAIL))
    assert FACTS.sha256 == stored(repositories, image).sha256
    assert {FACTS.sha256: image.public_id} == repositories.images.present([HASH, FACTS.sha256], None)
