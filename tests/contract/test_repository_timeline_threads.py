"""Counts of the timeline's months: again after changes, and once for threads that ask at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from imgcore.db import timeline
from imgcore.db.connection import Database, Transaction
from imgcore.errors import Unavailable
from imgcore.gallery.changes import LIFETIME
from imgcore.gallery.listing import Sort
from imgcore.gallery.models import Edit
from tests.contract.images import arrived
from tests.contract.test_repository_timeline import bystanders, counts, taken
from tests.support.repositories import Repositories

__all__ = ["bystanders"]


def test_first_requests_at_once_count_all_months_once(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than heavy queries may run and wait: none of them is refused."""
    taken(repositories, datetime(2020, 2, 29))  # noqa: DTZ001
    counted, release = threading.Semaphore(0), threading.Event()
    all_months = timeline._all_months

    def slow(*arguments: Any) -> dict[str, int]:
        counted.release()
        release.wait(1)
        return all_months(*arguments)

    monkeypatch.setattr(timeline, "_all_months", slow)
    monkeypatch.setattr(timeline, "PEOPLE_WAIT", 20.0)  # each thread connects first
    with ThreadPoolExecutor(12) as pool:
        found = [pool.submit(counts, repositories.timeline) for _ in range(12)]
        assert counted.acquire(timeout=20)
        release.set()
        assert [{"2020-02": 1}] * 12 == [each.result() for each in found]
    assert not counted.acquire(blocking=False)


