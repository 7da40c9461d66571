"""One call for all threads that need its result: its error is shared, and no result that is too old."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from imgcore import single_flight
from imgcore.captioners import RenewedCaptioner
from imgcore.db.changes import INTERVAL, ChangeRepository, _Recent
from imgcore.db.connection import Database
from imgcore.errors import Unavailable
from imgcore.gallery.descriptions import Source
from imgcore.gallery.models import EVERYBODY
from imgcore.single_flight import SingleFlight
from tests.unit.fakes import FakeCaptioner

NOW = datetime(2026, 11, 28, 12)  # noqa: DTZ001 - the database's time
THREADS = 8
SECONDS = 20.0  # after which a wait has failed


class Calls:
    """A call that ends when the test lets it."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Semaphore(0), threading.Semaphore(0)
        self.count = 0
        self.outcomes: list[Any] = []

    def __call__(self, *_: Any) -> Any:
        number, self.count = self.count, self.count + 1
        self.begun.release()
        assert self.end.acquire(timeout=SECONDS)
        outcome = self.outcomes[number]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Threads:
    """Threads that ask for one result at once. joined: one for each that waits for the call of another."""

    def __init__(self, pool: ThreadPoolExecutor, joined: threading.Semaphore) -> None:
        self._pool, self._joined = pool, joined
        self.asked: list[Future[Any]] = []

    def start(self, count: int, ask: Callable[[], Any]) -> None:
        self.asked += [self._pool.submit(ask) for _ in range(count)]

    def wait_until_joined(self, count: int) -> None:
        for _ in range(count):
            assert self._joined.acquire(timeout=SECONDS), "a thread does not wait for the call in progress"

    def outcomes(self) -> list[Any]:
        return [each.exception(SECONDS) or each.result() for each in self.asked]


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch, calls: Calls) -> Any:
    joined = threading.Semaphore(0)

    class Watched(Future[Any]):
        def result(self, timeout: float | None = None) -> Any:
            joined.release()
            return super().result(timeout)

    monkeypatch.setattr(single_flight, "Future", Watched)
    with ThreadPoolExecutor(THREADS) as pool:
        yield Threads(pool, joined)
        calls.end.release(THREADS)  # also where the test has failed


@pytest.mark.parametrize("outcome", ["a result", Unavailable("away")])
def test_threads_at_once_share_one_call(calls: Calls, threads: Threads, outcome: Any) -> None:
    calls.outcomes = [outcome]
    flight = SingleFlight(calls)
    threads.start(THREADS, flight.result)
    threads.wait_until_joined(THREADS - 1)
    calls.end.release()

    assert [outcome] * THREADS == threads.outcomes()
    assert 1 == calls.count


def test_next_thread_calls_again_where_the_last_call_failed(calls: Calls) -> None:
    calls.outcomes = [Unavailable("away"), "a result"]
    calls.end.release(2)
    flight = SingleFlight(calls)
    with pytest.raises(Unavailable):
        flight.result()
    assert ["a result"] * 2 == [flight.result() for _ in range(2)]
    flight.forget("another")
    assert "a result" == flight.result()
    calls.outcomes.append("a later result")
    calls.end.release()
    flight.forget("a result")
    assert "a later result" == flight.result()


def test_threads_that_come_too_late_for_a_result_share_the_next_call(calls: Calls, threads: Threads) -> None:
    """They wait for two calls at most, however many they are."""
    calls.outcomes = [1, 2]
    flight = SingleFlight(calls)
    threads.start(1, flight.result)
    assert calls.begun.acquire(timeout=SECONDS)
    threads.start(THREADS - 1, lambda: flight.result(lambda latest: latest > 1))
    threads.wait_until_joined(THREADS - 1)
    calls.end.release()
    threads.wait_until_joined(THREADS - 2)
    calls.end.release()

    assert [1] + [2] * (THREADS - 1) == threads.outcomes()


class Away(Database):
    """A database whose reads end with an error when the test lets them."""

    def __init__(self, read: Calls) -> None:
        self.read = read  # type: ignore[assignment]


def test_polls_of_the_feed_at_once_wait_for_one_read_that_fails(calls: Calls, threads: Threads) -> None:
    away = Unavailable("The database does not answer in time.")
    calls.outcomes = [away] * THREADS
    changes = ChangeRepository(Away(calls), clock=lambda: 0.0)
    threads.start(THREADS, lambda: changes.start(EVERYBODY))
    threads.wait_until_joined(THREADS - 1)
    calls.end.release()

    assert [away] * THREADS == threads.outcomes()
    assert 1 == calls.count


def test_poll_gets_no_read_that_began_a_second_before_it(calls: Calls, threads: Threads) -> None:
    """The others share the read in progress, however long it takes."""
    now = [0.0]
    calls.outcomes = [_Recent(NOW, NOW, clock, clock) for clock in (0.0, 9.0)]
    changes = ChangeRepository(Away(calls), clock=lambda: now[0])
    threads.start(1, changes._current)
    assert calls.begun.acquire(timeout=SECONDS)
    for now[0] in (0.9, INTERVAL):
        threads.start(1, changes._current)
        threads.wait_until_joined(1)
    now[0] = 9.0
    calls.end.release(2)

    first, second = calls.outcomes
    assert [first, first, second] == threads.outcomes()
    assert 2 == calls.count


def test_captioner_that_cannot_be_created_is_waited_for_once(calls: Calls, threads: Threads) -> None:
    """The key is fetched over the network."""
    away = Unavailable("The secret cannot be read.")
    calls.outcomes = [away, FakeCaptioner(["A cat."])]
    captioner = RenewedCaptioner(Source.GEMINI, calls)
    threads.start(THREADS, captioner.warm)
    threads.wait_until_joined(THREADS - 1)
    calls.end.release()

    assert [away] * THREADS == threads.outcomes()
    calls.end.release()
    assert captioner.warm() is captioner.warm() is calls.outcomes[1]
