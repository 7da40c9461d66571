"""The previous release's web application and functions on the schema of this one.

``python -m tests.drills.old_release [--steps 3] [--revision REVISION] [PYTEST OPTIONS]`` exports the newest
revision that lacks the last steps of the migrations, gives it the migrations of the working tree, and runs that
revision's own tests of what uses the database: during a release its hosts and functions run on the new schema.
Ends with 1 where a test fails. It needs the history of the repository.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STEPS = Path("imgcore/db/steps")
SCHEMA = Path("imgcore/db/schema.py")  # what the steps call
# Tests that use a database: of the functions' and the web application's statements.
TESTS = (
    *("contract/test_repository_*.py", "contract/test_accounts*.py", "contract/test_albums.py"),
    *("contract/test_jobs.py", "contract/test_tags.py", "contract/test_words.py"),
    *("pipeline/test_repository_crashes.py", "web/test_albums.py", "web/test_api.py", "web/test_bulk.py"),
    *("web/test_pages.py", "web/test_serving*.py", "web/test_timeline.py", "web/test_trash.py"),
)


def git(*arguments: str) -> bytes:
    """Return the output of a git command."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def revision_without(steps: int) -> str:
    """Return the newest revision that has none of the last steps."""
    first = sorted((ROOT / STEPS).glob("m[0-9]*.py"))[-steps].relative_to(ROOT)
    added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", str(first)).decode().strip()
    assert added, f"{first} is not committed"
    return f"{added}^"


def export(revision: str, folder: Path) -> None:
    """Write that revision to a folder, with the migrations of the working tree."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", revision))) as archive:
        archive.extractall(folder, filter="data")
    shutil.rmtree(folder / STEPS)
    shutil.copytree(ROOT / STEPS, folder / STEPS)
    shutil.copy(ROOT / SCHEMA, folder / SCHEMA)


def main(revision: str, options: list[str]) -> int:
    """Run it; pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="old-release-") as name:
        folder = Path(name)
        export(revision, folder)
        print(git("log", "-1", "--format=%h %s", revision).decode().strip(), flush=True)
        tests = sorted(str(path) for pattern in TESTS for path in (folder / "tests").glob(pattern))
        assert tests
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *tests]
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3, help="steps that the old release does not know")
    parser.add_argument("--revision", help="another revision than the newest without these steps")
    given, further = parser.parse_known_args()
    raise SystemExit(main(given.revision or revision_without(given.steps), further))
