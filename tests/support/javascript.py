"""eslint, stylelint and tsc over web/static, from the locked packages of tests/javascript, and its tests.

    python -m tests.support.javascript

They need Node.js 18 or newer with npm; without them ``missing`` says so and the check is left out. The
modules that the tests import touch no document.
"""

from __future__ import annotations

import filecmp
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "javascript"
TARGET = ROOT / ".local" / "javascript"
LOCK = "package-lock.json"
OLDEST_NODE = 18
LINTERS = (
    ("eslint", "--config", TARGET / "eslint.config.js", "--max-warnings", "0", "web/static/js"),
    ("stylelint", "--config", TARGET / "stylelint.config.js", "--max-warnings", "0", "web/static/css/*.css"),
    ("tsc", "--project", SOURCE / "tsconfig.json"),
)


def missing() -> str | None:
    """Return why the checks cannot run here; None where they can."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "Node.js with npm is not installed"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", version)
    if found is None or int(found[1]) < OLDEST_NODE:
        return f"Node.js is {version.strip() or 'of an unknown version'}, not {OLDEST_NODE} or newer"
    return None


def install() -> None:
    """Install the locked packages into .local/javascript if they are not there yet."""
    installed = TARGET / "node_modules" / ".installed"
    TARGET.mkdir(parents=True, exist_ok=True)
    changed = not installed.exists() or not filecmp.cmp(SOURCE / LOCK, TARGET / LOCK, shallow=False)
    for path in SOURCE.iterdir():
        shutil.copy(path, TARGET)
    if changed:
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(npm, cwd=TARGET, check=True)
        installed.touch()


def main() -> int:
    """Run the linters, the type checker and the tests; return 1 if any of them fails."""
    if reason := missing():
        print(f"The checks of JavaScript cannot run: {reason}.")
        return 1
    install()
    commands = [(TARGET / "node_modules" / ".bin" / name, *options) for name, *options in LINTERS]
    commands.append(("node", "--test", "--test-reporter", "dot", *sorted(SOURCE.glob("*.test.js"))))
    codes = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
