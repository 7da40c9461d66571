"""Who may work on a task, whose result counts, and what is told once both have ended."""

from __future__ import annotations

import time

import pytest

from imgcore.db.connection import Database
from imgcore.db.images import SqlRepository
from imgcore.gallery.models import Edit, Image, Safety, Source, TaskKind, TaskStatus, UploadStatus
from imgcore.pipeline.models import Claim
from tests.contract.photographs import (
    CAPTION,
    THUMBNAIL,
    abandoned,
    arrived,
    claim,
    described,
    description,
    finish,
    new,
    outbox,
    stored,
    task,
)

BOTH = pytest.mark.parametrize("kind", list(TaskKind))


def try_claim(repository: SqlRepository, image: Image, kind: TaskKind, max_attempts: int = 5) -> Claim | None:
    return repository.claim(image.image_key, kind, lease=60, max_attempts=max_attempts)


# Claims


@BOTH
def test_a_received_photographs_task_is_claimed(repository: SqlRepository, kind: TaskKind) -> None:
    """The claim says whose it is and which attempt; the row says that somebody works on it."""
    image = arrived(repository)

    mine = claim(repository, image, kind)

    assert (image.id, image.public_id, image.image_key, kind, 1, "version-e1") == (
        mine.image_id,
        mine.public_id,
        mine.image_key,
        mine.kind,
        mine.attempts,
        mine.version_id,
    )
    assert (TaskStatus.PROCESSING, "working") == (
        task(repository, image, kind).status,
        stored(repository, image).status,
    )


@BOTH
def test_a_claimed_task_is_nobody_elses(repository: SqlRepository, kind: TaskKind) -> None:
    """Until its lease ends; the other task is free."""
    image = arrived(repository)
    claim(repository, image, kind)
    other = THUMBNAIL if kind is CAPTION else CAPTION

    assert try_claim(repository, image, kind) is None
    assert try_claim(repository, image, other) is not None


def test_nothing_is_claimed_before_the_upload_is_there(repository: SqlRepository) -> None:
    """An awaited, an expired, a deleted and an unknown photograph have nothing to do."""
    awaited, expired, deleted = repository.add(new()), repository.add(new(expires_in=-301)), arrived(repository)
    repository.expire(expired.public_id)
    repository.delete(deleted.public_id)

    assert [None] * 3 == [try_claim(repository, image, CAPTION) for image in (awaited, expired, deleted)]
    assert repository.claim("raw/nobody", CAPTION, lease=60, max_attempts=5) is None


def test_a_done_task_is_not_claimed(repository: SqlRepository) -> None:
    """A duplicate of its event finds nothing to do."""
    assert try_claim(repository, described(repository, "cat.jpg"), CAPTION) is None


def test_a_dead_lease_may_be_claimed(repository: SqlRepository) -> None:
    """The next worker gets a token of its own; the attempts add up."""
    image = arrived(repository)
    dead = abandoned(repository, image, CAPTION)

    alive = claim(repository, image, CAPTION)

    assert (2, True) == (alive.attempts, alive.token != dead.token)


def test_a_task_that_crashed_too_often_fails(repository: SqlRepository) -> None:
    """Nobody claims it again; the card says why."""
    image = arrived(repository)
    for _ in range(2):
        abandoned(repository, image, CAPTION)

    assert try_claim(repository, image, CAPTION, max_attempts=2) is None
    now = task(repository, image, CAPTION)
    assert (TaskStatus.FAILED, "crashed", 2) == (now.status, now.error, now.attempts)
    assert now.message


def test_the_last_attempt_in_hand_is_left_alone(repository: SqlRepository) -> None:
    """A duplicate event does not fail what somebody still works on."""
    image = arrived(repository)
    mine = claim(repository, image, CAPTION, max_attempts=1)

    assert try_claim(repository, image, CAPTION, max_attempts=1) is None
    assert finish(repository, image, mine)


# Results and the fence


