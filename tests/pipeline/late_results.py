"""Workers that stop themselves before they store a result, as one that is suspended, until they are continued.

::

    python -m tests.pipeline.late_results DATABASE_URL KEY STOP

This program claims the caption of the image with KEY, waits until the file STOP exists, stops itself, stores
the description "Late." and prints whether it was stored.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from imgcore.db.connection import open_database
from imgcore.db.tasks import TaskRepository
from imgcore.gallery.models import Description, Source, TaskKind
from imgcore.pipeline.models import Claim

LEASE = 0.001  # seconds: over before another worker claims the task
_STOPPING_SECONDS = 30.0  # from the note that it stops until it has
_POLL_SECONDS = 0.02


def stop_on_request(request: Path) -> None:
    """Stop this process before it stores its next result, each time that the file ``request`` exists."""
    commit, stopped = TaskRepository._commit, _stopped(request)

    def committed(repository: TaskRepository, claim: Claim, *given: Any, **named: Any) -> bool:
        with suppress(FileNotFoundError):
            request.unlink()
            stopped.write_text(f"{claim.public_id} {claim.kind}")
            os.kill(os.getpid(), signal.SIGSTOP)
        return commit(repository, claim, *given, **named)

    patch.object(TaskRepository, "_commit", committed).start()


@contextmanager
def stopped_before_storing(pid: int, request: Path, seconds: float) -> Iterator[str | None]:
    """Have a worker stop, and continue it afterwards; yield the id of the image and the kind of its task.

    None where it has no result within so many seconds.
    """
    worker, stopped = psutil.Process(pid), _stopped(request)
    request.touch()
    deadline = time.monotonic() + seconds
    try:
        while worker.status() != psutil.STATUS_STOPPED and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        try:
            request.unlink()
        except FileNotFoundError:  # it stops, or has stopped
            while worker.status() != psutil.STATUS_STOPPED:
                if time.monotonic() > deadline + _STOPPING_SECONDS:
                    raise TimeoutError(f"Process {pid} has not stopped: {worker.status()}.") from None
                time.sleep(_POLL_SECONDS)
            yield stopped.read_text()
        else:
            yield None
    finally:
        worker.send_signal(signal.SIGCONT)


def _stopped(request: Path) -> Path:
    return request.with_name(f"{request.name}.stopped")


def main() -> None:
    """Be a worker whose result is late."""
    url, key, request = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    tasks = TaskRepository(open_database(url))
    claim = tasks.claim(key, TaskKind.CAPTION, lease=LEASE, max_attempts=2)
    assert claim is not None
    stop_on_request(request)
    while not request.exists():
        time.sleep(_POLL_SECONDS)
    print(tasks.finish_caption(claim, Description("Late.", "Late.", ("late",), Source.LOCAL)))


if __name__ == "__main__":
    main()
