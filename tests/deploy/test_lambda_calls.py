"""Calls of functions that change something are sent once, also where the answer is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.cloud import ROOT
from tests.deploy.plays import answer_to, answers, run_tasks

pytestmark = pytest.mark.timeout(300)

PREVIEW = {"images": 3, "price": None, "sample": []}
ACTIVE = {"State": "Active", "LastUpdateStatus": "Successful", "Configuration": {"State": "Active"}}
ACTIVE["Configuration"] |= {"LastUpdateStatus": "Successful"}  # type: ignore[operator]


class Server(ThreadingHTTPServer):
    """Lambda: it accepts each call and ends the connection without an answer, except to a dry run."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    """Answer one request."""

    server: Server

    def do_GET(self) -> None:
        self._answer(ACTIVE)

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if payload.get("campaign", {}).get("dry_run"):
            self._answer(PREVIEW)
            return
        self.server.calls.append(payload)
        self.close_connection = True

    def _answer(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keep the output of the tests clean."""


@contextmanager
def serving() -> Iterator[Server]:
    """Run the server."""
    with Server() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def invocations() -> list[tuple[Path, dict[str, Any]]]:
    """Return the tasks of the roles that call a function, with their files."""
    found = []
    for file in sorted(ROOT.glob("roles/*/tasks/*.yml")):
        tasks = yaml.safe_load(file.read_text()) or []
        found += [(file, task) for task in tasks if "amazon.aws.lambda_execute" in task]
    return found


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], list[str]]:
    """The calls that arrived, and what the two tasks said."""
    [migrate] = [task for file, task in invocations() if file.parents[1].name == "database"]
    recaption = {"recaption_photos": {"source": "local"}, "recaption_function": "caption"}
    tasks = [
        answer_to(0, {"ansible.builtin.include_role": {"name": "recaption"}, "vars": recaption}),
        answer_to(1, {**migrate, "vars": {"database_migrator_name": "migrator"}}),
    ]
    with serving() as server:
        environ = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
        }
        home = tmp_path_factory.mktemp("calls")
        output = run_tasks(tasks, "-e", "release=r1", home=home, environ=environ)
        return server.calls, answers(output, len(tasks))


def test_function_call_without_an_answer_is_not_repeated(
    called: tuple[list[dict[str, Any]], list[str]],
) -> None:
    calls, said = called
    assert ["recaption", "migrate"] == [call["task"] for call in calls]
    assert all("closed" in sentence for sentence in said)


def test_every_function_call_limits_attempts_and_waits_longer_than_the_default() -> None:
    for file, task in invocations():
        calls = task["amazon.aws.lambda_execute"].get("aws_config", {})
        if isinstance(calls, str):
            [calls] = [
                value
                for name, value in yaml.safe_load((file.parents[1] / "vars/main.yml").read_text()).items()
                if name in calls
            ]
        assert {"total_max_attempts": 1} == calls.get("retries"), (file, task["name"])
        assert "read_timeout" in calls, (file, task["name"])
