"""Mutants: which faults are made of a module, and that the tests of a module see them or not."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgcore import backoff
from tests.support.mutants import mutants
from tests.support.mutation import (
    _forked,
    _kill_tree,
    _load_in_place_of,
    _replace_functions,
    _started,
    _within_reason,
)
from tests.support.processes import runs

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
        ("if __name__ == '__main__':\n    main()", set()),
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


BACKOFF = Path("imgcore/backoff.py")


def backoff_mutant(change: str) -> str:
    """Return the source of the first mutant of backoff.py with this change."""
    return next(each.source for each in mutants((ROOT / BACKOFF).read_text()) if each.change == change)


def test_mutant_in_the_body_of_a_function_takes_its_place() -> None:
    source = backoff_mutant("Mult → FloorDiv")

    def run() -> int:
        replaced = _replace_functions(BACKOFF, source)
        return 7 if replaced and backoff.exponential(3, first=1.0) == 0.0 else 8

    assert 7 == _forked(run, 60)[0]
    assert 4.0 == backoff.exponential(3, first=1.0)


def test_mutant_outside_of_functions_is_imported() -> None:
    source = backoff_mutant("60 → 61")

    def run() -> int:
        if _replace_functions(BACKOFF, source):
            return 8
        _load_in_place_of(BACKOFF, source)
        del sys.modules[backoff.__name__]
        return importlib.import_module(backoff.__name__)._MAX_EXPONENT

    assert 61 == _forked(run, 60)[0]


def test_mutant_that_hangs_is_ended() -> None:
    assert (None, 0.5) == _forked(lambda: time.sleep(60) or 0, 0.5)


@pytest.mark.parametrize("way", ["own group", "own session", "orphan"])
def test_killing_a_mutant_ends_all_that_it_started(way: str, tmp_path: Path) -> None:
    started = tmp_path / "pid"
    write = "open('new', 'w').write(str(os.getpid())); os.rename('new', 'pid')"
    command = [sys.executable, "-c", f"import os, time; {write}; time.sleep(60)"]

    def hang() -> int:
        if way == "orphan":
            leave = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
            subprocess.run([sys.executable, "-c", leave, *command], cwd=tmp_path, check=True)
        else:
            options: dict[str, Any] = (
                {"process_group": 0} if way == "own group" else {"start_new_session": True}
            )
            subprocess.Popen(command, cwd=tmp_path, **options)
        time.sleep(60)
        return 0

    child = _started(hang)
    deadline = time.monotonic() + 60
    while not started.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    _kill_tree(child)

    assert not runs(child)
    assert not runs(int(started.read_text()))


@pytest.mark.parametrize(
    ("seconds", "without_mutant", "status"),
    [
        (0, 0, 0),
        (0, 0, 3),
        (60, 0, None),
        (0.3, 0.3, 0),  # the machine is busier than before
    ],
)
def test_too_long_is_longer_than_without_the_mutant(
    monkeypatch: pytest.MonkeyPatch, seconds: float, without_mutant: float, status: int | None
) -> None:
    """What each takes is given: a busy machine could make one of the two slower than the other."""
    taken = {"with": (seconds, status), "without": (without_mutant, 0)}

    def forked(run: Callable[[], str], timeout: float) -> tuple[int | None, float]:
        needed, ended = taken[run()]
        return (ended, needed) if needed <= timeout else (None, timeout)

    monkeypatch.setattr("tests.support.mutation._forked", forked)
    assert status == _within_reason(lambda: "with", lambda: "without", 0.1)
