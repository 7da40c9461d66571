"""What the sweeper finds: due and lost tasks, without_event uploads, the trash."""

from __future__ import annotations

import pytest

from imgcore.db.connection import Database
from imgcore.db.sweep import range_at
from imgcore.gallery.models import MISSING, Image, TaskStatus, UploadStatus
from imgcore.pipeline.maintenance_models import DueTask
from tests.contract.images import (
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
    settled,
    stored,
    task,
)
from tests.support.repositories import Repositories

LONG = 3600.0


def due(
    repositories: Repositories,
    *,
    within: float = 0,
    lost_after: float = LONG,
    again_after: float = LONG,
    limit: int = 50,
) -> list[DueTask]:
    return list(
        repositories.sweep.due_tasks(within=within, lost_after=lost_after, again_after=again_after, limit=limit)
    )


def whose(tasks: list[DueTask]) -> set[tuple[str, str]]:
    return {(task.public_id, task.kind.value) for task in tasks}


def parked(repositories: Repositories, delay: float) -> Image:
    image = described(repositories, "parked.jpg")
    repositories.tasks.park(
        claim(repositories, image, THUMBNAIL), code="c", message="M.", delay=delay, refund=False
    )
    return image


def test_a_fresh_image_is_not_due(repositories: Repositories) -> None:
    """The event may still arrive."""
    arrived(repositories)

    assert [] == due(repositories)


def test_a_task_that_nobody_delivered_is_due(repositories: Repositories) -> None:
    """Both of a received image whose events were lost."""
    image = arrived(repositories)

    assert {(image.public_id, "thumbnail"), (image.public_id, "caption")} == whose(
        due(repositories, lost_after=0)
    )


def test_an_upload_that_is_not_there_has_nothing_due(repositories: Repositories) -> None:
    """Awaited, expired, rejected, deleted."""
    repositories.images.add(new())
    repositories.sweep.expire(repositories.images.add(new(expires_in=-301)).public_id)
    repositories.images.delete(arrived(repositories).public_id)
    rejected = arrived(repositories)
    repositories.tasks.reject(claim(repositories, rejected, CAPTION), code="c", message="M.")

    assert [] == due(repositories, lost_after=0)


def test_a_parked_task_is_due_in_time(repositories: Repositories) -> None:
    """Those within the window, each with its remaining delay; later ones wait for a later sweep."""
    now, soon = parked(repositories, 0), parked(repositories, 30)
    parked(repositories, 600)

    found = {task.public_id: task for task in due(repositories, within=60)}

    assert {now.public_id, soon.public_id} == set(found)
    assert 0.0 == found[now.public_id].delay
    assert 20 < found[soon.public_id].delay <= 30
    assert (soon.image_key, THUMBNAIL) == (found[soon.public_id].image_key, found[soon.public_id].kind)


def test_one_of_the_retries_that_wait_for_a_breaker_is_due(repositories: Repositories) -> None:
    """It probes the service; the others would fail as it does. Retries for other reasons are not held."""
    images = [arrived(repositories) for _ in range(3)]
    for image, code in zip(images, ("held", "held", "other"), strict=True):
        mine = claim(repositories, image, CAPTION)
        repositories.tasks.park(mine, code=code, message="M.", delay=-1, refund=False)

    found = repositories.sweep.due_tasks(within=0, lost_after=LONG, again_after=LONG, limit=50, held=("held",))

    assert {images[0].public_id, images[2].public_id} == {each.public_id for each in found}


def test_a_dead_lease_is_due(repositories: Repositories) -> None:
    """A live task is not failed."""
    dead, alive = described(repositories, "dead.jpg"), described(repositories, "alive.jpg")
    abandoned(repositories, dead, THUMBNAIL)
    claim(repositories, alive, THUMBNAIL)

    assert {(dead.public_id, "thumbnail")} == whose(due(repositories))


def test_what_was_handed_over_is_not_handed_over_again(repositories: Repositories) -> None:
    """The next dispatch is due after again_after."""
    arrived(repositories)
    counts = [len(due(repositories, lost_after=0, again_after=after)) for after in (LONG, LONG, 0)]

    assert [2, 0, 2] == counts


