"""The sockets of waitress's event loop, and what each waits for.

waitress makes a list of all sockets at each turn, and a thread that has answered wakes the loop so that it
makes another one. With epoll a turn costs the same however many connections wait, and a thread says itself that
its connection waits for the next request. Between two requests of a client that waits for each answer, nothing
about its connection changes: a call of the system would cost more than the call itself, because another thread
takes Python meanwhile.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore

_ENDS = select.POLLERR | select.POLLHUP  # of which epoll tells always
_CHECK_SECONDS = 0.5  # until what waitress decides by itself is seen, such as the end of idle connections


class PolledSockets(dict[int, Any]):
    """The sockets by their descriptors, where there is no epoll. wake: starts a turn of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.wake: Callable[[], None] = lambda: None

    def turn(self, timeout: float) -> None:
        """Wait until something happens, at most ``timeout`` seconds, and handle it."""
        wasyncore.poll2(timeout, self)

    def changed(self, _: Any) -> None:
        """See EpollSockets."""
        self.wake()


class EpollSockets(PolledSockets):
    """The sockets by their descriptors, on Linux. The loop's thread alone adds sockets and removes them."""

    def __init__(self) -> None:
        super().__init__()
        self._epoll = select.epoll()
        self._events: dict[int, int] = {}  # of each descriptor that waits for any
        self._lock = threading.Lock()  # holds both together, and a descriptor with its socket
        self._added: list[Any] = []
        self._listeners: list[Any] = []
        self._check_at = 0.0

    def __setitem__(self, descriptor: int, socket: Any) -> None:
        super().__setitem__(descriptor, socket)
        self._added.append(socket)  # it is not complete yet

    def __delitem__(self, descriptor: int) -> None:
        with self._lock:
            super().__delitem__(descriptor)
            if self._events.pop(descriptor, 0):
                with contextlib.suppress(OSError):
                    self._epoll.unregister(descriptor)

    def turn(self, timeout: float) -> None:
        """Wait until something happens, at most ``timeout`` seconds, and handle it."""
        added, self._added = self._added, []
        self._listeners += [socket for socket in added if socket.accepting]
        now = time.monotonic()
        if now >= self._check_at:
            self._check_at = now + _CHECK_SECONDS
            added = list(self.values())
        for socket in (*self._listeners, *added):
            self.changed(socket)
        for descriptor, events in self._epoll.poll(min(timeout, _CHECK_SECONDS)):
            if (found := self.get(descriptor)) is not None and (wanted := self._wanted_now(found)):
                wasyncore.readwrite(found, events & (wanted | _ENDS))
                self.changed(found)

    def _wanted_now(self, socket: Any) -> int:
        """Return the events that ``socket`` asks for; if none, let the loop wait for it no more.

        Otherwise each turn of the loop would end at once.
        """
        with self._lock:
            wanted = _wanted(socket)
            if not wanted:
                self._wait_for(socket._fileno, 0)
            return wanted

    def changed(self, socket: Any) -> None:
        """Let the loop wait for what ``socket`` asks for now. Any thread may call it."""
        with self._lock:
            descriptor = socket._fileno
            if descriptor not in self or self[descriptor] is not socket:
                return  # closed, and the descriptor may be another's
            # While a request is answered, a client that waits for the answer sends nothing: see _wanted_now
            if events := _wanted(socket):
                self._wait_for(descriptor, events)

    def _wait_for(self, descriptor: int, events: int) -> None:
        known = self._events.get(descriptor, 0)
        if events == known:
            return
        if not known:
            self._epoll.register(descriptor, events)
        elif events:
            self._epoll.modify(descriptor, events)
        else:  # epoll would report the end of the connection all the time
            self._epoll.unregister(descriptor)
        self._events[descriptor] = events


def _wanted(socket: Any) -> int:
    """Return the events that ``socket`` asks for now."""
    events = select.EPOLLIN if socket.readable() else 0  # EPOLLPRI stays: nobody takes urgent bytes
    if socket.writable() and not socket.accepting:
        events |= select.EPOLLOUT
    return events


def sockets() -> PolledSockets:
    """Return an empty map."""
    return EpollSockets() if hasattr(select, "epoll") else PolledSockets()
