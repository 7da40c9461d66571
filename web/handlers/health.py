"""Health checks: /healthz for the load balancer, /readyz for deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottle import HTTPResponse

from web.http.responses import Route, encode_json

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery


class Health:
    """Handlers of both checks.

    draining: True makes both fail, so that the load balancer stops sending requests.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self.draining = False

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        return [("GET", "/healthz", self.alive), ("GET", "/readyz", self.ready)]

    def alive(self) -> HTTPResponse:
        """Return 200 while the process serves requests; uses neither database nor storage."""
        status, text = (503, "stopping\n") if self.draining else (200, "ok\n")
        return HTTPResponse(
            text, status=status, headers={"Content-Type": "text/plain", "Cache-Control": "no-store"}
        )

    def ready(self) -> HTTPResponse:
        """Return each dependency with null, or with a sentence that says what is wrong."""
        checks = dict(self._gallery.ready())
        if self.draining:
            checks["process"] = "This process is stopping."
        ready = not any(checks.values())
        return HTTPResponse(
            encode_json({"ready": ready, "checks": checks}),
            status=200 if ready else 503,
            headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
        )
