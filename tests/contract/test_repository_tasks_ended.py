"""Tasks that end: failures, rejections, the rank of descriptions, and images whose tasks have all ended."""

from __future__ import annotations

import pytest

from imgcore.db.connection import Database
from imgcore.db.webhooks import WebhookRepository
from imgcore.errors import Unavailable
from imgcore.gallery.models import (
    EVERYBODY,
    Edit,
    Safety,
    Source,
    TaskKind,
    TaskStatus,
    UploadStatus,
    WordField,
)
from imgcore.webhooks.sender import HttpSender
from imgcore.webhooks.service import Webhooks
from tests.contract.images import (
    CAPTION,
    THUMBNAIL,
    abandoned,
    arrived,
    claim,
    described,
    description,
    finish,
    settled,
    stored,
    task,
    try_claim,
)
from tests.support.repositories import Repositories

# Failing and rejecting


@pytest.mark.parametrize("status", [TaskStatus.FAILED, TaskStatus.BLOCKED])
def test_a_failure_says_why(repositories: Repositories, status: TaskStatus) -> None:
    """A code for programs, a sentence for people."""
    image = arrived(repositories)

    assert repositories.tasks.fail(claim(repositories, image, CAPTION), status, code="c", message="M\0.")
    now = task(repositories, image, CAPTION)
    assert (status, "c", "M.") == (now.status, now.error, now.message)


@pytest.mark.parametrize("status", [TaskStatus.FAILED, TaskStatus.BLOCKED])
def test_failure_that_leaves_the_words_is_no_delivery(sqlite_database: Database, status: TaskStatus) -> None:
    """The repeated description of a photo ends as done; the first one of another fails."""
    repositories = Repositories(sqlite_database)
    repeated, first = described(repositories, "cat.jpg"), arrived(repositories)
    repositories.images.reopen(repeated.public_id, [CAPTION], also_done=True)
    sender = HttpSender(resolve=lambda host, port: ["93.184.215.14"])
    webhooks = Webhooks(WebhookRepository(sqlite_database), sender, EVERYBODY)
    webhooks.create("https://example.org/hook", ["photo.described", "photo.failed"])
    for image in (repeated, first):
        mine = claim(repositories, image, CAPTION)
        assert repositories.tasks.fail(mine, status, code="c", message="M.")

    ended = [task(repositories, image, CAPTION).status for image in (repeated, first)]
    assert [TaskStatus.DONE, status] == ended
    sent = sqlite_database.run(lambda tx: tx.rows("SELECT event, image_id FROM webhook_deliveries"))
    assert [("photo.failed", first.id)] == [(row["event"], row["image_id"]) for row in sent]


def test_deliveries_name_tasks_that_crashed_and_files_that_vanished(
    sqlite_database: Database,
) -> None:
    repositories = Repositories(sqlite_database)
    crashed, vanished = arrived(repositories), arrived(repositories)
    webhooks = Webhooks(WebhookRepository(sqlite_database), HttpSender(private=True), EVERYBODY)
    webhooks.create("http://127.0.0.1:9/", ["photo.failed"])
    claim(repositories, crashed, CAPTION)
    sqlite_database.run(
        lambda tx: tx.execute("UPDATE tasks SET lease_until = {now} WHERE status = 'processing'")
    )
    assert 1 == repositories.sweep.fail_exhausted_tasks(max_attempts=1)
    finish(repositories, vanished, claim(repositories, vanished, THUMBNAIL))
    assert repositories.sweep.fail_missing(vanished.public_id, code="c", message="M.")
    sent = sqlite_database.run(lambda tx: tx.rows("SELECT event, image_id FROM webhook_deliveries ORDER BY id"))
    assert [("photo.failed", crashed.id), ("photo.failed", vanished.id)] == [
        (row["event"], row["image_id"]) for row in sent
    ]


def test_a_rejection_skips_what_is_open(repositories: Repositories) -> None:
    """Even what another works on: its commit is fenced off."""
    image = arrived(repositories)
    mine, other = claim(repositories, image, THUMBNAIL), claim(repositories, image, CAPTION)

    assert repositories.tasks.reject(mine, code="bomb", message="Too large.")
    now = stored(repositories, image)
    assert (UploadStatus.REJECTED, ["bomb", "bomb"], [TaskStatus.SKIPPED] * 2) == (
        now.upload_status,
        [task.error for task in now.tasks],
        [task.status for task in now.tasks],
    )
    assert not finish(repositories, image, other)


def test_a_rejection_skips_what_is_parked(repositories: Repositories) -> None:
    """It is not tried again."""
    image = arrived(repositories)
    repositories.tasks.park(
        claim(repositories, image, CAPTION), code="busy", message="Later.", delay=0, refund=False
    )
    repositories.tasks.reject(claim(repositories, image, THUMBNAIL), code="bomb", message="Too large.")

    assert (TaskStatus.SKIPPED, None) == (
        task(repositories, image, CAPTION).status,
        try_claim(repositories, image, CAPTION),
    )


def test_a_rejection_leaves_what_is_done(repositories: Repositories) -> None:
    """A caption that was made stays."""
    image = described(repositories, "cat.jpg")
    repositories.tasks.reject(claim(repositories, image, THUMBNAIL), code="bomb", message="Too large.")

    assert TaskStatus.DONE is task(repositories, image, CAPTION).status


