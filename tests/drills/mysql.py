"""The contract tests of the database and the migrator's tests on a real MySQL, with ``caching_sha2_password``.

``python -m tests.drills.mysql [PYTEST OPTIONS]`` unpacks Debian sid's MySQL and runs on it what ``make test``
runs on MariaDB. Users of the migrator must use TLS. It ends with 1 where a test fails. The first time it
downloads 60 MB.
"""

from __future__ import annotations

import os
import re
import sys

from tests.cloud import ROOT
from tests.debian_sources import unpacked_program
from tests.mysql import SUITE
from tests.support import guarded

USES_THE_DATABASE = re.compile(r"\b(database|repositories): (Database|Repositories)\b")
BESIDE = ("pipeline/test_repository_crashes.py", "deploy/test_provision_migrator.py")


def tests() -> list[str]:
    """Return the files of the contract tests with a database fixture, and some that use it in other ways."""
    folder = ROOT / "tests"
    contract = folder.glob("contract/**/test_*.py")
    found = [path for path in contract if USES_THE_DATABASE.search(path.read_text())]
    more = [path for pattern in BESIDE for path in folder.glob(pattern)]
    return sorted(str(path) for path in (*found, *more))


def main(options: list[str]) -> int:
    """Run it; return pytest's exit code."""
    folder = unpacked_program("mysql-server-core", SUITE)
    print(f"MySQL in {folder.name}", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-k", "not sqlite", *(options or ["-n", "2"]), *tests()]
    with guarded.started(command, cwd=ROOT, env=os.environ | {"MYSQL": "1"}) as process:
        return int(process.wait())


if __name__ == "__main__":
    sys.exit(guarded.until_terminated(lambda: main(sys.argv[1:])))
