"""Things that the workers of a test run make once and share."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPACE = 4 << 30  # bytes of memory for temporary files
MEMORY = Path("/proc/meminfo")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` with ``.lock`` added; other processes wait for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def memory_folder(folder: Path = Path("/dev/shm"), space: int | None = None) -> Path | None:
    """Return a folder in memory with ``space`` bytes free (by default SPACE), None where there is none.

    It is for databases of tests, which wait for the disk at each commit otherwise: 5 ms instead of 0.1.
    """
    space = SPACE if space is None else space
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    usable = os.access(folder, os.W_OK) and not found.f_flag & os.ST_NOEXEC  # some tests run scripts there
    return folder if usable and min(found.f_bavail * found.f_frsize, _free_memory()) >= space else None


def _free_memory() -> int:
    """Return the bytes of memory that are available; Linux may let a folder in memory be larger than that."""
    try:
        lines = dict(line.split(":") for line in MEMORY.read_text().splitlines())
    except OSError:
        return sys.maxsize
    return int(lines["MemAvailable"].split()[0]) << 10
