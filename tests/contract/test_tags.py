"""Tags that are added and removed one by one, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from imgcore.db.connection import Database
from imgcore.db.tags import TagRepository
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.models import Edit, Source, Translation
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


def test_edit_replaces_only_words_that_were_shown(repositories: Repositories, tags: TagRepository) -> None:
    """The same words of two people are no conflict, nor are fields without what was shown."""
    image = described(repositories, "a.jpg", tags=("cat",))
    shown = Edit(image.caption, image.alt_text, ["Cat"])
    tags.edit(image.public_id, Edit(caption="First.", tags=["dog"]), shown)
    tags.edit(image.public_id, Edit(caption="First.", alt_text="Mine."), shown)
    refused = Edit(caption="Second.", alt_text="Second.", tags=["cow"])
    with pytest.raises(Conflict, match="the caption and the alt text and the tags") as caught:
        tags.edit(image.public_id, refused, shown)
    assert "changed" == caught.value.code
    now = stored(repositories, image)
    assert ("First.", "Mine.", ("dog",)) == (now.caption, now.alt_text, now.tags)
    tags.edit(image.public_id, Edit(caption="Third."), Edit())
    assert "Third." == stored(repositories, image).caption


def test_edits_of_one_text_at_the_same_time_are_stored_once(
    repositories: Repositories, tags: TagRepository
) -> None:
    image = described(repositories, "a.jpg")

    def edit(text: str) -> str | None:
        try:
            tags.edit(image.public_id, Edit(caption=text), Edit(caption=image.caption))
        except Conflict:
            return None
        return text

    with ThreadPoolExecutor(4) as pool:
        [kept] = filter(None, pool.map(edit, [f"Text {number}." for number in range(8)]))
    assert kept == stored(repositories, image).caption


def test_edit_in_another_language_than_was_shown_is_no_conflict(
    repositories: Repositories, tags: TagRepository
) -> None:
    german = Translation("de", "Eine Katze.", "Katze", ("katze",))
    image = described(repositories, "a.jpg", language="en", translations=(german,))
    tags.edit(image.public_id, Edit(caption="Mieze.", language="de"), Edit(caption="Eine Katze."))
    assert "Mieze." == stored(repositories, image).caption
