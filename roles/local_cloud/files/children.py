"""Start child processes in process groups of their own, log their output, and stop them with this process.

A guardian process reads from a pipe: when this process is killed, the pipe closes and the guardian stops
the groups.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

GRACE_SECONDS = 30.0  # on a busy machine the emulator takes that long to write its state
PROGRESS_SECONDS = 5.0  # between two lines of progress, if the output is not a terminal
INDENT = " " * 9  # the width of the supervisor's seconds
GUARDIAN = """
import os, signal, sys, time
groups = set()
for line in sys.stdin:
    if line.startswith("bye"):
        sys.exit()
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for number in (signal.SIGTERM, signal.SIGKILL):
    for group in groups:
        try:
            os.killpg(group, number)
        except OSError:
            pass
    time.sleep(5 if number == signal.SIGTERM else 0)
"""


class ProcessFailed(Exception):
    """A process failed, ended unexpectedly or timed out. The message names its log."""


class Stopped(Exception):
    """The user asked to stop, or the parent process has ended."""


@dataclass
class Child:
    """One running process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass
class Children:
    """The child processes. A context manager: its exit stops all of them."""

    logs: Path
    stop_requested: threading.Event = field(default_factory=threading.Event)
    running: list[Child] = field(default_factory=list)
    _guardian: subprocess.Popen[str] | None = None
    _parent: int = field(default_factory=os.getppid)

    def __enter__(self) -> Children:
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._guardian = subprocess.Popen(  # noqa: S603 - a fixed command
            [sys.executable, "-I", "-S", "-c", GUARDIAN],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(*self.running)
        if self._guardian is not None and self._guardian.stdin is not None:
            with contextlib.suppress(OSError):
                self._notify_guardian("bye")
                self._guardian.stdin.close()
            self._guardian.wait()

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str], cwd: Path) -> Child:
        """Start a process in a new process group, so that Ctrl-C at the terminal reaches this process only."""
        log = self.logs / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - a fixed command
                command,
                cwd=cwd,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self.running.append(child)
        self._notify_guardian(f"+{process.pid}")
        return child

    def finish(
        self, child: Child, read_progress: Callable[[str], str] | None = None, seconds: float = inf
    ) -> None:
        """Wait until a process ends; show the progress that ``read_progress`` returns for its log's text.

        Raise ProcessFailed if it exits with an error, or if it takes more than ``seconds``; then it is stopped.
        """
        shown = _Progress()

        def ended() -> bool:
            if read_progress is not None:
                shown.show(read_progress(child.log.read_text(errors="replace")))
            return child.process.poll() is not None

        try:
            self.wait(ended, f"the {child.name} to end", seconds, except_child=child)
        finally:
            shown.show("")
            self.stop(child)
        if child.process.returncode:
            raise ProcessFailed(f"The {child.name} failed. The end of {child.log}:\n{child.tail()}")

    def wait(
        self, ready: Callable[[], bool], what: str, seconds: float = inf, except_child: Child | None = None
    ) -> None:
        """Return when ``ready`` returns true. ``what`` names the condition in the time-out message.

        Raise Stopped, or ProcessFailed if a process other than ``except_child`` ends or the time is over.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self.stop_requested.wait(0.1) or os.getppid() != self._parent:
                raise Stopped
            for child in self.running:
                if child is not except_child and child.process.poll() is not None:
                    raise ProcessFailed(
                        f"The {child.name} has stopped. The end of {child.log}:\n{child.tail()}"
                    )
            if time.monotonic() > deadline:
                raise ProcessFailed(
                    f"Timed out after {seconds:.0f} seconds, waiting for {what}. See the logs in {self.logs}."
                )

    def stop(self, *children: Child) -> None:
        """Stop these processes and their process groups: SIGTERM, then SIGKILL after GRACE_SECONDS."""
        for child in children:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
        for child in children:
            _signal(child, signal.SIGKILL)  # the group can outlive its leader
            child.process.wait()
            with contextlib.suppress(OSError):
                self._notify_guardian(f"-{child.process.pid}")
        self.running = [child for child in self.running if child not in children]

    def _notify_guardian(self, line: str) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.write(f"{line}\n")
            self._guardian.stdin.flush()


def open_output() -> None:
    """Use /dev/null as standard output if that is closed, as by ``>&-``; Python's is None then."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends


def discard_output() -> None:
    """Send what is printed from now on, and what is buffered, to /dev/null: the reader has exited."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Progress:
    """Progress output: one overwritten line at a terminal, otherwise a line every PROGRESS_SECONDS."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._text = ""
        self._started = self._shown = time.monotonic()

    def show(self, text: str) -> None:
        """Replace the shown text; an empty text clears the line at a terminal."""
        with contextlib.suppress(BrokenPipeError):  # without a reader the work goes on
            self._show(text)

    def _show(self, text: str) -> None:
        if self._terminal:
            if text == self._text:
                return
            width = shutil.get_terminal_size().columns - len(INDENT) - 1
            sys.stdout.write(f"\r\033[K{INDENT + text[:width] if text else ''}")
            self._text = text
        else:
            now = time.monotonic()
            if not text or now < self._shown + PROGRESS_SECONDS:
                return
            sys.stdout.write(f"{INDENT}{text} ({now - self._started:.0f} s)\n")
            self._shown = now
        sys.stdout.flush()


def _signal(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)
