"""axe-core, which finds what hinders people: contrast, names, structure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambda_build.wheels import find_uv
from tests.support.shared import locked

_CACHE = Path(__file__).parents[2] / ".local" / "test-cache" / "axe"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = f"return axe.run({{runOnly: {json.dumps(_TAGS)}}}).then((found) => found.violations, String);"


def axe_source() -> str:
    """Return axe-core's script, out of a PyPI package that carries it (its playwright is not needed here)."""
    source = _CACHE / "axe_playwright_python" / "axe.min.js"
    with locked(_CACHE):
        if not source.exists():
            command = [*find_uv(), "pip", "install", "--quiet", "--python", sys.executable]
            command += ["--target", str(_CACHE), "--no-deps", "--require-hashes"]
            command += ["-r", str(Path(__file__).with_name("axe.txt"))]
            subprocess.run(command, check=True)
    return source.read_text("utf-8")


def violations(run: Callable[[str], Any], source: str) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 A and AA, one line a finding.

    run: executes a script in the page.
    """
    if not run("return typeof axe === 'object'"):  # the source is half a megabyte
        run(source)
    found = run(_RUN)
    assert isinstance(found, list), found
    return [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
        for rule in found
        for node in rule["nodes"]
    ]
