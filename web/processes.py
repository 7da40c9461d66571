"""Several web processes over one listening socket, forked and watched by one parent."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

_log = logging.getLogger("gallery.web")

RESPAWN_SECONDS = 1.0  # between two starts, so that a process that dies at once does not use up a processor


def serve_in_processes(count: int, serve: Callable[[], None], ready: Callable[[], None]) -> int:
    """Run ``serve`` in ``count`` child processes until SIGTERM or SIGINT; return the exit status.

    A child that ends by itself is replaced. Both signals, and the parent's end, end every child by SIGTERM.
    serve: runs in a child and returns when it has drained. ready: called in the parent once the children run.
    """
    return _Parent(count, serve).run(ready)


class _Parent:
    def __init__(self, count: int, serve: Callable[[], None]) -> None:
        self._count = count
        self._serve = serve
        self._children: set[int] = set()
        self._stopping = False
        # The children read this pipe, which ends when the parent does, however that happens.
        self._alive, self._alive_of_parent = os.pipe()

    def run(self, ready: Callable[[], None]) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while len(self._children) < self._count and not self._stopping:
            self._fork()
        ready()
        while self._children:
            try:
                pid, status = os.wait()
            except ChildProcessError:
                break
            self._children.discard(pid)
            if not self._stopping:
                code = os.waitstatus_to_exitcode(status)
                _log.warning("Web process %d ended with status %d; starting another.", pid, code)
                time.sleep(RESPAWN_SECONDS)
            if not self._stopping:
                self._fork()
        return 0

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)

    def _fork(self) -> None:
        # Blocked until the child is known: a signal between would leave it without SIGTERM.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        pid = os.fork()
        if pid:
            self._children.add(pid)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
            return
        status = 1
        try:
            self._become_child()
            self._serve()
            status = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _become_child(self) -> None:
        os.close(self._alive_of_parent)
        # Ctrl-C reaches the whole process group: the parent decides. Until the server has its own handler, end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        threading.Thread(target=self._end_with_parent, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})

    def _end_with_parent(self) -> None:
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)
