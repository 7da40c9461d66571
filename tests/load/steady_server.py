"""A server of known speed: python -m tests.load.steady_server

waitress with eight threads, twenty milliseconds an answer: four hundred answers a second and not one more.
Prints its port, runs until its standard input ends.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress.server import create_server

THREADS, SECONDS = 8, 0.02
_BODY = b"0123456789" * 1000


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Ten kilobytes, after a while."""
    time.sleep(SECONDS)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(_BODY)))])
    return [_BODY]


def main() -> None:
    """Serve on a free port of 127.0.0.1."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(answer, host="127.0.0.1", port=0, threads=THREADS, connection_limit=1000)
    print(server.effective_port, flush=True)
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
