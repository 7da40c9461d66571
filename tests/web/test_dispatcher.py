"""Which thread answers a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.waiting import wait_for
from web.dispatcher import Dispatcher


class Task:
    """A request that runs ``work``."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    def service(self) -> None:
        """Answer it."""
        self._work()


@pytest.fixture
def dispatcher() -> Iterator[Dispatcher]:
    made = Dispatcher(4)
    wait_for(lambda: made.active_count == 0)
    yield made
    assert made.shutdown(timeout=20)
    assert not made.threads


def test_requests_one_after_the_other_use_the_thread_that_was_busy_last(dispatcher: Dispatcher) -> None:
    used: list[int] = []
    for number in range(12):
        dispatcher.add_task(Task(lambda: used.append(threading.get_ident())))
        wait_for(lambda number=number: len(used) > number and dispatcher.active_count == 0)
    assert len(set(used)) == 1


def test_requests_at_once_use_every_thread_and_wait_beyond(dispatcher: Dispatcher) -> None:
    release, used = threading.Event(), []

    def work() -> None:
        used.append(threading.get_ident())
        release.wait(20)

    for _ in range(6):
        dispatcher.add_task(Task(work))
    wait_for(lambda: len(used) == 4)
    assert len(set(used)) == 4
    release.set()
    wait_for(lambda: len(used) == 6)
