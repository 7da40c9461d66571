"""Run the tests of a module against each of its mutants, and print which the tests do not notice.

::

    python -m tests.support.mutation                          # every module of tests/mutation.toml
    python -m tests.support.mutation imgcore/db/tasks.py      # one
    python -m tests.support.mutation --sample 60 web/http     # at most 60 mutants of each module in a folder

A mutant is imported in a process forked for it, in place of the module: no file is changed. The score is the
share of mutants that a test notices; tests that take three times as long as without a mutant have noticed it.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import io
import os
import random
import signal
import sys
import time
import tomllib
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from tests.support.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "mutation.toml"
# In one process, in the same order for each mutant, without writing files
OURS = {"imgcore", "lambda_build", "roles", "tests", "web"}
_KEPT = {__name__, "tests", "tests.support", "tests.support.mutants"}
OPTIONS = ("-x", "-q", "-n0", "--randomly-seed=1", "-p", "no:cacheprovider", "--no-header", "--tb=no")


class _Loader(importlib.abc.InspectLoader, importlib.abc.MetaPathFinder):
    """Imports one module from a source text."""

    def __init__(self, path: Path, source: str) -> None:
        self._name = ".".join(path.with_suffix("").parts)
        self._file = str(ROOT / path)
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=self._file)
        spec.has_location = True
        return spec

    def get_source(self, fullname: str) -> str:
        return self._source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self._file, "exec")


def _forked(path: Path, source: str | None, tests: Sequence[str], timeout: float) -> tuple[int | None, float]:
    """Run the tests in a forked process; return pytest's status, None after the timeout, and the seconds."""
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        if source is not None:
            sys.meta_path.insert(0, _Loader(path, source))
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                status = int(pytest.main([*OPTIONS, *tests]))
        except BaseException:  # noqa: BLE001 - the mutant broke the import: noticed
            status = 1
        os._exit(status)
    while time.monotonic() - begin < timeout:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), time.monotonic() - begin
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None, timeout


def _preload(tests: Sequence[str]) -> None:
    """Import what the tests import, and forget our own modules: each fork then imports only these."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        pytest.main([*OPTIONS, "--collect-only", *tests])
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS and name not in _KEPT]:
        del sys.modules[name]


def _score(entry: dict[str, Any], sample: int | None) -> float:
    """Test one module's mutants; print what survives; return the share that was noticed."""
    path, tests = Path(entry["module"]), entry["tests"]
    _preload(tests)
    status, seconds = _forked(path, None, tests, 600)
    if status != 0:
        raise SystemExit(f"The tests of {path} fail without a mutant (status {status}).")
    accepted = {(each["change"], each["line"]) for each in entry.get("accepted", [])}
    lines = (ROOT / path).read_text().splitlines()
    made = [
        each for each in mutants((ROOT / path).read_text()) if (each.change, _text(lines, each)) not in accepted
    ]
    if sample is not None and len(made) > sample:
        made = sorted(random.Random(path.name).sample(made, sample), key=lambda mutant: mutant.line)
    survivors = [each for each in made if _forked(path, each.source, tests, 10 + 3 * seconds)[0] == 0]
    for each in survivors:
        print(f"  survives {path}:{each.line}: {each.change}: {_text(lines, each)}", flush=True)
    share = 1 - len(survivors) / len(made) if made else 1.0
    print(f"{share:6.1%} of {len(made):4} mutants noticed: {path}", flush=True)
    return share


def _text(lines: Sequence[str], mutant: Mutant) -> str:
    return lines[mutant.line - 1].strip() if mutant.line else ""


def main() -> int:
    """Test the modules; return 1 where one is below its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="modules, or folders of modules")
    parser.add_argument("--sample", type=int, help="at most so many mutants a module, always the same ones")
    given = parser.parse_args()
    table = tomllib.loads(TABLE.read_text())
    chosen = [
        entry
        for entry in table["modules"]
        if not given.paths or any(Path(entry["module"]).is_relative_to(path) for path in given.paths)
    ]
    missed = [entry["module"] for entry in chosen if _score(entry, given.sample) < table["target"]]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} modules reach {table['target']:.0%}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
