"""A command whose processes stand still now and then."""

from __future__ import annotations

import random
import sys

import pytest

from tests.support import pauses

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
