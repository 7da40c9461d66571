"""The archives that are built, and for which Python and machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

PROFILES = ("production", "local")

# AWS's python3.13 runtime on Graviton: Amazon Linux 2023, glibc 2.34.
LAMBDA_PYTHON = "3.13"
LAMBDA_PLATFORM = "aarch64-manylinux_2_28"
# The web hosts run Debian 13.
HOST_PYTHON = "3.13"
HOST_PLATFORM = "x86_64-manylinux_2_28"
THIS = "this"  # the machine that builds


class BuildError(Exception):
    """The archive cannot be built; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One archive, whatever profile, Python and machine it is built for.

    file: its name. title: its name in messages. entries: the modules that are run, whose imports are followed.
    lock: the locked packages, a file beside this one. provided: packages that its runtime brings along.
    function: a Lambda function, whose packages are pruned. compiled: with bytecode, for a fast cold start.
    certificates: with those of the database.
    """

    file: str
    title: str
    entries: tuple[str, ...]
    lock: str
    provided: frozenset[str] = frozenset({"boto3", "botocore"})
    function: bool = True
    compiled: bool = False
    certificates: bool = False


ARTIFACTS = {
    "thumbnail": Artifact(
        file="thumbnail.zip",
        title="thumbnail function",
        entries=("lambda_build.handlers.thumbnail",),
        lock="requirements-thumbnail.txt",
        compiled=True,
    ),
    "caption": Artifact(
        file="caption.zip",
        title="caption function",
        entries=("lambda_build.handlers.caption",),
        lock="requirements-caption.txt",
        compiled=True,
    ),
    "migrator": Artifact(
        file="migrator.zip",
        title="migrator",
        entries=("migrator",),
        lock="requirements-migrator.txt",
        certificates=True,
    ),
    "web_host": Artifact(
        file="gallery.tar.gz",
        title="web host",
        entries=("web.__main__", "imgcore.__main__"),
        lock="requirements-web-host.txt",
        provided=frozenset(),
        function=False,
        certificates=True,
    ),
}
FUNCTIONS = ("thumbnail", "caption")  # what the profiles differ in, and what is built unless others are named
_LOCAL_LOCKS = {"caption": "requirements-caption-local.txt"}  # captions without a key


@dataclass(frozen=True, slots=True)
class Target:
    """One archive to build."""

    name: str  # a key of ARTIFACTS
    profile: str  # "production", or "local" for `make run`, whose captions need no key
    python: str  # "3.13"
    platform: str  # one of uv's --python-platform names, or "this"

    @property
    def artifact(self) -> Artifact:
        """What does not depend on profile, Python and platform."""
        return ARTIFACTS[self.name]

    @property
    def requirements(self) -> Path:
        """The lock of the packages that go into the archive."""
        lock = _LOCAL_LOCKS.get(self.name) if self.profile == "local" else None
        return HERE / (lock or self.artifact.lock)

    @property
    def level(self) -> int:
        """zlib's compression level: a zip that only this machine reads is better written quickly."""
        return 1 if self.profile == "local" else 6


def target(name: str, profile: str, python: str | None = None, platform: str | None = None) -> Target:
    """Return the target, with the usual Python and platform where none is named."""
    if profile == "local":
        usual = (f"{sys.version_info.major}.{sys.version_info.minor}", THIS)
    elif ARTIFACTS[name].function:
        usual = (LAMBDA_PYTHON, LAMBDA_PLATFORM)
    else:
        usual = (HOST_PYTHON, HOST_PLATFORM)
    return Target(name, profile, python or usual[0], platform or usual[1])


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python on this machine whose bytecode a function can load."""

    path: str
    version: str  # "CPython 3.13.1"; another one may make other bytecode


_PRINT_VERSION = "import platform, sys; print(platform.python_implementation(), sys.version.split()[0])"


def interpreter(python: str) -> Interpreter | None:
    """Find a CPython of the version ``python`` ("3.13") on this machine; None if there is none."""
    for path in _candidates(python):
        try:
            done = subprocess.run(
                [path, "-I", "-S", "-c", _PRINT_VERSION], capture_output=True, text=True, timeout=20
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        version = done.stdout.strip()
        if done.returncode == 0 and version.startswith(f"CPython {python}."):
            return Interpreter(path, version)
    return None


def _candidates(python: str) -> list[str]:
    """Return where a Python may be: this one, on PATH, and where pyenv and uv install theirs."""
    found = [sys.executable] if python == f"{sys.version_info.major}.{sys.version_info.minor}" else []
    if on_path := shutil.which(f"python{python}"):
        found.append(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    found += sorted(str(path) for path in pyenv.glob(f"versions/{python}.*/bin/python{python}"))
    found += sorted(str(path) for path in managed.glob(f"cpython-{python}*/bin/python{python}"))
    return found
