"""`make run` that is stopped while it starts, at a terminal or without a standard output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roles.local_cloud.files.emulator import free_port
from tests.cloud import ROOT

# Python imports this before the program: it sends Ctrl-C's signal when run.py imports its first neighbour.
INTERRUPT = """
import os, signal, sys

class Interrupt:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "checks":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt)
"""


@pytest.mark.parametrize("output", ["", ">&-"], ids=["open", "closed"])
def test_interrupt_during_the_imports_stops_it_without_a_traceback(tmp_path: Path, output: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT)
    environ = {"GALLERY_HOME": str(tmp_path / "home"), "PORT": str(free_port()), "PYTHONPATH": str(tmp_path)}
    program = ROOT / "roles/local_cloud/files/run.py"
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {output}', "sh", sys.executable, program],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert output or done.stdout.endswith(" s  Stopped\n")
