"""The Makefile: what `make help` prints, and when `make venv` creates the virtual environment anew."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lambda_build.wheels import TOOLS_UV

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def printed() -> str:
    """The output of `make help` with a port of one's own."""
    environ = os.environ | {"PORT": "9123"}
    done = subprocess.run(["make", "help"], cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def test_help_prints_values_of_variables(printed: str) -> None:
    assert "http://127.0.0.1:9123/" in printed
    assert "$(" not in printed


@pytest.mark.parametrize("port", ["a/b", "a&b"])
def test_help_prints_a_port_of_any_characters(port: str) -> None:
    done = subprocess.run(["make", "help", f"PORT={port}"], cwd=ROOT, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)
    assert f"http://127.0.0.1:{port}/ (RESET=1" in done.stdout


def test_help_lists_every_target_for_people(printed: str) -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(targets.split()) == sorted(re.findall(r"^  make ([a-z-]+)", printed, re.MULTILINE))


def test_lock_makes_the_prices_from_the_package_that_they_name() -> None:
    """`make lock` must not change prices by the way: a newer version is chosen in the Makefile."""
    (pinned,) = re.findall(r"^GENAI_PRICES_VERSION = (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    prices = json.loads((ROOT / "imgcore/captioning/prices.json").read_text())
    assert f"genai-prices {pinned}" == prices["source"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile, photos, and a uv that makes environments and installs nothing."""
    folder = tmp_path / "my gallery's"
    shutil.copytree(
        ROOT / "roles/local_cloud/files",
        folder / "roles/local_cloud/files",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("Makefile", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    (uv := folder / ".local/tools/bin/uv").parent.mkdir(parents=True)
    uv.write_text(f'#!/bin/sh\n[ "$1" != venv ] || exec {shlex.quote(str(TOOLS_UV))} "$@"\n')
    uv.chmod(0o755)
    (folder / ".local/objects").mkdir()
    (folder / ".local/objects/photo").touch()
    return folder


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the folder."""
    environ = {name: os.environ[name] for name in ("HOME", "PATH")} | {"PYTHON": sys.executable}
    return subprocess.run(["make", *arguments], cwd=clone, env=environ, capture_output=True, text=True)


def starts(clone: Path) -> bool:
    """Return whether the interpreter of .venv starts and has a folder of packages."""
    code = "import os, sysconfig; os.stat(sysconfig.get_path('purelib'))"
    return subprocess.run([clone / ".venv/bin/python", "-c", code]).returncode == 0


def half_made(environment: Path) -> None:
    """Leave what an interrupted creation leaves."""
    shutil.rmtree(environment / "bin")
    (environment / ".run").unlink()


def python_removed(environment: Path) -> None:
    """Leave a link to an interpreter that does not exist."""
    (environment / "bin/python").unlink()
    (environment / "bin/python").symlink_to(environment / "removed")


def python_upgraded(environment: Path) -> None:
    """Leave an interpreter whose packages are in the folder of another version."""
    (packages,) = (environment / "lib").glob("python3.*")
    packages.rename(packages.with_name("python3.1"))


def moved(environment: Path) -> None:
    """Leave what a move of the clone leaves: programs whose first line names the folder of before."""
    (environment / ".run").write_text(f"{environment.parent}.before\n")


@pytest.mark.parametrize("damage", [half_made, python_removed, python_upgraded, moved])
def test_environment_that_does_not_start_is_created_anew_beside_the_photos(clone: Path, damage: Any) -> None:
    assert 0 == make(clone, "venv").returncode
    (old := clone / ".venv/old").touch()
    damage(clone / ".venv")
    done = make(clone, "venv")
    assert (0, "") == (done.returncode, done.stderr)
    assert starts(clone)
    assert not old.exists()
    assert (clone / ".local/objects/photo").exists()
    assert "Nothing to be done" in make(clone, "venv").stdout


def test_environment_that_starts_is_kept_after_a_change_of_the_locks(clone: Path) -> None:
    make(clone, "venv")
    (kept := clone / ".venv/kept").touch()
    (clone / ".venv/.run").unlink()
    assert 0 == make(clone, "venv").returncode
    assert kept.exists()


def test_prerequisites_are_checked_before_an_environment_is_changed(clone: Path) -> None:
    make(clone, "venv")
    (clone / ".venv/.run").unlink()
    done = make(clone, "run", "PORT=eighty")
    assert (2, "") == (done.returncode, done.stdout)
    assert "make: PORT must be a number from 1 to 65535; it is 'eighty'." == done.stderr.splitlines()[0]


def test_python_may_have_a_path_with_a_space_and_a_quote(clone: Path, tmp_path: Path) -> None:
    (python := tmp_path / "py x's/python3").parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    done = make(clone, "venv", f"PYTHON={python}")
    assert (0, "") == (done.returncode, done.stderr)
    assert starts(clone)
