"""The sweep changes what it found, and nothing of other photos, owners and links, on both databases."""

from __future__ import annotations

import pytest

from imgcore.db.connection import Database
from imgcore.gallery.models import TaskKind, TaskStatus
from tests.contract.images import CAPTION, THUMBNAIL, abandoned, arrived, claim, event, finish, new, task
from tests.support.repositories import Repositories

DAY = 86_400.0


def test_missing_file_fails_its_own_photo_alone(repositories: Repositories) -> None:
    older, missing, newer = (arrived(repositories) for _ in range(3))
    for image in (older, missing, newer):
        finish(repositories, image, claim(repositories, image, THUMBNAIL))

    assert repositories.sweep.fail_missing(missing.public_id, code="missing", message="M.")
    assert not repositories.sweep.fail_missing(missing.public_id, code="missing", message="M.")

    states = [task(repositories, image, THUMBNAIL).status for image in (older, missing, newer)]
    assert [TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.DONE] == states


def test_postponed_purge_leaves_its_place_to_others_for_a_while(repositories: Repositories) -> None:
    """Deleted photos and expired uploads, each of two."""
    deleted = [arrived(repositories) for _ in range(2)]
    for image in deleted:
        repositories.images.delete(image.public_id)
    expired = [repositories.images.add(new(expires_in=-1000)) for _ in range(2)]
    for image in expired:
        assert repositories.sweep.expire(image.public_id)
    for first, _ in (deleted, expired):
        repositories.sweep.postpone_purge(first.public_id)

    def found(again_after: float) -> list[int]:
        trash = repositories.sweep.expired_trash(older_than=0.0, again_after=again_after, limit=5)
        return [image.id for image in trash]

    assert [each.id for each in (deleted[1], expired[1])] == found(3600.0)
    assert [image.id for image in (*deleted, *expired)] == found(0.0)


@pytest.mark.parametrize("kind", TaskKind)
def test_deleted_photo_is_purged_when_the_leases_of_its_tasks_have_ended(
    repositories: Repositories, database: Database, kind: TaskKind
) -> None:
    """A worker may write files until then. Leases of other photos do not matter."""
    held, crashed, ended, parked, other = (arrived(repositories) for _ in range(5))
    claim(repositories, held, kind)
    abandoned(repositories, crashed, kind)
    finish(repositories, ended, claim(repositories, ended, kind))
    mine = claim(repositories, parked, kind)
    assert repositories.tasks.park(mine, code="x", message="M.", delay=DAY, refund=True)
    for image in (held, crashed, ended, parked):
        repositories.images.delete(image.public_id)
    claim(repositories, other, kind)

    def trash() -> list[int]:
        found = repositories.sweep.expired_trash(older_than=0.0, again_after=0.0, limit=5)
        return [image.id for image in found]

    assert [crashed.id, ended.id, parked.id] == trash()
    end = "UPDATE tasks SET lease_until = {now} WHERE image_id = :id AND status = 'processing'"
    database.run(lambda tx: tx.execute(end, id=held.id))
    assert [held.id, crashed.id, ended.id, parked.id] == trash()


def test_uploads_have_expired_where_expire_would_mark_them(repositories: Repositories) -> None:
    rows = [new(expires_in=seconds) for seconds in (-290, -301, -1000, -1000)]
    images = [repositories.images.add(row) for row in rows]
    repositories.images.receive(event(rows[2]), rows[2])
    repositories.images.delete(images[3].public_id)

    expected = [False, True, False, True]
    assert expected == [repositories.sweep.has_expired(image.public_id) for image in images]
    assert expected == [repositories.sweep.expire(image.public_id) for image in images]
    assert not repositories.sweep.has_expired(images[1].public_id)


def test_release_leaves_retries_of_other_errors_kinds_and_photos(repositories: Repositories) -> None:
    waiting, other = arrived(repositories), arrived(repositories)
    for image, kind, code in ((waiting, CAPTION, "cap"), (waiting, THUMBNAIL, "x"), (other, CAPTION, "y")):
        mine = claim(repositories, image, kind)
        repositories.tasks.park(mine, code=code, message="M.", delay=DAY, refund=True)
    later = task(repositories, other, CAPTION).next_at, task(repositories, waiting, THUMBNAIL).next_at

    assert 1 == repositories.sweep.release(["cap"], within=60.0, limit=10)
    assert 0 == repositories.sweep.release(["cap"], within=60.0, limit=10)

    assert later == (task(repositories, other, CAPTION).next_at, task(repositories, waiting, THUMBNAIL).next_at)
    claim(repositories, waiting, CAPTION)  # it is due


