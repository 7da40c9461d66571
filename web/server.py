"""The waitress server: limits, error responses, and a graceful stop."""

from __future__ import annotations

import contextlib
import logging
import select
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer, create_server

from imgcore.config import DRAIN_SECONDS
from web.app import Application
from web.dispatcher import Dispatcher
from web.http.filters import may_search
from web.request_kinds import (
    has_credential,
    is_any_health_check,
    is_health_check,
    is_readiness_check,
    path_of,
)
from web.sockets import sockets
from web.tasks import PROTO_HEADER, ApplicationTask, RefusalTask, RequestParser

SAME_SIGNAL_SECONDS = 1.0  # from SIGTERM to a process group to that which the parent sends each process
IDLE_SECONDS = 1.0  # a client may be about to send its next request on a connection that was just used
UNFINISHED_SECONDS = 5.0  # for which a stop waits for the rest of a request of which nothing more comes

# A client that takes less in such a time, while a thread waits for it, is cut off: it keeps the thread, and of
# downloads one of two slots
STALLED_SECONDS, LEAST_TAKEN = 60.0, 64 * 1024  # bytes
LOOK_SECONDS = 0.1  # from one look at all connections for such clients to the next

CONNECTIONS_BEFORE_EVICTION, CONNECTIONS_AFTER_EVICTION = 900, 800  # waitress accepts none beyond its limit

BACKLOG = 1024  # connections that wait to be accepted

# Where there are accounts, requests without a credential have threads of their own: however many of them wait,
# those of signed-in people and of browsers that have signed in before do not wait behind them. Without a
# credential, POST means a sign-in, a set-up or the password of a share link: costly, and each writes. Searches
# may take the database seconds: pages and photos do not wait behind them, and they wait in a line of their own
# instead of on a thread.
THREADS, ANONYMOUS_THREADS, ANONYMOUS_POST_THREADS = 8, 3, 1
SEARCH_THREADS, ANONYMOUS_SEARCH_THREADS = 2, 2
SEARCH_WAIT = 10.0  # seconds in that line, after which a search is refused; its client may have gone long ago

SETTINGS = {
    "backlog": BACKLOG,
    "threads": THREADS,
    "connection_limit": 1000,  # the default, 100, is exhausted by a hundred half-open sockets
    "asyncore_use_poll": True,  # select() ends at file descriptor 1024
    "channel_timeout": 75,  # seconds; longer than the 60 for which load balancers keep idle connections
    "max_request_body_size": 256 * 1024,  # the application refuses 64 KiB; beyond this nothing is read
    "max_request_header_size": 16 * 1024,
    "ident": None,
}


