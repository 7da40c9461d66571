"""The threads that answer requests: the one that was busy last takes the next request."""

from __future__ import annotations

import threading

from waitress.task import ThreadedTaskDispatcher


class Dispatcher(ThreadedTaskDispatcher):
    """waitress's threads, of which the one that has become idle last is woken first.

    Python's Condition wakes the one that waits longest, so every request would find its thread's stack out of
    the processors' caches. Connections to the database are taken in the same order (imgcore/db/pool.py).
    """

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.queue_cv = _LastFirst(self.lock)
        self.set_thread_count(threads)


class _LastFirst:
    """What waitress uses of a Condition. Each method is called by a thread that holds ``lock``."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._waiting: list[threading.Lock] = []

    def wait(self) -> None:
        """Release the lock until this thread is woken."""
        woken = threading.Lock()
        woken.acquire()
        self._waiting.append(woken)
        self._lock.release()
        try:
            woken.acquire()
        finally:
            self._lock.acquire()

    def notify(self) -> None:
        """Wake the thread that has called ``wait`` last."""
        if self._waiting:
            self._waiting.pop().release()

    def notify_all(self) -> None:
        """Wake every thread that waits."""
        while self._waiting:
            self.notify()
