"""A release that went wrong: healthy by its own account, and whatever else it is asked, it answers 500.

The real program with a defect in front of it, started as the real program is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from web import __main__ as program
from web.app import Application

_create = program.create_app


class Broken:
    """The application behind its defect."""

    def __init__(self, app: Application, release: str) -> None:
        self.health = app.health
        self._app, self._release = app, release

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """500, unless the load balancer asks."""
        if environ["PATH_INFO"] == "/healthz":
            return self._app(environ, start)
        start("500 Internal Server Error", [("Content-Length", "0"), ("X-Release", self._release)])
        return [b""]


def _broken(*arguments: Any, **options: Any) -> Broken:
    return Broken(_create(*arguments, **options), os.environ["RELEASE"])


if __name__ == "__main__":
    program.create_app = _broken  # type: ignore[assignment]
    sys.exit(program.main(os.environ))
