"""The connections of one database, which the threads of a process share."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from imgcore.errors import Busy

IDLE_SECONDS = 60.0  # after which a connection that nobody uses is closed
WAIT_SECONDS = 5.0  # for one of a limited number of connections


class Session:
    """A connection. epoch: see Pool."""

    def __init__(self, connection: Any, epoch: object) -> None:
        self.connection = connection
        self.epoch = epoch
        self.closed = False
        self.in_transaction = False
        self.idle_since = 0.0
        self._finalizer = weakref.finalize(self, _close, connection, os.getpid())

    def close(self) -> None:
        self.closed = True
        self._finalizer()


def _close(connection: Any, pid: int) -> None:
    if pid != os.getpid():
        # pymysql sends COM_QUIT on the parent's socket if a forked child closes the connection
        _inherited.append(connection)
        return
    with suppress(Exception):
        connection.close()


_inherited: list[Any] = []


class _TakenBy(threading.local):
    """Whether a thread has taken a session."""

    this_thread = False


class Pool:
    """Connections that threads take and give back. The one given back last is taken first: few stay in use.

    A thread has one at most. Of those that nobody has taken, all but one are closed after IDLE_SECONDS. Each
    belongs to the epoch in which it was opened; one of an earlier epoch is closed when it is given back.

    connect: opens a connection. limit: how many may be open; None for one for each thread at most.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        limit: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._limit = limit
        self._clock = clock
        self._begin_anew()
        _pools.add(self)

    def _begin_anew(self) -> None:
        self._epoch = object()
        self._taken_by = _TakenBy()
        self._idle: list[Session] = []  # by the time they were given back
        self._taken = self._waiting = 0
        self._lock = threading.Lock()
        self._given_back = threading.Condition(self._lock)
        self._timer: threading.Timer | None = None

    def take(self) -> Session:
        """Return a session for this thread alone.

        Raises Busy where all are taken for WAIT_SECONDS, RuntimeError where this thread has one already, and
        the errors of ``connect``.
        """
        if self._taken_by.this_thread:
            raise RuntimeError("A transaction is open in this thread already.")
        with self._lock:
            if not self._available():
                self._wait()
            self._taken += 1
            session = self._idle.pop() if self._idle else None
        try:
            session = session or self.open()
        except BaseException:
            with self._lock:
                self._taken -= 1
                self._given_back.notify()
            raise
        self._taken_by.this_thread = True
        return session

    def open(self) -> Session:
        """Return a new session, for a thread that has taken one and closed it."""
        return Session(self._connect(), self._epoch)

    def give_back(self, session: Session) -> None:
        """End this thread's use of a session."""
        self._taken_by.this_thread = False
        with self._lock:
            self._taken -= 1
            kept = not session.closed and session.epoch is self._epoch
            if kept:
                session.idle_since = self._clock()
                self._idle.append(session)
                if self._timer is None and len(self._idle) > 1:
                    self._start_timer()
            if self._waiting:
                self._given_back.notify()
        if not kept:
            session.close()

    def close(self) -> None:
        """Close all connections: those that are taken when they are given back. Later use opens others.

        SQLite's driver crashes where a connection is closed under a statement of another thread.
        """
        with self._lock:
            self._epoch = object()
            closed, self._idle = self._idle, []
        for session in closed:
            session.close()

    def close_idle(self) -> None:
        """Close those that nobody has taken for IDLE_SECONDS, except the one that was given back last."""
        with self._lock:
            self._timer = None
            end = self._clock() - IDLE_SECONDS
            expired = [session for session in self._idle[:-1] if session.idle_since <= end]
            del self._idle[: len(expired)]
            if len(self._idle) > 1:
                self._start_timer()
        for session in expired:
            session.close()

    def _start_timer(self) -> None:
        """Call close_idle when the first session expires."""
        seconds = self._idle[0].idle_since + IDLE_SECONDS - self._clock()
        timer = threading.Timer(max(seconds, 0), _close_idle, [weakref.ref(self)])
        timer.daemon = True
        with suppress(RuntimeError):  # no thread can be started now, as when Python exits
            timer.start()
            self._timer = timer

    def _available(self) -> bool:
        return bool(self._idle) or self._limit is None or self._taken < self._limit

    def _wait(self) -> None:
        self._waiting += 1
        try:
            if not self._given_back.wait_for(self._available, WAIT_SECONDS):
                raise Busy("The database is too busy just now. Try again in a moment.", retry_after=2)
        finally:
            self._waiting -= 1


def _close_idle(pool: weakref.ref[Pool]) -> None:
    """Close the idle connections of a pool, unless nothing refers to it any more."""
    found = pool()
    if found is not None:
        found.close_idle()


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _forget() -> None:
    """Leave the connections to the parent of this process, which uses them on."""
    for pool in _pools:
        pool._begin_anew()


os.register_at_fork(after_in_child=_forget)
