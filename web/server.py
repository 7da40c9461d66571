"""waitress, with limits that hold and a stop that cuts nobody off."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer, create_server
from waitress.task import ErrorTask, WSGITask

from web.app import Application
from web.http.errors import Refused, as_json
from web.http.responses import encoded

DRAIN_SECONDS = 25.0
IDLE_SECONDS = 1.0  # a connection that has just been answered may be about to ask again

SETTINGS = {
    "threads": 8,
    "connection_limit": 1000,  # the default, 100, is used up by a hundred half-open sockets
    "asyncore_use_poll": True,  # select() ends at file descriptor 1024
    "channel_timeout": 75,  # seconds; above the 60 that load balancers keep idle connections
    "max_request_body_size": 256 * 1024,  # ours says 413 from 64 KiB on; beyond this nothing is read at all
    "max_request_header_size": 16 * 1024,
    "ident": None,
}


class _Task(WSGITask):
    """While the process stops, every answer is the last of its connection."""

    def build_response_header(self) -> bytes:
        if self.channel.server.health.draining:
            self.set_close_on_finish()
        return bytes(super().build_response_header())


class _ErrorTask(ErrorTask):
    """What waitress itself refuses (a malformed or an endless request) is a problem+json as well."""

    def execute(self) -> None:
        error = self.request.error
        problem = Refused(error.code, error.reason.lower().replace(" ", "_"), f"{error.reason}: {error.body}.")
        body = encoded(as_json(problem))
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/problem+json"))
        self.response_headers.append(("X-Content-Type-Options", "nosniff"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    task_class = _Task
    error_task_class = _ErrorTask


class Server:
    """One listening socket and its loop.

    listener: bound, not yet listening. trusted_proxy: the address of the one proxy whose X-Forwarded-Proto
    and X-Forwarded-For are believed; none by default. delay: seconds that a load balancer needs to see that
    /healthz fails; for so long a process that was asked to stop still serves.
    """

    def __init__(
        self,
        app: Application,
        listener: socket.socket,
        *,
        trusted_proxy: str | None = None,
        delay: float = 0.0,
    ) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        proxy: dict[str, Any] = {}
        if trusted_proxy:
            headers = {"x-forwarded-proto", "x-forwarded-for"}
            proxy = {"trusted_proxy": trusted_proxy, "trusted_proxy_count": 1, "trusted_proxy_headers": headers}
        self._app = app
        self._map: dict[int, Any] = {}
        self._server: TcpWSGIServer = create_server(app, map=self._map, sockets=[listener], **SETTINGS, **proxy)
        self._server.channel_class = _Channel
        self._server.health = app.health
        self._delay = delay
        self._closing: float | None = None  # when the listener closes, and when the last answer is given up
        self._deadline = 0.0

    def run(self, *, drain: float = DRAIN_SECONDS, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until ``stop``; in the main thread SIGTERM and SIGINT call it too, from ``ready()`` on."""
        signals: list[signal.Signals] = []
        if threading.current_thread() is threading.main_thread():
            signals = [signal.SIGTERM, signal.SIGINT]
        handlers = {number: signal.signal(number, lambda *_: self.stop(drain=drain)) for number in signals}
        try:
            ready()
            self._loop(lambda: self._closing is None)
            self._loop(lambda: time.monotonic() < (self._closing or 0), 0.05)
            self._drain()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def stop(self, *, drain: float = DRAIN_SECONDS) -> None:
        """Fail /healthz, serve on for the delay, then finish what is under way, for ``drain`` seconds at most.
        Called again, stop at once."""
        again = self._closing is not None
        closing = time.monotonic() + (0 if again else self._delay)
        self._deadline = closing + (0 if again else drain)
        self._app.health.draining = True
        self._closing = closing
        with contextlib.suppress(OSError):  # it has stopped already
            self._server.pull_trigger()

    def _loop(self, going: Callable[[], bool], timeout: float = 1.0) -> None:
        while going():
            wasyncore.poll2(timeout, self._map)

    def _drain(self) -> None:
        wasyncore.dispatcher.close(self._server)  # the listener alone; the trigger still wakes the loop
        self._loop(self._busy, 0.05)
        self._server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

    def _busy(self) -> bool:
        """Closes what is idle; True while an answer is under way and there is time for it."""
        now = time.time()
        for channel in list(self._server.active_channels.values()):
            idle = not channel.requests and channel.request is None and not channel.total_outbufs_len
            if idle and channel.last_activity < now - IDLE_SECONDS:
                channel.will_close = True
        return bool(self._server.active_channels) and time.monotonic() < self._deadline


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes any that is free. OSError where that cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
