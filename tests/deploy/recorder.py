"""A door before the emulator that notes each call and changes nothing, not even the Host that was signed."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl

REFUSAL = (
    b"<Response><Errors><Error><Code>Refused</Code><Message>by the test</Message></Error></Errors></Response>"
)
READS = ("BatchGet", "Describe", "Get", "Head", "List")


@dataclass
class Recorder:
    """The endpoint, the calls since the last ``clear``, and a call that is refused with EC2's error."""

    endpoint: str = ""
    calls: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    refused: str = ""

    def clear(self) -> None:
        """Forget what was called so far."""
        self.calls.clear()
        self.bodies.clear()

    def asked(self, call: str) -> dict[str, str]:
        """What the last query call of that name said."""
        body = next(
            body for name, body in zip(self.calls[::-1], self.bodies[::-1], strict=True) if name == call
        )
        return dict(parse_qsl(body))

    @property
    def writes(self) -> list[str]:
        """The calls that change something: by their names, or by the method where a call has none."""
        return [call for call in self.calls if not call.startswith((*READS, "GET ", "HEAD "))]


def name_of(method: str, path: str, target: str, body: bytes) -> str:
    """The operation of a JSON or query call; method and path of any other."""
    if target:
        return target.rpartition(".")[2]
    if method == "POST" and (named := parse_qs(body.decode("latin-1")).get("Action")):
        return named[0]
    return f"{method} {path}"


@contextmanager
def recording(port: int) -> Iterator[Recorder]:
    """Listen on a free port and pass everything on to ``port``."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            target = self.headers.get("X-Amz-Target", "")
            recorder.calls.append(name_of(self.command, self.path, target, body))
            recorder.bodies.append(body.decode("latin-1"))
            if recorder.calls[-1] == recorder.refused:
                self.send_response(400)
                self.send_header("Content-Length", str(len(REFUSAL)))
                self.end_headers()
                self.wfile.write(REFUSAL)
                return
            onward = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "expect":
                    onward.putheader(name, value)
            onward.endheaders(body)
            answer = onward.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            onward.close()

        do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = pass_on  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recorder.endpoint = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield recorder
        server.shutdown()