@BOTH
def test_a_result_ends_its_task(repository: SqlRepository, kind: TaskKind) -> None:
    """done, without a word of error."""
    image = arrived(repository)

    assert finish(repository, image, claim(repository, image, kind))
    now = task(repository, image, kind)
    assert (TaskStatus.DONE, None, None) == (now.status, now.error, now.message)


def after(repository: SqlRepository, image: Image, claimed: Claim) -> list[bool]:
    """All that a worker may try with a claim."""
    return [
        finish(repository, image, claimed),
        repository.park(claimed, code="c", message="M.", delay=0, refund=False),
        repository.fail(claimed, TaskStatus.FAILED, code="c", message="M."),
        repository.reject(claimed, code="c", message="M."),
    ]


@BOTH
def test_a_zombie_changes_nothing(repository: SqlRepository, kind: TaskKind) -> None:
    """It outlived its lease, and another owns the task."""
    image = arrived(repository)
    zombie = abandoned(repository, image, kind)
    claim(repository, image, kind)
    before = stored(repository, image)

    assert [False] * 4 == after(repository, image, zombie)
    assert before == stored(repository, image)


@BOTH
def test_a_late_worker_whose_task_nobody_took_still_counts(repository: SqlRepository, kind: TaskKind) -> None:
    """Its lease is over, its token is still the row's."""
    image = arrived(repository)

    assert finish(repository, image, abandoned(repository, image, kind))


@BOTH
def test_a_result_counts_once(repository: SqlRepository, database: Database, kind: TaskKind) -> None:
    """The same commit again, as after a lost answer, is fenced off."""
    image = arrived(repository)
    mine = claim(repository, image, kind)
    finish(repository, image, mine)
    before = stored(repository, image)

    assert [False] * 4 == after(repository, image, mine)
    assert before == stored(repository, image)


@BOTH
def test_a_result_for_a_deleted_photograph_is_dropped(
    repository: SqlRepository, database: Database, kind: TaskKind
) -> None:
    """Nothing is stored, nothing told."""
    image = arrived(repository)
    mine = claim(repository, image, kind)
    repository.delete(image.public_id)

    assert [False] * 4 == after(repository, image, mine)
    assert [] == outbox(database)


def test_a_result_for_a_purged_photograph_is_dropped(repository: SqlRepository) -> None:
    """There is no row at all any more."""
    image = arrived(repository)
    mine = claim(repository, image, CAPTION)
    repository.delete(image.public_id)
    repository.purge(image.public_id)

    assert [False] * 4 == after(repository, image, mine)


def test_out_of_the_trash_the_work_goes_on(repository: SqlRepository) -> None:
    """Deleted and restored under the worker's hands."""
    image = arrived(repository)
    mine = claim(repository, image, CAPTION)
    repository.delete(image.public_id)
    repository.restore(image.public_id)

    assert finish(repository, image, mine)


# Parking


def test_a_parked_task_waits(repository: SqlRepository) -> None:
    """It says why and until when, and is not claimable before."""
    image = arrived(repository)

    assert repository.park(
        claim(repository, image, CAPTION), code="busy", message="Later.", delay=600, refund=False
    )
    now = task(repository, image, CAPTION)
    assert (TaskStatus.RETRY, "busy", "Later.", 1) == (now.status, now.error, now.message, now.attempts)
    assert now.next_at is not None
    assert 590 < (now.next_at - stored(repository, image).uploaded_at).total_seconds() < 700
    assert try_claim(repository, image, CAPTION) is None


def test_a_parked_task_that_is_due_is_claimed(repository: SqlRepository) -> None:
    """And its old reason is gone."""
    image = arrived(repository)
    repository.park(claim(repository, image, CAPTION), code="busy", message="Later.", delay=0, refund=False)

    assert 2 == claim(repository, image, CAPTION).attempts
    now = task(repository, image, CAPTION)
    assert (None, None, None) == (now.error, now.message, now.next_at)


