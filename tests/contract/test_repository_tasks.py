"""Tasks on both databases: claims, results that a fence protects, parking."""

from __future__ import annotations

import pytest

from imgcore.db.connection import Database
from imgcore.gallery.models import (
    Image,
    TaskKind,
    TaskStatus,
)
from imgcore.pipeline.models import Claim
from tests.contract.images import (
    CAPTION,
    THUMBNAIL,
    abandoned,
    arrived,
    claim,
    described,
    finish,
    new,
    settled,
    stored,
    task,
    try_claim,
)
from tests.support.repositories import Repositories

BOTH = pytest.mark.parametrize("kind", list(TaskKind))


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
