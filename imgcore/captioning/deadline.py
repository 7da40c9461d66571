"""Bound a call that may never return."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

THREAD_NAME = "model"

T = TypeVar("T")


class TimedOut(Exception):
    """The call did not end in time."""


def in_time(seconds: float, call: Callable[[], T], late: Callable[[T], object] | None = None) -> T:
    """Return or raise what ``call`` does; TimedOut after ``seconds``.

    late: receives what ``call`` returns after that, in its thread.

    It runs in a thread of its own, because nothing else bounds name resolution and headers that trickle. A late
    one is left behind and has to end by itself: each of its reads needs a timeout, and its body an end.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            result.set_exception(error)

    threading.Thread(target=run, name=THREAD_NAME, daemon=True).start()
    if not wait([result], timeout=seconds).done:
        if late is not None:
            result.add_done_callback(lambda done: done.exception() or late(done.result()))
        raise TimedOut
    return result.result()
