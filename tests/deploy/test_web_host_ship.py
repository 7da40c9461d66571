"""The journal on its way to CloudWatch: the real program, a stand-in for journalctl, the emulator's logs."""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from roles.local_cloud.files.children import Children
from roles.local_cloud.files.emulator import emulator_at
from tests.cloud import Cloud
from tests.support.programs import write_python_program
from tests.support.waiting import wait_for

ship = importlib.import_module("roles.web_host.files.ship")

GROUP = "/made-up/web"
NOW = int(time.time() * 1000)
# Prints the entries after the cursor that it is given, and follows; its arguments stay to be looked at.
JOURNALCTL = """\
import json, sys, time
open({folder!r} + "/asked", "a").write(" ".join(sys.argv[1:]) + "\\n")
given = [a.partition("=")[2] for a in sys.argv if a.startswith("--after-cursor=")]
for line in open({folder!r} + "/journal"):
    if not given or json.loads(line)["__CURSOR"] > given[0]:
        print(line, end="", flush=True)
time.sleep(60)
"""


def entry(number: int, message: Any = None, **fields: Any) -> dict[str, Any]:
    """One entry as journalctl prints it."""
    return {
        "__CURSOR": f"c{number:05}",
        "__REALTIME_TIMESTAMP": str((NOW + number) * 1000),
        "_SYSTEMD_UNIT": "caption-gallery.service",
        "PRIORITY": "6",
        "MESSAGE": f"line {number}" if message is None else message,
        **fields,
    }


def line(number: int, text: str = "x", at: int | None = None) -> Any:
    """One that has been read."""
    return ship.Line(NOW + number if at is None else at, text, f"c{number}")


def test_entry_becomes_one_json_object() -> None:
    read = ship.parsed(json.dumps(entry(1, "a “word”", PRIORITY="3")).encode())
    assert (NOW + 1, "c00001") == (read.time, read.cursor)
    expected = {"unit": "caption-gallery.service", "level": "error", "message": "a “word”"}
    assert expected == json.loads(read.text)


@pytest.mark.parametrize("message", [list(b"no \xff text"), None, "x" * 300_000])
def test_unusual_messages_fit_an_event(message: Any) -> None:
    read = ship.parsed(json.dumps(entry(1, message) | {"MESSAGE": message}).encode())
    assert 0 < len(read.text.encode()) < 256 * 1024


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'{"__CURSOR": "c", "__REALTIME_TIMESTAMP": "x"}'])
def test_invalid_entry_is_skipped(raw: bytes) -> None:
    assert ship.parsed(raw) is None


@pytest.mark.parametrize(
    ("lines", "sizes"),
    [
        ([line(n) for n in range(2500)], [1000, 1000, 500]),
        ([line(n, "x" * 400_000) for n in range(5)], [2, 2, 1]),
        ([line(1), None, line(2), None, None], [1, 1]),
        ([line(1), line(2, at=NOW + 24 * 3600 * 1000)], [1, 1]),
        ([line(1), line(2, at=NOW - 24 * 3600 * 1000)], [1, 1]),
        ([], []),
    ],
)
def test_batches_respect_the_limits_of_one_call(lines: list[Any], sizes: list[int]) -> None:
    assert sizes == [len(batch) for batch in ship.batches(lines)]


class Logs:
    """CloudWatch as far as it is asked. faults: raised, one a call, before it does what it is asked."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.events: list[dict[str, Any]] = []
        self.streams: list[str] = []

    def put_log_events(self, **asked: Any) -> None:
        """Behave as boto3's."""
        if self.faults:
            raise self.faults.pop(0)
        self.events += asked["logEvents"]

    def create_log_stream(self, **asked: Any) -> None:
        """Behave as boto3's."""
        self.streams.append(asked["logStreamName"])


def refusal(code: str) -> ClientError:
    """The error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": "made up"}}, "PutLogEvents")


@pytest.fixture
def shipper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes one that waits for nothing between tries."""
    monkeypatch.setattr(ship, "PAUSES", (0.0,))
    return lambda logs: ship.Shipper(logs, GROUP, "i-0123", tmp_path / "cursor")


