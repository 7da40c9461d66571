"""The private MariaDB of the tests: what its failures say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import mariadb


def test_failed_installation_shows_the_log_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb, "_LOG", "--innodb-log-file-size=wrong")
    with pytest.raises(RuntimeError, match=r"(?s)\[ERROR\].*'wrong'.* MB free in "), mariadb.mariadb():
        pass


def test_server_folder_is_removed_after_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mariadb, "_LOG", "--innodb-log-file-size=wrong")
    with pytest.raises(RuntimeError), mariadb.mariadb(parent=tmp_path):
        pass
    assert [] == list(tmp_path.iterdir())
