"""Claims, fenced commits, and the state of an image whose tasks have ended."""

from __future__ import annotations

import pytest

from imgcore.db.connection import Database
from imgcore.db.webhooks import WebhookRepository
from imgcore.errors import Unavailable
from imgcore.gallery.models import (
    EVERYBODY,
    Edit,
    Image,
    Safety,
    Source,
    TaskKind,
    TaskStatus,
    UploadStatus,
    WordField,
)
from imgcore.pipeline.models import Claim
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
    new,
    settled,
    stored,
    task,
)
from tests.support.repositories import Repositories

BOTH = pytest.mark.parametrize("kind", list(TaskKind))


def try_claim(repositories: Repositories, image: Image, kind: TaskKind, max_attempts: int = 5) -> Claim | None:
    return repositories.tasks.claim(image.image_key, kind, lease=60, max_attempts=max_attempts)


# Claims


@BOTH
def test_a_received_images_task_is_claimed(repositories: Repositories, kind: TaskKind) -> None:
    """The claim says whose it is and which attempt; the row says that somebody works on it."""
    image = arrived(repositories)

    mine = claim(repositories, image, kind)

    assert (image.id, image.public_id, image.image_key, kind, 1, "version-e1") == (
        mine.image_id,
        mine.public_id,
        mine.image_key,
        mine.kind,
        mine.attempts,
        mine.version_id,
    )
    assert (TaskStatus.PROCESSING, "working") == (
        task(repositories, image, kind).status,
        stored(repositories, image).status,
    )


@BOTH
def test_a_claimed_task_is_nobody_elses(repositories: Repositories, kind: TaskKind) -> None:
    """The claim holds until its lease ends; the other task is free."""
    image = arrived(repositories)
    claim(repositories, image, kind)
    other = THUMBNAIL if kind is CAPTION else CAPTION

    assert try_claim(repositories, image, kind) is None
    assert try_claim(repositories, image, other) is not None


def test_nothing_is_claimed_before_the_upload_is_there(repositories: Repositories) -> None:
    """An awaited, an expired, a deleted and an unknown image have nothing to do."""
    awaited, expired, deleted = (
        repositories.images.add(new()),
        repositories.images.add(new(expires_in=-301)),
        arrived(repositories),
    )
    repositories.sweep.expire(expired.public_id)
    repositories.images.delete(deleted.public_id)

    assert [None] * 3 == [try_claim(repositories, image, CAPTION) for image in (awaited, expired, deleted)]
    assert repositories.tasks.claim("raw/nobody", CAPTION, lease=60, max_attempts=5) is None


def test_a_done_task_is_not_claimed(repositories: Repositories) -> None:
    """A duplicate of its event finds nothing to do."""
    assert try_claim(repositories, described(repositories, "cat.jpg"), CAPTION) is None


def test_a_dead_lease_may_be_claimed(repositories: Repositories) -> None:
    """The next worker gets a token of its own; the attempts add up."""
    image = arrived(repositories)
    dead = abandoned(repositories, image, CAPTION)

    alive = claim(repositories, image, CAPTION)

    assert (2, True) == (alive.attempts, alive.token != dead.token)


def test_a_task_that_crashed_too_often_fails(repositories: Repositories) -> None:
    """The task is not claimed again; the card shows the reason."""
    image = arrived(repositories)
    for _ in range(2):
        abandoned(repositories, image, CAPTION)

    assert try_claim(repositories, image, CAPTION, max_attempts=2) is None
    now = task(repositories, image, CAPTION)
    assert (TaskStatus.FAILED, "crashed", 2) == (now.status, now.error, now.attempts)
    assert now.message


def test_the_last_attempt_in_hand_is_left_alone(repositories: Repositories) -> None:
    """A duplicate event does not fail what somebody still works on."""
    image = arrived(repositories)
    mine = claim(repositories, image, CAPTION, max_attempts=1)

    assert try_claim(repositories, image, CAPTION, max_attempts=1) is None
    assert finish(repositories, image, mine)


# Results and the fence


@BOTH
def test_a_result_ends_its_task(repositories: Repositories, kind: TaskKind) -> None:
    """done, without a word of error."""
    image = arrived(repositories)

    assert finish(repositories, image, claim(repositories, image, kind))
    now = task(repositories, image, kind)
    assert (TaskStatus.DONE, None, None) == (now.status, now.error, now.message)