def test_release_makes_no_more_retries_due_than_its_limit(repositories: Repositories) -> None:
    """The first photos come first; the others wait for the next sweep."""
    images = [arrived(repositories) for _ in range(3)]
    for image in images:
        repositories.tasks.park(
            claim(repositories, image, CAPTION), code="cap", message="M.", delay=DAY, refund=True
        )
    later = [task(repositories, image, CAPTION).next_at for image in images]

    assert 1 == repositories.sweep.release(["cap"], within=60.0, limit=1)

    assert later[1:] == [task(repositories, image, CAPTION).next_at for image in images[1:]]
    claim(repositories, images[0], CAPTION)  # it is due


def test_release_of_one_owner_leaves_the_others(repositories: Repositories, database: Database) -> None:
    mine, theirs = arrived(repositories), arrived(repositories)
    owners = {}
    for image, name in ((mine, "ada"), (theirs, "ben")):
        owners[name] = database.run(
            lambda tx, name=name: tx.insert(
                "INSERT INTO accounts (public_id, name, password, role, password_at, created_at)"
                " VALUES (:name, :name, 'x', 'person', {now}, {now})",
                name=f"release-{name}",
            )
        )
        change = {"owner_id": owners[name], "image_id": image.id}
        database.run(
            lambda tx, change=change: tx.execute(
                "UPDATE images SET owner_id = :owner_id WHERE id = :image_id", **change
            )
        )
        parked = claim(repositories, image, CAPTION)
        repositories.tasks.park(parked, code="quota", message="M.", delay=DAY, refund=True)

    assert 1 == repositories.sweep.release(["quota"], within=60.0, limit=10, owner_id=owners["ada"])
    assert 1 == repositories.sweep.release(["quota"], within=60.0, limit=10)


def test_exhausted_tasks_are_those_whose_lease_has_ended(repositories: Repositories) -> None:
    dead, working, done = (arrived(repositories) for _ in range(3))
    abandoned(repositories, dead, CAPTION)
    claim(repositories, working, CAPTION)
    finish(repositories, done, abandoned(repositories, done, CAPTION))

    assert 1 == repositories.sweep.fail_exhausted_tasks(max_attempts=1)

    states = [task(repositories, image, CAPTION).status for image in (dead, working, done)]
    assert [TaskStatus.FAILED, TaskStatus.PROCESSING, TaskStatus.DONE] == states


def test_due_tasks_are_those_of_received_photos(repositories: Repositories, database: Database) -> None:
    image, rejected = arrived(repositories), arrived(repositories)
    statement = "UPDATE images SET upload_status = 'rejected' WHERE id = :image_id"
    database.run(lambda tx: tx.execute(statement, image_id=rejected.id))
    finish(repositories, image, claim(repositories, image, THUMBNAIL))

    due = repositories.sweep.due_tasks(within=60.0, lost_after=-1.0, again_after=0.0, limit=100)

    assert [(image.image_key, CAPTION)] == [
        (found.image_key, found.kind) for found in due if "bystander" not in found.image_key
    ]
    assert {CAPTION, THUMBNAIL} == set(TaskKind)


def test_ended_links_are_deleted_and_valid_ones_are_kept(
    database: Database, repositories: Repositories
) -> None:
    def link(name: str, ended: str) -> None:
        database.run(
            lambda tx: tx.execute(
                "INSERT INTO shares (public_id, kind, token_hash, title, download, opened, created_at,"
                f" expires_at, revoked_at) VALUES (:name, 'selection', :name, :name, 0, 0, {{now}}, {ended})",
                name=name,
                age=int(9 * DAY * 1e6),
            )
        )

    link("old", "{ago:age}, NULL")
    link("revoked", "{later:age}, {ago:age}")
    link("valid", "{later:age}, NULL")

    assert 2 == repositories.sweep.delete_ended_shares(older_than=8 * DAY, limit=10)
    rows = database.read(lambda tx: tx.rows("SELECT title FROM shares ORDER BY title"))
    assert "valid" in {row["title"] for row in rows}
    assert not {"old", "revoked"} & {row["title"] for row in rows}
