"""Run the tests of a module against each of its mutants, and print which the tests do not notice.

::

    python -m tests.support.mutation                          # every module of tests/mutation.toml
    python -m tests.support.mutation imgcore/db/tasks.py      # one
    python -m tests.support.mutation --sample 60 web/http     # at most 60 mutants of each module in a folder

Each mutant runs in a process forked for it: no file is changed. One in the body of a function replaces the code
of that function, which the parent has imported; any other is imported anew, with all that uses it. The score is
the share of mutants that a test notices; tests that take three times as long as without one have noticed it,
unless the tests without a mutant take as long now.
"""

from __future__ import annotations

import argparse
import ast
import ctypes
import gc
import importlib.machinery
import inspect
import io
import os
import random
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import psutil
import pytest
from _pytest.main import pytest_runtestloop as default_loop

from tests.support import guarded
from tests.support.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "mutation.toml"
# In one process, in the same order for each mutant, without writing files
OURS = {"imgcore", "lambda_build", "roles", "tests", "web"}
SHARED = ROOT / "playbooks" / "module_utils"  # imported as a part of ansible.module_utils
_KEPT = {__name__, "tests", "tests.support", "tests.support.guarded", "tests.support.mutants"}
OPTIONS = ("-x", "-q", "-n0", "--randomly-seed=1", "-p", "no:cacheprovider", "--no-header", "--tb=no")
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_NOT_REPLACED = 99  # status: the mutant is not in the body of a function


def _load_in_place_of(path: Path, source: str) -> None:
    """Have every import of the module's file take this source."""
    loader, file = importlib.machinery.SourceFileLoader, str(ROOT / path)
    get_code = loader.get_code

    def changed(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        return compile(source, file, "exec") if self.path == file else get_code(self, fullname)

    loader.get_code = changed  # type: ignore[method-assign]


def _forked(run: Callable[[], int], timeout: float) -> tuple[int | None, float]:
    """Call ``run`` in a forked process; return its status, None after the timeout, and the seconds."""
    begin = time.monotonic()
    child = _started(run)
    while time.monotonic() - begin < timeout:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), time.monotonic() - begin
        time.sleep(0.01)
    _kill_tree(child)
    return None, timeout


