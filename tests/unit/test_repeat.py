"""The command that runs `make test` several times."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.support import repeat as repeated
from tests.support.processes import runs
from tests.support.repeat import busy_processor, clones, repeat
from tests.support.waiting import wait_for

FAILING = """
print("--- all tests")
print("FAILED tests/unit/test_x.py::test_y[1] - AssertionError: FAILED z")
print("ERROR tests/web/test_z.py - ImportError")
print("---   12.3 s  FAILED  types (mypy)")
raise SystemExit(2)
"""

MEETING = """
import pathlib, time
pathlib.Path("here").touch()
while len(list(pathlib.Path("..").glob("*/here"))) < 2:
    time.sleep(0.01)
print(pathlib.Path.cwd().name)
"""


def test_repeat_passing_command_runs_count_times_and_the_last_are_busy(tmp_path: Path) -> None:
    runs = list(repeat([sys.executable, "-c", "print('said')"], 3, 1, tmp_path))
    assert [(1, False, True), (2, False, True), (3, True, True)] == [
        (run.number, run.busy, run.passed) for run in runs
    ]
    assert ["said\n"] * 3 == [path.read_text() for path in sorted(tmp_path.glob("*.log"))]


def test_repeat_failing_command_names_tests_and_stages(tmp_path: Path) -> None:
    (run,) = repeat([sys.executable, "-c", FAILING], 1, 0, tmp_path)
    assert not run.passed
    assert ("tests/unit/test_x.py::test_y[1]", "tests/web/test_z.py", "types (mypy)") == run.failures
    assert str(run).endswith("FAILED tests/unit/test_x.py::test_y[1], tests/web/test_z.py, types (mypy)")


def test_repeat_runs_together_in_folders_of_their_own(tmp_path: Path) -> None:
    """Each run waits until there is another one beside it: alone, it would not end."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    runs = list(repeat([sys.executable, "-c", MEETING], 2, 0, tmp_path / "logs", folders))
    assert [(1, True), (2, True)] == [(run.number, run.passed) for run in runs]
    assert ["first\n", "second\n"] == sorted(path.read_text() for path in (tmp_path / "logs").glob("*.log"))


def test_repeat_that_is_stopped_ends_the_runs(tmp_path: Path) -> None:
    """The first ends at once; the second would take an hour."""
    runs = repeat(["sh", "-c", f"mkdir '{tmp_path}/once' || exec sleep 3600"], 2, 0, tmp_path / "logs")
    assert next(runs).passed
    start = time.monotonic()
    runs.close()
    assert time.monotonic() - start < 600


def test_repeat_that_is_stopped_ends_what_the_runs_have_started(tmp_path: Path) -> None:
    """A test run goes on where make alone is ended."""
    script = "mkdir once && exit; sleep 3600 & echo $! > new; mv new pid; wait"
    repeated_runs = repeat(["sh", "-c", script], 2, 0, tmp_path / "logs", [tmp_path])
    assert next(repeated_runs).passed
    wait_for((tmp_path / "pid").exists)
    left = int((tmp_path / "pid").read_text())
    repeated_runs.close()
    wait_for(lambda: not runs(left))


def test_repeat_command_that_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(repeat([str(tmp_path / "missing")], 3, 0, tmp_path / "logs"))


def test_main_passes_its_options_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(repeated, "repeat", lambda *given: asked.append(given) or iter(()))
    monkeypatch.setattr(repeated, "clones", lambda count: nullcontext([tmp_path] * count))
    assert 0 == repeated.main(["10", "--busy", "5"])
    assert 0 == repeated.main(["4", "--together", "2", "--target", "check"])
    assert [
        (["make", "test"], 10, 5, repeated.LOGS, [repeated.ROOT]),
        (["make", "check"], 4, 0, repeated.LOGS, [tmp_path, tmp_path]),
    ] == asked


@pytest.mark.parametrize("arguments", [["0"], ["--", "-3"], ["2", "--together", "0"]])
def test_main_fewer_than_one_run_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        repeated.main(arguments)
    assert 2 == ended.value.code


def test_clones_hold_the_last_commit_and_are_removed() -> None:
    with clones(2) as folders:
        assert 2 == len({folder.name for folder in folders if (folder / "Makefile").is_file()})
    assert not any(folder.exists() for folder in folders)


def test_busy_processor_runs_until_the_end_of_the_block() -> None:
    with busy_processor() as process:
        assert process.poll() is None
    assert process.poll() is not None


@pytest.mark.parametrize(("command", "code"), [("pass", 0), ("raise SystemExit(1)", 1)])
def test_main_any_failed_run_sets_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, code: int
) -> None:
    real = repeated.repeat
    monkeypatch.setattr(repeated, "LOGS", tmp_path)
    monkeypatch.setattr(repeated, "repeat", lambda _, *given: real([sys.executable, "-c", command], *given))
    assert code == repeated.main(["2"])
    assert f"2 runs, {2 * code} failed" in capsys.readouterr().out
