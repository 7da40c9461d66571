"""What `make run` accepts of the settings of the web process."""

from __future__ import annotations

import importlib
import stat
from dataclasses import fields
from pathlib import Path

import pytest

from imgcore.config.settings import Config
from tests.zips import ROOT

# Decided by make run itself, or of use behind a load balancer only
NOT_ACCEPTED = {
    "DRAIN_DELAY_SECONDS", "DRAIN_SECONDS", "FORWARDED_PROTO_HEADER", "PORT", "RELEASE", "SECRET_KEY",
    "SECRET_KEY_ID", "TRUSTED_PROXY", "TRUSTED_PROXY_COUNT", "WEB_PROCESSES",
}  # fmt: skip


def test_settings_of_the_web_process_are_accepted_by_make_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "roles/local_cloud/files")  # as run.py, which is a script, imports them
    checks, steps = importlib.import_module("checks"), importlib.import_module("steps")
    groups = ("Accounts", "Web server")
    known = {each.metadata["names"][0] for each in fields(Config) if each.metadata.get("group") in groups}
    accepted = {*steps.WEB_SETTINGS, *checks.IMAGE_SETTINGS}
    assert known - NOT_ACCEPTED <= accepted, "add it to WEB_SETTINGS in roles/local_cloud/files/steps.py"


def test_secret_key_is_created_once_and_anew_where_its_file_is_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An empty key would leave the secrets of accounts unencrypted."""
    monkeypatch.syspath_prepend(ROOT / "roles/local_cloud/files")
    steps, path = importlib.import_module("steps"), tmp_path / "secret.key"
    path.touch()
    key = steps.secret_key(tmp_path)
    assert len(key) >= 32
    assert key == steps.secret_key(tmp_path) == path.read_text()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"CAPTIONER": "gemini"}, "No Gemini key is set"),
        ({"CAPTIONER": "openai"}, "OPENAI_BASE_URL"),
        ({"CAPTIONER": "nonsense"}, "CAPTIONER"),
    ],
)
def test_model_without_its_settings_is_refused_before_the_start(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str
) -> None:
    """The playbook takes a minute; the functions would refuse the settings at its end."""
    monkeypatch.syspath_prepend(ROOT / "roles/local_cloud/files")
    checks = importlib.import_module("checks")
    with pytest.raises(checks.Refused, match=said):
        checks.image_settings(settings)
    assert {"CAPTIONER": "auto"} == checks.image_settings({"CAPTIONER": "auto"})


def test_data_folder_that_cannot_be_created_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes no folders in /proc, not even of root."""
    monkeypatch.syspath_prepend(ROOT / "roles/local_cloud/files")
    checks = importlib.import_module("checks")
    with (
        pytest.raises(checks.Refused, match=r"The folder /proc/x cannot be created \(No such file"),
        checks.exclusive_lock(Path("/proc/x")),
    ):
        pass
