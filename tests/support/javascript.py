"""eslint, stylelint and tsc over web/static, from the locked packages of tests/javascript, and its tests.

    python -m tests.support.javascript

They need Node.js with npm; where ``missing`` of tests.support.node says that they are not there, the check is
left out. The modules that the tests import touch no document.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.node import install, missing

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "javascript"
TARGET = ROOT / ".local" / "javascript"
LINTERS = (
    ("eslint", "--config", TARGET / "eslint.config.js", "--max-warnings", "0", "web/static/js"),
    ("stylelint", "--config", TARGET / "stylelint.config.js", "--max-warnings", "0", "web/static/css/*.css"),
    ("tsc", "--project", SOURCE / "tsconfig.json"),
)


def main() -> int:
    """Run the linters, the type checker and the tests; return 1 if any of them fails."""
    if reason := missing():
        print(f"The checks of JavaScript cannot run: {reason}.")
        return 1
    try:
        install(SOURCE, TARGET)
    except subprocess.CalledProcessError as error:
        print(f"The packages of tests/javascript cannot be installed: {error.stderr.strip() or error}")
        return 1
    commands = [(TARGET / "node_modules" / ".bin" / name, *options) for name, *options in LINTERS]
    commands.append(("node", "--test", "--test-reporter", "dot", *sorted(SOURCE.glob("*.test.js"))))
    codes = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
