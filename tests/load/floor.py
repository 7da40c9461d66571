"""The least that a page can cost: python -m tests.load.floor

Bottle and waitress answer /<bytes> with a constant of that length. Prints its port, runs until its standard
input ends.
"""

from __future__ import annotations

import sys
import threading
from functools import cache

from bottle import Bottle
from waitress.server import create_server

app = Bottle()


@cache
def _constant(length: int) -> bytes:
    return b"x" * length


@app.get("/<length:int>")
def constant(length: int) -> bytes:
    """Return the constant."""
    return _constant(length)


def main() -> None:
    """Serve on a free port of 127.0.0.1."""
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    print(server.effective_port, flush=True)
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
