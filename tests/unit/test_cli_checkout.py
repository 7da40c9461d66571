"""``imgcore …`` in a checkout: the gallery of ``make run`` is found where the environment names none."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.cli import main as cli
from imgcore.cli.checkout import use_running_gallery
from imgcore.errors import Misconfigured
from tests.support.repositories import Repositories

ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The data folder of a gallery that ran once; its settings may be left behind by a kill."""
    (tmp_path / "lock").touch()
    (tmp_path / "running.env").write_text(
        f"PUBLIC_URL={ADDRESS}\nDATABASE_URL=sqlite:///{tmp_path}/gallery.db\n"
    )
    return tmp_path


@pytest.fixture
def running(stopped: Path) -> Iterator[Path]:
    """The data folder of a gallery that is running."""
    with (stopped / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield stopped


def test_running_gallery_is_used_and_named(running: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"GALLERY_HOME": str(running)}
    use_running_gallery(environ)
    assert f"sqlite:///{running}/gallery.db" == environ["DATABASE_URL"]
    assert capsys.readouterr().err == f"imgcore: using the gallery at {ADDRESS}/, with the data in {running}.\n"


def test_settings_of_the_environment_win_except_those_of_aws(running: Path) -> None:
    with (running / "running.env").open("a") as settings:
        settings.write("AWS_REGION=us-east-1\nCAPTIONER=local\nNO_PROXY=127.0.0.1\nKEEP_LOCATION=1\n")
    environ = {
        "GALLERY_HOME": str(running),
        "AWS_PROFILE": "work",
        "AWS_REGION": "eu-west-1",
        "CAPTIONER": "gemini",
        "KEEP_LOCATION": "",
        "NO_PROXY": "elsewhere",
    }
    use_running_gallery(environ)
    assert ("gemini", "1") == (environ["CAPTIONER"], environ["KEEP_LOCATION"])
    assert ("us-east-1", "127.0.0.1") == (environ["AWS_REGION"], environ["NO_PROXY"])
    assert "AWS_PROFILE" not in environ


@pytest.mark.parametrize("name", ["DATABASE_URL", "DB_HOST", "UPLOADS_BUCKET"])
def test_environment_that_names_a_gallery_stays_as_it_is(
    stopped: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"GALLERY_HOME": str(stopped), name: "made-up", "AWS_PROFILE": "work"}
    before = dict(environ)
    use_running_gallery(environ)
    assert (before, "") == (environ, capsys.readouterr().err)


def test_stopped_gallery_is_said_to_be_stopped(stopped: Path) -> None:
    environ = {"GALLERY_HOME": str(stopped)}
    with pytest.raises(Misconfigured, match="is stopped"):
        use_running_gallery(environ)
    assert ["GALLERY_HOME"] == list(environ)


def test_gallery_that_is_starting_is_said_to_be_starting(running: Path) -> None:
    (running / "running.env").write_text(f"PUBLIC_URL={ADDRESS}\n")
    with pytest.raises(Misconfigured, match="is starting"):
        use_running_gallery({"GALLERY_HOME": str(running)})


def test_folder_without_a_gallery_changes_nothing(tmp_path: Path) -> None:
    environ = {"GALLERY_HOME": str(tmp_path)}
    use_running_gallery(environ)
    assert ["GALLERY_HOME"] == list(environ)


def test_folder_of_another_user_is_said_to_be_so(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(Misconfigured, match=f"Only the owner of {running}"):
        use_running_gallery({"GALLERY_HOME": str(running)})


@pytest.mark.parametrize(
    "arguments", [["user", "list"], ["export"], ["cost"], ["recaption", "--source", "local"]]
)
def test_commands_on_a_gallery_refuse_a_stopped_one(
    stopped: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "environ", {"GALLERY_HOME": str(stopped)})
    assert 1 == cli.main(arguments)
    assert capsys.readouterr().err.startswith("imgcore: The gallery of `make run` is stopped.")
    assert not (stopped / "gallery.db").exists()


def test_probe_asks_the_running_gallery_and_does_without_a_stopped_one(
    running: Path,
    repositories: Repositories,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (running / "running.env").open("a") as settings:
        settings.write("CAPTIONER=gemini\n")
    assert repositories is not None  # its database is running.env's
    monkeypatch.setattr(os, "environ", {"GALLERY_HOME": str(running)})
    assert 1 == cli.main(["probe"])
    assert "its own key" in capsys.readouterr().out
    monkeypatch.setattr(os, "environ", {"GALLERY_HOME": str(running)})
    monkeypatch.setattr("imgcore.cli.checkout._is_locked", lambda path: False)
    assert 0 == cli.main(["probe"])
    assert '{"describer": "the local describer"}\n' == capsys.readouterr().out


def test_commands_on_a_gallery_use_the_running_one(
    running: Path,
    repositories: Repositories,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "environ", {"GALLERY_HOME": str(running)})
    assert repositories is not None  # its database is running.env's
    assert 0 == cli.main(["export"])
    assert ADDRESS in capsys.readouterr().err


@pytest.mark.parametrize("name", ["circle", "circle/inner", "n" * 300])
def test_data_folder_that_the_system_refuses_is_an_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "circle").symlink_to("circle")
    monkeypatch.setenv("GALLERY_HOME", str(tmp_path / name))

    assert 1 == cli.main(["campaign", "list"])
    assert capsys.readouterr().err.startswith("imgcore: ")
