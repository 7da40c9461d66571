"""The installation of `make`: its progress, and one sentence where it fails."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

FILES = Path(__file__).resolve().parents[2] / "roles/local_cloud/files"


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, which imports its neighbours as a script does."""
    monkeypatch.syspath_prepend(str(FILES))
    import install

    return install


def test_unreachable_index_is_named(install: ModuleType) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/simple/"
        said = install.failure("error: Request failed after 3 retries", {"UV_DEFAULT_INDEX": address})
    assert said.startswith("The package index 127.0.0.1 cannot be reached (Connection refused).")


def test_proxy_without_a_scheme_is_named(install: ModuleType) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        said = install.unreachable({"HTTPS_PROXY": f"127.0.0.1:{closed.getsockname()[1]}"})
    assert "The proxy 127.0.0.1 cannot be reached (Connection refused)." == said


def test_proxy_with_a_wrong_port_is_named(install: ModuleType) -> None:
    said = install.unreachable({"HTTPS_PROXY": "http://127.0.0.1:abc"})
    assert "HTTPS_PROXY is not a URL (Port could not be cast to integer value as 'abc')." == said


@pytest.mark.parametrize("index", ["file:///srv/wheels/simple", "/srv/wheels/simple"])
def test_index_that_is_a_folder_is_not_called_unreachable(install: ModuleType, index: str) -> None:
    assert install.unreachable({"PIP_INDEX_URL": index}) is None


def test_full_disk_during_the_installation_is_named(install: ModuleType) -> None:
    said = install.failure("error: failed to write\n  Caused by: No space left on device (os error 28)", {})
    assert said.startswith("The disk is full")


def test_other_failure_quotes_the_last_line(install: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as index:
        environ = {"PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/"}
        said = install.failure("Resolved 3 packages\nerror: Hash mismatch for `pillow`\n", environ)
    assert "The packages cannot be installed: error: Hash mismatch for `pillow`" == said


def test_progress_is_the_last_line_about_a_package(install: ModuleType) -> None:
    log = "Resolved 65 packages in 9ms\nDownloading ansible (51.8MiB)\n Downloaded numpy\n + numpy==2.0\n"
    assert "Downloaded numpy" == install.progress(log)


def test_failed_command_prints_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as index:
        done = subprocess.run(
            [
                sys.executable,
                str(FILES / "install.py"),
                "Installing nothing",
                "sh",
                "-c",
                "echo no such thing; exit 3",
            ],
            env={
                **os.environ,
                "GALLERY_HOME": str(tmp_path),
                "UV_DEFAULT_INDEX": f"http://127.0.0.1:{index.getsockname()[1]}/",
            },
            capture_output=True,
            text=True,
        )
    assert (1, "Installing nothing ...\n") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert done.stderr.startswith("make: The packages cannot be installed: no such thing")


def installation(home: Path, *shell: str, output: int) -> tuple[int, str]:
    """Exit code and standard error of an installation that succeeds; shell: a shell's command line for it."""
    done = subprocess.run(
        [*shell, sys.executable, str(FILES / "install.py"), "Installing nothing", "true"],
        env={**os.environ, "GALLERY_HOME": str(home)},
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
    )
    return done.returncode, done.stderr


def test_installation_goes_on_after_its_reader_has_exited(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        assert (0, "") == installation(tmp_path, output=write)
    finally:
        os.close(write)


def test_installation_needs_no_standard_output(tmp_path: Path) -> None:
    shell = ("/bin/sh", "-c", 'exec "$@" >&-', "sh")
    assert (0, "") == installation(tmp_path, *shell, output=subprocess.DEVNULL)
