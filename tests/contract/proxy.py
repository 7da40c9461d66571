"""A wire to a server that can be cut, slowed down or clogged at a chosen moment."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """Passes bytes on between its own port and the server's.

    lose_answer: the next request still reaches the server; its answer is read, dropped, and the wire cut.
    clogged: nothing is passed on any more, in either direction. delay: seconds before each part is passed on.
    While nothing listens at the server's port, a new connection is cut.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.lose_answer = False
        self.clogged = False
        self.delay = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut every wire and accept none any more."""
        _cut(self._listener)
        self.cut()

    def cut(self) -> None:
        """Cut every wire that there is now."""
        cut, self._sockets = self._sockets, []
        for one in cut:
            _cut(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    _cut(client)
                    continue
                self._sockets = [one for one in self._sockets if one.fileno() >= 0]
                self._sockets += [client, server]
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.clogged:
                    continue
                if self.delay:
                    time.sleep(self.delay)
                if answers and self.lose_answer:
                    self.lose_answer = False
                    break
                sink.sendall(data)
        _cut(source)
        _cut(sink)


def _cut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """A proxy to the loopback port ``target``, gone afterwards."""
    one = Proxy(target)
    try:
        yield one
    finally:
        one.close()


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])
