"""The checks before an installation or a start: each thing that is missing is said in one sentence."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "roles/local_cloud/files"


@pytest.fixture
def prerequisites(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, which imports its neighbours as a script does."""
    monkeypatch.syspath_prepend(str(FILES))
    import prerequisites

    return prerequisites


def check(python: object, *goals: str, path: Path | None = None, **environ: str) -> tuple[int, str]:
    """Exit code and standard error of prerequisites.sh. path: a folder that comes first on PATH."""
    system = os.environ["PATH"] if path is None else f"{path}:/usr/bin:/bin"
    done = subprocess.run(
        ["/bin/sh", str(FILES / "prerequisites.sh"), str(python), *goals],
        env={"PATH": system, "HOME": os.environ["HOME"], **environ},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


def script(folder: Path, name: str, text: str) -> Path:
    """An executable shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_this_interpreter_meets_the_prerequisites() -> None:
    assert (0, "") == check(sys.executable, "venv")


def test_missing_interpreter_is_named(tmp_path: Path) -> None:
    code, said = check("python9", path=tmp_path)
    assert (1, 1) == (code, len(said.splitlines()))
    assert said.startswith("make: python9 is not installed. Caption Gallery needs Python 3.11 or newer.")


def test_older_interpreter_is_named_with_its_version(tmp_path: Path) -> None:
    old = 'case "$1$2" in -c) ;; -V) echo Python 3.9.2 ;; *version_info*) exit 1 ;; esac'
    script(tmp_path, "python3", old)
    code, said = check("python3", path=tmp_path)
    assert (1, 1) == (code, len(said.splitlines()))
    assert said.startswith("make: python3 is Python 3.9.2. Caption Gallery needs Python 3.11 or newer.")


def test_pyenv_shim_of_inactive_version_is_not_called_too_old(tmp_path: Path) -> None:
    shim = script(
        tmp_path, "python3", 'echo "pyenv: python3: command not found\n\nThe command exists in" >&2; exit 127'
    )
    code, said = check("python3", path=tmp_path)
    assert (1, 1) == (code, len(said.splitlines()))
    assert f"python3 is found at {shim} but does not start (pyenv: python3: command not found)." in said


def test_suitable_interpreter_on_path_is_suggested(tmp_path: Path) -> None:
    script(tmp_path, "python3.14", "exit 0")  # newer than any that the system may have
    assert "make PYTHON=python3.14" in check("python9", path=tmp_path)[1]


def test_interpreter_without_venv_names_the_package(tmp_path: Path) -> None:
    script(tmp_path, "python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    code, said = check("python3", path=tmp_path)
    assert (1, 1) == (code, len(said.splitlines()))
    assert "apt-get install python3-venv" in said


def test_port_in_use_is_refused_before_an_installation() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        number = listener.getsockname()[1]
        code, said = check(sys.executable, "run", PORT=str(number))
        assert (1, 1) == (code, len(said.splitlines()))
        assert said.startswith(
            f"make: Port {number} is in use by another program; choose another, such as PORT="
        )
        assert (0, "") == check(sys.executable, "test", PORT=str(number))


def test_port_reserved_for_root_suggests_one_that_is_not(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(prerequisites, "listening_error", lambda port, host: denied if port < 8082 else None)
    with pytest.raises(prerequisites.Refused) as refused:
        prerequisites.port({"PORT": "80"})
    assert str(refused.value) == (
        "Port 80 is reserved for root on this machine; choose one from 1024 on, such as PORT=8082."
    )


@pytest.mark.parametrize("text", ["0", "65536", "eighty", "-1", "8 0"])
def test_port_that_is_no_port_number_is_refused(prerequisites: ModuleType, text: str) -> None:
    with pytest.raises(prerequisites.Refused, match="PORT must be a number from 1 to 65535"):
        prerequisites.port({"PORT": text})


def test_port_is_checked_on_the_address_of_host(prerequisites: ModuleType) -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        number = listener.getsockname()[1]
        with pytest.raises(prerequisites.Refused, match=f"Port {number} is in use by another program"):
            prerequisites.port({"HOST": "127.0.0.2", "PORT": str(number)})


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), socket.gaierror(-2, "Unknown name")],
    ids=["address", "name"],
)
def test_host_that_is_no_address_of_this_machine_is_refused(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    monkeypatch.setattr(prerequisites, "listening_error", lambda port, host: error)
    with pytest.raises(prerequisites.Refused) as refused:
        prerequisites.port({"HOST": "192.0.2.1", "PORT": "8080"})
    assert f"HOST is 192.0.2.1, which is no address of this machine ({error.strerror})." == str(refused.value)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:8080"),
        ("LocalHost", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("[::1]", "http://[::1]:8080"),
        ("192.0.2.1", "http://192.0.2.1:8080"),
        ("gallery.example", "http://gallery.example:8080"),
    ],
)
def test_url_of_the_gallery_is_that_of_its_host(prerequisites: ModuleType, host: str, url: str) -> None:
    assert url == prerequisites.gallery_url(prerequisites.listening_host({"HOST": host}), 8080)


@pytest.mark.parametrize("environ", [{"HOST": "0.0.0.0"}, {"HOST": "::"}, {"HOST": "gallery.example"}])
def test_host_beyond_loopback_needs_accounts(prerequisites: ModuleType, environ: Mapping[str, str]) -> None:
    with pytest.raises(prerequisites.Refused, match=r"without accounts.*ACCOUNTS=on"):
        prerequisites.check_host(environ)
    prerequisites.check_host({**environ, "ACCOUNTS": "on"})


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_host_on_loopback_needs_no_accounts(prerequisites: ModuleType, host: str) -> None:
    prerequisites.check_host({"HOST": host})


def test_full_disk_is_refused_with_what_is_left(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        prerequisites.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 90 * 2**20})
    )
    with pytest.raises(prerequisites.Refused, match=r"has 90 MB left; [\d,]+ MB are needed\."):
        prerequisites.check_space(tmp_path / "not" / "made")


@pytest.mark.parametrize(
    ("goals", "free", "needed"),
    [(["run"], 1349, "1,350"), (["venv"], 649, "650"), (["test"], 899, "900"), (["run"], 1350, None)],
)
def test_disk_of_an_installation_holds_all_of_it(
    prerequisites: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    goals: list[str],
    free: int,
    needed: str | None,
) -> None:
    monkeypatch.setattr(prerequisites, "WORKERS", 2)
    monkeypatch.setattr(
        prerequisites.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": free * 2**20})
    )
    check = partial(
        prerequisites.check_installation_space, tmp_path, tmp_path / "home", tmp_path / "cache", goals
    )
    if needed is None:
        check()
    else:
        with pytest.raises(prerequisites.Refused, match=f"has {free:,} MB left; {needed} MB are needed"):
            check()


def test_update_of_an_installation_needs_no_space_of_its_own(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        prerequisites.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 50 * 2**20})
    )
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/.run").touch()
    prerequisites.check_installation_space(tmp_path, tmp_path, tmp_path / "cache", ["venv"])


def test_cache_on_another_disk_is_a_copy(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(prerequisites, "_device", lambda folder: int(folder.name == "cache"))
    monkeypatch.setattr(
        prerequisites.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 599 * 2**20})
    )
    with pytest.raises(prerequisites.Refused, match="600 MB are needed"):
        prerequisites.check_installation_space(tmp_path, tmp_path, tmp_path / "cache", ["venv"])


def test_folder_without_write_permission_is_refused(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setattr(prerequisites.os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(prerequisites.Refused) as refused:
        prerequisites.check_installation_folders(tmp_path, tmp_path / "cache")
    assert str(refused.value) == (
        f"The folder {tmp_path} is not writable for ada: clone the repository into a folder of your own."
    )


def test_file_of_another_user_in_the_data_folder_is_named(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gallery.db").touch()
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setattr(
        prerequisites.os, "access", lambda path, mode: mode != os.W_OK or path.name != "gallery.db"
    )
    with pytest.raises(prerequisites.Refused) as refused:
        prerequisites.check_owned(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / 'gallery.db'} is not writable for ada:"
        f" change its owner (sudo chown -R ada {tmp_path}) or remove it."
    )


def test_owner_of_a_user_without_a_name_is_the_uid_and_the_path_is_quoted(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (folder := tmp_path / "my gallery").mkdir()
    monkeypatch.delenv("USER", raising=False)
    monkeypatch.setattr(prerequisites.os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(prerequisites.Refused) as refused:
        prerequisites.check_owned(folder)
    assert str(refused.value) == (
        f"{folder} is not writable for user {os.getuid()}:"
        f" change its owner (sudo chown -R {os.getuid()} '{folder}') or remove it."
    )


@pytest.mark.parametrize("name", [".venv", ".local"])
def test_file_or_dangling_link_in_place_of_a_folder_is_refused(
    prerequisites: ModuleType, tmp_path: Path, name: str
) -> None:
    """Before anything is downloaded. A link to a disk that is not there gets a sentence of its own."""
    path = tmp_path / name
    path.touch()
    with pytest.raises(prerequisites.Refused) as refused:
        prerequisites.check_installation_folders(tmp_path, tmp_path / "cache")
    assert f"{path} is not a folder: remove it." == str(refused.value)
    path.unlink()
    path.symlink_to("/not/there")
    with pytest.raises(prerequisites.Refused) as refused:
        prerequisites.check_installation_folders(tmp_path, tmp_path / "cache")
    assert f"{path} is a link to /not/there, which is not there: remove it." == str(refused.value)


@pytest.mark.parametrize("below", ["", "below/that"])
def test_data_folder_that_is_a_file_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "photo.jpg").touch()
    home = str(tmp_path / "photo.jpg" / below)
    expected = f"{tmp_path}/photo.jpg is not a folder: remove it, or name another folder with GALLERY_HOME.\n"
    assert (1, f"make: {expected}") == check(sys.executable, "run", GALLERY_HOME=home)
    done = subprocess.run(
        [sys.executable, FILES / "run.py"],
        env={**os.environ, "GALLERY_HOME": home},
        capture_output=True,
        text=True,
    )
    assert (1, f"make run: {expected}") == (done.returncode, done.stderr)


def test_cache_of_a_user_without_a_home_is_that_of_uv(
    prerequisites: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(prerequisites.Path, "home", home)
    assert ROOT / ".uv_cache" == prerequisites.cache_folder({})