def test_a_claim_forgets_the_handing_over(repositories: Repositories) -> None:
    """Handed over, claimed, crashed: it is due at once."""
    image = parked(repositories, 0)
    due(repositories)
    abandoned(repositories, image, THUMBNAIL)

    assert {(image.public_id, "thumbnail")} == whose(due(repositories))


def test_a_reopened_task_is_due_when_its_message_was_lost(repositories: Repositories) -> None:
    """Like any other that is pending."""
    image = described(repositories, "cat.jpg")
    finish(repositories, image, claim(repositories, image, THUMBNAIL))
    repositories.images.reopen(image.public_id, [CAPTION], also_done=True)

    assert ([], {(image.public_id, "caption")}) == (due(repositories), whose(due(repositories, lost_after=0)))


def test_a_sweep_takes_no_more_than_its_limit(repositories: Repositories) -> None:
    """The rest is the next one's."""
    for _ in range(4):
        arrived(repositories)
    first, second, third = (due(repositories, lost_after=0, limit=5) for _ in range(3))

    assert (5, 3, 0) == (len(first), len(second), len(third))
    assert not whose(first) & whose(second)


def test_crashed_out_tasks_are_given_up(repositories: Repositories, database: Database) -> None:
    """An expired lease and no attempt left: failed, with a message."""
    image = described(repositories, "cat.jpg")
    for _ in range(3):
        abandoned(repositories, image, THUMBNAIL)

    assert (0, 1, 0) == tuple(
        repositories.sweep.fail_exhausted_tasks(max_attempts=attempts) for attempts in (4, 3, 3)
    )
    now = task(repositories, image, THUMBNAIL)
    assert (TaskStatus.FAILED, "crashed") == (now.status, now.error)
    assert now.message
    assert [image.id] == settled(database)


def test_a_living_last_attempt_is_not_given_up(repositories: Repositories) -> None:
    """It may still come to an end."""
    image = arrived(repositories)
    mine = claim(repositories, image, CAPTION)

    assert 0 == repositories.sweep.fail_exhausted_tasks(max_attempts=1)
    assert repositories.tasks.finish_caption(mine, description())


def test_what_lies_in_the_trash_is_not_given_up(repositories: Repositories, database: Database) -> None:
    """It may be restored."""
    image = arrived(repositories)
    abandoned(repositories, image, CAPTION)
    repositories.images.delete(image.public_id)

    assert 0 == repositories.sweep.fail_exhausted_tasks(max_attempts=1)
    assert [] == settled(database)


def without_event(
    repositories: Repositories, *, lost_after: float = 0, again_after: float = LONG, limit: int = 50
) -> list[str]:
    found = repositories.sweep.uploads_without_event(
        lost_after=lost_after, again_after=again_after, limit=limit
    )
    return [image.public_id for image in found]


def test_an_upload_that_nobody_heard_of_is_looked_at(repositories: Repositories) -> None:
    """Only those awaited, also in the trash, once in again_after."""
    awaited = [repositories.images.add(new()).public_id for _ in range(2)]
    repositories.images.delete(awaited[1])
    arrived(repositories)

    assert [[], awaited, [], awaited] == [
        without_event(repositories, lost_after=LONG),
        without_event(repositories),
        without_event(repositories),
        without_event(repositories, again_after=0),
    ]


def test_no_more_are_looked_at_than_the_limit(repositories: Repositories) -> None:
    """The oldest first."""
    ids = [repositories.images.add(new()).public_id for _ in range(3)]

    assert [ids[:2], ids[2:]] == [without_event(repositories, limit=2), without_event(repositories, limit=2)]


def test_a_form_expires_with_five_minutes_grace(repositories: Repositories) -> None:
    """An upload may have begun in its last second."""
    fresh, over = repositories.images.add(new(expires_in=-290)), repositories.images.add(new(expires_in=-300.3))

    assert (False, True, False) == tuple(
        repositories.sweep.expire(image.public_id) for image in (fresh, over, over)
    )
    assert (UploadStatus.AWAITING, UploadStatus.EXPIRED) == (
        stored(repositories, fresh).upload_status,
        stored(repositories, over).upload_status,
    )


