"""Counts of the timeline's months that several threads ask for at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from imgcore.db import timeline
from imgcore.errors import Unavailable
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
