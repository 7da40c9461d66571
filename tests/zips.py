"""Built zips and bare interpreters, for the tests and the benchmark."""

from __future__ import annotations

import os
import subprocess
import zipfile
from functools import cache
from pathlib import Path

from lambda_build.build import build
from lambda_build.dependencies import CACHE
from lambda_build.targets import Target, target
from lambda_build.wheels import find_uv
from tests.support.shared import locked

ROOT = Path(__file__).parents[1]


@cache
def built(function: str, profile: str, python: str | None = None, platform: str | None = None) -> Path:
    """The zip as it is now; what others wrote in it is taken from the cache where it can be."""
    wanted = target(function, profile, python, platform)
    with locked(CACHE / "tested"):
        return build(wanted, CACHE / "tested" / folder_name(wanted))[0]


def folder_name(wanted: Target) -> str:
    """One folder for each sort of zip."""
    return f"{wanted.profile}-{wanted.python}-{wanted.platform}"


def unpack(zipped: Path, folder: Path) -> Path:
    """Unpack as Lambda does; the folder."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder


def bare_interpreter(folder: Path, python: str) -> Path:
    """A new environment with what AWS's own image has, its runtime client and boto3, and nothing else."""
    uv, environ = find_uv(), {**os.environ, "VIRTUAL_ENV": str(folder)}
    subprocess.run([*uv, "venv", "--quiet", "--python", python, str(folder)], check=True)
    command = [*uv, "pip", "install", "--quiet", "--compile-bytecode", "awslambdaric", "boto3"]
    locks = ["--constraints", str(ROOT / "tests" / "requirements.txt")]
    subprocess.run([*command, *locks], check=True, env=environ)
    return folder / "bin" / "python"
