"""SECURITY.md, docs/faults.md and docs/security-tests.md name tests that exist, in every row."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.support.catalogue import drills
from tests.support.documents import ROOT

PAGES = ("SECURITY.md", "docs/faults.md", "docs/security-tests.md")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
DRILL = re.compile(r"drill `(\w+)`")
FIRST_CELLS = {"Attacker", "Fault", "Finding"}  # of the tables whose rows name tests


def rows(page: str) -> list[str]:
    """The rows of the page's tables of promises, without heads and lines between."""
    found, inside = [], False
    for line in (ROOT / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] in FIRST_CELLS:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            found.append(line)
    return found


@cache
def functions(path: str) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def missing(text: str) -> list[str]:
    """The tests and drills that a text names and that do not exist."""
    tests = [
        f"{path}::{name}"
        for path, name in TEST.findall(text)
        if not (ROOT / path).exists() or name not in functions(path)
    ]
    return tests + [name for name in DRILL.findall(text) if name not in drills()]


@pytest.mark.parametrize("page", PAGES)
def test_page_names_tests_that_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    assert TEST.findall(text)
    assert [] == missing(text)


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_a_test(page: str) -> None:
    assert len(rows(page)) > 5
    assert [] == [row for row in rows(page) if not TEST.search(row)]


@pytest.mark.parametrize(
    "text",
    [
        "`tests/unit/test_promises.py::test_that_is_not_here`",
        "`tests/unit/no_such_file.py::test_page_names_tests_that_exist`",
        "drill `no_such_drill`",
    ],
)
def test_missing_test_is_found(text: str) -> None:
    assert 1 == len(missing(text))
