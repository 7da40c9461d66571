"""The trash as a whole, on both databases: what a person has seen of it leaves it, and nothing else."""

from __future__ import annotations

import pytest

from imgcore.db.connection import Database
from imgcore.db.mapping import micros
from imgcore.errors import Conflict
from imgcore.gallery.models import EVERYBODY, Image, TrashContents
from tests.support.repositories import Repositories


@pytest.fixture
def bystanders() -> None:
    """None here: the trash has those of the test."""


def in_trash(repositories: Repositories) -> set[str]:
    return {image.name for image in repositories.trash.page(EVERYBODY, limit=100).images}


@pytest.mark.parametrize("way", ["delete_all", "restore_all"])
def test_only_photos_that_were_seen_in_the_trash_leave_it(
    database: Database, repositories: Repositories, photos: list[Image], way: str
) -> None:
    first, second, third, *_ = photos
    for image in (first, second):
        repositories.images.delete(image.public_id)
    earlier = "UPDATE images SET deleted_at = {ago:hour} WHERE deleted_at IS NOT NULL"
    database.run(lambda tx: tx.execute(earlier, hour=micros(3600)))  # SQLite's clock has milliseconds
    shown = repositories.trash.contents(EVERYBODY)
    assert shown.count == len(in_trash(repositories))
    repositories.images.restore(second.public_id)
    for image in (second, third):
        repositories.images.delete(image.public_id)

    assert shown.count - 1 == getattr(repositories.trash, way)(EVERYBODY, shown)
    assert {second.name, third.name} == in_trash(repositories)
    assert 2 == repositories.trash.contents(EVERYBODY).count
    assert 2 == getattr(repositories.trash, way)(EVERYBODY)
    assert TrashContents(0, None) == repositories.trash.contents(EVERYBODY)


@pytest.mark.parametrize("way", ["delete_all", "restore_all"])
def test_more_photos_than_were_seen_in_the_trash_all_stay(
    repositories: Repositories, photos: list[Image], way: str
) -> None:
    """The transaction that moved one of them there had begun before, and ended after."""
    for image in photos:
        repositories.images.delete(image.public_id)
    known, found = repositories.trash.contents(EVERYBODY), in_trash(repositories)
    with pytest.raises(Conflict):
        getattr(repositories.trash, way)(EVERYBODY, TrashContents(known.count - 1, known.newest))
    assert found == in_trash(repositories)
