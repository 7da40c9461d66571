"""A server that does nothing but answer, so that it is the client that is measured.

``python -m tests.load.fast_server``: one process, one loop over epoll, one fixed answer. Prints its port, runs
until its standard input ends.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys

_BODY = b"0123456789" * 7
_HEAD = b"HTTP/1.1 200 OK\r\nServer: fast\r\nContent-Type: text/plain\r\nContent-Length: 70\r\n"
_LAST = _HEAD + b"\r\n" + _BODY
_KEPT = _HEAD + b"Connection: keep-alive\r\n\r\n" + _BODY


def main() -> None:
    """Serve on a free port of 127.0.0.1. A request is expected to come in one piece."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                _accept(listener, poll, connections)
            elif number == sys.stdin.fileno():
                return
            elif not _answered(connections[number]):
                connections.pop(number).close()


def _accept(listener: socket.socket, poll: select.epoll, connections: dict[int, socket.socket]) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            connections[connection.fileno()] = connection
            poll.register(connection, select.EPOLLIN)


def _answered(connection: socket.socket) -> bool:
    """False when the connection is to be closed."""
    try:
        asked = connection.recv(4096)
        keep = b"Keep-Alive" in asked
        if asked:
            connection.send(_KEPT if keep else _LAST)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return keep


if __name__ == "__main__":
    main()
