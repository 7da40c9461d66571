"""The connections that threads share, without a database."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from imgcore.db import pool as module
from imgcore.db.pool import Pool, Session
from imgcore.errors import Busy, Unavailable
from tests.support.waiting import wait_for


class Connections:
    """Opens connections, of which it knows which are open. fails: whether it cannot."""

    def __init__(self) -> None:
        self.open: list[Connection] = []
        self.fails = False

    def __call__(self) -> Connection:
        if self.fails:
            raise Unavailable("away")
        self.open.append(made := Connection(self))
        return made


class Connection:
    def __init__(self, among: Connections) -> None:
        self._among = among

    def close(self) -> None:
        self._among.open.remove(self)


@contextmanager
def taken(pool: Pool) -> Iterator[Session]:
    """Take a session for a while."""
    session = pool.take()
    try:
        yield session
    finally:
        pool.give_back(session)


def burst(pool: Pool, size: int) -> None:
    """Let so many threads use a session at once."""
    together = threading.Barrier(size)

    def use() -> None:
        with taken(pool):
            together.wait(20)

    with ThreadPoolExecutor(size) as threads:
        for use_ in [threads.submit(use) for _ in range(size)]:
            use_.result()


@pytest.fixture
def connections() -> Connections:
    return Connections()


def test_connection_given_back_last_is_taken_first(connections: Connections) -> None:
    pool = Pool(connections)
    burst(pool, 3)
    with taken(pool) as first:
        last = first.connection
    with taken(pool) as second:
        assert second.connection is last
    assert 3 == len(connections.open)


def test_idle_connections_are_closed_but_for_the_last_one(connections: Connections) -> None:
    now = [100.0]
    pool = Pool(connections, clock=lambda: now[0])
    burst(pool, 4)
    now[0] += 30
    with taken(pool) as session:
        used = session.connection
    now[0] += 29.9
    pool.close_idle()
    assert 4 == len(connections.open)
    now[0] += 0.1
    pool.close_idle()
    assert [used] == connections.open
    now[0] += 1000
    pool.close_idle()
    assert [used] == connections.open


def test_timer_closes_idle_connections_of_a_process_without_requests(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    pool = Pool(connections)
    for _ in range(2):  # it starts again
        burst(pool, 4)
        wait_for(lambda: len(connections.open) == 1)


def test_timer_starts_again_for_connections_that_have_not_expired(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.1)
    later = [0.0]
    pool = Pool(connections, clock=lambda: time.monotonic() + later[0])
    burst(pool, 4)
    later[0] = 0.2
    burst(pool, 2)
    later[0] = 0.0
    wait_for(lambda: len(connections.open) == 1)


def test_pool_that_nobody_has_any_more_closes_its_connections(connections: Connections) -> None:
    """The timer and the hook for forks do not keep it."""
    pool = Pool(connections)
    burst(pool, 3)
    del pool
    assert [] == connections.open


def test_thread_beyond_the_limit_waits_for_a_connection(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 60.0)
    pool = Pool(connections, 2)
    with ExitStack() as stack, ThreadPoolExecutor(1) as threads:
        other = threads.submit(pool.take).result()
        mine = stack.enter_context(taken(pool))
        assert 2 == len(connections.open)
        waiting = ThreadPoolExecutor(1).submit(pool.take)
        wait_for(lambda: pool._waiting)
        stack.close()
        assert waiting.result(20) is mine
        threads.submit(pool.give_back, other).result()
    assert 2 == len(connections.open)


def test_thread_that_gets_no_connection_in_time_is_refused(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    pool = Pool(connections, 1)
    with taken(pool), ThreadPoolExecutor(1) as threads, pytest.raises(Busy):
        threads.submit(pool.take).result()
    with taken(pool):
        assert 1 == len(connections.open)


def test_connection_that_cannot_be_opened_takes_no_place(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    pool = Pool(connections, 1)
    connections.fails = True
    for _ in range(3):
        with pytest.raises(Unavailable, match="away"):
            pool.take()
    connections.fails = False
    with taken(pool):
        assert 1 == len(connections.open)


def test_connection_of_an_earlier_epoch_is_closed_when_it_is_given_back(connections: Connections) -> None:
    pool = Pool(connections)
    burst(pool, 3)
    with taken(pool) as session:
        pool.close()
        assert [session.connection] == connections.open
    assert [] == connections.open


def test_thread_takes_one_connection_at_a_time(connections: Connections) -> None:
    pool = Pool(connections)
    with taken(pool), pytest.raises(RuntimeError, match="open in this thread"):
        pool.take()
    with taken(pool):
        assert 1 == len(connections.open)


def test_forked_process_leaves_connections_and_waiting_threads_to_its_parent(connections: Connections) -> None:
    """Another thread of the parent may hold the lock, or all that the limit allows."""
    pool = Pool(connections, 2)
    burst(pool, 2)
    parents = set(connections.open)
    with taken(pool), pool._lock:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with taken(pool) as session:
                    status = 0 if parents < set(connections.open) and session.connection not in parents else 2
            finally:
                os._exit(status)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert parents == set(connections.open)
