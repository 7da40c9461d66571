"""Edited words, the trash, and reopened tasks, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgcore.errors import Invalid
from imgcore.gallery.models import Edit, Source, TaskStatus
from tests.contract.images import (
    CAPTION,
    THUMBNAIL,
    arrived,
    claim,
    described,
    stored,
)
from tests.support.repositories import Repositories


def test_an_edit_is_a_persons(repositories: Repositories) -> None:
    """The given fields change, the others stay, the source is human."""
    image = described(repositories, "cat.jpg")

    edited = repositories.images.edit(
        image.public_id, Edit(caption="My cat Émile.", tags=("Émile", " cat ", "cat", ""))
    )

    assert edited is not None
    assert ("My cat Émile.", "Ginger cat.", ("Émile", "cat"), Source.HUMAN) == (
        edited.caption,
        edited.alt_text,
        edited.tags,
        edited.source,
    )


def test_an_edit_of_nothing_changes_nothing(repositories: Repositories) -> None:
    """The source stays the model's if no field is edited."""
    image = described(repositories, "cat.jpg")

    assert image == repositories.images.edit(image.public_id, Edit())


def test_words_may_be_taken_away(repositories: Repositories) -> None:
    """An empty text is an edit too."""
    image = described(repositories, "cat.jpg")

    edited = repositories.images.edit(image.public_id, Edit(caption="", tags=()))

    assert edited is not None
    assert ("", (), "Ginger cat.") == (edited.caption, edited.tags, edited.alt_text)


def test_an_edit_before_the_caption_is_there(repositories: Repositories) -> None:
    """A person may be quicker than the machine."""
    image = arrived(repositories)

    edited = repositories.images.edit(image.public_id, Edit(alt_text="Mine."))

    assert edited is not None
    assert ("Mine.", Source.HUMAN, "waiting") == (edited.alt_text, edited.source, edited.status)


def test_what_is_not_there_or_in_the_trash_is_not_edited(repositories: Repositories) -> None:
    """None says so."""
    image = described(repositories, "cat.jpg")
    repositories.images.delete(image.public_id)

    assert [None, None] == [
        repositories.images.edit(id_, Edit(caption="x")) for id_ in (image.public_id, "nobody")
    ]
    assert image.caption == stored(repositories, image).caption


def test_a_caption_that_is_too_long_is_refused(repositories: Repositories) -> None:
    """A person's words are never cut in silence."""
    image = described(repositories, "cat.jpg")

    with pytest.raises(Invalid):
        repositories.images.edit(image.public_id, Edit(caption="x" * 4001))


def test_the_longest_words_fit(repositories: Repositories) -> None:
    """Four bytes a letter, at every limit at once."""
    image = described(repositories, "🐈" * 300)
    longest = Edit(
        caption="🐈" * 4000, alt_text="ﷺ" * 1000, tags=tuple(f"{n:02}" + "🐈" * 98 for n in range(50))
    )

    edited = repositories.images.edit(image.public_id, longest)

    assert edited is not None
    assert (longest.caption, longest.alt_text, longest.tags) == (edited.caption, edited.alt_text, edited.tags)


def test_trash_and_back(repositories: Repositories) -> None:
    """delete and restore say whether they did anything."""
    image = arrived(repositories)
    first, again = repositories.images.delete(image.public_id), repositories.images.delete(image.public_id)
    back, once_more = repositories.images.restore(image.public_id), repositories.images.restore(image.public_id)

    assert (True, False, True, False) == (first, again, back, once_more)
    after = stored(repositories, image)
    assert after.version > image.version  # a page that was kept meanwhile is out of date
    assert image == replace(after, version=image.version)


def test_nothing_is_deleted_or_restored_where_nothing_is(repositories: Repositories) -> None:
    """False, not an error."""
    assert (False, False) == (repositories.images.delete("nobody"), repositories.images.restore("nobody"))


def test_a_failed_task_is_reopened_alone(repositories: Repositories) -> None:
    """It starts again from nothing; what is done stays done."""
    image = described(repositories, "cat.jpg")
    repositories.tasks.fail(
        claim(repositories, image, THUMBNAIL), TaskStatus.FAILED, code="broken", message="It broke."
    )

    assert [THUMBNAIL] == list(repositories.images.reopen(image.public_id))
    now = stored(repositories, image)
    assert (TaskStatus.PENDING, 0, None, None) == (
        now.task(THUMBNAIL).status,
        now.task(THUMBNAIL).attempts,
        now.task(THUMBNAIL).error,
        now.task(THUMBNAIL).message,
    )
    assert TaskStatus.DONE is now.task(CAPTION).status


def test_a_blocked_task_is_reopened(repositories: Repositories) -> None:
    """The model may think better of it."""
    image = arrived(repositories)
    repositories.tasks.fail(
        claim(repositories, image, CAPTION), TaskStatus.BLOCKED, code="blocked", message="The model declined."
    )

    assert [CAPTION] == list(repositories.images.reopen(image.public_id, [CAPTION, THUMBNAIL]))


def test_a_done_task_is_reopened_only_if_asked(repositories: Repositories) -> None:
    """Describing again is a wish of its own."""
    image = described(repositories, "cat.jpg")

    assert [] == list(repositories.images.reopen(image.public_id, [CAPTION]))
    assert [CAPTION] == list(repositories.images.reopen(image.public_id, [CAPTION], also_done=True))
    assert image.caption == stored(repositories, image).caption


def test_a_rejected_deleted_or_unknown_image_is_not_reopened(repositories: Repositories) -> None:
    """Another try would say the same."""
    rejected, deleted = arrived(repositories), arrived(repositories)
    repositories.tasks.reject(claim(repositories, rejected, THUMBNAIL), code="not_an_image", message="No.")
    repositories.tasks.fail(
        claim(repositories, deleted, CAPTION), TaskStatus.FAILED, code="broken", message="It broke."
    )
    repositories.images.delete(deleted.public_id)

    ids = (rejected.public_id, deleted.public_id, "nobody")
    assert [[], [], []] == [list(repositories.images.reopen(id_, also_done=True)) for id_ in ids]


def test_a_work_in_hand_is_not_reopened(repositories: Repositories) -> None:
    """The worker continues."""
    image = arrived(repositories)
    claim(repositories, image, CAPTION)

    assert [] == list(repositories.images.reopen(image.public_id, also_done=True))
