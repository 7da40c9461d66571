"""The overview of tasks on both databases."""

from __future__ import annotations

from imgcore.gallery.models import TaskStatus
from tests.contract.images import CAPTION, arrived, claim, task
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
