"""The stages of `make check`, `make lint` and `make test`."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import shared, stages
from tests.support.processes import runs
from tests.support.shared import memory_folder
from tests.support.stages import Stage, failures
from tests.support.waiting import wait_for


def stage(name: str, program: str, *, live: bool = False) -> Stage:
    return Stage(name, (sys.executable, "-c", program), live)


def test_failures_every_stage_runs_and_the_failed_ones_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    stages = [
        stage("first", "print('hidden')"),
        stage("second", "print('shown'); raise SystemExit(1)"),
        stage("third", "print('as it comes')", live=True),
        stage("fourth", "raise SystemExit(3)"),
    ]
    assert ["second", "fourth"] == failures(stages)
    said = capfd.readouterr().out
    assert ["passed", "FAILED", "passed", "FAILED"] == [
        line.split()[3] for name in ("first", "second", "third", "fourth")
        for line in said.splitlines() if line.startswith("--- ") and line.endswith(f"  {name}")
    ]  # fmt: skip
    assert ("hidden" in said, "shown" in said, "as it comes" in said) == (False, True, True)


def test_failures_other_stages_run_beside_a_live_one(tmp_path: Path) -> None:
    written = tmp_path / "written"
    wait = (
        "import pathlib, time\nend = time.monotonic() + 60\n"
        f"while not pathlib.Path({str(written)!r}).exists():\n"
        "    assert time.monotonic() < end\n    time.sleep(0.01)"
    )
    write = f"import pathlib; pathlib.Path({str(written)!r}).touch()"
    assert [] == failures([stage("wait", wait, live=True), stage("write", write)])


@pytest.mark.parametrize(("program", "code"), [("pass", 0), ("raise SystemExit(3)", 1)])
def test_main_failed_stage_sets_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], program: str, code: int
) -> None:
    monkeypatch.setattr(stages, "PLANS", {"check": (stage("one", program, live=True), stage("two", "pass"))})
    assert code == stages.main(["check"])
    ended = "failed: one" if code else "all passed"
    assert capfd.readouterr().out.splitlines()[-1].endswith(f" s; {ended}")


def test_main_unknown_plan_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        stages.main(["nothing"])
    assert 2 == ended.value.code
    assert "invalid choice: 'nothing'" in capsys.readouterr().err


TERMINATED = """
import sys
from tests.support import guarded, stages
program = "echo $$ > " + sys.argv[1] + "; echo on; exec sleep 3600"
stages.PLANS = {"check": (stages.Stage("long", ("sh", "-c", program), live=True),)}
sys.exit(guarded.until_terminated(lambda: stages.main(["check"])))
"""


def test_terminated_plan_ends_its_stages(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TERMINATED, str(tmp_path / "pid")]
    with subprocess.Popen(command, cwd=stages.ROOT, stdout=subprocess.PIPE, text=True) as plan:
        assert plan.stdout is not None
        while plan.stdout.readline() != "on\n":
            pass
        plan.terminate()
        assert 128 + signal.SIGTERM == plan.wait(60)
    left = int((tmp_path / "pid").read_text())
    wait_for(lambda: not runs(left))


def test_memory_folder_is_one_with_enough_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "SPACE", 1)
    assert tmp_path == memory_folder(tmp_path)
    monkeypatch.setattr(shared, "SPACE", 1 << 60)
    assert None is memory_folder(tmp_path)
    assert tmp_path == memory_folder(tmp_path, space=1)
    assert None is memory_folder(tmp_path / "missing")


def test_memory_folder_may_not_be_larger_than_the_free_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "meminfo"
    monkeypatch.setattr(shared, "MEMORY", memory)
    memory.write_text("MemTotal:       16000 kB\nMemAvailable:    1000 kB\n")
    assert tmp_path == memory_folder(tmp_path, space=1000 << 10)
    assert None is memory_folder(tmp_path, space=1001 << 10)
    memory.unlink()  # not Linux
    assert tmp_path == memory_folder(tmp_path, space=1001 << 10)


def test_temporary_files_of_every_test_stage_are_in_memory() -> None:
    plans = {name: [stage.in_memory for stage in stages.PLANS[name][-1:]] for name in ("check", "test")}
    assert {"check": [shared.SPACE], "test": [2 * shared.SPACE]} == plans


@pytest.mark.parametrize("in_memory", [1, 0])
def test_failures_stage_in_memory_has_its_temporary_files_there(
    in_memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stages, "memory_folder", lambda space: tmp_path)
    program = "import tempfile; print(tempfile.gettempdir())"
    failures([Stage("one", (sys.executable, "-c", program), live=True, in_memory=in_memory)])
    assert (str(tmp_path) in capfd.readouterr().out) is bool(in_memory)
