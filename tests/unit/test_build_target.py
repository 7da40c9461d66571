"""The Python and platform that a function is packed for, and the interpreter that compiles it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambda_build.targets import Interpreter, Target, interpreter, target

HERE_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_target_production_is_python_3_13_on_graviton() -> None:
    assert Target("caption", "production", "3.13", "aarch64-manylinux_2_28") == target("caption", "production")


def test_target_local_is_this_interpreter() -> None:
    assert Target("thumbnail", "local", HERE_PYTHON, "this") == target("thumbnail", "local")


def test_target_with_named_python_and_platform_uses_them() -> None:
    named = target("thumbnail", "production", "3.12", "x86_64-manylinux_2_28")

    assert ("3.12", "x86_64-manylinux_2_28") == (named.python, named.platform)


@pytest.mark.parametrize(
    ("function", "profile", "lock_name"),
    [
        ("thumbnail", "production", "requirements-thumbnail.txt"),
        ("thumbnail", "local", "requirements-thumbnail.txt"),
        ("caption", "production", "requirements-caption.txt"),
        ("caption", "local", "requirements-caption-local.txt"),
    ],
)
def test_target_requirements_hold_the_describer_only_for_local_captions(
    function: str, profile: str, lock_name: str
) -> None:
    """The caption function's lock alone has numpy and the weights."""
    assert lock_name == target(function, profile).requirements.name


def test_interpreter_of_this_version_is_the_running_one() -> None:
    assert Interpreter(sys.executable, f"CPython {sys.version.split()[0]}") == interpreter(HERE_PYTHON)


def test_interpreter_that_is_not_installed_is_none() -> None:
    """No interpreter, no error: the zip goes without bytecode."""
    assert interpreter("3.99") is None


def test_interpreter_launcher_without_the_version_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyenv's shims stand on PATH for versions that are not active, and fail."""
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert interpreter("3.99") is None


def test_interpreter_of_pyenv_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that is installed and not active serves as well."""
    binary = tmp_path / "versions" / "3.99.1" / "bin" / "python3.99"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\necho CPython 3.99.1\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert Interpreter(str(binary), "CPython 3.99.1") == interpreter("3.99")
