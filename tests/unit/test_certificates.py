"""TLS contexts that HTTP clients of tests share."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import certifi
import pytest

from imgcore.captioning.gemini.client import GeminiClient
from tests.support.certificates import shared_contexts


def test_clients_of_the_model_read_the_certificates_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    create = ssl.create_default_context
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    monkeypatch.setattr(ssl, "create_default_context", lambda **named: made.append(named) or create(**named))
    with shared_contexts():
        for _ in range(2):
            GeminiClient("made-up")
    assert [certifi.where()] == [named["cafile"] for named in made]


COUNT_READS = """
import ssl
from imgcore.captioning.gemini.client import GeminiClient
reads, load = [], ssl.SSLContext.load_verify_locations
ssl.SSLContext.load_verify_locations = lambda *given, **named: reads.append(given) or load(*given, **named)
GeminiClient("made-up")
print(len(reads))
"""


def test_client_of_the_model_reads_the_certificates_once() -> None:
    """Each time takes some 30 ms of a cold start. A process of its own shares no context."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")}
    command = [sys.executable, "-c", COUNT_READS]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_context_of_another_file_is_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(shutil.copy(certifi.where(), tmp_path / "ca.pem"))
    assert ssl.create_default_context(cafile=file) is not ssl.create_default_context(cafile=file)
    monkeypatch.setenv("SSL_CERT_FILE", file)
    first = ssl.create_default_context(cafile=file)
    assert first is ssl.create_default_context(cafile=file)
    Path(file).write_bytes(Path(file).read_bytes() + b"\n")
    assert first is not ssl.create_default_context(cafile=file)
