"""What the sweeper finds: due and lost tasks, unheard uploads, the trash."""

from __future__ import annotations

from imgcore.db.connection import Database
from imgcore.db.images import SqlRepository
from imgcore.gallery.models import Image, TaskStatus, UploadStatus
from imgcore.pipeline.models import DueTask
from tests.contract.photographs import (
    CAPTION,
    THUMBNAIL,
    abandoned,
    arrived,
    claim,
    described,
    description,
    event,
    finish,
    new,
    outbox,
    stored,
    task,
)

LONG = 3600.0


def due(
    repository: SqlRepository,
    *,
    within: float = 0,
    lost_after: float = LONG,
    again_after: float = LONG,
    limit: int = 50,
) -> list[DueTask]:
    return list(repository.due(within=within, lost_after=lost_after, again_after=again_after, limit=limit))


def whose(tasks: list[DueTask]) -> set[tuple[str, str]]:
    return {(task.public_id, task.kind.value) for task in tasks}


def parked(repository: SqlRepository, delay: float) -> Image:
    image = described(repository, "parked.jpg")
    repository.park(claim(repository, image, THUMBNAIL), code="c", message="M.", delay=delay, refund=False)
    return image


def test_a_fresh_photograph_is_not_due(repository: SqlRepository) -> None:
    """Its event is on the way."""
    arrived(repository)

    assert [] == due(repository)


def test_a_task_that_nobody_delivered_is_due(repository: SqlRepository) -> None:
    """Both of a received photograph whose events were lost."""
    image = arrived(repository)

    assert {(image.public_id, "thumbnail"), (image.public_id, "caption")} == whose(
        due(repository, lost_after=0)
    )


def test_an_upload_that_is_not_there_has_nothing_due(repository: SqlRepository) -> None:
    """Awaited, expired, rejected, deleted."""
    repository.add(new())
    repository.expire(repository.add(new(expires_in=-301)).public_id)
    repository.delete(arrived(repository).public_id)
    rejected = arrived(repository)
    repository.reject(claim(repository, rejected, CAPTION), code="c", message="M.")

    assert [] == due(repository, lost_after=0)


def test_a_parked_task_is_due_in_time(repository: SqlRepository) -> None:
    """Those within the window, each with its remaining delay; later ones wait for a later sweep."""
    now, soon = parked(repository, 0), parked(repository, 30)
    parked(repository, 600)

    found = {task.public_id: task for task in due(repository, within=60)}

    assert {now.public_id, soon.public_id} == set(found)
    assert 0.0 == found[now.public_id].delay
    assert 20 < found[soon.public_id].delay <= 30
    assert (soon.image_key, THUMBNAIL) == (found[soon.public_id].image_key, found[soon.public_id].kind)


def test_a_dead_lease_is_due(repository: SqlRepository) -> None:
    """And a living one is not."""
    dead, alive = described(repository, "dead.jpg"), described(repository, "alive.jpg")
    abandoned(repository, dead, THUMBNAIL)
    claim(repository, alive, THUMBNAIL)

    assert {(dead.public_id, "thumbnail")} == whose(due(repository))


def test_what_was_handed_over_is_not_handed_over_again(repository: SqlRepository) -> None:
    """Not until again_after has passed."""
    arrived(repository)
    counts = [len(due(repository, lost_after=0, again_after=after)) for after in (LONG, LONG, 0)]

    assert [2, 0, 2] == counts


def test_a_claim_forgets_the_handing_over(repository: SqlRepository) -> None:
    """Handed over, claimed, crashed: it is due at once."""
    image = parked(repository, 0)
    due(repository)
    abandoned(repository, image, THUMBNAIL)

    assert {(image.public_id, "thumbnail")} == whose(due(repository))


def test_a_reopened_task_is_due_when_its_message_was_lost(repository: SqlRepository) -> None:
    """Like any other that is pending."""
    image = described(repository, "cat.jpg")
    finish(repository, image, claim(repository, image, THUMBNAIL))
    repository.reopen(image.public_id, [CAPTION], also_done=True)

    assert ([], {(image.public_id, "caption")}) == (due(repository), whose(due(repository, lost_after=0)))


def test_a_sweep_takes_no_more_than_its_limit(repository: SqlRepository) -> None:
    """The rest is the next one's."""
    for _ in range(4):
        arrived(repository)
    first, second, third = (due(repository, lost_after=0, limit=5) for _ in range(3))

    assert (5, 3, 0) == (len(first), len(second), len(third))
    assert not whose(first) & whose(second)


