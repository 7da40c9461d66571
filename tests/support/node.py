"""Node.js for the tests: whether it is there, and packages that a lock file pins."""

from __future__ import annotations

import filecmp
import re
import shutil
import subprocess
from pathlib import Path

LOCK = "package-lock.json"
OLDEST_NODE = (18, 18)  # of the locked eslint


def missing() -> str | None:
    """Return why the checks cannot run here; None where they can."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "Node.js with npm is not installed"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_NODE:
        oldest = ".".join(map(str, OLDEST_NODE))
        return f"Node.js is {version.strip() or 'of an unknown version'}, not {oldest} or newer"
    return None


def install(source: Path, target: Path) -> None:
    """Copy the files of ``source`` to ``target``, and install its locked packages there if they are missing.

    Raises CalledProcessError, whose ``stderr`` has npm's words.
    """
    installed = target / "node_modules" / ".installed"
    target.mkdir(parents=True, exist_ok=True)
    changed = not installed.exists() or not filecmp.cmp(source / LOCK, target / LOCK, shallow=False)
    for path in source.iterdir():
        shutil.copy(path, target)
    if changed:
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        subprocess.run(
            npm, cwd=target, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        installed.touch()
