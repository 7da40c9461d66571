"""What the end of a task stores beside its status, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgcore.db.connection import Database
from imgcore.db.tasks import fail_crashed_task
from imgcore.db.webhooks import WebhookRepository
from imgcore.gallery.models import EVERYBODY, Safety, Source, TaskKind, TaskStatus, WordField
from imgcore.webhooks.sender import HttpSender
from imgcore.webhooks.service import Webhooks
from tests.contract.images import (
    CAPTION,
    FACTS,
    THUMBNAIL,
    abandoned,
    arrived,
    claim,
    described,
    description,
    finish,
    renditions,
    stored,
    task,
)
from tests.support.repositories import Repositories


def test_thumbnail_task_stores_facts_and_renditions(repositories: Repositories) -> None:
    image, other = arrived(repositories), arrived(repositories)
    facts = replace(FACTS, location=(47.5, -8.25))

    assert repositories.tasks.finish_thumbnail(claim(repositories, image, THUMBNAIL), facts, renditions(image))

    now, made = stored(repositories, image), renditions(image)
    assert (now.format, now.width, now.height, now.size, now.sha256, now.camera, now.taken_at) == (
        facts.format, facts.width, facts.height, facts.size, facts.sha256, facts.camera, facts.taken_at,
    )  # fmt: skip
    assert (now.latitude, now.longitude, now.placeholder) == (47.5, -8.25, made.placeholder)
    assert made.grid is not None
    keys = [made.thumbnail.key, made.thumbnail_2x.key, made.grid.key, made.display.key]
    assert keys == [now.thumbnail_key, now.thumbnail_2x_key, now.grid_key, now.display_key]
    assert (1600, 1200) == (now.display_width, now.display_height)
    untouched = stored(repositories, other)
    assert (None, None, None) == (untouched.width, untouched.thumbnail_key, untouched.display_key)


def test_parked_caption_keeps_the_provisional_words(repositories: Repositories) -> None:
    image, other = arrived(repositories), arrived(repositories)
    own = description(caption="The camera's.", source=Source.EMBEDDED)

    assert repositories.tasks.park(
        claim(repositories, image, CAPTION), code="c", message="M.", delay=9.0, refund=True,
        provisional=description(caption="For now.", tags=("now",)), own=own,
    )  # fmt: skip

    now = stored(repositories, image)
    assert (TaskStatus.RETRY, ("now",)) == (now.task(CAPTION).status, now.tags)
    history = repositories.images.history(image.public_id)
    captions = {version.value for version in history if version.field is WordField.CAPTION}
    assert {"The camera's.", "For now."} == captions
    assert stored(repositories, other).caption is None


def hook(database: Database) -> None:
    """A webhook for everything that is not in a batch."""
    webhooks = Webhooks(WebhookRepository(database), HttpSender(private=True), EVERYBODY)
    webhooks.create("http://127.0.0.1:9/", ["photo.described", "photo.failed"])


def events(database: Database) -> list[tuple[str, int]]:
    rows = database.read(lambda tx: tx.rows("SELECT event, image_id FROM webhook_deliveries ORDER BY id"))
    return [(row["event"], row["image_id"]) for row in rows]


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        (CAPTION, TaskStatus.DONE, ["photo.described"]),
        (THUMBNAIL, TaskStatus.DONE, []),
        (CAPTION, TaskStatus.FAILED, ["photo.failed"]),
        (CAPTION, TaskStatus.BLOCKED, ["photo.failed"]),
        (THUMBNAIL, TaskStatus.FAILED, ["photo.failed"]),
        (THUMBNAIL, TaskStatus.SKIPPED, ["photo.failed"]),
    ],
)
def test_webhooks_are_notified_of_descriptions_and_failures_alone(
    sqlite_database: Database, kind: TaskKind, status: TaskStatus, expected: list[str]
) -> None:
    repositories = Repositories(sqlite_database)
    image, _ = arrived(repositories), arrived(repositories)
    hook(sqlite_database)
    mine = claim(repositories, image, kind)
    if status is TaskStatus.DONE:
        finish(repositories, image, mine)
    elif status is TaskStatus.SKIPPED:
        repositories.tasks.reject(mine, code="c", message="M.")
    else:
        repositories.tasks.fail(mine, status, code="c", message="M.")

    assert [(event, image.id) for event in expected] == events(sqlite_database)


def test_webhooks_are_notified_once_of_words_until_a_model_answers(sqlite_database: Database) -> None:
    """A photo whose retries all fail keeps them, and no later event would name it."""
    repositories = Repositories(sqlite_database)
    image = arrived(repositories)
    hook(sqlite_database)
    for _ in range(2):
        assert repositories.tasks.park(
            claim(repositories, image, CAPTION), code="c", message="M.", delay=0.0, refund=True,
            provisional=description(caption="For now."),
        )  # fmt: skip
    assert [("photo.described", image.id)] == events(sqlite_database)

    mine = claim(repositories, image, CAPTION)
    assert repositories.tasks.fail(mine, TaskStatus.FAILED, code="c", message="M.")
    assert [("photo.described", image.id)] == events(sqlite_database)


def test_crashed_task_with_attempts_left_does_not_fail(repositories: Repositories, database: Database) -> None:
    image = arrived(repositories)
    abandoned(repositories, image, CAPTION)

    assert not database.run(lambda tx: fail_crashed_task(tx, image.id, CAPTION, 2))
    assert TaskStatus.PROCESSING is task(repositories, image, CAPTION).status
    assert database.run(lambda tx: fail_crashed_task(tx, image.id, CAPTION, 1))
    assert TaskStatus.FAILED is task(repositories, image, CAPTION).status


def found(repositories: Repositories, query: str) -> list[int]:
    """Return the ids of the photos that a search finds."""
    page = repositories.pages.page(cursor=None, limit=9, query=query, viewer=EVERYBODY)
    return [image.id for image in page.images]


def test_model_replaces_the_judgement_of_an_earlier_one(repositories: Repositories) -> None:
    image = described(
        repositories, "cat.jpg", source=Source.GEMINI, safety=Safety.OK, input_tokens=9, visible_text="EXIT"
    )
    assert [image.id] == found(repositories, "exit")
    repositories.images.reopen(image.public_id, [CAPTION], also_done=True)
    again = description(source=Source.GEMINI, safety=Safety.SENSITIVE, input_tokens=7, visible_text="ENTRY")
    repositories.tasks.finish_caption(claim(repositories, image, CAPTION), again)

    assert (Safety.SENSITIVE, "ENTRY") == (
        stored(repositories, image).safety,
        stored(repositories, image).visible_text,
    )
    assert [image.id] == found(repositories, "entry")
