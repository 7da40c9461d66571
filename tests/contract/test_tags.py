"""Tags that are added and removed one by one, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from imgcore.db.connection import Database
from imgcore.db.tags import TagRepository
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.models import Source
from tests.contract.images import described, stored
from tests.support.repositories import Repositories


@pytest.fixture
def tags(database: Database) -> TagRepository:
    return TagRepository(database)


def test_only_what_changes_is_returned_and_kept_as_a_persons(
    repositories: Repositories, tags: TagRepository
) -> None:
    image = described(repositories, "a.jpg", tags=("cat", "wall"))
    assert [] == tags.change_tags(image.public_id, add=["cat"], remove=["dog"], most=20)
    assert Source.LOCAL is stored(repositories, image).tags_source
    assert ["dog", "wall"] == tags.change_tags(image.public_id, add=["cat", "dog"], remove=["wall"], most=20)
    changed = stored(repositories, image)
    assert (("cat", "dog"), Source.HUMAN) == (changed.tags, changed.tags_source)
    assert changed.version > image.version
    undone = repositories.images.undo(image.public_id)
    assert ("cat", "wall") == (undone.tags if undone else ())


def test_tags_of_changes_at_the_same_time_are_all_kept(repositories: Repositories, tags: TagRepository) -> None:
    image = described(repositories, "a.jpg", tags=())
    names = [f"tag {number}" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: tags.change_tags(image.public_id, add=[name], most=20), names))
    assert set(names) == set(stored(repositories, image).tags)


def test_limit_and_trash_refuse_a_change(repositories: Repositories, tags: TagRepository) -> None:
    image = described(repositories, "a.jpg", tags=("a", "b"))
    with pytest.raises(Conflict):
        tags.change_tags(image.public_id, add=["c"], most=2)
    assert ["b", "c"] == sorted(tags.change_tags(image.public_id, add=["c"], remove=["b"], most=2))
    repositories.images.delete(image.public_id)
    for public_id in (image.public_id, "0" * 32):
        with pytest.raises(NotFound):
            tags.change_tags(public_id, add=["d"], most=20)
