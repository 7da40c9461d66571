"""A gallery for the role smoke: takes an image, and reports its final state at the third request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DONE = {
    "settled": True,
    "status": "done",
    "caption": "A cup of coffee on a table",
    "alt_text": "A cup of coffee",
    "source_text": "described on this machine",
    "message": None,
}
FAILED = DONE | {"status": "failed", "caption": None, "message": "The file is damaged."}


@dataclass
class Gallery:
    """The address of the gallery, and the recorded requests."""

    end: dict[str, Any]  # the final state of the image
    url: str = ""
    asked: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    parts: list[str] = field(default_factory=list)  # the form's fields, in their order
    image: bytes = b""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and body, JSON or an image."""
        self.asked.append(f"{method} {path}")
        if (method, path) == ("POST", "/api/v1/uploads"):
            assert {"name", "size", "type"} == set(json.loads(body))
            form = {"url": f"{self.url}/bucket", "fields": {"key": "raw/p1.jpg", "policy": "made-up"}}
            return 201, {"image": {"id": "p1"}, "form": form}
        if (method, path) == ("POST", "/bucket"):
            return self._keep(body)
        if (method, path) == ("GET", "/api/v1/images/p1"):
            settled = self.asked.count("GET /api/v1/images/p1") > 2
            shown = self.end | {"thumbnail_url": f"{self.url}/thumbnail"}
            return 200, shown if settled else {"settled": False}
        found = {"GET /healthz": 200, "GET /thumbnail": 200, "DELETE /api/v1/images/p1": 204}
        return found.get(f"{method} {path}", 404), b"made-up"

    def _keep(self, body: bytes) -> tuple[int, bytes]:
        boundary = body.split(b"\r\n", 1)[0]
        for part in body.split(boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            self.parts += re.findall(r'name="(\w+)"', head.decode())[:1]
            self.image = content[:-2]
        return 204, b""


@contextmanager
def gallery(end: dict[str, Any]) -> Iterator[Gallery]:
    """Serve on a free port of this machine."""
    stand_in = Gallery(end)

    class Handler(BaseHTTPRequestHandler):
        def take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stand_in.keys.add(self.headers.get("Authorization", ""))
            status, answer = stand_in.answer(self.command, self.path, body)
            image = isinstance(answer, bytes)
            content = b"" if status == 204 else answer if image else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "image/webp" if image else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_DELETE = do_GET = do_POST = take  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stand_in.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield stand_in
        server.shutdown()
