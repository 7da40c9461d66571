"""Rows of images on both databases: how they are stored, read, and refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imgcore.db.connection import Database
from imgcore.errors import Conflict, Invalid, Unavailable
from imgcore.gallery.models import Edit, Source, TaskStatus, UploadStatus
from tests.contract.images import (
    CAPTION,
    FACTS,
    THUMBNAIL,
    arrived,
    claim,
    described,
    description,
    new,
    renditions,
    stored,
)
from tests.support.repositories import Repositories


def test_a_new_row_awaits_its_upload(repositories: Repositories) -> None:
    """It is awaiting, with both tasks pending."""
    image = repositories.images.add(new("Été à la plage.jpg"))

    assert (UploadStatus.AWAITING, "Été à la plage.jpg", 123_456) == (
        image.upload_status,
        image.name,
        image.size,
    )
    assert [(THUMBNAIL, TaskStatus.PENDING, 0), (CAPTION, TaskStatus.PENDING, 0)] == [
        (task.kind, task.status, task.attempts) for task in image.tasks
    ]


def test_a_row_is_read_as_it_was_made(repositories: Repositories) -> None:
    """get() returns what add() returned."""
    image = repositories.images.add(new())

    assert image == repositories.images.get(image.public_id)


def test_the_time_is_utc_and_the_databases(repositories: Repositories) -> None:
    """A row's time says that it is UTC, and is not hours away from this machine's."""
    uploaded_at = repositories.images.add(new()).uploaded_at

    assert UTC == uploaded_at.tzinfo
    assert abs(uploaded_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_what_is_not_there_is_none(repositories: Repositories) -> None:
    """An unknown id is no error."""
    assert repositories.images.get("0" * 32) is None


def test_the_same_key_twice_is_a_conflict(repositories: Repositories) -> None:
    """A key belongs to one row."""
    row = new()
    repositories.images.add(row)

    with pytest.raises(Conflict) as caught:
        repositories.images.add(row)

    assert "duplicate" == caught.value.code


def test_get_many_returns_those_that_exist(repositories: Repositories) -> None:
    """Unknown ids are left out, and none comes twice."""
    first, second = repositories.images.add(new()), repositories.images.add(new())

    many = repositories.images.get_many([second.public_id, "nobody", first.public_id, second.public_id])

    assert {first.public_id, second.public_id} == {image.public_id for image in many}
    assert 2 == len(many)


def test_get_many_of_none_is_none(repositories: Repositories) -> None:
    """An empty list is a fair question."""
    assert [] == list(repositories.images.get_many([]))


def test_everything_that_is_stored_comes_back(repositories: Repositories) -> None:
    """Each field of both results is read as it was written."""
    image = arrived(repositories)
    words = description(
        source=Source.GEMINI,
        visible_text="STOP",
        model="m-1",
        prompt_version="3",
        input_tokens=560,
        price_usd=0.00058,
    )
    repositories.tasks.finish_thumbnail(claim(repositories, image, THUMBNAIL), FACTS, renditions(image))
    repositories.tasks.finish_caption(claim(repositories, image, CAPTION), words)

    now = stored(repositories, image)

    assert (words.caption, words.alt_text, words.tags, words.source) == (
        now.caption,
        now.alt_text,
        now.tags,
        now.source,
    )
    assert ("STOP", "m-1", "3", 560, None, 0.00058) == (
        now.visible_text,
        now.model,
        now.prompt_version,
        now.input_tokens,
        now.output_tokens,
        now.price_usd,
    )
    assert (FACTS.format, FACTS.width, FACTS.height, FACTS.size, FACTS.sha256) == (
        now.format,
        now.width,
        now.height,
        now.size,
        now.sha256,
    )
    assert (FACTS.taken_at, FACTS.camera, FACTS.details) == (now.taken_at, now.camera, now.details)
    assert (f"thumbnails/{image.public_id}/200.webp", 1600, 1200) == (
        now.thumbnail_key,
        now.display_width,
        now.display_height,
    )
    assert now.thumbnail_generated_at is not None
    assert now.caption_generated_at is not None


def test_a_name_keeps_its_letters_and_loses_its_nul(repositories: Repositories) -> None:
    """Emoji, right-to-left and a NUL."""
    assert "a🏝שלום.jpg" == repositories.images.add(new("a🏝\0שלום.jpg")).name


def test_a_name_of_300_characters_is_kept(repositories: Repositories) -> None:
    """Longer ones are cut at 512."""
    assert ["n" * 300, "n" * 512] == [repositories.images.add(new("n" * length)).name for length in (300, 900)]


@pytest.mark.parametrize("text", ["\ud800", "cat \udcff"])
def test_a_lone_surrogate_is_refused(repositories: Repositories, text: str) -> None:
    """It is no Unicode; no database would store it."""
    image = described(repositories, "cat.jpg")
    with pytest.raises(Invalid):
        repositories.images.add(new(text))
    with pytest.raises(Invalid):
        repositories.images.edit(image.public_id, Edit(tags=(text,)))
    with pytest.raises(Invalid):
        repositories.pages.page(cursor=None, limit=5, query=text)
    with pytest.raises(Invalid):
        repositories.images.get(text)


def test_the_captions_view_has_the_seven_columns(repositories: Repositories, database: Database) -> None:
    """The view has the common seven columns, without deleted and awaited images."""
    image = described(repositories, "cat.jpg")
    repositories.images.delete(arrived(repositories).public_id)
    repositories.images.add(new())

    mine = "SELECT * FROM captions WHERE image_key NOT LIKE 'raw/bystander%'"
    (row,) = database.read(lambda tx: tx.rows(mine))

    assert [
        "id",
        "image_key",
        "caption",
        "thumbnail_key",
        "uploaded_at",
        "caption_generated_at",
        "thumbnail_generated_at",
    ] == list(row)
    assert (image.id, image.image_key, image.caption) == (row["id"], row["image_key"], row["caption"])


def test_ids_are_never_used_again(repositories: Repositories) -> None:
    """A cursor or a notice never means another image."""
    image = repositories.images.add(new())
    repositories.images.delete(image.public_id)
    repositories.sweep.purge(image.public_id)

    assert repositories.images.add(new()).id > image.id


def test_ping_knows_a_schema_that_is_up_to_date(repositories: Repositories, database: Database) -> None:
    """It is silent on a migrated database, and says what is missing on another."""
    repositories.images.ping()
    with database.transaction() as tx:
        (row,) = tx.rows("SELECT name, applied_at FROM migrations ORDER BY name LIMIT 1")
        tx.execute("DELETE FROM migrations WHERE name = :name", name=row["name"])
    try:
        with pytest.raises(Unavailable) as caught:
            repositories.images.ping()
    finally:
        with database.transaction() as tx:
            tx.execute("INSERT INTO migrations (name, applied_at) VALUES (:name, :applied_at)", **row)
    assert "not_migrated" == caught.value.code


def test_a_later_row_was_uploaded_later(repositories: Repositories, database: Database) -> None:
    """Times have fractions of a second."""
    first = arrived(repositories)
    set_time = "UPDATE images SET uploaded_at = {ago:age} WHERE id = :id"
    database.run(lambda tx: tx.execute(set_time, id=first.id, age=10_000))

    assert arrived(repositories).uploaded_at > stored(repositories, first).uploaded_at
