"""What a zip is for: which function, which profile, which Python on which machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

FUNCTIONS = ("thumbnail", "caption")
PROFILES = ("production", "local")

# AWS's python3.13 runtime on Graviton: Amazon Linux 2023, glibc 2.34.
PRODUCTION_PYTHON = "3.13"
PRODUCTION_PLATFORM = "aarch64-manylinux_2_28"
THIS = "this"  # the machine that builds

# Modules of imgcore that a function has no use for; everything else goes along.
_COMMANDS = ("__main__.py", "cli/", "accounts/service.py", "accounts/passwords.py", "db/accounts.py")
_LEFT_OUT = {
    ("thumbnail", "production"): (*_COMMANDS, "captioning/"),
    ("thumbnail", "local"): (*_COMMANDS, "captioning/"),
    ("caption", "production"): (*_COMMANDS, "captioning/local/"),
    ("caption", "local"): _COMMANDS,
}


class BuildError(Exception):
    """The zip cannot be built; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One zip to build."""

    function: str  # "thumbnail" or "caption"
    profile: str  # "production", or "local", whose captions need no key
    python: str  # "3.13"
    platform: str  # one of uv's --python-platform names, or "this"

    @property
    def requirements(self) -> Path:
        """The lock of what is installed into it."""
        local = "-local" if (self.function, self.profile) == ("caption", "local") else ""
        return HERE / f"requirements-{self.function}{local}.txt"

    @property
    def level(self) -> int:
        """How hard to compress: a zip that only this machine reads had better be ready soon."""
        return 1 if self.profile == "local" else 6

    @property
    def left_out(self) -> tuple[str, ...]:
        """Modules of imgcore that stay out."""
        return _LEFT_OUT[self.function, self.profile]


def target(function: str, profile: str, python: str | None = None, platform: str | None = None) -> Target:
    """The target with the profile's own Python and platform wherever none is named."""
    local = profile == "local"
    this_python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Target(
        function,
        profile,
        python or (this_python if local else PRODUCTION_PYTHON),
        platform or (THIS if local else PRODUCTION_PLATFORM),
    )


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python at hand whose bytecode a function can load."""

    path: str
    version: str  # "3.13.0 (main, …)": whatever could change its bytecode


def interpreter(python: str) -> Interpreter | None:
    """Find a CPython ``python`` ("3.13") on this machine; None where there is none."""
    for path in _candidates(python):
        ask = "import platform, sys; print(platform.python_implementation(), sys.version.split()[0])"
        try:
            done = subprocess.run([path, "-I", "-S", "-c", ask], capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            continue
        version = done.stdout.strip()
        if done.returncode == 0 and version.startswith(f"CPython {python}."):
            return Interpreter(path, version)
    return None


def _candidates(python: str) -> list[str]:
    """Where a Python may be: here, on PATH, or where pyenv and uv keep theirs."""
    found = [sys.executable] if python == f"{sys.version_info.major}.{sys.version_info.minor}" else []
    if on_path := shutil.which(f"python{python}"):
        found.append(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    found += sorted(str(path) for path in pyenv.glob(f"versions/{python}.*/bin/python{python}"))
    found += sorted(str(path) for path in managed.glob(f"cpython-{python}*/bin/python{python}"))
    return found
