"""The overview of tasks on both databases."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from imgcore.accounts.models import Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.gallery.models import EVERYBODY, Image, TaskStatus, Viewer
from tests.contract.images import CAPTION, THUMBNAIL, arrived, claim, event, finish, new, task
from tests.support.repositories import Repositories


def test_failures_are_grouped_and_retried_up_to_a_limit(repositories: Repositories) -> None:
    images = [arrived(repositories, f"{number}.jpg") for number in range(3)]
    for image in images:
        claimed = claim(repositories, image, CAPTION)
        end = {"code": "made_up", "message": "No caption."}
        assert repositories.tasks.fail(claimed, TaskStatus.FAILED, **end)
    [failure] = [group for group in repositories.jobs.overview().failures if group.error == "made_up"]
    assert (CAPTION, TaskStatus.FAILED, 3, "No caption.") == (
        failure.kind,
        failure.status,
        failure.count,
        failure.message,
    )
    assert failure.at is not None
    keys = repositories.jobs.retry(CAPTION, "made_up", limit=2)
    assert [image.image_key for image in images[:2]] == keys
    states = [task(repositories, image, CAPTION).status for image in images]
    assert [TaskStatus.PENDING, TaskStatus.PENDING, TaskStatus.FAILED] == states
    repositories.images.delete(images[2].public_id)
    assert [] == repositories.jobs.retry(CAPTION, "made_up", limit=2)


def test_activity_is_that_of_photos_which_the_viewer_may_change(
    repositories: Repositories, database: Database
) -> None:
    accounts = AccountRepository(database)
    owner, stranger = (accounts.add(each * 32, each, Role.PERSON, "hash").id for each in "vw")
    batch, images = str(uuid.uuid4()), []
    for account in (owner, stranger):
        row = replace(new(), owner_id=account, batch_id=batch)
        repositories.images.add(row)
        images.append(repositories.images.receive(event(row), row))
    mine, other = images
    viewer = Viewer(account_id=owner, sees_others=True, changes_others=False)
    before = repositories.jobs.failed(EVERYBODY, 100)  # of bystanders
    for image in images:
        end = {"code": "made_up", "message": "No caption."}
        assert repositories.tasks.fail(claim(repositories, image, CAPTION), TaskStatus.FAILED, **end)
    assert [1, before + 2, 1] == [
        repositories.jobs.failed(whose, most)
        for whose, most in ((viewer, 100), (EVERYBODY, 100), (EVERYBODY, 1))
    ]
    found = repositories.jobs.activity(viewer)
    assert [("made_up", 1)] == [(group.error, group.count) for group in found.failures]
    assert [(batch, 1, 0, 1)] == list(found.batches)
    everything = repositories.jobs.activity(EVERYBODY).failures
    assert [2] == [group.count for group in everything if group.error == "made_up"]
    assert [mine.image_key] == repositories.jobs.retry(CAPTION, "made_up", limit=9, viewer=viewer)
    assert TaskStatus.FAILED is task(repositories, other, CAPTION).status


def test_last_sweep_is_the_latest(repositories: Repositories) -> None:
    assert repositories.jobs.overview().last_sweep is None
    times = []
    for _ in range(2):
        repositories.sweep.record_sweep()
        times.append(repositories.jobs.overview().last_sweep)
    assert None not in times
    assert times == sorted(times, key=str)


def test_breakers_are_listed_by_name(repositories: Repositories) -> None:
    repositories.breakers.open("zebra", wait=60.0, reason="quota", message="Used up.")
    found = {breaker.name: breaker for breaker in repositories.jobs.overview().breakers}
    assert ("quota", True) == (found["zebra"].reason, found["zebra"].wait > 50)
    repositories.breakers.close("zebra")
    assert [None] == [found.reason for found in repositories.jobs.overview().breakers if found.name == "zebra"]


def due(repositories: Repositories) -> set[tuple[str, str]]:
    """What the sweep queues, of what is pending for any time at all."""
    found = repositories.sweep.due_tasks(within=60, lost_after=-60, again_after=-60, limit=100)
    return {(each.public_id, each.kind.value) for each in found}


@pytest.fixture
def retried(repositories: Repositories, database: Database) -> list[Image]:
    """Three images, the captions of two of which are due after another error each."""
    images = [arrived(repositories, f"{number}.jpg") for number in range(3)]
    for image, code in zip(images, ("busy", "made_up"), strict=False):
        claimed = claim(repositories, image, CAPTION)
        assert repositories.tasks.park(claimed, code=code, message="Later.", delay=-1, refund=True)
    return images


def test_paused_kind_is_neither_claimed_nor_queued_until_it_is_resumed(
    repositories: Repositories, retried: list[Image]
) -> None:
    running = claim(repositories, retried[0], CAPTION)
    repositories.jobs.pause(CAPTION, None, "boss")
    repositories.jobs.pause(CAPTION, None, "another")  # changes nothing

    assert repositories.jobs.is_paused(CAPTION)
    assert not repositories.jobs.is_paused(THUMBNAIL)
    [pause] = repositories.jobs.overview().pauses
    assert (CAPTION, None, "boss") == (pause.kind, pause.reason, pause.account)
    attempt = {"lease": 60.0, "max_attempts": 5}
    for image in retried:
        assert repositories.tasks.claim(image.image_key, CAPTION, **attempt) is None
    assert {(image.public_id, "thumbnail") for image in retried} == due(repositories)
    assert finish(repositories, retried[0], running)  # what runs is finished
    assert [0, 0] == [task(repositories, image, CAPTION).attempts for image in retried[1:]]

    assert repositories.jobs.resume(CAPTION, None)
    assert not repositories.jobs.resume(CAPTION, None)
    assert {(image.public_id, "caption") for image in retried[1:]} <= due(repositories)
    assert repositories.tasks.claim(retried[2].image_key, CAPTION, **attempt) is not None


def test_pause_for_a_reason_holds_the_retries_after_that_error_alone(
    repositories: Repositories, retried: list[Image]
) -> None:
    busy, other, new = retried
    repositories.jobs.pause(CAPTION, "busy", None)
    repositories.jobs.pause(THUMBNAIL, "made_up", None)

    assert not repositories.jobs.is_paused(CAPTION)
    assert {(other.public_id, "caption"), (new.public_id, "caption")} == {
        each for each in due(repositories) if each[1] == "caption"
    }
    attempt = {"lease": 60.0, "max_attempts": 5}
    assert repositories.tasks.claim(busy.image_key, CAPTION, **attempt) is None
    assert None not in [repositories.tasks.claim(each.image_key, CAPTION, **attempt) for each in (other, new)]
    assert repositories.jobs.resume(CAPTION, "busy")
    assert repositories.tasks.claim(busy.image_key, CAPTION, **attempt) is not None
