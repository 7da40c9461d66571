"""The processes of this machine. A minimal system has no ``ps``."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Process:
    """A process, the one that started it, and its command line in one string."""

    pid: int
    parent: int
    command: str


def processes() -> list[Process]:
    """Return every process whose command line can be read."""
    rows = [each.info for each in psutil.process_iter(["pid", "ppid", "cmdline"])]
    return [Process(row["pid"], row["ppid"], " ".join(row["cmdline"])) for row in rows if row["cmdline"]]


def runs(pid: int) -> bool:
    """Return whether a process runs. One that has ended may still wait for init to collect it."""
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False
