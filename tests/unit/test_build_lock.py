"""The locks of the functions' packages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lambda_build import build, lock

LAMBDA_BUILD = Path(build.__file__).parent


def pins(path: Path) -> dict[str, set[str]]:
    """Package → its pinned versions."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", path.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("name", sorted(lock.LOCKS))
def test_lock_versions_are_those_of_requirements(name: str) -> None:
    shared = pins(LAMBDA_BUILD.parent / "requirements.txt")

    assert {} == {k: v for k, v in pins(LAMBDA_BUILD / name).items() if not v <= shared.get(k, set())}


@pytest.mark.parametrize("name", sorted(lock.LOCKS))
def test_lock_pins_have_hashes(name: str) -> None:
    """An index that serves something else is noticed."""
    entries = re.split(r"\n(?=[\w.-]+==)", (LAMBDA_BUILD / name).read_text())[1:]

    assert [] == [entry for entry in entries if "--hash=sha256:" not in entry]


@pytest.mark.parametrize("name", sorted(lock.LOCKS))
def test_lock_names_no_host(name: str) -> None:
    """The package index is that of the builder's machine."""
    assert [] == re.findall(r"https?://\S+|--\S*index\S*", (LAMBDA_BUILD / name).read_text())


def test_lock_of_the_thumbnail_function_holds_four_packages() -> None:
    """Pillow, its HEIC decoder, the database driver and the stemmer of the search; nothing else."""
    assert {"pillow", "pillow-heif", "pymysql", "pystemmer"} == set(
        pins(LAMBDA_BUILD / "requirements-thumbnail.txt")
    )
