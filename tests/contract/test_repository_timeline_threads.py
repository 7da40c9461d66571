"""Counts of the timeline's months that several threads ask for at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from imgcore.db import timeline
from imgcore.db.connection import Database
from imgcore.errors import Unavailable
from imgcore.gallery.changes import LIFETIME
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