# Who outranks whom


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("stored_source", list(Source))
def test_a_description_never_replaces_one_of_higher_rank(
    repositories: Repositories, stored_source: Source, source: Source
) -> None:
    """Captions: human > embedded > gemini > local; the task is done all the same."""
    image = described(repositories, "cat.jpg", source=stored_source, caption="Before.")
    repositories.images.reopen(image.public_id, [CAPTION], also_done=True)
    words = description(source=source, caption="After.", tags=("new",), safety=Safety.OK, model="m")

    assert repositories.tasks.finish_caption(claim(repositories, image, CAPTION), words)
    now = stored(repositories, image)
    replaced = source.rank(WordField.CAPTION) >= stored_source.rank(WordField.CAPTION)
    assert (TaskStatus.DONE, "After." if replaced else "Before.", source if replaced else stored_source) == (
        now.task(CAPTION).status,
        now.caption,
        now.source,
    )


def test_under_a_persons_words_the_models_judgement_is_kept(repositories: Repositories) -> None:
    """A person says nothing of safety, of the text in the picture or of the price."""
    image = arrived(repositories)
    repositories.images.edit(image.public_id, Edit(caption="Mine."))
    words = description(
        source=Source.GEMINI, safety=Safety.SENSITIVE, visible_text="EXIT", model="m", price_usd=0.1
    )
    repositories.tasks.finish_caption(claim(repositories, image, CAPTION), words)

    now = stored(repositories, image)

    assert ("Mine.", Source.HUMAN, Safety.SENSITIVE, "EXIT", "m", 0.1) == (
        now.caption,
        now.source,
        now.safety,
        now.visible_text,
        now.model,
        now.price_usd,
    )


def test_a_lower_machine_leaves_the_higher_ones_judgement(repositories: Repositories) -> None:
    """What Gemini judged is not forgotten because the key is gone."""
    image = described(repositories, "cat.jpg", source=Source.GEMINI, safety=Safety.OK, model="m")
    repositories.images.reopen(image.public_id, [CAPTION], also_done=True)
    repositories.tasks.finish_caption(claim(repositories, image, CAPTION), description(source=Source.LOCAL))

    now = stored(repositories, image)

    assert (Safety.OK, "m") == (now.safety, now.model)


# The settled


@pytest.mark.parametrize("first", list(TaskKind))
def test_image_settles_with_the_last_of_its_tasks(
    repositories: Repositories, database: Database, first: TaskKind
) -> None:
    """The last of both settles the image, in either order."""
    image = arrived(repositories)
    finish(repositories, image, claim(repositories, image, first))
    before = settled(database)
    finish(repositories, image, claim(repositories, image, THUMBNAIL if first is CAPTION else CAPTION))

    assert ([], [image.id]) == (before, settled(database))


def test_image_settles_however_its_tasks_end(repositories: Repositories, database: Database) -> None:
    """Failed, blocked, rejected, crashed at a claim."""
    failed, rejected, crashed = arrived(repositories), arrived(repositories), arrived(repositories)
    repositories.tasks.fail(claim(repositories, failed, THUMBNAIL), TaskStatus.FAILED, code="c", message="M.")
    repositories.tasks.fail(claim(repositories, failed, CAPTION), TaskStatus.BLOCKED, code="c", message="M.")
    repositories.tasks.reject(claim(repositories, rejected, CAPTION), code="c", message="M.")
    finish(repositories, crashed, claim(repositories, crashed, THUMBNAIL))
    abandoned(repositories, crashed, CAPTION)
    try_claim(repositories, crashed, CAPTION, max_attempts=1)

    assert [failed.id, rejected.id, crashed.id] == settled(database)


def test_image_with_a_parked_task_is_not_settled(repositories: Repositories, database: Database) -> None:
    image = described(repositories, "cat.jpg")
    repositories.tasks.park(
        claim(repositories, image, THUMBNAIL), code="c", message="M.", delay=-1.0, refund=False
    )

    assert [] == settled(database)


def test_the_database_itself_refuses_what_must_not_be(repositories: Repositories, database: Database) -> None:
    """The invariants are the schema's, too: no lease without work, no end without a time, nobody's words."""
    image = described(repositories, "cat.jpg")
    for sql in (
        "UPDATE tasks SET status = 'processing' WHERE image_id = :id",
        "UPDATE tasks SET lease_token = 'x' WHERE image_id = :id",
        "UPDATE tasks SET status = 'retry', error = 'x' WHERE image_id = :id",
        "UPDATE tasks SET finished_at = NULL WHERE image_id = :id AND kind = 'caption'",
        "UPDATE tasks SET status = 'lost' WHERE image_id = :id",
        "UPDATE tasks SET attempts = -1 WHERE image_id = :id",
        "UPDATE tasks SET error = 'x' WHERE image_id = :id AND kind = 'caption'",
        "UPDATE images SET source = NULL WHERE id = :id",
        "UPDATE images SET caption_generated_at = NULL WHERE id = :id",
        "UPDATE images SET thumbnail_key = 'x' WHERE id = :id",
        "UPDATE images SET upload_status = 'lost' WHERE id = :id",
        "INSERT INTO tasks (image_id, kind, status) VALUES (:id + 1000, 'caption', 'pending')",
    ):
        with pytest.raises(Unavailable) as caught, database.transaction() as tx:
            tx.execute(sql, id=image.id)
        assert "constraint" in str(caught.value.__cause__).lower()

    assert image == stored(repositories, image)