def test_what_has_arrived_does_not_expire(repositories: Repositories) -> None:
    """The age of the form does not matter."""
    row = new(expires_in=-1000)
    image = repositories.images.receive(event(row), row)

    assert not repositories.sweep.expire(image.public_id)


def test_the_trash_is_what_was_deleted_long_enough_ago(repositories: Repositories) -> None:
    """Oldest first, at most the limit."""
    deleted = [arrived(repositories) for _ in range(3)]
    arrived(repositories)
    for image in deleted:
        repositories.images.delete(image.public_id)

    assert [image.id for image in deleted[:2]] == [
        image.id for image in repositories.sweep.expired_trash(older_than=0, again_after=0.0, limit=2)
    ]
    assert [] == list(repositories.sweep.expired_trash(older_than=LONG, again_after=0.0, limit=5))


def test_purging_removes_the_row_and_all_that_hangs_on_it(
    repositories: Repositories, database: Database
) -> None:
    """Tasks and notices too, and nobody else's."""
    image, other = arrived(repositories), arrived(repositories)
    for one in (image, other):
        for kind in (THUMBNAIL, CAPTION):
            finish(repositories, one, claim(repositories, one, kind))
    repositories.images.delete(image.public_id)

    assert (True, False) == (
        repositories.sweep.purge(image.public_id),
        repositories.sweep.purge(image.public_id),
    )
    assert repositories.images.get(image.public_id) is None
    tasks = "SELECT COUNT(*) AS number FROM tasks WHERE image_id = :id"
    left = [database.read(lambda tx, id=one.id: tx.rows(tasks, id=id)) for one in (image, other)]
    assert ([other.id], [[{"number": 0}], [{"number": 2}]]) == (settled(database), left)


def test_an_upload_that_never_came_goes_as_the_trash_does(
    repositories: Repositories, database: Database
) -> None:
    """Uploads expire after their form; waiting and received ones stay."""
    never, late = (repositories.images.add(new(expires_in=-1000)) for _ in range(2))
    for image in (never, late):
        repositories.sweep.expire(image.public_id)
    repositories.images.add(new())
    assert [never.id, late.id] == [
        image.id for image in repositories.sweep.expired_trash(older_than=0, again_after=0.0, limit=5)
    ]
    assert [] == list(repositories.sweep.expired_trash(older_than=LONG, again_after=0.0, limit=5))

    repositories.images.receive(event(late), new())
    assert (True, False) == (
        repositories.sweep.purge(never.public_id),
        repositories.sweep.purge(late.public_id),
    )
    assert [] == list(repositories.sweep.expired_trash(older_than=0, again_after=0.0, limit=5))


def test_what_was_restored_meanwhile_is_not_purged(repositories: Repositories) -> None:
    """Only the trash is emptied."""
    image = arrived(repositories)

    assert not repositories.sweep.purge(image.public_id)


