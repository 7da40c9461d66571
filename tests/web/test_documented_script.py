"""The Python of docs/scripts.md against a running gallery."""

from __future__ import annotations

import subprocess
import sys

from tests.support.documents import ROOT, python_code
from tests.web.stage import Stage, Words

ADDRESS = "http://127.0.0.1:8080"


def test_documented_upload_script_prints_the_caption() -> None:
    code = python_code(ROOT / "docs/scripts.md")
    assert ADDRESS in code
    stage = Stage()
    try:
        stage.words["cat.jpg"] = Words("A cat.", "A cat.", ("cat",))
        done = subprocess.run(
            [sys.executable, "-c", code.replace(ADDRESS, stage.origin)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        stage.close()
    assert ("", 0) == (done.stderr, done.returncode)
    assert done.stdout.startswith("A cat. ['cat'] http")