@pytest.mark.parametrize(
    "fault",
    [
        refusal("ThrottlingException"),
        refusal("ServiceUnavailableException"),
        EndpointConnectionError(endpoint_url="https://logs.example"),
        refusal("ResourceNotFoundException"),
    ],
)
def test_transient_error_is_retried(shipper: Callable[..., Any], tmp_path: Path, fault: Exception) -> None:
    logs = Logs(fault, fault)
    assert shipper(logs).ship([line(1), line(2)])
    assert (2, "c2") == (len(logs.events), (tmp_path / "cursor").read_text())


def test_missing_stream_is_created(shipper: Callable[..., Any]) -> None:
    logs = Logs(refusal("ResourceNotFoundException"))
    shipper(logs).ship([line(1)])
    assert ["i-0123"] == logs.streams


def test_rejected_batch_is_skipped(shipper: Callable[..., Any], tmp_path: Path) -> None:
    logs = Logs(refusal("InvalidParameterException"))
    assert shipper(logs).ship([line(1)])
    assert ([], "c1") == (logs.events, (tmp_path / "cursor").read_text())


def test_stopped_shipper_tries_once_and_stores_no_cursor(shipper: Callable[..., Any], tmp_path: Path) -> None:
    stopped = shipper(Logs(refusal("ThrottlingException")))
    stopped.stopping.set()
    assert (False, False) == (stopped.ship([line(1)]), (tmp_path / "cursor").exists())


def test_events_are_sorted_after_the_clock_was_set_back(shipper: Callable[..., Any]) -> None:
    logs = Logs()
    shipper(logs).ship([line(1, at=NOW), line(2, at=NOW - 5)])
    assert [NOW - 5, NOW] == [event["timestamp"] for event in logs.events]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An emulator with the log group."""
    home = tmp_path_factory.mktemp("ship")
    emulator = emulator_at(home).prepare()
    with Children(home / "logs") as children:
        children.start("emulator", emulator.command, emulator.environ(), home)
        children.wait(emulator.healthy, "the AWS emulator", 60)
        cloud = Cloud(emulator)
        cloud.client("logs").create_log_group(logGroupName=GROUP)
        yield cloud


def start(aws: Cloud, folder: Path, **settings: str) -> subprocess.Popen[str]:
    """The program, with that folder's journalctl first on its path."""
    write_python_program(folder / "journalctl", JOURNALCTL.format(folder=str(folder)))
    environ = aws.root | {"PATH": f"{folder}:{os.environ['PATH']}", **settings}
    command = [sys.executable, "-I", ship.__file__, str(folder / "cursor")]
    return subprocess.Popen(command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def shipped(aws: Cloud) -> list[str]:
    """The messages in the group, in their order."""
    found = aws.client("logs").filter_log_events(logGroupName=GROUP)["events"]
    return [json.loads(event["message"])["message"] for event in found]


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def test_journal_arrives_once_across_a_restart(aws: Cloud, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    cursor = tmp_path / "cursor"
    for first, last in ((0, 1200), (1200, 1210)):
        with journal.open("a") as file:
            file.writelines(json.dumps(entry(number)) + "\n" for number in range(first, last))
        process = start(aws, tmp_path, LOG_GROUP=GROUP)
        try:
            wait_for(functools.partial(_holds, cursor, f"c{last - 1:05}"))
            process.send_signal(signal.SIGTERM)
            assert (0, f"c{last - 1:05}") == (process.wait(30), cursor.read_text())
        finally:
            process.kill()
            process.communicate()
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [True, False] == ["--boot" in words for words in asked]
    assert "--after-cursor=c01199" in asked[1]
    assert sorted(f"line {number}" for number in range(1210)) == sorted(shipped(aws))


def test_shipper_without_log_group_exits_with_zero(aws: Cloud, tmp_path: Path) -> None:
    out, err = (process := start(aws, tmp_path)).communicate(timeout=30)
    assert (0, "LOG_GROUP is not set: the journal stays on this host.\n", "") == (process.returncode, out, err)
