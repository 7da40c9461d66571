"""Things that the workers of a test run make once and share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPACE = 4 << 30  # bytes of memory for temporary files


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` with ``.lock`` added; other processes wait for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def memory_folder(folder: Path = Path("/dev/shm")) -> Path | None:
    """Return a folder in memory with space for the databases of the tests, None where there is none.

    They wait for the disk at each commit otherwise.
    """
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    usable = os.access(folder, os.W_OK) and not found.f_flag & os.ST_NOEXEC  # some tests run scripts there
    return folder if usable and found.f_bavail * found.f_frsize >= SPACE else None
