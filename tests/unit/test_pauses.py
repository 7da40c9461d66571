"""A command whose processes stand still now and then."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support import pauses
from tests.support.processes import runs
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]
# A parent whose child measures its own longest step
CHILD = """
import sys, time
end, last, longest = time.monotonic() + 60, time.monotonic(), 0.0
while longest < 0.25 and last < end:
    time.sleep(0.001)
    now = time.monotonic()
    last, longest = now, max(longest, now - last)
sys.exit(3 if longest >= 0.25 else 4)
"""
PARENT = "import subprocess, sys\nsys.exit(subprocess.run([sys.executable, '-c', sys.argv[1]]).returncode)"


def test_child_of_the_command_stands_still_and_its_code_is_returned() -> None:
    code, count = pauses.run([sys.executable, "-c", PARENT, CHILD], random.Random(1))
    assert 3 == code
    assert count >= 1


def test_command_without_children_is_not_paused(capfd: pytest.CaptureFixture[str]) -> None:
    assert (0, 0) == pauses.run([sys.executable, "-c", "print('done')"], random.Random(1))
    assert "done\n" == capfd.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["/no/such/program"]])
def test_main_without_a_program_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pauses", *arguments])
    with pytest.raises(SystemExit) as ended:
        pauses.main()
    assert 2 == ended.value.code
    assert "error: " in capsys.readouterr().err


def test_terminated_command_leaves_no_paused_process() -> None:
    """One that stands still would stay so for good."""
    command = [sys.executable, "-m", "tests.support.pauses", "sh", "-c", "sleep 3600 & echo $!; wait"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        wait_for(lambda: child.status() == psutil.STATUS_STOPPED)
        process.terminate()
        process.wait(60)
    wait_for(lambda: not runs(child.pid))
