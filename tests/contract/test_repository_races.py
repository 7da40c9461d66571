"""Many at once: exactly one wins each task, and exactly one notice comes of two ends at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar

import pytest

from imgcore.db.connection import Database
from imgcore.gallery.models import Image, TaskKind, TaskStatus
from imgcore.pipeline.models import Claim
from tests.contract.images import (
    CAPTION,
    THUMBNAIL,
    abandoned,
    arrived,
    claim,
    event,
    finish,
    new,
    settled,
    stored,
)
from tests.support.repositories import Repositories

T = TypeVar("T")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Eight threads, each with a connection of its own."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


def at_once(pool: ThreadPoolExecutor, *works: Callable[[], T]) -> list[T]:
    """Start them together; their results in order."""
    barrier = Barrier(len(works))

    def one(work: Callable[[], T]) -> T:
        barrier.wait()
        return work()

    return list(pool.map(one, works))


def test_one_of_many_claims_wins(repositories: Repositories, pool: ThreadPoolExecutor) -> None:
    """Fifty tasks, eight workers on each."""
    for _ in range(50):
        image = arrived(repositories)

        def work(image: Image = image) -> Claim | None:
            return repositories.tasks.claim(image.image_key, CAPTION, lease=60, max_attempts=5)

        claims = at_once(pool, *[work] * 8)

        assert 1 == sum(claimed is not None for claimed in claims)
        assert 1 == stored(repositories, image).task(CAPTION).attempts


def test_two_results_at_the_same_moment_settle_the_image(
    repositories: Repositories, database: Database, pool: ThreadPoolExecutor
) -> None:
    """Thumbnail and caption, two hundred times."""
    ids = []
    for _ in range(200):
        image = arrived(repositories)
        ids.append(image.id)
        works = [partial(finish, repositories, image, claim(repositories, image, kind)) for kind in TaskKind]

        assert [True, True] == at_once(pool, *works)

    assert ids == settled(database)


def test_two_failures_at_the_same_moment_settle_the_image(
    repositories: Repositories, database: Database, pool: ThreadPoolExecutor
) -> None:
    """Only the rows of the tasks are written then."""
    ids = []
    for _ in range(100):
        image = arrived(repositories)
        ids.append(image.id)
        works = [
            partial(
                repositories.tasks.fail,
                claim(repositories, image, kind),
                TaskStatus.FAILED,
                code="c",
                message="M.",
            )
            for kind in TaskKind
        ]

        assert [True, True] == at_once(pool, *works)

    assert ids == settled(database)


def test_a_failure_and_the_sweepers_at_the_same_moment_settle_the_image(
    repositories: Repositories, database: Database, pool: ThreadPoolExecutor
) -> None:
    """The sweeper takes the same lock."""
    ids = []
    for _ in range(100):
        image = arrived(repositories)
        ids.append(image.id)
        abandoned(repositories, image, THUMBNAIL)
        caption = claim(repositories, image, CAPTION)

        at_once(
            pool,
            lambda: repositories.sweep.fail_exhausted_tasks(max_attempts=1),
            lambda caption=caption: repositories.tasks.fail(caption, TaskStatus.FAILED, code="c", message="M."),
        )

    assert ids == settled(database)


def test_a_rejection_and_a_result_at_the_same_moment(
    repositories: Repositories, database: Database, pool: ThreadPoolExecutor
) -> None:
    """Either order is right: rejected in the end, and no task open."""
    ids = []
    for _ in range(50):
        image = arrived(repositories)
        ids.append(image.id)
        thumbnail, caption = claim(repositories, image, THUMBNAIL), claim(repositories, image, CAPTION)

        rejected, _ = at_once(
            pool,
            lambda thumbnail=thumbnail: repositories.tasks.reject(thumbnail, code="c", message="M."),
            lambda image=image, caption=caption: finish(repositories, image, caption),
        )

        assert (True, "rejected") == (rejected, stored(repositories, image).status)
        assert all(task.status.terminal for task in stored(repositories, image).tasks)

    assert ids == settled(database)


def test_the_zombie_and_its_successor_at_the_same_moment(
    repositories: Repositories, pool: ThreadPoolExecutor
) -> None:
    """The one that owns the task counts, the other is dropped."""
    for _ in range(50):
        image = arrived(repositories)
        zombie = abandoned(repositories, image, CAPTION)
        owner = claim(repositories, image, CAPTION)
        works = [
            lambda image=image, claimed=claimed: finish(repositories, image, claimed)
            for claimed in (zombie, owner)
        ]

        assert [False, True] == at_once(pool, *works)


def test_the_same_news_in_many_threads_makes_one_row(
    repositories: Repositories, pool: ThreadPoolExecutor
) -> None:
    """Eight workers get the event of an unknown upload."""
    for _ in range(25):
        row = new()
        works = [lambda row=row: repositories.images.receive(event(row), row) for _ in range(8)]

        assert 1 == len({image.id for image in at_once(pool, *works)})


def test_a_task_is_handed_over_by_one_sweeper(repositories: Repositories, pool: ThreadPoolExecutor) -> None:
    """Four sweep at once; each of sixty tasks comes once."""
    for _ in range(30):
        arrived(repositories)
    works = [lambda: repositories.sweep.due_tasks(within=0, lost_after=0, again_after=3600, limit=100)] * 4

    handed = [(task.public_id, task.kind) for tasks in at_once(pool, *works) for task in tasks]

    assert (60, 60) == (len(handed), len(set(handed)))


def test_an_upload_without_event_is_checked_by_one_sweeper(
    repositories: Repositories, pool: ThreadPoolExecutor
) -> None:
    """Four sweep at once; each of thirty rows comes once."""
    for _ in range(30):
        repositories.images.add(new())
    works = [lambda: repositories.sweep.uploads_without_event(lost_after=0, again_after=3600, limit=100)] * 4

    looked = [image.id for images in at_once(pool, *works) for image in images]

    assert (30, 30) == (len(looked), len(set(looked)))


def test_sweepers_and_workers_do_not_hurt_each_other(
    repositories: Repositories, database: Database, pool: ThreadPoolExecutor
) -> None:
    """Some threads sweep and fail tasks while others claim, park and finish the same ones: all end."""
    images = [arrived(repositories) for _ in range(20)]

    def work(kind: TaskKind) -> None:
        for turn in range(3):
            for image in images:
                claimed = repositories.tasks.claim(image.image_key, kind, lease=60, max_attempts=50)
                if claimed is None:
                    continue
                if turn == 0:
                    repositories.tasks.park(claimed, code="c", message="M.", delay=0, refund=False)
                else:
                    finish(repositories, image, claimed)

    def sweep() -> None:
        for _ in range(15):
            repositories.sweep.due_tasks(within=60, lost_after=0, again_after=0, limit=100)
            repositories.sweep.fail_exhausted_tasks(max_attempts=50)

    at_once(pool, *[lambda kind=kind: work(kind) for kind in [*TaskKind, *TaskKind]], sweep, sweep)

    states = {task.status for image in images for task in stored(repositories, image).tasks}
    assert {TaskStatus.DONE} == states
    assert [image.id for image in images] == sorted(settled(database))


def test_one_caller_probes(repositories: Repositories, pool: ThreadPoolExecutor) -> None:
    """Eight callers ask when the pause of the breaker has just ended, fifty times."""
    for turn in range(50):
        repositories.breakers.open(f"g{turn}", wait=0, reason="c", message="M.")

        states = at_once(pool, *[lambda turn=turn: repositories.breakers.acquire(f"g{turn}", probe=30)] * 8)

        assert 1 == sum(state.closed for state in states)


def test_the_longest_of_many_closures_stands(repositories: Repositories, pool: ThreadPoolExecutor) -> None:
    """The order does not matter, on a breaker that was never open before."""
    for turn in range(20):
        works = [
            lambda turn=turn, wait=wait: repositories.breakers.open(
                f"g{turn}", wait=wait, reason=f"r{wait}", message="M."
            )
            for wait in (100, 800, 300, 500)
        ]
        at_once(pool, *works)

        assert "r800" == repositories.breakers.state(f"g{turn}").reason