def after(repositories: Repositories, image: Image, claimed: Claim) -> list[bool]:
    """All that a worker may try with a claim."""
    return [
        finish(repositories, image, claimed),
        repositories.tasks.park(claimed, code="c", message="M.", delay=0, refund=False),
        repositories.tasks.fail(claimed, TaskStatus.FAILED, code="c", message="M."),
        repositories.tasks.reject(claimed, code="c", message="M."),
    ]


@BOTH
def test_a_zombie_changes_nothing(repositories: Repositories, kind: TaskKind) -> None:
    """It outlived its lease, and another owns the task."""
    image = arrived(repositories)
    zombie = abandoned(repositories, image, kind)
    claim(repositories, image, kind)
    before = stored(repositories, image)

    assert [False] * 4 == after(repositories, image, zombie)
    assert before == stored(repositories, image)


@BOTH
def test_a_late_worker_whose_task_nobody_took_still_counts(repositories: Repositories, kind: TaskKind) -> None:
    """The lease has expired, but the row still holds the token."""
    image = arrived(repositories)

    assert finish(repositories, image, abandoned(repositories, image, kind))


@BOTH
def test_a_result_counts_once(repositories: Repositories, database: Database, kind: TaskKind) -> None:
    """The same commit again, as after a lost answer, is fenced off."""
    image = arrived(repositories)
    mine = claim(repositories, image, kind)
    finish(repositories, image, mine)
    before = stored(repositories, image)

    assert [False] * 4 == after(repositories, image, mine)
    assert before == stored(repositories, image)


@BOTH
def test_a_result_for_a_deleted_image_is_dropped(
    repositories: Repositories, database: Database, kind: TaskKind
) -> None:
    """The commit stores no result and no notification."""
    image = arrived(repositories)
    mine = claim(repositories, image, kind)
    repositories.images.delete(image.public_id)

    assert [False] * 4 == after(repositories, image, mine)
    assert [] == settled(database)


def test_a_result_for_a_purged_image_is_dropped(repositories: Repositories) -> None:
    """There is no row at all any more."""
    image = arrived(repositories)
    mine = claim(repositories, image, CAPTION)
    repositories.images.delete(image.public_id)
    repositories.sweep.purge(image.public_id)

    assert [False] * 4 == after(repositories, image, mine)


def test_out_of_the_trash_the_work_goes_on(repositories: Repositories) -> None:
    """Deleted and restored under the worker's hands."""
    image = arrived(repositories)
    mine = claim(repositories, image, CAPTION)
    repositories.images.delete(image.public_id)
    repositories.images.restore(image.public_id)

    assert finish(repositories, image, mine)


# Parking


def test_a_parked_task_waits(repositories: Repositories) -> None:
    """It says why and until when, and is not claimable before."""
    image = arrived(repositories)

    assert repositories.tasks.park(
        claim(repositories, image, CAPTION), code="busy", message="Later.", delay=600, refund=False
    )
    now = task(repositories, image, CAPTION)
    assert (TaskStatus.RETRY, "busy", "Later.", 1) == (now.status, now.error, now.message, now.attempts)
    assert now.next_at is not None
    assert 590 < (now.next_at - stored(repositories, image).uploaded_at).total_seconds() < 700
    assert try_claim(repositories, image, CAPTION) is None


def test_a_parked_task_that_is_due_is_claimed(repositories: Repositories) -> None:
    """The old reason is cleared."""
    image = arrived(repositories)
    repositories.tasks.park(
        claim(repositories, image, CAPTION), code="busy", message="Later.", delay=0, refund=False
    )

    assert 2 == claim(repositories, image, CAPTION).attempts
    now = task(repositories, image, CAPTION)
    assert (None, None, None) == (now.error, now.message, now.next_at)


def test_a_refund_takes_the_attempt_back(repositories: Repositories) -> None:
    """Waiting for everybody's sake costs nothing, however often."""
    image = arrived(repositories)
    for _ in range(4):
        mine = claim(repositories, image, CAPTION, max_attempts=2)
        repositories.tasks.park(mine, code="busy", message="Later.", delay=0, refund=True)

    assert 0 == task(repositories, image, CAPTION).attempts


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
