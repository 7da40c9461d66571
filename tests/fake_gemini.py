"""A Gemini on the loopback that the real SDK talks to, well-behaved or not, as a script says.

In a test::

    with FakeGemini("503", "ok") as gemini:
        ...  # base_url=gemini.url; afterwards gemini.asked tells what came

Alone: ``python -m tests.fake_gemini --port 9000 --script ok,429:30,ok``. The entries of a script are used up
one after another, and the last one stays. SCENARIOS and CONNECTIONS name them; ``429:SECONDS`` asks to wait
so long; a Reply of one's own may stand there too.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from imgcore.captioning.model import PROBE_JPEG
from tests.gemini_replies import BAD_KEY, SCENARIOS, STRICT, Asked, Reply, error, limited

PATH = re.compile(r"/(?:[\w-]+/)*v1beta/(models/[^/:?]+):generateContent$")


def _hang(handler: Handler) -> None:
    """Say nothing."""
    handler.fake.released.wait()


def _trickle(handler: Handler) -> None:
    """One byte of the body now and then, with no end."""
    handler.put(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while handler.put(b" ") and not handler.fake.released.wait(0.05):
        pass


def _trickle_headers(handler: Handler) -> None:
    """One byte of a header now and then, with no end."""
    handler.put(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    while handler.put(b"x") and not handler.fake.released.wait(0.05):
        pass


def _endless(handler: Handler) -> None:
    """A body as fast as it is taken, with no end."""
    handler.put(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    while handler.put(b" " * 65_536) and not handler.fake.released.is_set():
        pass


def _reset(handler: Handler) -> None:
    """Hang up without a word."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _cut_off(handler: Handler) -> None:
    """Hang up in the middle of the body."""
    handler.put(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"candid')


# What it does to the connection instead of saying something.
CONNECTIONS: dict[str, Callable[[Handler], None]] = {
    "hang": _hang,
    "trickle": _trickle,
    "trickle_headers": _trickle_headers,
    "endless": _endless,
    "reset": _reset,
    "cut_off": _cut_off,
}

Entry = str | Reply | Callable[[Asked], Reply]


class FakeGemini:
    """The server, in threads of this process, from ``with`` to its end (or start() to stop()).

    script: what to answer to images. probes: what to answer to the small image of a start-up check.
    key: the only key accepted; None accepts all. models: the only ones there are; None: all.
    delay: seconds before each answer. port: 0 takes a free one. handler: of the connections.
    """

    def __init__(
        self,
        *script: Entry,
        probes: Iterable[Entry] = ("ok",),
        key: str | None = None,
        models: Iterable[str] | None = None,
        delay: float = 0.0,
        port: int = 0,
        handler: type[Handler] | None = None,
    ) -> None:
        self.play(*script or ("ok",), probes=probes)
        self.key, self.delay = key, delay
        self.models = None if models is None else set(models)
        self.asked: list[Asked] = []  # requests with an image
        self.probed: list[Asked] = []  # start-up checks
        self.released = threading.Event()  # ends what would not end
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), handler or Handler)
        self._server.fake = self

    @property
    def url(self) -> str:
        """What to set as the base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def play(self, *script: Entry, probes: Iterable[Entry] = ("ok",)) -> None:
        """Go on with another script."""
        self._script = [_checked(entry) for entry in script]
        self._probes = [_checked(entry) for entry in probes]

    def start(self) -> Self:
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Let go of everything that hangs, and end."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def next(self, asked: Asked) -> Entry:
        """Note the request; what to do about it."""
        probe = asked.picture == PROBE_JPEG
        with self._lock:
            (self.probed if probe else self.asked).append(asked)
            if (objection := self.objection(asked)) is not None:
                return objection
            script = self._probes if probe else self._script
            return script.pop(0) if len(script) > 1 else script[0]

    def objection(self, asked: Asked) -> Reply | None:
        """What Google itself would refuse."""
        if self.key is not None and asked.key != self.key:
            return BAD_KEY
        if not self.offers(asked.model):
            return error(404, "NOT_FOUND", f"{asked.model} is not found for API version v1beta.")
        return next((reply for check in STRICT if (reply := check(asked)) is not None), None)

    def offers(self, model: str) -> bool:
        """Return whether there is such a model."""
        return self.models is None or model.removeprefix("models/") in self.models


def _checked(entry: Entry) -> Entry:
    if isinstance(entry, str) and re.fullmatch(r"429:\d+(\.\d+)?", entry):
        return limited(entry.removeprefix("429:"))
    if isinstance(entry, str) and entry not in SCENARIOS and entry not in CONNECTIONS:
        raise ValueError(f"no scenario is named {entry!r}; there are {', '.join((*SCENARIOS, *CONNECTIONS))}")
    return entry


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeGemini

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up are what this is for."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def fake(self) -> FakeGemini:
        """The server's script and notes."""
        return self.server.fake

    def do_POST(self) -> None:
        """Answer a request with an image."""
        self._handle()

    def put(self, data: bytes) -> bool:
        """Send in one piece; False where nobody listens any more."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the requests are in FakeGemini.asked."""

    def _handle(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = PATH.match(urlsplit(self.path).path)  # as a proxy it is asked for whole addresses
        if path is None:
            self.send(Reply(404, b"<html>no such page</html>"))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, path[1], headers, snake(json.loads(data)) if data else {})
        entry = self.fake.next(asked)
        if self.fake.released.wait(self.fake.delay):
            return
        if isinstance(entry, str) and entry in CONNECTIONS:
            self.close_connection = True
            CONNECTIONS[entry](self)
            return
        found = SCENARIOS[entry] if isinstance(entry, str) else entry
        self.send(found(asked) if callable(found) else found)

    def send(self, reply: Reply) -> None:
        """Head and body in one send, as a server that is not a bench toy does."""
        data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": "application/json; charset=UTF-8", **dict(reply.headers)}
        if reply.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(data))
        head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.put(head.encode() + b"\r\n" + data)


def snake(value: Any) -> Any:
    """The wire's names mix cases; inside a schema they are the schema's own."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    names = {
        name: re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name) for name in value
    }
    return {
        names[name]: item if names[name] == "response_json_schema" else snake(item)
        for name, item in value.items()
    }


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--script", default="ok", help="scenarios, with commas (default: ok)")
    parser.add_argument("--key", help="the only key to accept (default: any)")
    parser.add_argument("--models", help="the only models to know, with commas (default: any)")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parsed = parser.parse_args()
    models = parsed.models.split(",") if parsed.models else None
    gemini = FakeGemini(
        *parsed.script.split(","), key=parsed.key, models=models, delay=parsed.delay, port=parsed.port
    )
    with gemini:
        print(gemini.url, flush=True)
        try:
            gemini.released.wait()
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
