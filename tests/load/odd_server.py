"""A server for load testers: each path answers in a way of its own, some as no server should."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_REFUSE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class OddServer:
    """Answers on a free port of 127.0.0.1 until ``close``; ``requests`` holds the bytes of each that came."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.requests: list[bytes] = []
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def forget(self) -> None:
        """Reset the counters: what depends on the number of a request starts again."""
        with self._lock:
            self.requests.clear()
            self._seen.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection:
            if self._tls is None:
                self._converse(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secure:
                    self._converse(secure)

    def _converse(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while (asked := _read(stream)) is not None:
                head, body, headers = asked
                method, path, _ = head.split(None, 2)
                with self._lock:
                    self.requests.append(head + body)
                    number = self._seen[path.decode()]
                    self._seen[path.decode()] += 1
                keep = headers.get("connection", "").lower() == "keep-alive"
                if not _answer(connection, method.decode(), path.decode(), number, keep):
                    return


def _read(stream: object) -> tuple[bytes, bytes, dict[str, str]] | None:
    """The head of a request, its body, its headers by their names in small letters; None at the end."""
    lines = []
    while (line := stream.readline()) not in (b"\r\n", b""):  # type: ignore[attr-defined]
        lines.append(line)
    if not lines:
        return None
    fields = (line.decode("latin-1").partition(":") for line in lines[1:])
    headers = {name.lower(): value.strip() for name, _, value in fields}
    body = stream.read(int(headers.get("content-length", 0)))  # type: ignore[attr-defined]
    return b"".join(lines), body, headers


def _answer(connection: socket.socket, method: str, path: str, number: int, keep: bool) -> bool:
    """Send what this path sends; False ends the connection."""
    status, body = "200 OK", b"hello world\n"
    match path.partition("?")[0]:
        case "/missing":
            status, body = "404 Not Found", b"no\n"
        case "/moved":
            status, body = "302 Found", b""
        case "/changing":
            body = b"x" * (10 + number % 3)
        case "/silent":
            return bool(connection.recv(1))  # until the other side has had enough
        case "/large":
            body = b"0123456789" * 30_000
        case "/reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _REFUSE)
            return False
        case "/nothing":
            return False
        case "/nothing-each-third" if number % 3 == 0:
            return False
        case "/garbage":
            connection.sendall(b"garbage\r\n\r\n")
            return False
        case "/cut-short":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: Keep-Alive\r\n\r\nabc")
            return False
        case "/old":  # LF alone, no length
            connection.sendall(b"HTTP/1.0 200 OK\nServer: Old\n\n" + body)
            return False
    kept = "Connection: Keep-Alive\r\n" if keep else ""
    head = f"HTTP/1.1 {status}\r\nServer: Odd/1.0 (test)\r\nContent-Length: {len(body)}\r\n{kept}\r\n"
    connection.sendall(head.encode() + (b"" if method == "HEAD" else body))
    return keep


@contextmanager
def odd_server(tls: ssl.SSLContext | None = None) -> Iterator[OddServer]:
    """One, running."""
    server = OddServer(tls)
    try:
        yield server
    finally:
        server.close()
