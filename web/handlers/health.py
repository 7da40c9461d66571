"""Is the process alive (the load balancer asks), and does all that it needs answer (a deploy asks)?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottle import HTTPResponse

from web.http.responses import Route, encoded

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery


class Health:
    """Both answers. Set ``draining`` to take the process out of the load balancer before it stops."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self.draining = False

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [("GET", "/healthz", self.alive), ("GET", "/readyz", self.ready)]

    def alive(self) -> HTTPResponse:
        """Touches nothing but the process itself."""
        status, text = (503, "stopping\n") if self.draining else (200, "ok\n")
        return HTTPResponse(
            text, status=status, headers={"Content-Type": "text/plain", "Cache-Control": "no-store"}
        )

    def ready(self) -> HTTPResponse:
        """Each thing that the gallery stands on: null, or what is wrong with it."""
        checks = dict(self._gallery.ready())
        if self.draining:
            checks["process"] = "This process is stopping."
        ready = not any(checks.values())
        return HTTPResponse(
            encoded({"ready": ready, "checks": checks}),
            status=200 if ready else 503,
            headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
        )
