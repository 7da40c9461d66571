"""Locked wheels for this machine and for others, fetched and locked by uv."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from lambda_build.targets import HERE, BuildError

ROOT = HERE.parent
TOOLS_UV = ROOT / ".local" / "tools" / "bin" / "uv"


def find_uv() -> list[str]:
    """Return the command of uv: $UV, on PATH, the Makefile's or this Python's. BuildError: there is none."""
    if named := os.environ.get("UV"):
        beside = ROOT / named  # the Makefile names it from the repository's root
        return [str(beside) if beside.exists() else named]
    if on_path := shutil.which("uv"):
        return [on_path]
    if TOOLS_UV.exists():
        return [str(TOOLS_UV)]
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv"]
    raise BuildError("uv is needed to fetch packages: `pip install uv`, or name it in $UV.")


def install(folder: Path, requirements: Path, *, python: str, platform: str | None, what: str) -> None:
    """Install the wheels of a lock, checked by hash, into ``folder``.

    platform: as uv names it; None is this interpreter's. what: the subject of a BuildError's sentence.
    """
    command = ["pip", "install", "--quiet", "--target", str(folder), "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--link-mode", "copy", "--requirements", str(requirements)]
    command += ["--python", sys.executable] if platform is None else ["--python-platform", platform]
    where = platform or "this machine"
    _run([*command, "--python-version", python], f"{what} cannot be fetched for Python {python} on {where}")


def compile_lock(out: Path, extras: Iterable[str], options: Iterable[str], *, by: str, what: str) -> None:
    """Pin the packages of these extras of pyproject.toml, at the versions of requirements.txt.

    by: the command that the lock names. what: as in install.
    """
    command = ["pip", "compile", "pyproject.toml", "--quiet", "--generate-hashes", "--no-annotate", *options]
    command += ["--constraints", "requirements.txt", "--custom-compile-command", by]
    command += [part for extra in extras for part in ("--extra", extra)]
    _run([*command, "--output-file", str(out)], f"{what} cannot be locked")


def _run(arguments: list[str], failure: str) -> None:
    try:
        done = subprocess.run([*find_uv(), *arguments], cwd=ROOT, capture_output=True, text=True)
    except OSError as error:
        raise BuildError(f"uv cannot be started: {error}.") from error
    if done.returncode:
        offline = "Is this machine offline? The first build needs a package index; later ones do not."
        raise BuildError(f"{failure}. {offline} uv says:\n{done.stderr.strip()}")
