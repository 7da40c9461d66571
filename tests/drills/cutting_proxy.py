"""An HTTP proxy for a browser, which cuts the connection while a part of a file is sent (RFC 9112, 3.2.2)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, cast
from urllib.parse import parse_qs, urlsplit

PIECE = 64 * 1024  # bytes that are read at once
HOP = frozenset({"connection", "proxy-connection", "keep-alive", "transfer-encoding"})  # not passed on


class CuttingProxy(ThreadingHTTPServer):
    """parts: the number of each part whose request began. arrived: the numbers of those that were passed on.

    cuts: how far the file has got, in bytes, when a connection is cut; each cuts once. at_stop: a part that
    would go beyond these bytes waits until ``resume`` is set; ``stopped`` is set meanwhile.
    """

    daemon_threads = True

    def __init__(self, part_bytes: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.part_bytes = part_bytes
        self.begin([])

    def begin(self, cuts: list[int], at_stop: int | None = None) -> None:
        """Forget what has passed."""
        self.cuts, self.at_stop = list(cuts), at_stop
        self.parts: list[int] = []
        self.arrived: list[int] = []
        self.stopped, self.resume = threading.Event(), threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Do nothing: a browser that leaves a page closes its connections."""


@contextmanager
def cutting_proxy(part_bytes: int) -> Iterator[CuttingProxy]:
    """Run a proxy until the end of the block."""
    with CuttingProxy(part_bytes) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()


class _Cut(Exception):
    """The connection ends here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        proxy = cast("CuttingProxy", self.server)
        target = urlsplit(self.path)
        [number] = parse_qs(target.query).get("partNumber", ["0"]) if self.command == "PUT" else ["0"]
        length = int(self.headers.get("Content-Length", 0))
        try:
            body = b"".join(self._pieces(proxy, int(number), length))
        except _Cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        connection = HTTPConnection(target.hostname or "", target.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        address = target._replace(scheme="", netloc="").geturl()
        connection.request(self.command, address or "/", body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        if int(number) and answer.status == 200:
            proxy.arrived.append(int(number))
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in (*HOP, "content-length"):
                self.send_header(name, value)
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    def _pieces(self, proxy: CuttingProxy, number: int, length: int) -> Iterator[bytes]:
        """Yield the body. _Cut where a part has got to one of the places to cut at, or the browser has left."""
        if number:
            proxy.parts.append(number)
        stream: IO[bytes] = self.rfile
        at = (number - 1) * proxy.part_bytes
        while length:
            piece = stream.read(min(PIECE, length))
            if not piece:
                raise _Cut
            length -= len(piece)
            at += len(piece)
            if number and proxy.cuts and at >= proxy.cuts[0]:
                del proxy.cuts[0]
                raise _Cut
            if number and proxy.at_stop is not None and at >= proxy.at_stop:
                proxy.stopped.set()
                proxy.resume.wait(60)
                raise _Cut
            yield piece

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _pass  # noqa: N815 - names of the base class

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""
