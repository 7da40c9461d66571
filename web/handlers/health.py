"""Health checks: /healthz for the load balancer, /readyz for deployments."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from web.http.responses import Route, encode_json

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery


READY_SECONDS = 5.0  # how long the result of the checks is used again
CHECK_SECONDS = 5.0  # how long a request waits for them
OVERDUE = f"The {{}} has not answered within {CHECK_SECONDS:.0f} seconds."
_MISSING = "missing_photos"
HEADERS = {"Content-Type": "text/plain", "Cache-Control": "no-store"}  # of /healthz


class _Check:
    """A check in a thread of its own, because a store that hangs takes minutes to fail.

    While it goes on, no other one is begun; what it finds in the end counts as long as any result.
    """

    def __init__(self, run: Callable[[], Any], clock: Callable[[], float]) -> None:
        self._run, self._clock = run, clock
        self._result: Future[Any] = Future()
        self._begun, self._ended = False, 0.0

    def begin(self) -> bool:
        """Begin it; False where it is under way, or has ended within READY_SECONDS."""
        if self._begun and (not self._result.done() or self._clock() - self._ended < READY_SECONDS):
            return False
        self._begun, self._result = True, Future()
        try:
            threading.Thread(target=self._complete, daemon=True).start()
        except RuntimeError as error:  # the system has no thread left just now; later it may have
            self._ended = self._clock()
            self._result.set_exception(error)
        return True

    def result(self, timeout: float) -> Any:
        """Return what it found; TimeoutError where it goes on for longer than ``timeout`` seconds."""
        return self._result.result(timeout)

    def _complete(self) -> None:
        try:
            found = self._run()
            self._ended = self._clock()
            self._result.set_result(found)
        except BaseException as error:  # noqa: BLE001 - raised in the thread of the request
            self._ended = self._clock()
            self._result.set_exception(error)


class Health:
    """Handlers of both checks.

    draining: True makes both fail, so that the load balancer stops sending requests. clock: monotonic seconds.
    """

    def __init__(self, gallery: Gallery, clock: Callable[[], float] = time.monotonic) -> None:
        self._gallery = gallery
        self._clock = clock
        self._checking = threading.Lock()
        checks: dict[str, Callable[[], Any]] = {**gallery.checks(), _MISSING: gallery.missing}
        self._checks = {name: _Check(run, lambda: self._clock()) for name, run in checks.items()}
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
                result = self._check()
                self._found = (self._clock(), result)
            return self._found[1]
        finally:
            self._checking.release()

    def _check(self) -> dict[str, Any]:
        """Run the checks beside each other; one that has not ended after CHECK_SECONDS hides no other."""
        begun = {name for name, check in self._checks.items() if check.begin()}
        deadline = time.monotonic() + CHECK_SECONDS
        found: dict[str, Any] = {}
        for name, check in self._checks.items():
            try:
                found[name] = check.result(max(0.0, deadline - time.monotonic()) if name in begun else 0.0)
            except TimeoutError:
                found[name] = None if name == _MISSING else OVERDUE.format(name)
        missing = found.pop(_MISSING)
        return {"checks": found, _MISSING: missing}
