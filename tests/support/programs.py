"""Programs of the system that tests, benchmarks and drills start."""

from __future__ import annotations

import os
import shutil

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
