"""One of the test's connections: a loop over a bare socket that waits in gevent's hub.

locust's fast HTTP client spends many times what ab does on a request: a fast server would be measured by the
limits of the client. This one does the few system calls that ab does and nothing else.
"""

from __future__ import annotations

import _socket
import errno
import os
import re
import socket
from typing import TYPE_CHECKING, Any

import gevent
from gevent import get_hub, getcurrent

from imgload.job import clock

if TYPE_CHECKING:
    from imgload.job import Job

CHUNK = 1 << 16
MOST_HEAD = 1 << 16  # bytes; ab gives up at 2 KiB already
_READ, _WRITE = 1, 2
_KIND = socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0) | getattr(socket, "SOCK_CLOEXEC", 0)
_UNREACHED = {errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH}
_LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.I | re.M)
_SERVER = re.compile(rb"^server:\s*(\S*)", re.I | re.M)


class Connection:
    """Ask, wait, count, again; run by the greenlet that made it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        hub = get_hub()
        self._loop, self._sleep = hub.loop, hub.switch
        self._wake = getcurrent().switch
        self._socket: Any = None
        self._reader: Any = None
        self._keep = False
        self._body = 0
        self.asking_since: float | None = None  # on ``clock``, while a request is under way

    def run(self) -> None:
        """Send requests until the job has no more."""
        take = self._job.take
        try:
            while (due := take()) is not None:
                if due:
                    self._pause(due)
                self.asking_since = start = due or clock()
                self._exchange(start)
                self.asking_since = None
        finally:
            self._close()

    def _pause(self, due: float) -> None:
        wait = due - clock()
        if wait <= 0:
            return
        if self._reader is not None:
            self._reader.stop()
        gevent.sleep(wait)
        if self._reader is not None:
            self._reader.start(self._wake)

    def _exchange(self, start: float) -> None:
        """One request: over the connection that was kept, else over a new one."""
        job = self._job
        connected = start
        began = 0.0
        self._body = 0
        try:
            if self._socket is None:
                self._open()
                connected = self._send()
            else:
                self._send()
        except OSError as error:
            self._not_sent(error, start, connected)
            return
        sent = clock()
        try:
            began = self._receive()
        except OSError as error:
            self._close()
            job.broken(error, start, connected - start, self._body)
            return
        job.good += 1
        end = clock()
        if self._keep:
            job.kept += 1
        else:
            self._close()
        job.ended(start, connected - start, end, began - sent if began else 0.0, self._body)

    def _not_sent(self, error: OSError, start: float, connected: float) -> None:
        """Report an unreachable server as ab's read does, a broken send as a write error."""
        job = self._job
        self._close()
        if error.errno in _UNREACHED or not isinstance(error, BrokenPipeError | ConnectionResetError):
            if not job.good and job.addresses[1:]:
                job.addresses.pop(0)  # the host has another address, and none has answered yet
                self._exchange(start)
                return
            job.broken(error, start, 0.0, 0)
            return
        job.write_errors += 1
        job.ended(start, connected - start, clock(), 0.0, 0)
        job.samples.failed[-1] = 1

    def _open(self) -> None:
        """A socket that is connected, or soon will be: sending tells."""
        job = self._job
        family, address = job.addresses[0]
        bare = _socket.socket(family, _KIND, 0)
        if not hasattr(socket, "SOCK_NONBLOCK"):
            bare.setblocking(False)
        self._socket = bare
        code = bare.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        self._reader = self._loop.io(bare.fileno(), _READ)
        self._reader.start(self._wake)
        if job.options.target.scheme == "https":
            from imgload.tls import Secured

            self._writable()
            self._socket = Secured(bare, job, self._readable, self._writable)

    def _send(self) -> float:
        """The whole request; when its first byte could go out."""
        request = self._job.request
        send = self._socket.send
        ready = clock()
        try:
            count = send(request)
        except BlockingIOError:
            self._writable()
            ready = clock()
            count = send(request)
        self._job.sent += count
        if count < len(request):
            rest = memoryview(request)[count:]
            while rest:
                try:
                    count = send(rest)
                except BlockingIOError:
                    self._writable()
                    continue
                self._job.sent += count
                rest = rest[count:]
        return ready

    def _receive(self) -> float:
        """The whole answer; when its first byte came, 0.0 if none did."""
        job = self._job
        recv = self._socket.recv
        head = b""
        began = 0.0
        length: int | None = None  # None while the head is not whole; -1: up to the connection's end
        self._keep = False
        self._readable()
        while True:
            try:
                data = recv(CHUNK)
            except BlockingIOError:
                self._readable()
                continue
            if not data:
                self._keep = False
                return began
            began = began or clock()
            job.read += len(data)
            if length is not None:
                self._body += len(data)
                job.body_read += len(data)
            else:
                head += data
                length = self._head(head)
            if length is not None and 0 <= length <= self._body:
                self._keep = True
                return began

    def _head(self, data: bytes) -> int | None:
        """What the head says: the body's length where the connection is kept, else -1; None: not whole yet."""
        job = self._job
        end, gap = data.find(b"\r\n\r\n"), 4
        if end < 0:
            end, gap = data.find(b"\n\n"), 2
        if end < 0:
            if len(data) > MOST_HEAD:
                raise OSError(errno.EBADMSG, os.strerror(errno.EBADMSG))
            return None
        self._body = len(data) - end - gap
        job.body_read += self._body
        head = data[:end]
        known = job.heads.get(head)
        if known is None:
            if len(job.heads) > 1000:
                job.heads.clear()
            known = job.heads[head] = self._parsed(head)
        good, length = known
        if not good:
            job.not_ok += 1
        return length

    def _parsed(self, head: bytes) -> tuple[bool, int]:
        """Whether the answer is a 2xx, and the body's length where the connection is kept, else -1."""
        job = self._job
        at = head.find(b"HTTP")
        good = at >= 0 and head[at + 9 : at + 10] == b"2"
        if not job.good and (found := _SERVER.search(head)):
            job.server = found[1].decode("latin-1")
        if not job.options.keep_alive or b"keep-alive" not in head.lower():
            return good, -1
        found = _LENGTH.search(head)
        return good, int(found[1]) if found and job.options.method != "HEAD" else 0

    def _readable(self) -> None:
        self._sleep()  # the reader is always on, but while something else is waited for
        self._job.stirred = True

    def _writable(self) -> None:
        self._reader.stop()
        writer = self._loop.io(self._socket.fileno(), _WRITE)
        writer.start(self._wake)
        try:
            self._sleep()
        finally:
            writer.stop()
            writer.close()
        self._reader.start(self._wake)
        self._job.stirred = True

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.stop()
            self._reader.close()
            self._reader = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
