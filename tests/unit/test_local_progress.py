"""The progress of a long step of `make run`: one overwritten line at a terminal, several lines elsewhere."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from roles.local_cloud.files import children as module
from roles.local_cloud.files.children import Children

STEPS = "import time\nfor step in range(8):\n    print('step', step, flush=True)\n    time.sleep(0.05)\n"


def finish(folder: Path) -> None:
    """Run a process of eight steps to its end and show its last line."""
    with Children(folder) as children:
        child = children.start("work", [sys.executable, "-c", STEPS], os.environ, folder)
        children.finish(child, lambda log: log.splitlines()[-1] if log else "")


def test_progress_without_terminal_moves_in_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "PROGRESS_SECONDS", 0.0)
    finish(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert len(set(lines)) > 1
    assert all(line.startswith("         step ") and line.endswith(" s)") for line in lines)


def test_progress_without_terminal_keeps_quiet_between_two_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "PROGRESS_SECONDS", 3600.0)
    finish(tmp_path)
    assert "" == capsys.readouterr().out


def test_progress_without_reader_lets_the_work_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS_SECONDS", 0.0)
    read, write = os.pipe()
    os.close(read)
    output = os.fdopen(write, "w")
    monkeypatch.setattr(sys, "stdout", output)
    finish(tmp_path)
    module.discard_output()
    output.close()


def test_progress_at_terminal_overwrites_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    master, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        finish(tmp_path)
    shown = os.read(master, 65_536).decode()
    os.close(master)
    assert "\r\x1b[K         step" in shown
    assert shown.endswith("\r\x1b[K")
    assert "\n" not in shown
