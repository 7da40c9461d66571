"""TLS contexts that HTTP clients of tests share."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import certifi
import pytest

from imgcore.captioning.gemini.client import GeminiClient
from tests.support.certificates import shared_contexts


def test_clients_of_the_model_read_the_certificates_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    create = ssl.create_default_context
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setattr(ssl, "create_default_context", lambda **named: made.append(named) or create(**named))
    with shared_contexts():
        for _ in range(2):
            GeminiClient("made-up")
    assert [certifi.where()] == [named["cafile"] for named in made]


def test_context_of_another_file_is_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(shutil.copy(certifi.where(), tmp_path / "ca.pem"))
    assert ssl.create_default_context(cafile=file) is not ssl.create_default_context(cafile=file)
    monkeypatch.setenv("SSL_CERT_FILE", file)
    first = ssl.create_default_context(cafile=file)
    assert first is ssl.create_default_context(cafile=file)
    Path(file).write_bytes(Path(file).read_bytes() + b"\n")
    assert first is not ssl.create_default_context(cafile=file)
