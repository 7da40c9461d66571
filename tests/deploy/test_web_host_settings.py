"""What a host makes of its user data at boot."""

from __future__ import annotations

import http.server
import importlib
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

settings = importlib.import_module("roles.web_host.files.settings")

PROGRAM = Path(settings.__file__)


def test_user_data_lines_become_settings() -> None:
    user_data = (
        "# release 1\n\nDB_SECRET_ID=gallery/database/app\n  GALLERY_HOSTS=a.example,b.example\nDB_CA=\n"
    )
    expected = {"DB_SECRET_ID": "gallery/database/app", "GALLERY_HOSTS": "a.example,b.example", "DB_CA": ""}
    assert expected == settings.settings(user_data)


def test_environment_file_is_quoted_for_systemd() -> None:
    assert 'A="b # c"\nD=""\n' == settings.rendered({"A": "b # c", "D": ""})


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "DATABASE_URL",
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "SMTP_CREDENTIALS",
        "WEBHOOK_SECRET",
        "LD_PRELOAD",
        "PYTHONPATH",
        "PATH",
    ],
)
def test_names_of_secrets_and_loader_are_refused(name: str) -> None:
    with pytest.raises(settings.Refused, match=name) as refused:
        settings.settings(f"{name}=made-up-value")
    assert "made-up-value" not in str(refused.value)


@pytest.mark.parametrize("name", ["DB_SECRET_ID", "GEMINI_SECRET_ID", "UPLOADS_BUCKET", "THUMBNAIL_QUEUE_URL"])
def test_names_of_ids_and_addresses_are_accepted(name: str) -> None:
    assert {name: "x"} == settings.settings(f"{name}=x")


@pytest.mark.parametrize(
    "line", ["a=b", "A", "A =b", '"A"=b', 'A="b"', "A='b'", "A=b\\", "A=`id`", "A=é", "A=\x01", "export A=b"]
)
def test_malformed_line_is_refused_by_number(line: str) -> None:
    with pytest.raises(
        settings.Refused, match="line 2 of the user data is not NAME=value with plain ASCII characters"
    ):
        settings.settings(f"#\n{line}")


def test_duplicate_name_is_refused() -> None:
    with pytest.raises(settings.Refused, match="A is set twice"):
        settings.settings("A=1\nA=2")


class Metadata(http.server.ThreadingHTTPServer):
    """An instance's metadata; the first ``deaf`` requests are turned away."""

    daemon_threads = True
    user_data: bytes | None = b"A=1\n"
    deaf = 0

    @property
    def endpoint(self) -> str:
        """Return the endpoint."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(http.server.BaseHTTPRequestHandler):
    """Version 2: nothing without a token."""

    server: Metadata

    def do_PUT(self) -> None:
        """A token, or not yet."""
        self.server.deaf -= 1
        self._say(503 if self.server.deaf >= 0 else 200, b"made-up-token")

    def do_GET(self) -> None:
        """The user data."""
        known = self.headers.get("X-aws-ec2-metadata-token") == "made-up-token"
        found = self.server.user_data if self.path == "/latest/user-data" else None
        self._say(401 if not known else 404 if found is None else 200, found or b"")

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    """One on a free port."""
    with Metadata(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def boot(metadata: Metadata, path: Path) -> subprocess.CompletedProcess[str]:
    """The program as the unit starts it."""
    environ = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.endpoint}
    command = [sys.executable, "-I", str(PROGRAM), str(path)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)


def test_environment_file_is_replaced_with_mode_0600(metadata: Metadata, tmp_path: Path) -> None:
    path = tmp_path / "environment"
    path.write_text("OLD=1\n")
    done = boot(metadata, path)
    assert (0, "1 settings: A\n", "") == (done.returncode, done.stdout, done.stderr)
    assert ('A="1"\n', 0o600) == (path.read_text(), stat.S_IMODE(path.stat().st_mode))
    assert [path] == list(tmp_path.iterdir())


def test_settings_retry_until_metadata_responds(metadata: Metadata, tmp_path: Path) -> None:
    metadata.deaf = 2
    assert 0 == boot(metadata, tmp_path / "environment").returncode


@pytest.mark.parametrize(
    ("user_data", "said"),
    [
        (None, "Settings not written: the instance has no user data.\n"),
        (b"\xff", "Settings not written: the user data is not UTF-8 text.\n"),
        (b"#" * 16385, "Settings not written: the user data is longer than 16384 bytes.\n"),
        (
            b"#!/bin/sh\nreboot\n",
            "Settings not written: line 2 of the user data is not NAME=value with plain ASCII characters.\n",
        ),
    ],
)
def test_invalid_user_data_keeps_the_old_file(
    metadata: Metadata, tmp_path: Path, user_data: bytes | None, said: str
) -> None:
    path = tmp_path / "environment"
    path.write_text("OLD=1\n")
    metadata.user_data = user_data
    done = boot(metadata, path)
    assert (1, "", said, "OLD=1\n") == (done.returncode, done.stdout, done.stderr, path.read_text())