def test_processed_images_are_those_with_thumbnails_range_by_range(repositories: Repositories) -> None:
    """Every id is in one range, and after the last range the first one comes again."""
    images = [arrived(repositories, f"{number}.jpg") for number in range(5)]
    for image in images[:3]:
        finish(repositories, image, claim(repositories, image, THUMBNAIL))
    repositories.images.delete(images[0].public_id)
    ranges = -(-images[-1].id // 2)

    found = [repositories.sweep.processed_images(turn=turn, limit=2) for turn in range(ranges)]

    names = [
        each.name for part in found for each in part if each.public_id in {image.public_id for image in images}
    ]
    assert ["1.jpg", "2.jpg"] == names
    circle = 1 << (ranges - 1).bit_length()
    assert found[0] == repositories.sweep.processed_images(turn=circle, limit=2)
    assert max(len(part) for part in found) <= 2


@pytest.mark.parametrize("added", [0, 0.01, 0.1])
def test_circle_of_ranges_comes_to_each_while_others_are_added(added: float) -> None:
    """added: ranges with each turn. A circle has at most twice as many turns as there are ranges."""
    first = 100
    for start in range(0, 5000, 37):
        turns = range(start, start + (4 * first if added else 2 * first))
        seen = {range_at(turn, first + int(added * (turn - start))) for turn in turns}
        assert set(range(first)) <= seen
        assert max(seen) < first + added * len(turns)
    assert [0, 0, 0, 1] == [range_at(*each) for each in ((7, 0), (7, 1), (6, 2), (7, 2))]


def test_missing_file_fails_the_finished_thumbnail_task_of_one_image(repositories: Repositories) -> None:
    lost, other, unfinished, deleted = (arrived(repositories, f"{number}.jpg") for number in range(4))
    for image in (lost, other, deleted):
        finish(repositories, image, claim(repositories, image, THUMBNAIL))
    repositories.images.delete(deleted.public_id)
    before = [stored(repositories, image) for image in (other, unfinished, deleted)]

    ended = [
        repositories.sweep.fail_missing(image.public_id, code=MISSING, message="Gone.")
        for image in (lost, lost, unfinished, deleted)
    ]

    task_ = stored(repositories, lost).task(THUMBNAIL)
    assert ([True, False, False, False], 1) == (ended, repositories.images.missing())
    assert (TaskStatus.FAILED, "missing", "Gone.") == (task_.status, task_.error, task_.message)
    assert TaskStatus.PENDING is stored(repositories, lost).task(CAPTION).status
    assert before == [stored(repositories, image) for image in (other, unfinished, deleted)]


def owned(database: Database, repositories: Repositories, owner: int | None, count: int) -> list[Image]:
    """Awaited uploads of an owner, whose form has been unused for an hour."""
    rows = [repositories.images.add(new(f"{owner}.jpg")) for _ in range(count)]
    past = "UPDATE images SET owner_id = :owner, uploaded_at = {ago:hour} WHERE id = :id"
    for row in rows:
        database.run(lambda tx, i=row.id: tx.execute(past, owner=owner, hour=3_600_000_000, id=i))
    return rows


def test_sweep_checks_the_uploads_of_owners_in_turn(repositories: Repositories, database: Database) -> None:
    """The first sweep reaches every owner; later ones go on with what was checked longest ago."""
    many = owned(database, repositories, 7, 12)
    few = owned(database, repositories, 8, 2) + owned(database, repositories, None, 1)

    def sweep(again_after: float = LONG) -> set[str]:
        found = repositories.sweep.uploads_without_event(lost_after=300, again_after=again_after, limit=6)
        return {image.public_id for image in found}

    first, second = sweep(), sweep()
    assert {image.public_id for image in few} <= first
    assert (6, 6, set()) == (len(first), len(second), first & second)
    assert 3 == len(sweep())
    past = "UPDATE images SET checked_at = {ago:age} WHERE id = :id"
    for age, image in enumerate(many):  # the newest was checked longest ago
        database.run(lambda tx, a=age, i=image.id: tx.execute(past, age=7_200_000_000 + a * 60_000_000, id=i))
    assert {image.public_id for image in many[6:]} == sweep()


def test_sweep_redelivers_the_tasks_of_owners_in_turn(repositories: Repositories, database: Database) -> None:
    """A thousand lost messages of one account do not delay another's."""
    owner = "UPDATE images SET owner_id = :owner WHERE id = :id"
    for owner_id, count in ((7, 6), (8, 1)):
        for _ in range(count):
            image = arrived(repositories)
            database.run(lambda tx, o=owner_id, i=image.id: tx.execute(owner, owner=o, id=i))

    found = due(repositories, lost_after=0, again_after=LONG, limit=4)
    assert {(image.public_id, kind.value) for kind in (CAPTION, THUMBNAIL)} <= whose(found)
    assert (4, 10) == (len(found), len(due(repositories, lost_after=0, again_after=LONG)))
