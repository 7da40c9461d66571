"""Send the journal of the host's services to CloudWatch Logs; while that is unavailable, no line is lost.

LOG_GROUP names the log group, which must exist; the log stream has the instance ID as its name. A file stores
the journal's cursor of the last accepted batch: later lines wait in the journal on disk. Runs in the release's
virtual environment because it needs boto3.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNITS = ("caption-gallery", "caption-gallery-settings", "caption-gallery-logs", "unattended-upgrades")
INSTANCE_ID = Path("/var/lib/cloud/data/instance-id")

# Limits of PutLogEvents: 10,000 events, 1 MiB including 26 bytes for each event, 24 hours between two events.
BATCH_EVENTS = 1_000
BATCH_BYTES = 900_000
BATCH_SPAN = 23 * 3600 * 1000  # milliseconds
EVENT_BYTES = 200_000
OVERHEAD = 26
LINGER = 2.0  # maximum seconds that a line waits for its batch to fill
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between attempts; the last one repeats
LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")


@dataclass(frozen=True)
class Line:
    """One journal entry. time: milliseconds since 1970. cursor: the position of the entry in the journal."""

    time: int
    text: str
    cursor: str


def parsed(raw: bytes) -> Line | None:
    """Parse one entry of journalctl's JSON output; return None if it is invalid.

    journalctl writes a message that is not UTF-8 as a list of byte values.
    """
    try:
        entry = json.loads(raw)
        message = entry.get("MESSAGE") or ""
        if isinstance(message, list):
            message = bytes(message).decode(errors="replace")
        fields = {
            "unit": entry.get("_SYSTEMD_UNIT") or entry.get("UNIT") or entry.get("SYSLOG_IDENTIFIER"),
            "level": LEVELS[int(entry.get("PRIORITY", 6))],
            "message": _clipped(str(message)),
        }
        moment = int(entry["__REALTIME_TIMESTAMP"]) // 1000
        return Line(moment, json.dumps(fields, ensure_ascii=False), str(entry["__CURSOR"]))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def _clipped(text: str) -> str:
    data = text.encode(errors="replace")
    return text if len(data) <= EVENT_BYTES else data[:EVENT_BYTES].decode(errors="ignore") + " …"


def batches(lines: Iterable[Line | None]) -> Iterator[list[Line]]:
    """Group lines, in their order, into batches that one call accepts; None ends a batch early."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        bytes_needed = len(line.text.encode()) + OVERHEAD if line else 0
        if batch and (
            line is None
            or size + bytes_needed > BATCH_BYTES
            or len(batch) == BATCH_EVENTS
            or _spans_too_long(batch, line)
        ):
            yield batch
            batch, size = [], 0
        if line is not None:
            batch.append(line)
            size += bytes_needed
    if batch:
        yield batch


def _spans_too_long(batch: list[Line], line: Line) -> bool:
    times = [line.time, *(other.time for other in batch)]
    return max(times) - min(times) > BATCH_SPAN


class Shipper:
    """Sends batches to one log stream. client: a boto3 client for ``logs``."""

    def __init__(self, client: Any, group: str, stream: str, cursor: Path) -> None:
        self._client = client
        self._group, self._stream, self._cursor = group, stream, cursor
        self.stopping = threading.Event()

    def ship(self, batch: list[Line]) -> bool:
        """Send a batch, with retries, then store its cursor; return False if asked to stop before that."""
        attempts = 0
        while not self._accepted(batch):
            pause = PAUSES[min(attempts, len(PAUSES) - 1)]
            attempts += 1
            if self.stopping.wait(pause):
                return False
        fresh = self._cursor.with_suffix(".new")
        fresh.write_text(batch[-1].cursor)
        fresh.replace(self._cursor)
        return True

    def _accepted(self, batch: list[Line]) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        # PutLogEvents requires chronological order; the journal's differs after the clock was set back.
        events = [
            {"timestamp": line.time, "message": line.text} for line in sorted(batch, key=lambda x: x.time)
        ]
        where = {"logGroupName": self._group, "logStreamName": self._stream}
        try:
            self._client.put_log_events(**where, logEvents=events)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                self._create_stream(where)
            elif code == "InvalidParameterException":  # a retry would fail too: skip the batch
                sys.stderr.write(f"CloudWatch rejects {len(events)} lines: {error}\n")
                return True
            else:
                sys.stderr.write(f"CloudWatch: {code}\n")
            return False
        except BotoCoreError as error:
            sys.stderr.write(f"CloudWatch: {type(error).__name__}\n")
            return False
        return True

    def _create_stream(self, where: Mapping[str, str]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.create_log_stream(**where)
        except (BotoCoreError, ClientError) as error:
            sys.stderr.write(f"The log stream in {self._group} cannot be created: {error}\n")


def follow(journal: subprocess.Popen[bytes], capacity: int = 2 * BATCH_EVENTS) -> Iterator[Line | None]:
    """Yield the journal's lines as they arrive, and None every LINGER seconds; end when journalctl ends."""
    lines: queue.Queue[bytes] = queue.Queue(capacity)  # when it is full, journalctl waits

    def read() -> None:
        assert journal.stdout is not None
        for raw in journal.stdout:
            lines.put(raw)
        lines.put(b"")

    threading.Thread(target=read, daemon=True).start()
    last = time.monotonic()
    while True:
        try:
            raw = lines.get(timeout=max(0.05, last + LINGER - time.monotonic()))
        except queue.Empty:
            raw = None
        if raw == b"":
            return
        if raw is not None and (line := parsed(raw)) is not None:
            yield line
        if time.monotonic() >= last + LINGER:
            last = time.monotonic()
            yield None


def command(cursor: Path) -> list[str]:
    """Return the journalctl command, which starts after the stored cursor or else at the start of this boot."""
    stored = cursor.read_text().strip() if cursor.exists() else ""
    since = [f"--after-cursor={stored}"] if stored else ["--boot"]
    units = [f"--unit={unit}" for unit in UNITS]
    return ["journalctl", "--follow", "--no-tail", "--output=json", "--quiet", *since, *units]


def main(cursor: Path, environ: Mapping[str, str]) -> int:
    """Run until SIGTERM and return 0; return 1 if journalctl ended, so that systemd restarts the service."""
    group = environ.get("LOG_GROUP", "")
    if not group:
        sys.stdout.write("LOG_GROUP is not set: the journal stays on this host.\n")
        return 0
    import boto3
    from botocore.config import Config

    client = boto3.session.Session(region_name=environ.get("AWS_REGION")).client(
        "logs",
        config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 2}),
    )
    stream = INSTANCE_ID.read_text().strip() if INSTANCE_ID.exists() else socket.gethostname()
    shipper = Shipper(client, group, stream, cursor)
    journal = subprocess.Popen(command(cursor), stdout=subprocess.PIPE)  # noqa: S603 — a fixed command

    def stop(*_: object) -> None:
        shipper.stopping.set()
        journal.terminate()

    signal.signal(signal.SIGTERM, stop)
    for batch in batches(follow(journal)):
        if not shipper.ship(batch):
            break
    journal.terminate()
    journal.wait()
    return 0 if shipper.stopping.is_set() else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), os.environ))
