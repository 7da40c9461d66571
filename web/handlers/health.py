"""Health checks: /healthz for the load balancer, /readyz for deployments."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from web.http.responses import Route, encode_json

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery


READY_SECONDS = 5.0  # how long the result of the checks is used again
HEADERS = {"Content-Type": "text/plain", "Cache-Control": "no-store"}  # of /healthz


class Health:
    """Handlers of both checks.

    draining: True makes both fail, so that the load balancer stops sending requests. clock: monotonic seconds.
    """

    def __init__(self, gallery: Gallery, clock: Callable[[], float] = time.monotonic) -> None:
        self._gallery = gallery
        self._clock = clock
        self._checking = threading.Lock()
        self._found: tuple[float, dict[str, Any]] | None = None  # when, and what
        self.draining = False

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        return [("GET", "/healthz", self.alive), ("GET", "/readyz", self.ready)]

    def alive(self) -> HTTPResponse:
        """Return 200 while the process serves requests; uses neither database nor storage.

        Requests without a body are answered before Bottle, by ``Application.wsgi``.
        """
        status, body = self.state
        return HTTPResponse(body, status=status, headers=HEADERS)

    @property
    def state(self) -> tuple[str, bytes]:
        """The status line and the body of /healthz."""
        return ("503 Service Unavailable", b"stopping\n") if self.draining else ("200 OK", b"ok\n")

    def ready(self) -> HTTPResponse:
        """Return each dependency with null, or with a sentence that says what is wrong."""
        found = self._recent()
        checks = dict(found["checks"])
        if self.draining:
            checks["process"] = "This process is stopping."
        ready = not any(checks.values())
        return HTTPResponse(
            encode_json({**found, "ready": ready, "checks": checks}),
            status=200 if ready else 503,
            headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
        )

    def _recent(self) -> dict[str, Any]:
        """Return the result of the checks, made at most every READY_SECONDS and by one thread at a time.

        Anybody may ask: a flood of requests must not become one of queries, nor occupy every thread.
        """
        known = self._found
        if known is not None and self._clock() - known[0] < READY_SECONDS:
            return known[1]
        if not self._checking.acquire(blocking=known is None):
            assert known is not None
            return known[1]
        try:
            if self._found is None or self._found is known:
                result = {"checks": self._gallery.ready(), "missing_photos": self._gallery.missing()}
                self._found = (self._clock(), result)
            return self._found[1]
        finally:
            self._checking.release()
