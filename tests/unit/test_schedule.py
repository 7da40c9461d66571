"""Which test files share a worker, and in which order groups begin."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.schedule import GROUPS, LONGEST_FIRST, group_of, pytest_collection_modifyitems

ROOT = Path(__file__).parents[2]


def item(nodeid: str, *fixtures: str) -> Any:
    """A collected test."""
    return SimpleNamespace(nodeid=nodeid, fixturenames=fixtures)


@pytest.mark.parametrize("pattern", [pattern for patterns in GROUPS.values() for pattern in patterns])
def test_groups_pattern_matches_a_file(pattern: str) -> None:
    assert list(ROOT.glob(pattern))


@pytest.mark.parametrize("name", LONGEST_FIRST)
def test_longest_first_name_is_a_group_or_a_file(name: str) -> None:
    assert name in GROUPS or (ROOT / name).is_file()


def test_group_of_file_without_shared_fixture_is_the_file() -> None:
    assert "tests/unit/test_schedule.py" == group_of("tests/unit/test_schedule.py")


@pytest.mark.parametrize(
    ("fixture", "group"),
    [("provisioned", "AWS account"), ("history", "AWS account"), ("applied", "local cloud")],
)
def test_groups_every_file_that_uses_a_shared_fixture_is_in_its_group(fixture: str, group: str) -> None:
    files = [path for path in (ROOT / "tests/deploy").glob("test_*.py") if f"{fixture}:" in path.read_text()]
    assert files
    assert [] == [path.name for path in files if group != group_of(str(path.relative_to(ROOT)))]


def test_modifyitems_shuffled_tests_long_groups_first_and_destroying_ones_last() -> None:
    items = [
        item("tests/unit/test_a.py::test_2"),
        item("tests/deploy/test_teardown.py::test_it", "listed"),
        item("tests/deploy/test_local_roles.py::test_it"),
        item("tests/unit/test_a.py::test_1"),
        item("tests/deploy/test_provision.py::test_it"),
    ]
    pytest_collection_modifyitems(items)
    assert [
        "tests/deploy/test_provision.py::test_it",
        "tests/deploy/test_teardown.py::test_it",
        "tests/deploy/test_local_roles.py::test_it",
        "tests/unit/test_a.py::test_2",
        "tests/unit/test_a.py::test_1",
    ] == [each.nodeid for each in items]
