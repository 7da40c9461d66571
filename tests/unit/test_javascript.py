"""Node.js for the tests: when its checks are left out, and what lock files may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.load import bench_page_view
from tests.support import javascript, node


def test_missing_names_node_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Node.js with npm is not installed" == node.missing()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v16.20.2", "Node.js is v16.20.2, not 18.18 or newer"),
        ("", "Node.js is of an unknown version, not 18.18 or newer"),
        ("v18.17.1", "Node.js is v18.17.1, not 18.18 or newer"),
        ("v18.19.0", None),
        ("v20.20.2", None),
    ],
)
def test_missing_judges_the_version_of_node(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, expected: str | None
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert expected == node.missing()


@pytest.mark.parametrize("folder", [javascript.SOURCE, bench_page_view.SOURCE], ids=lambda path: path.name)
def test_lock_file_pins_every_package_and_names_no_registry(folder: Path) -> None:
    packages = json.loads((folder / node.LOCK).read_text())["packages"]
    locked = {name: entry for name, entry in packages.items() if name}
    assert locked
    assert [] == [name for name, entry in locked.items() if "integrity" not in entry or "resolved" in entry]
