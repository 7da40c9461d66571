"""Ctrl-C while ``imgcore caption`` waits for a model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.documents import ROOT
from tests.unit.captioning_tools import description

# A background job of a shell ignores SIGINT, and so do its children.
COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from imgcore.cli.main import main
sys.exit(main())
"""


class Model:
    """A server that answers with 429; without ``retry_after``, with words once ``may_answer`` is set."""

    def __init__(self, retry_after: str | None) -> None:
        self.asked = 0
        self.arrived, self.may_answer = threading.Event(), threading.Event()
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                model.asked += 1
                model.arrived.set()
                body: dict[str, Any] = {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}
                if retry_after is None:
                    model.may_answer.wait(60)
                    body = {"choices": [{"message": {"content": description()}, "finish_reason": "stop"}]}
                data = json.dumps(body).encode()
                self.send_response(200 if retry_after is None else 429)
                self.send_header("Retry-After", retry_after or "0")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Iterator[Model]:
    made = Model(request.param)
    yield made
    made.may_answer.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def command(model: Model, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """``imgcore caption`` of two photos, one at a time, whose first request has arrived."""
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (60, 40), (60, 120, 220)).save(tmp_path / name)
    url = f"http://127.0.0.1:{model.server.server_port}/v1"
    options = ["caption", str(tmp_path), "--captioner", "openai", "--jobs", "1", "--write", "sidecar"]
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *options],
        cwd=ROOT,
        env={**os.environ, "OPENAI_BASE_URL": url, "OPENAI_MODEL": "any"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            assert model.arrived.wait(30)
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize("model", ["30", "200"], indirect=True)
def test_caption_interrupted_during_a_rate_limit_ends_at_once(
    model: Model, command: subprocess.Popen[str]
) -> None:
    """The captioner waits for 30 seconds itself; the command waits for a longer time between its calls."""
    command.send_signal(signal.SIGINT)

    assert (130, 1) == (command.wait(timeout=20), model.asked)


@pytest.mark.parametrize("model", [None], indirect=True)
def test_caption_interrupted_completes_the_request_in_progress(
    model: Model, command: subprocess.Popen[str], tmp_path: Path
) -> None:
    """The words are paid for, and are written; the next photo is not begun."""
    command.send_signal(signal.SIGINT)
    assert command.stderr is not None
    assert "Interrupted" in command.stderr.readline()
    model.may_answer.set()

    assert (130, 1) == (command.wait(timeout=20), model.asked)
    assert ["a.jpg.xmp"] == [path.name for path in tmp_path.glob("*.xmp")]