def test_crashed_out_tasks_are_given_up(repository: SqlRepository, database: Database) -> None:
    """A dead lease and no attempt left: failed, said, told."""
    image = described(repository, "cat.jpg")
    for _ in range(3):
        abandoned(repository, image, THUMBNAIL)

    assert (0, 1, 0) == tuple(repository.exhaust(max_attempts=attempts) for attempts in (4, 3, 3))
    now = task(repository, image, THUMBNAIL)
    assert (TaskStatus.FAILED, "crashed") == (now.status, now.error)
    assert now.message
    assert [image.id] == outbox(database)


def test_a_living_last_attempt_is_not_given_up(repository: SqlRepository) -> None:
    """It may still come to an end."""
    image = arrived(repository)
    mine = claim(repository, image, CAPTION)

    assert 0 == repository.exhaust(max_attempts=1)
    assert repository.finish_caption(mine, description())


def test_what_lies_in_the_trash_is_not_given_up(repository: SqlRepository, database: Database) -> None:
    """It may be restored."""
    image = arrived(repository)
    abandoned(repository, image, CAPTION)
    repository.delete(image.public_id)

    assert 0 == repository.exhaust(max_attempts=1)
    assert [] == outbox(database)


def unheard(
    repository: SqlRepository, *, lost_after: float = 0, again_after: float = LONG, limit: int = 50
) -> list[str]:
    found = repository.unheard(lost_after=lost_after, again_after=again_after, limit=limit)
    return [image.public_id for image in found]


def test_an_upload_that_nobody_heard_of_is_looked_at(repository: SqlRepository) -> None:
    """Only those awaited, once in again_after."""
    awaited = repository.add(new())
    repository.delete(repository.add(new()).public_id)
    arrived(repository)

    assert [[], [awaited.public_id], [], [awaited.public_id]] == [
        unheard(repository, lost_after=LONG),
        unheard(repository),
        unheard(repository),
        unheard(repository, again_after=0),
    ]


def test_no_more_are_looked_at_than_the_limit(repository: SqlRepository) -> None:
    """The oldest first."""
    ids = [repository.add(new()).public_id for _ in range(3)]

    assert [ids[:2], ids[2:]] == [unheard(repository, limit=2), unheard(repository, limit=2)]


def test_a_form_expires_with_five_minutes_grace(repository: SqlRepository) -> None:
    """An upload may have begun in its last second."""
    fresh, over = repository.add(new(expires_in=-290)), repository.add(new(expires_in=-310))

    assert (False, True, False) == tuple(repository.expire(image.public_id) for image in (fresh, over, over))
    assert (UploadStatus.AWAITING, UploadStatus.EXPIRED) == (
        stored(repository, fresh).upload_status,
        stored(repository, over).upload_status,
    )


def test_what_has_arrived_does_not_expire(repository: SqlRepository) -> None:
    """However long ago its form ended."""
    row = new(expires_in=-1000)
    image = repository.receive(event(row), row)

    assert not repository.expire(image.public_id)


def test_the_trash_is_what_was_deleted_long_enough_ago(repository: SqlRepository) -> None:
    """Oldest first, at most the limit."""
    deleted = [arrived(repository) for _ in range(3)]
    arrived(repository)
    for image in deleted:
        repository.delete(image.public_id)

    assert [image.id for image in deleted[:2]] == [
        image.id for image in repository.trash(older_than=0, limit=2)
    ]
    assert [] == list(repository.trash(older_than=LONG, limit=5))


def test_purging_removes_the_row_and_all_that_hangs_on_it(
    repository: SqlRepository, database: Database
) -> None:
    """Tasks and notices too, and nobody else's."""
    image, other = arrived(repository), arrived(repository)
    for one in (image, other):
        for kind in (THUMBNAIL, CAPTION):
            finish(repository, one, claim(repository, one, kind))
    repository.delete(image.public_id)

    assert (True, False) == (repository.purge(image.public_id), repository.purge(image.public_id))
    assert repository.get(image.public_id) is None
    left = database.read(lambda tx: tx.rows("SELECT DISTINCT image_id FROM tasks"))
    assert ([other.id], [{"image_id": other.id}]) == (outbox(database), left)


def test_an_upload_that_never_came_goes_as_the_trash_does(
    repository: SqlRepository, database: Database
) -> None:
    """Once its form has ended; what only waits, or has come after all, stays."""
    never, late = (repository.add(new(expires_in=-1000)) for _ in range(2))
    for image in (never, late):
        repository.expire(image.public_id)
    repository.add(new())
    assert [never.id, late.id] == [image.id for image in repository.trash(older_than=0, limit=5)]
    assert [] == list(repository.trash(older_than=LONG, limit=5))

    repository.receive(event(late), new())
    assert (True, False) == (repository.purge(never.public_id), repository.purge(late.public_id))
    assert [] == list(repository.trash(older_than=0, limit=5))


def test_what_was_restored_meanwhile_is_not_purged(repository: SqlRepository) -> None:
    """Only the trash is emptied."""
    image = arrived(repository)

    assert not repository.purge(image.public_id)
