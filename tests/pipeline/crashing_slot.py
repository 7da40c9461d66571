"""One slot of workers, run as a program: a worker takes deliveries until it is killed, then another follows.

    python -m tests.pipeline.crashing_slot DATABASE_URL

Reads deliveries from standard input, one JSON object a line, ``{"key", "kind", "lease", "dies_at", "sleeps"}``,
and answers each with a line: done, idle, fenced or killed. ``dies_at`` counts the moments before and after each
statement of the delivery; at that one the worker kills itself with SIGKILL (0: never). ``sleeps`` is how long
its work takes, in seconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

import pymysql  # noqa: F401 - loaded once, before the workers are forked

from imgcore.db.connection import Transaction, open_database
from imgcore.gallery.models import Description, PhotoFacts, Rendition, Renditions, Source, TaskKind
from imgcore.pipeline.models import Claim
from tests.support.repositories import Repositories


class Fate:
    """The moment at which the worker dies, inside or outside a transaction."""

    def __init__(self) -> None:
        self.dies_in = 0
        cursor = Transaction._cursor

        def deadly(tx: Transaction, sql: str, parameters: tuple[Any, ...]) -> Any:
            self._tick()
            result = cursor(tx, sql, parameters)
            self._tick()
            return result

        Transaction._cursor = deadly  # type: ignore[method-assign]

    def _tick(self) -> None:
        self.dies_in -= 1
        if self.dies_in == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def deliver(repositories: Repositories, delivery: dict[str, Any]) -> str:
    """Process one task of one image, until the process dies."""
    claim = repositories.tasks.claim(
        delivery["key"], TaskKind(delivery["kind"]), lease=delivery["lease"], max_attempts=1_000_000
    )
    if claim is None:
        return "idle"
    time.sleep(delivery["sleeps"])
    return "done" if _finish(repositories, claim) else "fenced"


def _finish(repositories: Repositories, claim: Claim) -> bool:
    if claim.kind is TaskKind.CAPTION:
        words = Description(f"Caption of {claim.public_id}", "Alt.", ("tag",), Source.LOCAL)
        return repositories.tasks.finish_caption(claim, words)
    one = Rendition(f"thumbnails/{claim.public_id}", b"", "image/webp", 200, 200)
    return repositories.tasks.finish_thumbnail(
        claim, PhotoFacts("JPEG", 4000, 3000, 1000, "0" * 64), Renditions(one, one, one, "data:")
    )


def work(url: str) -> None:
    """Answer deliveries until they end, or the worker does."""
    fate, repositories = Fate(), Repositories(open_database(url))
    for line in sys.stdin:
        delivery = json.loads(line)
        fate.dies_in = delivery["dies_at"]
        print(deliver(repositories, delivery), flush=True)


def main(url: str) -> int:
    """One worker after another; the exit status of the last."""
    while True:
        worker = os.fork()
        if worker == 0:
            status = 1
            try:
                work(url)
                status = 0
            finally:
                os._exit(status)
        _, state = os.waitpid(worker, 0)
        if not os.WIFSIGNALED(state):
            return os.waitstatus_to_exitcode(state)
        print("killed", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
