"""A database clock that is set back, as after a failover to a server with another one."""

from __future__ import annotations

from imgcore.db.connection import Database
from imgcore.gallery.models import Image, TaskStatus
from imgcore.pipeline.maintenance_models import DueTask
from tests.contract.images import CAPTION, THUMBNAIL, arrived, claim, described, finish, new, task
from tests.support.repositories import Repositories


def due(repositories: Repositories) -> set[str]:
    """The ids of the images with a task that is due now."""
    found: list[DueTask] = list(repositories.sweep.due_tasks(within=0, lost_after=0, again_after=0, limit=50))
    return {each.public_id for each in found}


_TASK_TIMES = ("next_at", "lease_until", "dispatched_at", "started_at")


def set_clock_back(database: Database, image: Image, seconds: float) -> None:
    """Move the times of an image forward: the same as a database clock that is set back."""
    with database.transaction() as tx:
        for table, columns, where in (
            ("tasks", _TASK_TIMES, "image_id = :id"),
            ("images", ("uploaded_at", "checked_at"), "id = :id"),
        ):
            for column in columns:
                tx.execute(
                    f"UPDATE {table} SET {column} = {{later:seconds}} WHERE {where} AND {column} IS NOT NULL",
                    seconds=round(seconds * 1_000_000),
                    id=image.id,
                )


def test_clock_set_back_leaves_no_task_waiting(database: Database) -> None:
    """Leases, retries, undelivered tasks and lost events of the lost day are due at once.

    Bystanders have times in the future, as what is repaired here: there are none.
    """
    repositories = Repositories(database)
    crashed, retried, pending, sent = (arrived(repositories, f"{number}.jpg") for number in range(4))
    lost = repositories.images.add(new("lost.jpg"))
    for image in (crashed, retried, sent):
        finish(repositories, image, claim(repositories, image, CAPTION))
    claim(repositories, crashed, THUMBNAIL)
    repositories.tasks.park(
        claim(repositories, retried, THUMBNAIL), code="c", message="M.", delay=20, refund=False
    )
    repositories.sweep.due_tasks(within=0, lost_after=-1, again_after=0, limit=50)  # all are dispatched
    for image in (crashed, retried, pending, sent, lost):
        set_clock_back(database, image, 86_400)
    assert (set(), []) == (due(repositories), awaited(repositories))

    moved = repositories.sweep.repair_clock()

    assert moved >= 6
    assert {crashed.public_id, retried.public_id, pending.public_id, sent.public_id} == due(repositories)
    assert [lost.public_id] == awaited(repositories)
    assert 0 == repositories.sweep.repair_clock()


def awaited(repositories: Repositories) -> list[str]:
    found = repositories.sweep.uploads_without_event(lost_after=0, again_after=0, limit=50)
    return [image.public_id for image in found]


def test_clock_that_differs_by_more_than_a_minute_is_repaired(database: Database) -> None:
    """Less is what servers may differ by."""
    repositories = Repositories(database)
    image = arrived(repositories)
    claim(repositories, image, CAPTION)
    set_clock_back(database, image, 55)
    assert 0 == repositories.sweep.repair_clock()
    set_clock_back(database, image, 60.8)
    assert repositories.sweep.repair_clock() > 0


def test_clock_that_is_right_moves_nothing(database: Database) -> None:
    """A lease and a retry that end later are as planned."""
    repositories = Repositories(database)
    working, later = arrived(repositories), described(repositories, "later.jpg")
    claim(repositories, working, CAPTION)
    claimed = claim(repositories, later, THUMBNAIL)
    repositories.tasks.park(claimed, code="c", message="M.", delay=3600.0, refund=False)
    assert 0 < len(due(repositories))  # the thumbnail of the first, which nobody has delivered

    assert 0 == repositories.sweep.repair_clock()
    assert TaskStatus.RETRY is task(repositories, later, THUMBNAIL).status
    assert TaskStatus.PROCESSING is task(repositories, working, CAPTION).status
