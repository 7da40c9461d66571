"""What a test run says at its end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.report import FAILURES, ROOT, artifacts

TESTS = """
def test_passing(): pass
def test_failing(tmp_path): assert False, tmp_path
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The output of a run with a passing and a failing test, and its folder for temporary files."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "test_both.py").write_text(TESTS)
    (folder / "conftest.py").write_text("from tests.support.report import pytest_configure\n")
    base = folder / "base"
    options = ["-p", "no:cacheprovider", "-p", "pytest_randomly", f"--rootdir={folder}", f"--basetemp={base}"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    environ = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # most of the time went into other plugins
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert 1 == done.returncode, done.stdout + done.stderr
    return done.stdout, base


def test_report_failed_run_names_the_suite_and_the_folder_of_logs(printed: tuple[str, Path]) -> None:
    out, base = printed
    assert "2 tests" in out
    assert re.search(r"--randomly-seed=\d+$", out, re.MULTILINE)
    assert f"Logs of the servers that tests started: {base}, in folders named logs" in out


def test_artifacts_of_a_parametrized_test_is_one_folder() -> None:
    folder = artifacts("tests/browser/test_x.py::test_y[a/b c]")
    assert FAILURES == folder.parent
    assert "tests-browser-test_x.py--test_y-a-b-c-" == folder.name
