"""Captions that wait for a model: what a breaker costs with many of them, and when one of them is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from imgcore.accounts.models import Role
from imgcore.db import versions
from imgcore.db.connection import Database, Transaction
from imgcore.gallery.models import Edit, Image, TaskKind
from imgcore.pipeline.models import BREAKER_CODES
from tests.contract.images import CAPTION, THUMBNAIL, arrived, claim, stored, task
from tests.support.repositories import Repositories

DAY = 86_400.0
MANY = 250  # photos that wait: three transactions of ``release``
CHANGES: dict[str, Callable[[Repositories], object]] = {
    "open": lambda r: r.breakers.open("model", wait=600.0, reason="rate_limited", message="M."),
    "back_off": lambda r: r.breakers.back_off("model", probing=True, reason="unavailable", message="M."),
    "allow_probe": lambda r: r.breakers.allow_probe("model"),
    "close": lambda r: r.breakers.close("model"),
}


@pytest.fixture
def bystanders() -> None:
    """None here: what is counted are the statements of many photos."""


def parked(repositories: Repositories, kind: TaskKind, code: str, delay: float = DAY) -> Image:
    image = arrived(repositories)
    mine = claim(repositories, image, kind)
    assert repositories.tasks.park(mine, code=code, message="M.", delay=delay, refund=True)
    return image


def wait(repositories: Repositories, count: int, delay: float) -> list[str]:
    """Let that many photos more wait for the model, for ``delay`` seconds; the public ids of all that do."""
    first = parked(repositories, CAPTION, "unavailable", delay)
    images = (
        "INSERT INTO images (public_id, image_key, name, upload_status, uploaded_at, upload_expires_at,"
        " search_text) VALUES (:key, :key, 'a.jpg', 'received', {now}, {now}, '')"
    )
    tasks = (
        "INSERT INTO tasks (image_id, kind, status, error, next_at)"
        " SELECT i.id, t.kind, t.status, t.error, t.next_at FROM images i JOIN tasks t"
        " ON t.image_id = :first WHERE i.image_key LIKE :copies"
    )

    def work(tx: Transaction) -> None:
        for number in range(count - 1):
            tx.insert(images, key=f"{first.id}-waits-{number}")
        tx.execute(tasks, first=first.id, copies=f"{first.id}-waits-%")

    repositories.database.run(work)
    query = (
        "SELECT public_id FROM images WHERE id IN (SELECT image_id FROM tasks WHERE kind = 'caption'"
        " AND status = 'retry') ORDER BY id"
    )
    return [row["public_id"] for row in repositories.database.read(lambda tx: tx.rows(query))]


@contextmanager
def recorded(
    monkeypatch: pytest.MonkeyPatch, after: Callable[[], object] | None = None
) -> Iterator[list[list[str]]]:
    """Yield the statements of each transaction within the block. after: called after each of them."""
    run, seen, found = Transaction._cursor, list[Transaction](), list[list[str]]()

    def record(tx: Transaction, sql: str, values: dict[str, object]) -> Any:
        if not any(tx is known for known in seen):
            seen.append(tx)
            found.append([])
        found[[tx is known for known in seen].index(True)].append(sql)
        cursor = run(tx, sql, values)
        if after is not None:
            with monkeypatch.context() as unhooked:
                unhooked.setattr(Transaction, "_cursor", run)
                after()
        return cursor

    with monkeypatch.context() as hooked:
        hooked.setattr(Transaction, "_cursor", record)
        yield found


@pytest.mark.parametrize("change", CHANGES)
def test_breaker_changes_at_the_same_cost_with_few_and_many_photos_that_wait(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """None of them is written to: their cards, kept pages and the feed of changes stay as they are."""
    costs = []
    for count in (1, MANY):
        waiting = wait(repositories, count, 1.0)
        CHANGES["close"](repositories)
        if change not in ("open", "back_off"):
            CHANGES["open"](repositories)
        before = repositories.images.get(waiting[0])
        with recorded(monkeypatch) as found:
            CHANGES[change](repositories)
        costs.append(found)
        assert before == repositories.images.get(waiting[0])

    few, many = costs
    assert few == many
    assert not any(" tasks" in statement or " images" in statement for each in many for statement in each)


@pytest.mark.parametrize("by", ["the sweep", "a quota"])
def test_release_changes_a_hundred_photos_in_one_short_transaction(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Rows are locked in the order of claims and edits: the image before its task."""
    waiting = wait(repositories, MANY, DAY)
    if by == "a quota":
        statement = "UPDATE tasks SET error = 'spend_quota_day' WHERE status = 'retry' AND kind = :kind"
        database.run(lambda tx: tx.execute(statement, kind=CAPTION.value))
    ada = repositories.accounts.add("a" * 32, "ada", Role.PERSON, "hash").id
    database.run(lambda tx: tx.execute("UPDATE images SET owner_id = :ada WHERE id > 0", ada=ada))
    query = "SELECT version FROM images ORDER BY id"
    before = [row["version"] for row in database.read(lambda tx: tx.rows(query))]

    with recorded(monkeypatch) as found:
        if by == "the sweep":
            assert MANY == repositories.sweep.release(BREAKER_CODES, within=60.0, limit=500)
        else:
            repositories.accounts.set_quota(ada, images=None, bytes_=None, uploads=None)

    writing = [each for each in found if any(statement.startswith("UPDATE tasks") for statement in each)]
    assert 3 == len(writing)
    assert {3} == {len(each) for each in writing}  # the ids, the images, the tasks
    assert {("SELECT", "UPDATE images", "UPDATE tasks")} == {
        tuple(statement.partition(" SET")[0].partition(" DIST")[0] for statement in each) for each in writing
    }
    assert [version + 1 for version in before] == [
        row["version"] for row in database.read(lambda tx: tx.rows(query))
    ]
    last = repositories.images.get(waiting[-1])
    assert last is not None
    assert repositories.tasks.claim(last.image_key, CAPTION, lease=60, max_attempts=5) is not None


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)  # SQLite has one writer
@pytest.mark.parametrize("change", [*CHANGES, "release"])
def test_person_edits_a_photo_that_waits_while_others_change(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """A release holds the rows of a hundred photos, a breaker those of none."""
    waiting = wait(repositories, MANY, DAY if change == "release" else 1.0)
    CHANGES["close"](repositories)
    if change in ("close", "allow_probe"):
        CHANGES["open"](repositories)
    of_people = Repositories(database.with_statement_limit(2.0))
    edited: list[int] = []

    def edit() -> None:
        number = len(edited)
        mine = 0 if change != "release" or number > 5 else MANY - 1  # the third hundred begins later
        found = of_people.images.edit(waiting[mine], Edit(caption=f"Mine {number}."))
        assert found is not None
        edited.append(found.id)

    with ThreadPoolExecutor(1) as thread, recorded(monkeypatch, lambda: thread.submit(edit).result()):
        if change == "release":
            assert MANY == repositories.sweep.release(BREAKER_CODES, within=60.0, limit=500)
        else:
            CHANGES[change](repositories)

    assert edited
    of_people.database.close()


def test_one_caption_is_queued_for_the_time_of_the_probe(repositories: Repositories) -> None:
    """A worker would park it once more before. Thumbnails and other errors wait for no model."""
    code = sorted(BREAKER_CODES)[0]
    waiting = [parked(repositories, CAPTION, code, -1.0) for _ in range(2)]
    others = [parked(repositories, THUMBNAIL, code, -1.0), parked(repositories, CAPTION, "bad_answer", -1.0)]
    found = []
    for held_for in (600.0, 30.0):
        due = repositories.sweep.due_tasks(
            within=60.0, lost_after=DAY, again_after=DAY, limit=50, held=BREAKER_CODES, held_for=held_for
        )
        found.append({task.public_id: task.delay for task in due})

    assert [{image.public_id: 0.0 for image in others}, {waiting[0].public_id: 30.0}] == found


def test_caption_with_a_later_time_of_its_own_is_queued_for_that(repositories: Repositories) -> None:
    parked(repositories, CAPTION, "unavailable", 50.0)

    [due] = repositories.sweep.due_tasks(
        within=60.0, lost_after=DAY, again_after=DAY, limit=50, held=BREAKER_CODES, held_for=5.0
    )

    assert 40.0 < due.delay <= 50.0


def test_time_of_the_probe_is_that_of_its_own_breaker(repositories: Repositories) -> None:
    """It changes with each opening, and is over for good once the breaker is closed."""
    times = []
    for change in ("open", "allow_probe", "close"):
        CHANGES[change](repositories)
        times.append(repositories.breakers.open_until("model"))
    repositories.breakers.open("other", wait=DAY, reason="rate_limited", message="M.")

    later, now, never = times
    assert later is not None
    assert now is not None
    assert 590 < (later - now).total_seconds() <= 600
    assert [None, None] == [never, repositories.breakers.open_until("model")]


def test_overview_of_jobs_names_the_time_of_the_probe(repositories: Repositories) -> None:
    parked(repositories, CAPTION, "unavailable", 1.0)
    parked(repositories, THUMBNAIL, "unavailable", 1.0)
    parked(repositories, CAPTION, "bad_answer", 1.0)
    parked(repositories, CAPTION, "rate_limited", DAY)
    before = repositories.jobs.overview("model").retries
    CHANGES["open"](repositories)

    after = repositories.jobs.overview("model").retries

    assert before == repositories.jobs.overview("other").retries == repositories.jobs.overview().retries
    [moved] = {(group.kind, group.error) for group in set(after) - set(before)}
    assert (CAPTION, "unavailable") == moved
    [at] = [group.at for group in after if (group.kind, group.error) == moved]
    assert repositories.breakers.open_until("model") == at


def test_statement_over_many_tasks_locks_images_before_tasks_in_chunks(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A condition with OR stays within the chunk."""
    images = [parked(repositories, CAPTION, "unavailable") for _ in range(5)]
    other = parked(repositories, CAPTION, "bad_answer")
    before = [stored(repositories, image) for image in (*images, other)]
    monkeypatch.setattr(versions, "_CHUNK", 2)
    statement = "UPDATE tasks SET next_at = {later:day} WHERE error = 'unavailable' OR error = :never"

    with recorded(monkeypatch) as found:
        assert 5 == database.run(lambda tx: tx.execute(statement, day=9 * 86_400_000_000, never="never"))

    [statements] = found
    kinds = [statement.split(" SET ")[0] for statement in statements[1:]]
    assert ["UPDATE images", "UPDATE tasks"] * 3 == kinds
    after = [stored(repositories, image) for image in (*images, other)]
    assert [1, 1, 1, 1, 1, 0] == [new.version - old.version for old, new in zip(before, after, strict=True)]
    assert before[-1] == after[-1]
    assert {True} == {
        task(repositories, image, CAPTION).next_at != old.task(CAPTION).next_at
        for image, old in zip(images, before, strict=False)
    }
