"""Mutants: which faults are made of a module, and that the tests of a module see them or not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.mutants import mutants

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a == b", {"a != b"}),
        ("a < b", {"a <= b"}),
        ("a is None", {"a is not None"}),
        ("a in b", {"a not in b"}),
        ("a + b", {"a - b"}),
        ("a and b", {"a or b"}),
        ("not a", {"not not a"}),
        ("x = True", {"x = False"}),
        ("x = 1", {"x = 2"}),
        ("raise A", {"None"}),
        ("f()", {"None"}),
        ("x = f()", set()),
        ("logger.info('%d', 1)", set()),
        ("@f(a=True)\ndef g(): pass", set()),
    ],
)
def test_mutants_of_a_line_are(source: str, expected: set[str]) -> None:
    assert expected == {mutant.source for mutant in mutants(source)}


def test_mutants_of_a_statement_widen_each_condition_and_keep_its_parameters() -> None:
    statement = "UPDATE t SET a = :a WHERE b = :b AND c IS NULL AND d > {now} {for_update}"

    found = {ast.literal_eval(mutant.source) for mutant in mutants(repr(statement))}

    assert found == {
        statement.replace("b = :b", "(:b = :b OR :b IS NULL)"),
        statement.replace("c IS NULL", "1 = 1"),
        statement.replace("d > {now}", "1 = 1"),
        statement.replace(" {for_update}", ""),
    }


def test_mutants_are_python_and_name_their_line() -> None:
    source = (ROOT / "imgcore/imaging/formats/base.py").read_text()
    lines = source.splitlines()

    found = mutants(source)

    assert len(found) > 50
    for mutant in found:
        compile(mutant.source, "mutant", "exec")
        assert 0 < mutant.line <= len(lines)
