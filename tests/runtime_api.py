"""AWS Lambda's side of a function, on the loopback: the Runtime API that AWS's own client, awslambdaric, asks.

    with RuntimeApi() as api, running(api, python, folder, HANDLER, environ) as function:
        answer = api.invoke({"task": "ping"})

The API: AWS Lambda Developer Guide, "Using the Lambda runtime API", version 2018-06-01.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

PREFIX = "/2018-06-01/runtime/"
ARN = "arn:aws:lambda:eu-central-1:000000000000:function:tested"


@dataclass(frozen=True)
class Answer:
    """How one invocation ended: with a payload, or with the error's own three fields."""

    request_id: str
    payload: Any = None
    error: dict[str, Any] | None = None


@dataclass
class _Invocation:
    event: Any
    timeout: float  # seconds that the runtime API reports to the function
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: queue.Queue[Answer] = field(default_factory=queue.Queue)


class RuntimeApi:
    """Hands events to one function, one at a time, and takes its answers."""

    def __init__(self) -> None:
        self.init_error: dict[str, Any] | None = None
        self._waiting: queue.Queue[_Invocation | None] = queue.Queue()
        self._running: dict[str, _Invocation] = {}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """What $AWS_LAMBDA_RUNTIME_API says."""
        return f"127.0.0.1:{self._server.server_port}"

    def invoke(self, event: Any, *, timeout: float = 60.0, wait: float = 60.0) -> Answer:
        """Send ``event``; ``timeout`` is reported to the function, ``wait`` is how long to wait for it."""
        invocation = _Invocation(event, timeout)
        self._waiting.put(invocation)
        try:
            return invocation.answer.get(timeout=wait)
        except queue.Empty:
            raise TimeoutError(f"no answer in {wait} s; init error: {self.init_error}") from None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next(self) -> _Invocation | None:
        invocation = self._waiting.get()
        if invocation is not None:
            self._running[invocation.request_id] = invocation
        return invocation

    def _done(self, path: str, body: Any) -> bool:
        """Take what was posted to ``path``; False where it was nothing that the API knows."""
        match path.removeprefix(PREFIX).split("/"):
            case ["init", "error"]:
                self.init_error = body
            case ["invocation", request_id, "response"] if request_id in self._running:
                self._running.pop(request_id).answer.put(Answer(request_id, payload=body))
            case ["invocation", request_id, "error"] if request_id in self._running:
                self._running.pop(request_id).answer.put(Answer(request_id, error=body))
            case _:
                return False
        return True

    def _handler(api) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                invocation = api._next() if self.path == f"{PREFIX}invocation/next" else None
                if invocation is None:
                    self._send(404, b"{}", {})
                    return
                deadline = int((time.time() + invocation.timeout) * 1000)
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": ARN,
                }
                self._send(200, json.dumps(invocation.event).encode(), headers)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
                known = api._done(self.path, body)
                self._send(202 if known else 404, b'{"status":"OK"}', {})

            def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A function that is killed hangs up; that is no news."""


class Running:
    """A function's process."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def output(self) -> str:
        """All that it has written, standard error included."""
        return self._output.read_text()

    @property
    def records(self) -> list[dict[str, Any]]:
        """Return the log lines that are JSON."""
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]


@contextmanager
def running(
    api: RuntimeApi, python: str | Path, folder: Path, handler: str, environ: Mapping[str, str]
) -> Iterator[Running]:
    """The function in ``folder`` under ``python``, as Lambda starts it, with this environment and no other."""
    with tempfile.NamedTemporaryFile() as output:
        process = subprocess.Popen(
            [str(python), "-m", "awslambdaric", handler],
            cwd=folder,
            env={**lambda_environ(folder), **environ, "AWS_LAMBDA_RUNTIME_API": api.address},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Running(process, Path(output.name))
        finally:
            process.kill()
            process.wait()


def lambda_environ(folder: Path) -> dict[str, str]:
    """What AWS sets for every function, as far as anything here looks at it."""
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_FUNCTION_NAME": "tested",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        # A task root cannot be written to there.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
