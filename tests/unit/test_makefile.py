"""What `make help` prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def printed() -> str:
    """The output of `make help` with a port of one's own."""
    environ = os.environ | {"PORT": "9123"}
    done = subprocess.run(["make", "help"], cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def test_help_prints_values_of_variables(printed: str) -> None:
    assert "http://127.0.0.1:9123/" in printed
    assert "$(" not in printed


def test_help_lists_every_target_for_people(printed: str) -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(targets.split()) == sorted(re.findall(r"^  make ([a-z-]+)", printed, re.MULTILINE))


def test_lock_makes_the_prices_from_the_package_that_they_name() -> None:
    """`make lock` must not change prices by the way: a newer version is chosen in the Makefile."""
    (pinned,) = re.findall(r"^GENAI_PRICES_VERSION = (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    prices = json.loads((ROOT / "imgcore/captioning/prices.json").read_text())
    assert f"genai-prices {pinned}" == prices["source"]
