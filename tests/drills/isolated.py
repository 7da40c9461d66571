"""Python environments of their own, for programs that pin other versions of the SDK than this repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lambda_build.wheels import find_uv


def isolated(folder: Path, *requirements: str) -> Path:
    """Create an environment in ``folder`` with these packages, and return the folder of its programs."""
    uv = find_uv()
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *requirements], check=True)
    return folder / "bin"
