"""Programs of the system that tests, benchmarks and drills start."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

# Debian keeps servers where the PATH of ordinary users does not look.
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))


def program(*names: str, package: str) -> str:
    """Return the path of the first of these that is installed.

    package: the Debian package of the first. SystemExit with a sentence where none is there: it ends a
    benchmark or a drill without a traceback, and fails a test like any other exception.
    """
    for name in names:
        if found := shutil.which(name, path=_PATH):
            return found
    raise SystemExit(f"{names[0]} is not installed. On Debian: apt-get install {package}")


def write_python_program(path: Path, source: str) -> None:
    """Write an executable Python program that imports from the standard library alone.

    A "#!" line cannot name an interpreter whose path has spaces, as in a checkout whose folder has one: the
    shell, to which the second line is a command and to Python a text, starts it.
    """
    interpreter = "".join(f"\\{letter}" if letter in '\\"$`' else letter for letter in sys.executable)
    path.write_text(f'#!/bin/sh\n"exec" "{interpreter}" "-IS" "$0" "$@"\n{source}')
    path.chmod(0o755)
