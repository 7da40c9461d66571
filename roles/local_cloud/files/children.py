"""Processes that live no longer than this one: started in groups of their own, logged, watched, stopped.

A guardian, itself a process, holds the other end of a pipe: when this process is gone without a word,
the pipe closes and the guardian stops the groups.
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

GRACE_SECONDS = 6.0
PROGRESS_SECONDS = 5.0  # between two lines of progress, where the output is no terminal
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


class Died(Exception):
    """A process ended that should not have, or took too long. Its text: a sentence, and the end of its log."""


class Stopped(Exception):
    """The user asked to stop, or the parent process has ended."""


@dataclass
class Child:
    """One running process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 20) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass
class Children:
    """Every process that was started here. Use as a context manager: on the way out, none is left."""

    logs: Path
    stop_asked: threading.Event = field(default_factory=threading.Event)
    running: list[Child] = field(default_factory=list)
    _guardian: subprocess.Popen[str] | None = None
    _parent: int = field(default_factory=os.getppid)

    def __enter__(self) -> Children:
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._guardian = subprocess.Popen(  # noqa: S603 - our own words
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
                self._tell("bye")
                self._guardian.stdin.close()
            self._guardian.wait()

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str], cwd: Path) -> Child:
        """Start a process in a group of its own, so that a Ctrl-C at the terminal reaches this one only."""
        log = self.logs / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own words
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
        self._tell(f"+{process.pid}")
        return child

    def finish(self, child: Child, news: Callable[[str], str] | None = None, seconds: float = inf) -> None:
        """Wait for a process that ends by itself; show the progress that ``news`` reads from its log.

        Died where it fails or takes too long; then it is stopped.
        """
        shown = _Progress()

        def ended() -> bool:
            if news is not None:
                shown.show(news(child.log.read_text(errors="replace")))
            return child.process.poll() is not None

        try:
            self.wait(ended, seconds, but=child)
        finally:
            shown.show("")
            self.stop(child)
        if child.process.returncode:
            raise Died(f"The {child.name} failed. The end of {child.log}:\n{child.tail()}")

    def wait(self, ready: Callable[[], bool], seconds: float = inf, but: Child | None = None) -> None:
        """Return as soon as it is ready. Stopped, or Died where a process ends (``but`` one) or time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.stop_asked.wait(0.1) or os.getppid() != self._parent:
                raise Stopped
            for child in self.running:
                if child is not but and child.process.poll() is not None:
                    raise Died(f"The {child.name} has stopped. The end of {child.log}:\n{child.tail()}")
            if time.monotonic() > deadline:
                raise Died(
                    f"Nothing has happened for {seconds:.0f} seconds; the logs in {self.logs} may say why."
                )

    def stop(self, *children: Child) -> None:
        """End these processes with everything that they started: politely, then not."""
        for child in children:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
        for child in children:
            _signal(child, signal.SIGKILL)  # whatever is left of its group, with it or without
            child.process.wait()
            with contextlib.suppress(OSError):
                self._tell(f"-{child.process.pid}")
        self.running = [child for child in self.running if child not in children]

    def _tell(self, line: str) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.write(f"{line}\n")
            self._guardian.stdin.flush()


class _Progress:
    """What a process is doing: at a terminal a last line that is overwritten, elsewhere a line now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._text = ""
        self._started = self._shown = time.monotonic()

    def show(self, text: str) -> None:
        """Show this text in place of the one before; an empty one removes it from a terminal."""
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