class _Channel(HTTPChannel):
    task_class = ApplicationTask
    error_task_class = RefusalTask
    parser_class = RequestParser
    taken = 0  # bytes that the client has taken
    overflows = False  # it has taken so little that a health check would have to wait for it
    waited_from: tuple[float, int] | None = None  # since when a thread waits for it, and what it had taken then
    overdue = float("inf")  # when its search has waited too long

    def __init__(self, server: TcpWSGIServer, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        """Read at once what the client has sent: the next turn of the loop may be many milliseconds away."""
        super().__init__(server, sock, *arguments, **named)
        with contextlib.suppress(OSError):
            if sock.recv(1, socket.MSG_PEEK):
                wasyncore.read(self)

    def received(self, data: bytes) -> bool:
        """Take what the client has sent, and answer /healthz."""
        taken = bool(super().received(data))
        self.server.answer_health_checks()
        return taken

    def write_soon(self, data: Any) -> int:
        """Send what the client takes now, and buffer only the rest.

        waitress copies all of it into a buffer and out again.
        """
        if not isinstance(data, bytes) or self.total_outbufs_len:
            return int(super().write_soon(data))
        with self.outbuf_lock:
            if self.connected and not self.total_outbufs_len:
                sent, _ = self._flush_exception(
                    lambda do_close: self.send(data, do_close=do_close), do_close=False
                )
                if sent == len(data):
                    return len(data)
                return int(sent) + int(super().write_soon(data[sent:]))
        return int(super().write_soon(data))

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent = int(super().send(data, do_close))
        self.taken += sent
        return sent

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Wait until the client has taken enough; for a health check, cut it off instead of waiting.

        Each kind of health check has one thread, which a client that takes nothing would keep from all others.
        """
        if not (self.requests and is_any_health_check(self.requests[0])):
            super()._flush_outbufs_below_high_watermark()
            return
        with self.outbuf_lock:
            if self.total_outbufs_len > self.adj.outbuf_high_watermark:
                self._flush_exception(self._flush_some, do_close=False)
            self.overflows = self.total_outbufs_len > self.adj.outbuf_high_watermark
        if self.overflows:
            self.server.overflowed = True
            self.server.wake()

    def service(self) -> None:
        """Answer a request. waitress then wakes the loop, of which it is enough to know what has changed."""
        self.server.served.channel = self
        try:
            super().service()
        finally:
            self.server.served.channel = None

    def has_stalled(self, now: float) -> bool:
        """Return whether a thread cannot go on for this client, which takes hardly anything. Ask often."""
        if self.overflows:
            return True
        if not self.requests or self.total_outbufs_len <= self.adj.outbuf_high_watermark:
            self.waited_from = None
            return False
        since, before = self.waited_from or (now, self.taken)
        if now - since < STALLED_SECONDS or self.taken - before >= LEAST_TAKEN:
            self.waited_from = (since, before) if now - since < STALLED_SECONDS else (now, self.taken)
            return False
        return True


class Server:
    """One listening socket and its event loop.

    listener: bound, not yet listening. trusted_proxy: the address of the only proxy whose X-Forwarded-Proto
    and X-Forwarded-For are used; none by default. proxies: how many append to X-Forwarded-For. proto_header:
    the header with the scheme of the visitor's request. delay: seconds for which a stopping process keeps
    accepting requests, so that the load balancer notices that /healthz fails.
    """

    def __init__(
        self,
        app: Application,
        listener: socket.socket,
        *,
        trusted_proxy: str | None = None,
        proxies: int = 1,
        proto_header: str = PROTO_HEADER,
        delay: float = 0.0,
    ) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        proxy: dict[str, Any] = {}
        if trusted_proxy:
            headers = {"x-forwarded-proto", "x-forwarded-for"}
            proxy = {"trusted_proxy": trusted_proxy, "trusted_proxy_headers": headers}
            proxy["trusted_proxy_count"] = proxies
        self._app = app
        self._map, self._threads = sockets(), Dispatcher(THREADS)
        self._server: TcpWSGIServer = create_server(
            app, map=self._map, _dispatcher=self._threads, sockets=[listener], **SETTINGS, **proxy
        )
        self._server.channel_class = _Channel
        self._server.app = app
        lines = [f"{name}: {value}\r\n" for name, value in app.security_headers.items()]
        self._server.security_header = "".join(lines).encode("latin-1")
        self._server.security_names = {name.lower() for name in app.security_headers}
        self._server.proto_variable = "HTTP_" + proto_header.upper().replace("-", "_")
        self._server.add_task = self._dispatch
        self._server.wake = self._map.wake = self._server.pull_trigger
        self._server.pull_trigger = self._note_change
        self._server.overflowed = False  # whether a client is to be cut off at once
        self._server.served = threading.local()  # channel: the one whose request this thread answers
        self._server.answer_health_checks = self._answer_health_checks
        self._last: _Channel | None = None  # whose request the loop has read last, until it is queued
        self._health_checks: deque[_Channel] = deque()  # channels whose only request is one
        self._pipelined_health_checks, self._readiness_checks = Dispatcher(1), Dispatcher(1)
        self._searches = Dispatcher(SEARCH_THREADS)
        self._anonymous = self._anonymous_posts = self._threads
        self._anonymous_searches = self._searches
        if app.has_accounts:
            self._anonymous = Dispatcher(ANONYMOUS_THREADS)
            self._anonymous_posts = Dispatcher(ANONYMOUS_POST_THREADS)
            self._anonymous_searches = Dispatcher(ANONYMOUS_SEARCH_THREADS)
        self._delay = delay
        self._closing: float | None = None  # when the listener closes
        self._terminated = float("-inf")  # when SIGTERM came
        self._deadline = 0.0  # when unfinished responses are dropped
        self._loop_thread = 0  # its identity, while it runs
        self._look_at = 0.0  # when to look for clients that take nothing

    def run(self, *, drain: float = DRAIN_SECONDS, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until ``stop``. In the main thread SIGTERM and SIGINT call it, from ``ready()`` on."""
        signals: list[signal.Signals] = []
        if threading.current_thread() is threading.main_thread():
            signals = [signal.SIGTERM, signal.SIGINT]
            if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a parent decides, see processes.py
                signals.remove(signal.SIGINT)
        handlers = {number: signal.signal(number, partial(self._signalled, drain)) for number in signals}
        try:
            ready()
            self._loop(lambda: self._closing is None)
            self._loop(lambda: time.monotonic() < (self._closing or 0), 0.05)
            self._drain()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _signalled(self, drain: float, number: int, _: FrameType | None) -> None:
        """Stop. SIGTERM to a process group comes a second time from the parent, which asks for the same."""
        if number == signal.SIGTERM:
            now = time.monotonic()
            if now - self._terminated < SAME_SIGNAL_SECONDS:
                return
            self._terminated = now
        self.stop(drain=drain)

    def stop(self, *, drain: float = DRAIN_SECONDS) -> None:
        """Fail /healthz, keep serving for the delay, then finish open requests for at most ``drain`` seconds.

        A second call stops at once.
        """
        again = self._closing is not None
        closing = time.monotonic() + (0 if again else self._delay)
        self._deadline = closing + (0 if again else drain)
        self._app.health.draining = True
        self._closing = closing
        with contextlib.suppress(OSError):  # the server has stopped already
            self._server.wake()

    def _note_change(self) -> None:
        """Let the loop wait for what the channel of this thread waits for now."""
        channel = getattr(self._server.served, "channel", None)
        if channel is None:
            self._server.wake()
        else:
            self._map.changed(channel)

    def _dispatch(self, channel: _Channel) -> None:
        """Queue a request. The event loop itself answers /healthz, which waits for no thread.

        What the loop has read last is queued when it is about to wait: until then, the thread that takes it
        would only wait for the loop to let go of Python.
        """
        alone = len(channel.requests) == 1 and not channel.total_outbufs_len
        if alone and is_health_check(channel.requests[0]):
            self._health_checks.append(channel)  # waitress holds a lock here that the answer needs
            if threading.get_ident() != self._loop_thread:
                self._server.wake()
        elif threading.get_ident() == self._loop_thread:
            self._queue_last()
            self._last = channel
        else:
            self._queue(channel)

    def _queue_last(self) -> None:
        if self._last is not None:
            self._queue(self._last)
            self._last = None

    def _queue(self, channel: _Channel) -> None:
        """Give a request to the threads of its kind.

        A credential is not checked here: a flood that invents one shares the threads of those who have one.
        """
        threads = self._threads_for(channel.requests[0])
        searches = threads in (self._searches, self._anonymous_searches)
        channel.overdue = time.monotonic() + SEARCH_WAIT if searches else float("inf")
        threads.add_task(channel)

    def _threads_for(self, request: HTTPRequestParser) -> Dispatcher:
        if is_health_check(request):
            return self._pipelined_health_checks
        if is_readiness_check(request):  # a store that does not answer must not keep the threads of visitors
            return self._readiness_checks
        search = may_search(path_of(request), getattr(request, "query", ""))
        if has_credential(request.headers):
            return self._searches if search else self._threads
        if getattr(request, "command", "") == "POST":  # no such attribute where the first line is malformed
            return self._anonymous_posts
        return self._anonymous_searches if search else self._anonymous

    def _answer_health_checks(self) -> None:
        """Answer those that wait. Called by the event loop only.

        With requests behind it, waitress would wait until the client takes what it was sent before: for ever,
        since only the event loop sends. A thread waits instead.
        """
        while self._health_checks:
            channel = self._health_checks.popleft()
            if len(channel.requests) == 1:
                channel.service()
            elif channel.requests:  # none where the connection was closed meanwhile
                self._queue(channel)

    def _loop(self, going: Callable[[], bool], timeout: float = 1.0) -> None:
        self._loop_thread = threading.get_ident()
        while going():
            self._answer_health_checks()
            self._evict_idle()
            self._cut_off_stalled()
            self._queue_last()
            self._map.turn(timeout)
        self._queue_last()

    def _evict_idle(self) -> None:
        """Close the connections that have been silent for longest, before waitress accepts no more of them.

        Otherwise somebody who opens connections and sends nothing keeps everybody else out.
        """
        channels = self._server.active_channels
        if len(channels) < CONNECTIONS_BEFORE_EVICTION:
            return
        waiting = [channel for channel in channels.values() if not channel.requests]
        waiting.sort(key=lambda channel: float(channel.last_activity))
        for channel in waiting[: len(channels) - CONNECTIONS_AFTER_EVICTION]:
            channel.handle_close()

    def _cut_off_stalled(self) -> None:
        """Close the connections of clients that take nothing of a response that is being made.

        waitress itself closes a connection without activity only when no request of it is in progress.
        """
        now = time.monotonic()
        if now < self._look_at and not self._server.overflowed:
            return
        self._look_at, self._server.overflowed = now + LOOK_SECONDS, False
        for channel in list(self._server.active_channels.values()):
            if channel.has_stalled(now):
                channel.handle_close()  # the thread's next write raises ClientDisconnected

    def _accept_waiting(self) -> None:
        """Accept the connections that the system has made: closing the listener would reset them."""
        waiting = select.poll()
        waiting.register(self._server.socket, select.POLLIN)
        for _ in range(BACKLOG):
            if not waiting.poll(0):
                return
            self._server.handle_accept()

    def _drain(self) -> None:
        self._accept_waiting()
        wasyncore.dispatcher.close(self._server)  # closes only the listener; the trigger still wakes the loop
        self._loop(self._busy, 0.05)
        checks = {self._pipelined_health_checks, self._readiness_checks}
        anonymous = {self._anonymous, self._anonymous_posts, self._anonymous_searches}
        for dispatcher in {self._threads, self._searches} | anonymous | checks:
            dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

    def _busy(self) -> bool:
        """Close idle connections; return whether responses are unfinished before the deadline."""
        now = time.time()
        for channel in list(self._server.active_channels.values()):
            idle = not channel.requests and not channel.total_outbufs_len
            wait = IDLE_SECONDS if channel.request is None else UNFINISHED_SECONDS
            if idle and channel.last_activity < now - wait:
                channel.will_close = True
                self._map.changed(channel)
        return bool(self._server.active_channels) and time.monotonic() < self._deadline


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. port: 0 takes any free one. Raises OSError if the address is not available."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
