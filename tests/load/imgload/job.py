"""One test: what is sent, how often, and what came of it, counted as ab counts.

No locust here and no sockets: ``connection`` does the work, ``session`` lends it locust's users and statistics.
"""

from __future__ import annotations

import os
import sys
import time
from array import array
from typing import TYPE_CHECKING

from gevent.event import Event

if TYPE_CHECKING:
    import socket
    import ssl

    from imgload.connection import Connection
    from imgload.options import Options

clock = time.perf_counter
TIMEUP = 70007  # APR's number for a time that is up; ab says it and ends with its lowest byte
TIMEUP_TEXT = "The timeout specified has expired"


class Samples:
    """A row for each request that ended, in that order; all in seconds.

    start: on ``clock``; in an open loop when the request was due. connect, total, wait: lengths of time,
    ``wait`` from the end of sending to the first byte. failed: 1 or 0.
    """

    def __init__(self) -> None:
        self._times = array("d")  # four a row: one call adds them, and 10 million rows are 330 MB
        self.failed = array("b")

    def __len__(self) -> int:
        return len(self.failed)

    def add(self, start: float, connect: float, total: float, wait: float, failed: bool) -> None:
        """One more."""
        self._times.extend((start, connect, total, wait))
        self.failed.append(failed)

    def column(self, name: str, first: int = 0) -> array[float]:
        """start, connect, total or wait of every row from ``first`` on."""
        return self._times[4 * first + ("start", "connect", "total", "wait").index(name) :: 4]


class Job:
    """A closed loop, ab's own: each connection asks again as soon as it has been answered.

    options: what was asked. request: the bytes of one. addresses: what the host resolved to.
    """

    def __init__(
        self, options: Options, request: bytes, addresses: list[tuple[socket.AddressFamily, tuple[object, ...]]]
    ) -> None:
        self.options = options
        self.request = request
        self.addresses = addresses
        self.samples = Samples()
        self.connections: list[Connection] = []
        self.ready, self.over = Event(), Event()
        self.stopped = self.interrupted = False
        self.stirred = False  # something has come since the watchdog looked
        self.failure: tuple[str, int] | None = None  # what ended it before its time, and the exit code
        self.begun = self.last = self.wall = 0.0
        self.stop_at = float("inf")
        self.requests, self.any_length, self.heartbeat = options.requests, options.any_length, options.heartbeat
        self.started = self.good = self.bad = 0
        self.connect_errors = self.receive_errors = self.length_errors = self.exceptions = 0
        self.write_errors = self.not_ok = self.kept = 0
        self.read = self.body_read = self.sent = 0
        self.length = 0
        self.server = ""
        self.tls: dict[str, str] = {}  # lines of the report
        self.tls_context: ssl.SSLContext | None = None
        # What heads said: one server's differ in the second of their date alone.
        self.heads: dict[bytes, tuple[bool, int]] = {}

    @property
    def done(self) -> int:
        """Requests that ended, well or not."""
        return len(self.samples)

    def begin(self) -> None:
        """The clock starts, and the connections with it."""
        self.wall = time.time()
        self.begun = self.last = clock()
        if self.options.time_limit is not None:
            self.stop_at = self.begun + self.options.time_limit
        self.ready.set()

    def take(self) -> float | None:
        """Leave for one more request: 0.0 is now, else when on ``clock``; None: there are no more."""
        if self.stopped or self.started >= self.requests:
            return None
        self.started += 1
        return 0.0

    def ended(self, start: float, connect: float, end: float, wait: float, body: int) -> None:
        """A request ended with ``body`` bytes; the first good one says how many there should be."""
        wrong = False
        if self.good == 1:
            self.length = body
        elif body != self.length and not self.any_length:
            wrong = True
            self.bad += 1
            self.length_errors += 1
        self.samples.add(start, connect, end - start, wait, wrong)
        self.last = end
        done = len(self.samples)
        if self.heartbeat and not done % self.heartbeat:
            print(f"Completed {done} requests", file=sys.stderr, flush=True)
        if done >= self.requests or end >= self.stop_at:
            self.stop()

    def broken(self, error: OSError, start: float, connect: float, body: int) -> None:
        """The connection failed under the request: fatal unless -r was given."""
        if not self.options.recover:
            self.fail("apr_socket_recv", error)
            return
        self.receive_errors += 1
        self.exceptions += 1  # ab sees a reset twice, by its read and by its poll, and counts both
        self.bad += 2
        self.ended(start, connect, clock(), 0.0, body)
        self.samples.failed[-1] = 1

    def fail(self, what: str, error: OSError) -> None:
        """End before the time, as ab does: a line that says why, and the error's number."""
        self.failure = self.failure or (
            f"{what}: {os.strerror(error.errno or 0)} ({error.errno})",
            error.errno or 1,
        )
        self.stop()

    def expire(self) -> None:
        """The server sent nothing for as long as -s allows."""
        self.failure = self.failure or (f"apr_pollset_poll: {TIMEUP_TEXT} ({TIMEUP})", TIMEUP)
        self.stop()

    def interrupt(self) -> None:
        """Ctrl-C was pressed: the report covers what happened until now."""
        self.last = clock()
        self.interrupted = True
        self.stop()

    def close(self) -> None:
        """The last word before the connections are cut; an open loop has more to say here."""

    def epilogue(self) -> list[str]:
        """What is said after ab's report."""
        return []

    def stop(self) -> None:
        """End the requests; a greenlet that waits for the end continues."""
        self.stopped = True
        self.over.set()
