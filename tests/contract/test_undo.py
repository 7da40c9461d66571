"""Undo of a person's words in fields that had none before, on both databases."""

from __future__ import annotations

import pytest

from imgcore.db.connection import Database
from imgcore.db.tags import TagRepository
from imgcore.gallery.filters import Filters, Progress
from imgcore.gallery.models import Edit, Image, Source, TaskStatus
from tests.contract.images import CAPTION, arrived, claim, description, stored
from tests.support.repositories import Repositories

HUMAN, GEMINI, LOCAL = Source.HUMAN, Source.GEMINI, Source.LOCAL
WORDS = Edit("Mine.", "Mine too.", ["mine"])


@pytest.fixture
def tags(database: Database) -> TagRepository:
    return TagRepository(database)


@pytest.fixture
def image(repositories: Repositories) -> Image:
    """One that waits for its description."""
    return arrived(repositories)


def describe(repositories: Repositories, image: Image, **words: object) -> Image:
    assert repositories.tasks.finish_caption(claim(repositories, image, CAPTION), description(**words))
    return stored(repositories, image)


def shown(image: Image) -> tuple[object, ...]:
    return image.caption, image.alt_text, image.tags


def sources(image: Image) -> tuple[Source | None, ...]:
    return image.source, image.caption_source, image.alt_text_source, image.tags_source


def progress(repositories: Repositories, status: Progress) -> list[int]:
    found = repositories.pages.page(cursor=None, limit=9, query=None, filters=Filters(status=status))
    return [each.id for each in found.images]


def undo(repositories: Repositories, image: Image) -> Image:
    undone = repositories.images.undo(image.public_id)
    assert undone is not None
    return undone


def test_undone_tags_of_a_photo_without_words_are_none(
    repositories: Repositories, tags: TagRepository, image: Image
) -> None:
    tags.change_tags(image.public_id, add=["wrong"], most=20)

    assert ["wrong"] == tags.change_tags(image.public_id, remove=["wrong"], most=20, undoing=True)

    now = stored(repositories, image)
    assert (None,) * 4 == sources(now)
    assert ((None, None, ()), None) == (shown(now), now.caption_generated_at)
    assert repositories.images.last_change(image.public_id) is None
    described = describe(repositories, image)
    assert (("cat", "wall"), LOCAL) == (described.tags, described.tags_source)
    assert repositories.images.undo(image.public_id) is None


def test_failure_of_a_photo_whose_words_are_undone_is_found(
    repositories: Repositories, tags: TagRepository, image: Image
) -> None:
    tags.change_tags(image.public_id, add=["wrong"], most=20)
    tags.change_tags(image.public_id, remove=["wrong"], most=20, undoing=True)

    failed = claim(repositories, image, CAPTION)
    assert repositories.tasks.fail(failed, TaskStatus.FAILED, code="bad_answer", message="No caption.")

    assert TaskStatus.FAILED is stored(repositories, image).task(CAPTION).status
    assert [image.id] == progress(repositories, Progress.FAILED)
    assert [image.id] == progress(repositories, Progress.UNDESCRIBED)


def test_undone_tags_are_those_of_the_description_that_came_since(
    repositories: Repositories, tags: TagRepository, image: Image
) -> None:
    tags.change_tags(image.public_id, add=["wrong"], most=20)
    assert (("wrong",), HUMAN) == (describe(repositories, image).tags, stored(repositories, image).tags_source)

    tags.change_tags(image.public_id, remove=["wrong"], most=20, undoing=True)

    now = stored(repositories, image)
    assert (("cat", "wall"), LOCAL) == (now.tags, now.tags_source)
    assert 1 == len(repositories.pages.page(cursor=None, limit=9, query="tag:wall").images)


def test_undone_tags_are_a_models_where_it_answered_after_provisional_words(
    repositories: Repositories, tags: TagRepository, image: Image
) -> None:
    """The caption, which the model replaced, is a later change than the tags."""
    waiting = claim(repositories, image, CAPTION)
    provisional = description(caption="Mostly brown.", tags=("brown",))
    assert repositories.tasks.park(
        waiting, code="overloaded", message="Later.", delay=-1, refund=True, provisional=provisional
    )
    tags.change_tags(image.public_id, add=["wrong"], most=20)
    describe(repositories, image, source=GEMINI)

    tags.change_tags(image.public_id, remove=["wrong"], most=20, undoing=True)

    now = stored(repositories, image)
    assert (("cat", "wall"), GEMINI, GEMINI) == (now.tags, now.tags_source, now.caption_source)


def test_undo_of_first_words_leaves_none_and_a_description_follows(
    repositories: Repositories, image: Image
) -> None:
    repositories.images.edit(image.public_id, Edit(caption="Earlier."))
    repositories.images.edit(image.public_id, WORDS)

    steps = [undo(repositories, image) for _ in range(2)]

    assert [("Earlier.", None, ()), (None, None, ())] == [shown(step) for step in steps]
    assert (None,) * 4 == sources(steps[1])
    assert repositories.images.undo(image.public_id) is None
    assert not any(version.current for version in repositories.images.history(image.public_id))
    now = describe(repositories, image)
    assert (LOCAL,) * 4 == sources(now)
    assert repositories.images.undo(image.public_id) is None, "to words that were undone"


def test_undo_of_first_words_shows_the_description_that_came_since(
    repositories: Repositories, image: Image
) -> None:
    """The fields that nobody had written are no change that could be undone."""
    repositories.images.edit(image.public_id, Edit(caption="Mine.", tags=["mine"]))
    before = repositories.images.last_change(image.public_id)
    describe(repositories, image)
    assert before == repositories.images.last_change(image.public_id)

    now = undo(repositories, image)

    assert ("A ginger cat on a wall.", "Ginger cat.", ("cat", "wall")) == shown(now)
    assert (LOCAL,) * 4 == sources(now)
    assert repositories.images.undo(image.public_id) is None


def test_restored_words_of_a_field_without_any_are_undone_to_none(
    repositories: Repositories, image: Image
) -> None:
    repositories.images.edit(image.public_id, Edit(alt_text="Mine."))
    undo(repositories, image)
    [version] = repositories.images.history(image.public_id)
    assert not version.applied

    restored = repositories.images.restore_version(image.public_id, version.id)

    assert restored is not None
    assert ("Mine.", HUMAN) == (restored.alt_text, restored.alt_text_source)
    assert (None, None) == (undo(repositories, image).alt_text, stored(repositories, image).source)


def test_undo_stops_at_words_that_were_stored_before_versions_were_kept(
    repositories: Repositories, database: Database, image: Image
) -> None:
    repositories.images.edit(image.public_id, WORDS)
    database.run(lambda tx: tx.execute("DELETE FROM word_versions WHERE image_id = :id", id=image.id))
    repositories.images.edit(image.public_id, Edit(caption="Later."))

    assert "Mine." == undo(repositories, image).caption
    assert repositories.images.undo(image.public_id) is None
    assert "Mine." == stored(repositories, image).caption
