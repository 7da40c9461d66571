"""One call for all threads that need its result at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """The latest result of ``call``, which one thread at a time runs while the others wait for it.

    The threads that wait share its error too: with a lock around it, each would repeat a time-out in turn.
    call: takes the result before, None without any.
    """

    def __init__(self, call: Callable[[T | None], T]) -> None:
        self._call = call
        self._lock = threading.Lock()  # never held during the call
        self._flight: Future[T] | None = None
        self._latest: T | None = None

    def result(self, usable: Callable[[T], bool] = lambda latest: True) -> T:
        """Return the latest result if it is usable, else that of a call; raise the error of the call.

        usable: may refuse the result of a call that was in progress already, but not of one that begins later.
        """
        while True:
            with self._lock:
                latest, running = self._latest, self._flight
                if latest is not None and usable(latest):
                    return latest
                if running is None:
                    self._flight = own = Future[T]()
            if running is None:
                return self._run(own, latest)
            found = running.result()
            if usable(found):
                return found

    def forget(self, value: T) -> None:
        """Let the next thread call again, if ``value`` is still the latest result."""
        with self._lock:
            if self._latest is value:
                self._latest = None

    def _run(self, flight: Future[T], latest: T | None) -> T:
        try:
            found = self._call(latest)
        except BaseException as error:
            with self._lock:
                self._flight = None
            flight.set_exception(error)
            raise
        with self._lock:
            self._flight, self._latest = None, found
        flight.set_result(found)
        return found
