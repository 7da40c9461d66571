"""``python -m web``: what a process requires before it listens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import web.__main__ as program
from imgcore import bootstrap
from imgcore.config import Config
from imgcore.db import migrations

SETTINGS = {
    "ACCOUNTS": "on",
    "HOST": "127.0.0.1",
    "PORT": "0",
    "UPLOADS_BUCKET": "uploads",
    "DERIVED_BUCKET": "derived",
}


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings of a gallery whose port is taken, so that a start that requires nothing more ends there."""

    def taken(host: str, port: int) -> Any:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(program, "listen", taken)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "none")
    return SETTINGS | {"DATABASE_URL": f"sqlite:///{tmp_path / 'gallery.db'}"}


def test_start_on_an_older_schema_names_the_migration(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A host of a new release stays out of the load balancer until the migrator has run."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_STEPS", migrations._STEPS[:-1])
        bootstrap.migrate(Config.read(environ))
    assert 1 == program.main(environ)
    assert f"The database lacks the migration {migrations._STEPS[-1].__name__}." in capsys.readouterr().err


def test_start_on_the_current_schema_listens(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.migrate(Config.read(environ))
    assert 1 == program.main(environ)
    assert "cannot be used: Address already in use" in capsys.readouterr().err