def test_counts_are_renewed_by_one_thread_while_others_use_them(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {} == counts(repositories.timeline)
    entered, release = threading.Event(), threading.Event()

    def slow(*_: Any) -> dict[str, int]:
        entered.set()
        release.wait(20)
        return {"1999-01": 1}

    monkeypatch.setattr(timeline, "_all_months", slow)
    [key] = repositories.timeline._kept
    repositories.timeline._kept[key] = replace(repositories.timeline._kept[key], due=0.0)
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(counts, repositories.timeline)
        assert entered.wait(20)
        assert {} == counts(repositories.timeline)
        release.set()
        assert {"1999-01": 1} == renewing.result() == counts(repositories.timeline)


def test_counts_that_were_used_meanwhile_do_not_replace_newer_ones(repositories: Repositories) -> None:
    assert {} == counts(repositories.timeline)
    [(key, known)] = repositories.timeline._kept.items()
    newer = replace(known, counts={"1999-01": 1}, counted_at="9999-01-01 00:00:00")
    repositories.timeline._keep(*key, newer)
    repositories.timeline._keep(*key, known)
    assert newer == repositories.timeline._kept[key]
    repositories.timeline._keep(*key, known, all_anew=True)
    assert known == repositories.timeline._kept[key]


def test_threads_that_wait_for_a_count_use_it(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept before the next of them has its turn."""
    counted, all_months = [0], timeline._all_months

    def count(*arguments: Any) -> dict[str, int]:
        counted[0] += 1
        return all_months(*arguments)

    keep = repositories.timeline._keep

    def keep_late(*arguments: Any, **options: Any) -> None:
        if not options:
            time.sleep(0.2)  # another thread runs between the count and this
        keep(*arguments, **options)

    monkeypatch.setattr(timeline, "_all_months", count)
    monkeypatch.setattr(repositories.timeline, "_keep", keep_late)
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(counts, repositories.timeline) for _ in range(4)]
        assert [{}] * 4 == [each.result() for each in found]
    assert 1 == counted[0]


def test_counts_that_were_made_together_are_not_renewed_together(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each web process counts when it starts, and all start at once."""
    lifetime, due = LIFETIME.total_seconds(), []
    monkeypatch.setattr(timeline.time, "monotonic", lambda: 0.0)
    for _ in range(20):
        repositories.timeline._kept.clear()
        counts(repositories.timeline)
        due += [kept.due for kept in repositories.timeline._kept.values()]
    assert all(lifetime - 300 <= each <= lifetime - 60 for each in due)
    assert max(due) - min(due) > 60


def test_count_that_takes_too_long_is_not_waited_for(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, release = threading.Event(), threading.Event()

    def stuck(*_: Any) -> dict[str, int]:
        entered.set()
        release.wait(20)
        return {}

    monkeypatch.setattr(timeline, "_all_months", stuck)
    monkeypatch.setattr(timeline, "PEOPLE_WAIT", 0.01)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(counts, repositories.timeline)
        assert entered.wait(20)
        with pytest.raises(Unavailable, match="still being counted"):
            counts(repositories.timeline)
        release.set()
        assert {} == first.result() == counts(repositories.timeline)


def test_counts_whose_lifetime_is_over_are_renewed_by_one_thread(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many ask at once when nobody has for a quarter of an hour, as when the process starts."""
    assert {} == counts(repositories.timeline)
    counted, all_months = threading.Semaphore(0), timeline._all_months

    def slow(*arguments: Any) -> dict[str, int]:
        counted.release()
        time.sleep(0.2)  # the others come meanwhile
        return all_months(*arguments)

    monkeypatch.setattr(timeline, "_all_months", slow)
    monkeypatch.setattr(timeline, "PEOPLE_WAIT", 20.0)
    [key] = repositories.timeline._kept
    over = replace(repositories.timeline._kept[key], due=0.0, counted_at="2000-01-01 00:00:00")
    repositories.timeline._kept[key] = over
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(counts, repositories.timeline) for _ in range(8)]
        assert [{}] * 8 == [each.result() for each in found]
    assert counted.acquire(timeout=20)
    assert not counted.acquire(blocking=False)


def test_counts_that_are_due_are_used_while_heavy_queries_are_refused(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = f"{arrived(repositories).uploaded_at:%Y-%m}"
    assert {month: 1} == counts(repositories.timeline)
    [key] = repositories.timeline._kept
    repositories.timeline._kept[key] = replace(repositories.timeline._kept[key], due=0.0)

    def refuse(*_: Any) -> None:
        raise Unavailable("Too many searches are running just now.")

    monkeypatch.setattr(Database, "read_heavy", refuse)
    assert {month: 1} == counts(repositories.timeline)
    repositories.timeline._kept.clear()
    with pytest.raises(Unavailable, match="Too many"):
        counts(repositories.timeline)


class Counted:
    """The months that are counted one by one. during: called at the end of the next count of a month."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.months: list[str] = []
        self.during: dict[str, Callable[[], object]] = {}
        self._count = timeline._count_month
        monkeypatch.setattr(timeline, "_count_month", self._counted)

    def _counted(self, tx: Transaction, owner: int | None, sort: Sort, month: str) -> int:
        found = self._count(tx, owner, sort, month)
        self.months.append(month)
        if (during := self.during.pop(month, None)) is not None:
            with ThreadPoolExecutor(1) as pool:  # with a connection of its own
                pool.submit(during).result()
        return found


def test_months_are_counted_once_after_each_change(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each change is read for seconds, because of transactions that commit late, and counted once."""
    image, other = (taken(repositories, datetime(2020, month, 1)) for month in (2, 3))  # noqa: DTZ001
    counted, both = Counted(monkeypatch), {"2020-02": 1, "2020-03": 1}
    assert [both] * 2 == [counts(repositories.timeline) for _ in range(2)]
    assert ["2020-03", "2020-02"] == counted.months
    for change in (repositories.images.delete, repositories.images.restore):
        counted.months.clear()
        change(image.public_id)
        found = [counts(repositories.timeline) for _ in range(3)]
        assert [{"2020-03": 1} if change == repositories.images.delete else both] * 3 == found
        assert ["2020-02", f"{image.uploaded_at:%Y-%m}"] == sorted(counted.months)
    counted.months.clear()
    repositories.images.delete(other.public_id)
    assert {"2020-02": 1} == counts(repositories.timeline)
    assert ["2020-03", f"{other.uploaded_at:%Y-%m}"] == sorted(counted.months)


@pytest.mark.parametrize("kept", [False, True])
def test_change_that_commits_while_months_are_counted_is_in_the_next_answer(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    image = taken(repositories, datetime(2020, 2, 1))  # noqa: DTZ001
    counted = Counted(monkeypatch)
    if kept:
        counts(repositories.timeline)
        repositories.images.edit(image.public_id, Edit(caption="A dog."))
    counted.during["2020-02"] = lambda: repositories.images.delete(image.public_id)
    counts(repositories.timeline)
    assert {} == counted.during
    assert {} == counts(repositories.timeline)


def test_many_changes_are_counted_once(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Restoring all photos of the trash makes many: they are among the changes of the next ten seconds."""
    monkeypatch.setattr(timeline, "_MOST_CHANGED", 2)
    counted, all_months = [0], timeline._all_months

    def count(*arguments: Any) -> dict[str, int]:
        counted[0] += 1
        return all_months(*arguments)

    monkeypatch.setattr(timeline, "_all_months", count)
    images = [arrived(repositories) for _ in range(5)]
    month = f"{images[0].uploaded_at:%Y-%m}"
    for _ in range(5):
        assert {month: 5} == counts(repositories.timeline)
    assert 1 == counted[0]
    repositories.images.delete(images[0].public_id)
    for _ in range(5):
        assert {month: 4} == counts(repositories.timeline)
    assert 2 == counted[0]
    earlier = "UPDATE images SET changed_at = {ago:age} WHERE id > :id"
    database.run(lambda tx: tx._cursor(earlier, {"age": 60_000_000, "id": images[1].id}))
    repositories.images.delete(images[1].public_id)
    for _ in range(5):
        assert {month: 3} == counts(repositories.timeline)
    assert 2 == counted[0]


def test_change_that_commits_while_many_changes_are_compared_is_counted(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement of MySQL sees its own snapshot."""
    monkeypatch.setattr(timeline, "_MOST_CHANGED", 2)
    images = [arrived(repositories) for _ in range(5)]
    month = f"{images[0].uploaded_at:%Y-%m}"
    assert {month: 5} == counts(repositories.timeline)
    seen, deleted = timeline._seen, []

    def change(*arguments: Any) -> Any:
        found = seen(*arguments)
        if not deleted:
            deleted.append(images[0])
            with ThreadPoolExecutor(1) as other:
                other.submit(repositories.images.delete, images[0].public_id).result()
        return found

    monkeypatch.setattr(timeline, "_seen", change)
    counts(repositories.timeline)
    assert {month: 4} == counts(repositories.timeline)