def test_a_refund_takes_the_attempt_back(repository: SqlRepository) -> None:
    """Waiting for everybody's sake costs nothing, however often."""
    image = arrived(repository)
    for _ in range(4):
        mine = claim(repository, image, CAPTION, max_attempts=2)
        repository.park(mine, code="busy", message="Later.", delay=0, refund=True)

    assert 0 == task(repository, image, CAPTION).attempts


# Failing and rejecting


@pytest.mark.parametrize("status", [TaskStatus.FAILED, TaskStatus.BLOCKED])
def test_a_failure_says_why(repository: SqlRepository, status: TaskStatus) -> None:
    """A code for programs, a sentence for people."""
    image = arrived(repository)

    assert repository.fail(claim(repository, image, CAPTION), status, code="c", message="M\0.")
    now = task(repository, image, CAPTION)
    assert (status, "c", "M.") == (now.status, now.error, now.message)


def test_a_rejection_skips_what_is_open(repository: SqlRepository) -> None:
    """Even what another works on: its commit is fenced off."""
    image = arrived(repository)
    mine, other = claim(repository, image, THUMBNAIL), claim(repository, image, CAPTION)

    assert repository.reject(mine, code="bomb", message="Too large.")
    now = stored(repository, image)
    assert (UploadStatus.REJECTED, ["bomb", "bomb"], [TaskStatus.SKIPPED] * 2) == (
        now.upload_status,
        [task.error for task in now.tasks],
        [task.status for task in now.tasks],
    )
    assert not finish(repository, image, other)


def test_a_rejection_skips_what_is_parked(repository: SqlRepository) -> None:
    """It is not tried again."""
    image = arrived(repository)
    repository.park(claim(repository, image, CAPTION), code="busy", message="Later.", delay=0, refund=False)
    repository.reject(claim(repository, image, THUMBNAIL), code="bomb", message="Too large.")

    assert (TaskStatus.SKIPPED, None) == (
        task(repository, image, CAPTION).status,
        try_claim(repository, image, CAPTION),
    )


def test_a_rejection_leaves_what_is_done(repository: SqlRepository) -> None:
    """A caption that was made stays."""
    image = described(repository, "cat.jpg")
    repository.reject(claim(repository, image, THUMBNAIL), code="bomb", message="Too large.")

    assert TaskStatus.DONE is task(repository, image, CAPTION).status


# Who outranks whom


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("stored_source", list(Source))
def test_a_description_never_replaces_one_of_higher_rank(
    repository: SqlRepository, stored_source: Source, source: Source
) -> None:
    """human > gemini > embedded > local; the task is done all the same."""
    image = described(repository, "cat.jpg", source=stored_source, caption="Before.")
    repository.reopen(image.public_id, [CAPTION], also_done=True)
    words = description(source=source, caption="After.", tags=("new",), safety=Safety.OK, model="m")

    assert repository.finish_caption(claim(repository, image, CAPTION), words)
    now = stored(repository, image)
    replaced = source.rank >= stored_source.rank
    assert (TaskStatus.DONE, "After." if replaced else "Before.", source if replaced else stored_source) == (
        now.task(CAPTION).status,
        now.caption,
        now.source,
    )


def test_under_a_persons_words_the_models_judgement_is_kept(repository: SqlRepository) -> None:
    """A person says nothing of safety, of the text in the picture or of the price."""
    image = arrived(repository)
    repository.edit(image.public_id, Edit(caption="Mine."))
    words = description(
        source=Source.GEMINI, safety=Safety.SENSITIVE, visible_text="EXIT", model="m", price_usd=0.1
    )
    repository.finish_caption(claim(repository, image, CAPTION), words)

    now = stored(repository, image)

    assert ("Mine.", Source.HUMAN, Safety.SENSITIVE, "EXIT", "m", 0.1) == (
        now.caption,
        now.source,
        now.safety,
        now.visible_text,
        now.model,
        now.price_usd,
    )


