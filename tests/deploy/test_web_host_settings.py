"""What a host makes of its user data at boot."""

from __future__ import annotations

import http.server
import importlib
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from imgcore.config import Config

settings = importlib.import_module("roles.web_host.files.settings")

PROGRAM = Path(settings.__file__)


def test_user_data_lines_become_settings() -> None:
    user_data = (
        "# release 1\n\nDB_SECRET_ID=gallery/database/app\n  GALLERY_HOSTS=a.example,b.example\nDB_CA=\n"
    )
    expected = {"DB_SECRET_ID": "gallery/database/app", "GALLERY_HOSTS": "a.example,b.example", "DB_CA": ""}
    assert (expected, []) == settings.settings(user_data)


@pytest.mark.parametrize(
    "value",
    [
        "b # c",
        "",
        "Anna's wedding in Split",
        'a "b" c',
        "a\\",
        r"\"$HOME`id`",
        "Über 100 % – 日本",
        "a\u2028b\x85c",
    ],
)
def test_environment_file_gives_the_value_to_the_service(value: str) -> None:
    found, refused = settings.settings(f"A={value}\nB=1\n")
    assert ({"A": value, "B": "1"}, []) == (found, refused)
    assert found == environment(settings.rendered(found))


def environment(text: str) -> dict[str, str]:
    """Read an environment file as systemd does (src/basic/env-file.c), as far as one in double quotes goes.

    A backslash takes its meaning from one of four characters that follows, and stays before any other.
    """
    lines = re.findall(r'([A-Z]+)="((?:[^"\\]|\\.)*)"\n', text)
    assert text == "".join(f'{name}="{value}"\n' for name, value in lines)
    return {name: re.sub(r'\\(["\\`$])', r"\1", value) for name, value in lines}


OURS = {name: field for field in fields(Config) for name in field.metadata["names"]}


@pytest.mark.parametrize("name", OURS)
def test_settings_of_the_gallery_are_accepted_unless_they_are_secrets(name: str) -> None:
    """A host must get each setting of docs/settings.md, such as WEBHOOK_PRIVATE, and no secret."""
    secret = str(OURS[name].type).startswith("Secret")
    assert secret == ("the name of a secret" in settings.problem(name, "x"))
    assert secret or settings.problem(name, "x") == ""


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "GOOGLE_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "SMTP_CREDENTIALS",
        "WEBHOOK_SECRET",
        "TLS_PRIVATE_KEY",
        "LD_PRELOAD",
        "PYTHONPATH",
        "PATH",
    ],
)
def test_names_of_secrets_and_loader_are_refused(name: str) -> None:
    found, (message,) = settings.settings(f"{name}=made-up-value")
    assert ({}, True) == (found, name in message)
    assert "made-up-value" not in message


@pytest.mark.parametrize("line", ["a=b", "A", "A =b", '"A"=b', "export A=b", "=b"])
def test_malformed_line_is_refused_by_number(line: str) -> None:
    said = "line 2 of the user data is not NAME=value with a name in capital letters"
    assert ({}, [said]) == settings.settings(f"#\n{line}")


@pytest.mark.parametrize("value", ["a\x01b", "a\tb", "a\rb", "a\x7fb"])
def test_control_characters_are_refused(value: str) -> None:
    said = "the value of A contains a line break or another control character"
    assert ({}, [said]) == settings.settings(f"A={value}")


def test_duplicate_name_is_refused() -> None:
    assert ({"A": "1"}, ["A is set twice in the user data"]) == settings.settings("A=1\nA=2")


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
    ],
)
def test_unreadable_user_data_keeps_the_old_file(
    metadata: Metadata, tmp_path: Path, user_data: bytes | None, said: str
) -> None:
    path = tmp_path / "environment"
    path.write_text("OLD=1\n")
    metadata.user_data = user_data
    done = boot(metadata, path)
    assert (2, "", said, "OLD=1\n") == (done.returncode, done.stdout, done.stderr, path.read_text())


def test_refused_line_leaves_only_what_the_log_service_needs(metadata: Metadata, tmp_path: Path) -> None:
    """CloudWatch gets the reason; without its other settings, the web process must not start."""
    path = tmp_path / "environment"
    metadata.user_data = b"AWS_REGION=us-east-1\nB=1\nLOG_GROUP=/shop/web\nX_TOKEN=made-up\n#!/bin/sh\nreboot\n"
    done = boot(metadata, path)
    assert (2, "") == (done.returncode, done.stdout)
    assert 'AWS_REGION="us-east-1"\nLOG_GROUP="/shop/web"\n' == path.read_text()
    for part in ("Settings not written: X_TOKEN is the name of a secret", "; line 6 of the user data is not"):
        assert part in done.stderr
    assert "made-up" not in done.stderr
