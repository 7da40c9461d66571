"""Numpy computes with one thread in tests, whichever plugin imports it first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = """
import sys, pytest
pytest.main(["--collect-only", "-q", "-n0", "tests/unit/test_threads.py"])
names = list(sys.modules)
print("first:", min(("numpy", "tests.support.threads"), key=names.index))
"""


def test_thread_limit_is_set_before_a_plugin_imports_numpy() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS", "PYTEST"))}
    command = [sys.executable, "-c", PLUGINS]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    assert "first: tests.support.threads" in done.stdout, done.stdout