def _started(run: Callable[[], int]) -> int:
    """Call ``run`` in a forked process that ends with its status; return its id."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        _adopt_orphans()
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                status = run()
        except BaseException:  # noqa: BLE001 - the mutant broke the import: noticed
            status = 1
        os._exit(status)
    with suppress(OSError):  # the child does it too: whichever comes first
        os.setpgid(child, child)
    return child


def _adopt_orphans() -> None:
    """Let processes whose parent has ended become children of this one, not of init (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _kill_tree(child: int) -> None:
    """Kill a child and all that it has started, in whatever process group or session.

    Guardians are left: they remove the folders of what they guard, and end then by themselves.
    """
    os.kill(child, signal.SIGSTOP)  # or it would go on to start others
    parent = psutil.Process(child)
    while left := [each for each in parent.children(recursive=True) if not _over(each)]:
        for each in left:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _over(process: psutil.Process) -> bool:
    """Return whether a process has ended, or is a guardian."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE or guarded.GUARDIAN in process.cmdline()
    except psutil.NoSuchProcess:
        return True


def _within_reason(run: Callable[[], int], without_mutant: Callable[[], int], timeout: float) -> int | None:
    """Call ``run`` in a forked process; return its status, None where it takes too long.

    The machine may have become busier: it takes too long only where the tests without a mutant do not.
    """
    while True:
        status, _ = _forked(run, timeout)
        if status is not None or _forked(without_mutant, timeout)[0] is not None:
            return status
        timeout *= 2


class _Session:
    """A plugin of pytest: collects the tests once, then runs them in a fork for each mutant."""

    def __init__(self, path: Path, made: Sequence[Mutant]) -> None:
        self._path, self._made = path, made
        self.survivors: list[Mutant] = []
        self.left: list[Mutant] = []  # those that have to be imported
        self.status: int | None = 1  # of the tests without a mutant
        self.seconds = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests without a mutant, then with each."""
        self.status, self.seconds = _forked(lambda: self._tests(session, None), 600)
        for mutant in self._made if self.status == 0 else ():
            run, without = (partial(self._tests, session, each) for each in (mutant, None))
            status = _within_reason(run, without, 10 + 3 * self.seconds)
            if status == _NOT_REPLACED:
                self.left.append(mutant)
            elif status == 0:
                self.survivors.append(mutant)
        return True

    def _tests(self, session: pytest.Session, mutant: Mutant | None) -> int:
        if mutant is not None:
            if not _replace_functions(self._path, mutant.source):
                return _NOT_REPLACED
            _load_in_place_of(self._path, mutant.source)  # for tests that load the module themselves
        default_loop(session)
        return 1 if session.testsfailed else 0


def _imported(path: Path, source: str, tests: Sequence[str]) -> int:
    """Import the module's mutant and what uses it, and run the tests; return pytest's status."""
    _forget_modules()
    _load_in_place_of(path, source)
    return int(pytest.main([*OPTIONS, *tests]))


def _replace_functions(path: Path, source: str) -> bool:
    """Give the module's functions the code of a mutant; False where it differs outside of functions."""
    file = str(ROOT / path)
    original = ast.unparse(ast.parse((ROOT / path).read_text()))
    before, after = (compile(text, file, "exec") for text in (original, source))
    found = {name: code for name, code in _functions(after) if code != dict(_functions(before)).get(name)}
    if _outline(before) != _outline(after) or not found:
        return False
    functions = [each for each in gc.get_objects() if isinstance(each, FunctionType)]
    mutated = [each for each in functions if each.__code__.co_filename == file]
    for function in mutated:
        if (code := found.get(function.__code__.co_qualname)) is not None:
            function.__code__ = code
    return found.keys() <= {each.__code__.co_qualname for each in mutated}


def _functions(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Yield the functions of a module and of its classes, by their qualified names."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if each.co_flags & inspect.CO_OPTIMIZED:
                yield each.co_qualname, each
            else:  # the body of a class
                yield from _functions(each)


def _outline(code: CodeType) -> list[object]:
    """Return what runs at the import: the code of the module and its classes, without that of functions."""
    within = [each for each in code.co_consts if isinstance(each, CodeType)]
    classes = [_outline(each) for each in within if not each.co_flags & inspect.CO_OPTIMIZED]
    constants = [repr(each) for each in code.co_consts if not isinstance(each, CodeType)]
    return [code.co_code, code.co_names, constants, *classes]


def _forget_modules() -> None:
    """Remove our own modules, so that they are imported anew."""
    shared = [
        name
        for name, each in sys.modules.items()
        if Path(getattr(each, "__file__", None) or "").parent == SHARED
    ]
    ours = [name for name in sys.modules if name.partition(".")[0] in OURS and name not in _KEPT]
    for name in shared + ours:
        del sys.modules[name]


@dataclass(frozen=True, slots=True)
class Score:
    """What the tests of a module notice. mutants: that were tried, of ``of``."""

    module: str
    mutants: int
    of: int
    noticed: int
    accepted: int

    @property
    def share(self) -> float:
        """The share of mutants that a test noticed."""
        return self.noticed / self.mutants if self.mutants else 1.0

    @property
    def row(self) -> str:
        """A row of the table."""
        tried = f"{self.mutants} of {self.of}" if self.mutants < self.of else str(self.mutants)
        return f"| `{self.module}` | {tried} | {self.noticed} | {self.accepted} | {self.share:.0%} |"


def _score(entry: dict[str, Any], sample: int | None) -> Score:
    """Test one module's mutants; print what survives."""
    path, tests = Path(entry["module"]), entry["tests"]
    accepted = {(each["change"], each["line"]) for each in entry.get("accepted", [])}
    lines = (ROOT / path).read_text().splitlines()
    source = (ROOT / path).read_text()
    every = mutants(source)
    made = rest = [each for each in every if (each.change, _text(lines, each)) not in accepted]
    if sample is not None and len(made) > sample:
        made = sorted(random.Random(path.name).sample(made, sample), key=lambda mutant: mutant.line)
    _forget_modules()
    session = _Session(path, made)
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()):
        pytest.main([*OPTIONS, *tests], plugins=[session])
    if session.status != 0:
        raise SystemExit(f"The tests of {path} fail without a mutant: {said.getvalue()[-500:]}")
    _forget_modules()
    without = partial(_imported, path, source, tests)
    survivors = session.survivors + [
        each
        for each in session.left
        if _within_reason(partial(_imported, path, each.source, tests), without, 20 + 3 * session.seconds) == 0
    ]
    for each in sorted(survivors, key=lambda mutant: mutant.line):
        print(f"  survives {path}:{each.line}: {each.change}: {_text(lines, each)}", flush=True)
    return Score(str(path), len(made), len(rest), len(made) - len(survivors), len(every) - len(rest))


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
    if not chosen:
        parser.error(f"{TABLE.relative_to(ROOT)} has no module of that name.")
    print("| Module | Mutants | Noticed | Accepted | Score |\n|---|---|---|---|---|", flush=True)
    missed = 0
    for entry in chosen:
        score = _score(entry, given.sample)
        missed += score.share < table["target"]
        print(score.row, flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} modules reach {table['target']:.0%}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