def test_a_lower_machine_leaves_the_higher_ones_judgement(repository: SqlRepository) -> None:
    """What Gemini judged is not forgotten because the key is gone."""
    image = described(repository, "cat.jpg", source=Source.GEMINI, safety=Safety.OK, model="m")
    repository.reopen(image.public_id, [CAPTION], also_done=True)
    repository.finish_caption(claim(repository, image, CAPTION), description(source=Source.LOCAL))

    now = stored(repository, image)

    assert (Safety.OK, "m") == (now.safety, now.model)


# The outbox


@pytest.mark.parametrize("first", list(TaskKind))
def test_the_last_of_both_tasks_tells(repository: SqlRepository, database: Database, first: TaskKind) -> None:
    """Not the first, and whichever comes last."""
    image = arrived(repository)
    finish(repository, image, claim(repository, image, first))
    before = outbox(database)
    finish(repository, image, claim(repository, image, THUMBNAIL if first is CAPTION else CAPTION))

    assert ([], [image.id]) == (before, outbox(database))


def test_every_ending_tells(repository: SqlRepository, database: Database) -> None:
    """Failed, blocked, rejected, crashed at a claim: all are worth a notice."""
    failed, rejected, crashed = arrived(repository), arrived(repository), arrived(repository)
    repository.fail(claim(repository, failed, THUMBNAIL), TaskStatus.FAILED, code="c", message="M.")
    repository.fail(claim(repository, failed, CAPTION), TaskStatus.BLOCKED, code="c", message="M.")
    repository.reject(claim(repository, rejected, CAPTION), code="c", message="M.")
    finish(repository, crashed, claim(repository, crashed, THUMBNAIL))
    abandoned(repository, crashed, CAPTION)
    try_claim(repository, crashed, CAPTION, max_attempts=1)

    assert [failed.id, rejected.id, crashed.id] == outbox(database)


def test_it_is_told_once(repository: SqlRepository, database: Database) -> None:
    """Done again after a person asked, there is no second notice."""
    image = arrived(repository)
    for _ in range(2):
        for kind in TaskKind:
            finish(repository, image, claim(repository, image, kind))
        repository.reopen(image.public_id, also_done=True)

    assert [image.id] == outbox(database)


def test_a_parked_task_tells_nothing(repository: SqlRepository, database: Database) -> None:
    """It is not over."""
    image = described(repository, "cat.jpg")
    repository.park(claim(repository, image, THUMBNAIL), code="c", message="M.", delay=0, refund=False)
    time.sleep(0.01)

    assert [] == outbox(database)


def test_the_database_itself_refuses_what_must_not_be(repository: SqlRepository, database: Database) -> None:
    """The invariants are the schema's, too: no lease without work, no end without a time, nobody's words."""
    image = described(repository, "cat.jpg")
    for sql in (
        "UPDATE tasks SET status = 'processing' WHERE image_id = ?",
        "UPDATE tasks SET lease_token = 'x' WHERE image_id = ?",
        "UPDATE tasks SET status = 'retry', error = 'x' WHERE image_id = ?",
        "UPDATE tasks SET finished_at = NULL WHERE image_id = ? AND kind = 'caption'",
        "UPDATE tasks SET status = 'lost' WHERE image_id = ?",
        "UPDATE tasks SET attempts = -1 WHERE image_id = ?",
        "UPDATE tasks SET error = 'x' WHERE image_id = ? AND kind = 'caption'",
        "UPDATE images SET source = NULL WHERE id = ?",
        "UPDATE images SET source = 'nobody' WHERE id = ?",
        "UPDATE images SET caption_generated_at = NULL WHERE id = ?",
        "UPDATE images SET thumbnail_key = 'x' WHERE id = ?",
        "UPDATE images SET upload_status = 'lost' WHERE id = ?",
        "INSERT INTO tasks (image_id, kind, status) VALUES (? + 1000, 'caption', 'pending')",
    ):
        with pytest.raises(Exception, match=r"(?i)constraint"), database.transaction() as tx:
            tx.execute(sql, image.id)

    assert image == stored(repository, image)
