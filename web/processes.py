"""Several web processes over one listening socket, forked and watched by one parent."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

_log = logging.getLogger("gallery.web")

RESPAWN_SECONDS = 1.0  # between two starts, so that a process that dies at once does not use up a processor

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})


def serve_in_processes(
    count: int, serve: Callable[[], None], ready: Callable[[], None], listener: socket.socket
) -> int:
    """Run ``serve`` in ``count`` child processes until SIGTERM or SIGINT; return the exit status.

    A child that ends by itself is replaced. Both signals, and the parent's end, end every child by SIGTERM.
    serve: runs in a child and returns when it has drained. ready: called in the parent once the children run.
    listener: what the children accept connections from.
    """
    return _Parent(count, serve, listener).run(ready)


class _Parent:
    def __init__(self, count: int, serve: Callable[[], None], listener: socket.socket) -> None:
        self._count = count
        self._serve = serve
        self._listener = listener
        self._children: set[int] = set()
        self._stopping = False
        # The children read this pipe, which ends when the parent does, however that happens.
        self._alive, self._alive_of_parent = os.pipe()
        # Each signal writes to this one. A wait that only a handler ends would miss a signal just before it.
        self._signalled, self._signalled_by_handler = os.pipe()
        os.set_blocking(self._signalled_by_handler, False)

    def run(self, ready: Callable[[], None]) -> int:
        signal.set_wakeup_fd(self._signalled_by_handler, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _ENDING:
            signal.signal(number, self._stop)
        while len(self._children) < self._count and not self._stopping:
            self._fork()
        ready()
        while self._children:
            select.select([self._signalled], [], [])
            os.read(self._signalled, 4096)
            while self._children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._replace(*ended)
        return 0

    def _replace(self, pid: int, status: int) -> None:
        """Start another process for one that has ended."""
        self._children.discard(pid)
        if not self._stopping:
            code = os.waitstatus_to_exitcode(status)
            _log.warning("Web process %d ended with status %d; starting another.", pid, code)
            time.sleep(RESPAWN_SECONDS)
        self._fork()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        self._listener.close()  # else the system accepts connections after the last child has closed it
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):  # its end was seen just now
                os.kill(pid, signal.SIGTERM)

    def _fork(self) -> None:
        """Start a process, unless the end of all is asked for. Try again while the system refuses."""
        while not self._stopping:
            # Blocked until the child is known: a signal between would leave it without SIGTERM.
            signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
            try:
                pid = -1 if self._stopping else os.fork()
            except OSError as error:  # no memory, or too many processes: the others serve on meanwhile
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
                _log.warning("A web process cannot be started: %s; trying again.", error.strerror)
                time.sleep(RESPAWN_SECONDS)
                continue
            if pid == 0:
                self._be_child()
            if pid > 0:
                self._children.add(pid)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            return

    def _be_child(self) -> NoReturn:
        status = 1
        try:
            self._become_child()
            self._serve()
            status = 0
        except Exception:  # noqa: BLE001 - the process ends here
            _log.exception("A web process failed.")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _become_child(self) -> None:
        os.close(self._alive_of_parent)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # Ctrl-C reaches the whole process group: the parent decides. Until the server has its own handler, end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        threading.Thread(target=self._end_with_parent, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)

    def _end_with_parent(self) -> None:
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)
