"""Auto Scaling and CloudWatch by script: each call is answered with the next line of its own script.

::

    with scripted({"DescribeAutoScalingGroups": [{"AutoScalingGroups": []}]}) as aws:
        returned = aws.run(name="shop", launch_template_id="lt-1", version=3)
        assert ["DescribeInstanceRefreshes"] == aws.calls
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import pytest
from ansible.module_utils.testing import patch_module_args
from botocore.loaders import JSONFileLoader

from tests.loading import module_at

Lines = list[Any]
READ_ONCE = functools.cache(
    JSONFileLoader.load_file
)  # each new client reads megabytes of AWS's own description
# Loaded once by module_at: tests.support.mutation cannot replace what runpy runs.
MODULES = {name: module_at(f"roles/fleet/library/{name}.py") for name in ("fleet_group", "fleet_refresh")}
LOADER = JSONFileLoader()


@dataclass(frozen=True)
class Refuse:
    """An error, in AWS's words."""

    code: str
    status: int = 400


class Cut:
    """A connection that ends before the answer."""


@dataclass
class Scripted:
    """The address, the remaining responses, and the recorded requests."""

    lines: dict[str, Lines]
    endpoint: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def calls(self) -> list[str]:
        """The names of the calls, in their order."""
        return [call["Action"] for call in self.asked]

    def call(self, action: str) -> dict[str, Any]:
        """What the only call of that name said."""
        (found,) = (call for call in self.asked if call["Action"] == action)
        return found

    def run(self, module: str = "fleet_refresh", check: bool = False, **params: Any) -> dict[str, Any]:
        """Run a module of the role fleet; return its return values."""
        keys = {"access_key": "made-up-key", "secret_key": "made-up-secret-key", "region": "us-east-1"}
        given = {"endpoint_url": self.endpoint, "_ansible_check_mode": check, "_ansible_remote_tmp": "", **keys}
        with (
            patch_module_args({**given, **params}),
            mock.patch.object(JSONFileLoader, "load_file", lambda _, path: READ_ONCE(LOADER, path)),
            mock.patch("builtins.print") as printed,
            pytest.raises(SystemExit),
        ):
            MODULES[module].main()
        return dict(json.loads(printed.call_args.args[0]))

    def next(self, action: str) -> Any:
        """The next line; the last one stays."""
        lines = self.lines[action]
        return lines.pop(0) if len(lines) > 1 else lines[0]


def xml(value: Any) -> str:
    """A value as AWS's query protocol tells it."""
    if isinstance(value, dict):
        return "".join(f"<{key}>{xml(inner)}</{key}>" for key, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{xml(inner)}</member>" for inner in value)
    return escape(str(value))


def encoded(action: str, line: Any) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    if isinstance(line, Refuse):
        error = xml({"Error": {"Type": "Sender", "Code": line.code, "Message": "by script"}})
        return line.status, f"<ErrorResponse>{error}</ErrorResponse>".encode()
    return 200, f"<{action}Response><{action}Result>{xml(line)}</{action}Result></{action}Response>".encode()


@contextmanager
def scripted(lines: dict[str, Lines]) -> Iterator[Scripted]:
    """Listen on a free port; stop on the way out."""
    script = Scripted(lines)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            _, _, operation = self.headers.get("X-Amz-Target", "").partition(".")  # CloudWatch speaks JSON
            given = json.loads(body) if operation else dict(parse_qsl(body.decode()))
            call = {"Action": operation, **given} if operation else given
            script.asked.append(call)
            line = script.next(call["Action"])
            if isinstance(line, Cut):
                return
            status, answer = (200, json.dumps(line).encode()) if operation else encoded(call["Action"], line)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.endpoint = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield script
        server.shutdown()
