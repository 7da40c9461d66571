"""Child processes that end with this one, however it ends: by SIGTERM or kill -9 too.

A guardian process reads from a pipe. When this process ends, the pipe closes, and the guardian kills the
process groups and removes the folders that it was given. Each child has a process group of its own, so that
what it started is stopped too, and Ctrl-C at the terminal reaches this process only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

GUARDIAN = """
import os, shutil, signal, sys, time
groups, folders = set(), set()
for line in sys.stdin:
    known, given = (groups, int(line[2:])) if line[1] == "g" else (folders, line[2:-1])
    (known.add if line[0] == "+" else known.discard)(given)
for number in (signal.SIGTERM, signal.SIGKILL):
    for group in groups:
        try:
            os.killpg(group, number)
        except OSError:
            pass
    time.sleep(2 if groups and number == signal.SIGTERM else 0)
for folder in folders:
    shutil.rmtree(folder, ignore_errors=True)
"""


class _Guardian:
    """The guardian process of this process."""

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self.groups: set[int] = set()
        self.stopping = False
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", GUARDIAN],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        # A fork that outlives this process would keep the pipe open, and the guardian waiting
        os.register_at_fork(after_in_child=self._process.stdin.close)

    def notify(self, sign: str, kind: str, value: int | str) -> None:
        """Add (``+``) or discard (``-``) a process group (``g``) or a folder (``f``)."""
        assert self._process.stdin is not None
        with self._writing, suppress(BrokenPipeError):
            if kind == "g":
                (self.groups.add if sign == "+" else self.groups.discard)(int(value))
            self._process.stdin.write(f"{sign}{kind}{value}\n")
            self._process.stdin.flush()


@cache
def _guardian_of(pid: int) -> _Guardian:
    """Return the guardian of a process; a fork gets its own, because its parent may end before it."""
    assert pid == os.getpid()
    return _Guardian()


def _guardian() -> _Guardian:
    with _creating:
        return _guardian_of(os.getpid())


_creating = threading.RLock()  # reentrant, because signal handlers use it too


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process in a group of its own, which ends with this process. options: of subprocess.Popen.

    Call ``ended`` once it has ended, or use ``started``.
    """
    with _not_interrupted():
        # Not a session of its own: modules of Ansible, which run in forks of a warm process, join its group
        process = subprocess.Popen(command, process_group=0, **{"stdin": subprocess.DEVNULL, **options})
        _guardian().notify("+", "g", process.pid)
        if _guardian().stopping:
            process.terminate()
    return process


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process as ``start`` does; kill what is left of its group at the end of the block."""
    with start(command, **options) as process:
        try:
            yield process
        finally:
            ended(process)


@dataclass
class _Interruption:
    """Whether the main thread starts a process, and the exit status of a signal that came meanwhile."""

    deferred: bool = False
    status: int | None = None


_interruption = _Interruption()


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """Put off the SystemExit of a signal: a process that is not known yet would live on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _interruption.deferred = True
    try:
        yield
    finally:
        _interruption.deferred = False
    if _interruption.status is not None:
        raise SystemExit(_interruption.status)


def ended(process: subprocess.Popen[Any]) -> None:
    """Kill what is left of the group of a process that has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    _guardian().notify("-", "g", process.pid)


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and return its output as text; raise TimeoutExpired after ``timeout`` seconds."""
    pipe = subprocess.PIPE
    with started(command, cwd=cwd, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        out, errors = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(list(command), process.returncode, out, errors)


def remove_at_end(folder: Path, remove: bool = True) -> None:
    """Remove this folder when this process ends, or, if ``remove`` is false, no longer."""
    _guardian().notify("+" if remove else "-", "f", str(folder))


def stop_all() -> None:
    """End all children, and each that is started later, so that what waits for them goes on."""
    _guardian().stopping = True
    for group in list(_guardian().groups):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGTERM)


def until_terminated(main: Callable[[], int]) -> int:
    """Return what ``main`` returns; SIGTERM and Ctrl-C end its children and leave its context managers first.

    Threads that wait for a child see it fail. The exit status is then 128 and the signal's number.
    """

    def stop(number: int, _: object) -> None:
        for other in (signal.SIGINT, signal.SIGTERM):
            signal.signal(other, lambda *_: None)  # children would inherit SIG_IGN
        if not _interruption.deferred:
            raise SystemExit(128 + number)
        _interruption.status = 128 + number

    # A handler runs once the main thread executes Python again; where the signal came just before it began to
    # wait for a child, that is when the child has ended. So a thread of its own ends the children.
    signalled, by_handler = os.pipe()
    os.set_blocking(by_handler, False)

    def end_children() -> None:
        os.read(signalled, 1)
        stop_all()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    threading.Thread(target=end_children, daemon=True).start()
    signal.set_wakeup_fd(by_handler)
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))  # a fork's signals are its own
    return main()
