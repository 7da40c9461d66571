"""A defective release: its health check succeeds, and every other request is answered with 500.

It is the real program with a defective application, and is started as the real program is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from web import __main__ as program
from web import app


class BrokenApplication(app.Application):
    """The gallery's application, which answers only its health check correctly."""

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer with 500, unless this is the health check."""
        if environ["PATH_INFO"] == "/healthz":
            return super().wsgi(environ, start_response)
        start_response("500 Internal Server Error", [("Content-Length", "0"), *self.security_headers.items()])
        return [b""]


if __name__ == "__main__":
    app.Application = BrokenApplication  # type: ignore[misc]
    sys.exit(program.main(os.environ))
