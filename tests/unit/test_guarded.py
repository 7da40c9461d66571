"""The children of a test process end with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import guarded
from tests.support.processes import processes, runs
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
# A child that has a child of its own and ignores SIGTERM, as a stalled playbook may; a fork; and a folder.
PARENT = """
import os, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.support import guarded

folder = Path(sys.argv[1])
script = "trap '' TERM; sleep 60 & echo $! > {0}; sleep 60".format(folder / "pid")
(folder / "data").mkdir()
guarded.remove_at_end(folder / "data")
guarded.start(["sh", "-c", script])
if not (fork := os.fork()):
    time.sleep(60)
    os._exit(0)
(folder / "fork").write_text(str(fork))
while not (folder / "pid").exists() or not (folder / "pid").read_text().endswith("\\n"):
    time.sleep(0.01)
print("started", flush=True)
time.sleep(60)
"""
# A thread that waits for a playbook, inside a context manager that cleans up.
DRILL = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.support import guarded

submitted = threading.Event()  # a signal in submit() would leave a thread that nobody ends

def lived(folder):
    try:
        submitted.wait()
        print("started", flush=True)
        return guarded.run(["sleep", "60"], cwd=folder, env={"PATH": "/usr/bin:/bin"}).returncode
    finally:
        (folder / "clean").touch()

def main():
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(lived, Path(sys.argv[1]))
        submitted.set()
        return result.result()

sys.exit(guarded.until_terminated(main))
"""

# A fork that says whether its signals go to the parent.
FORK = """
import os, signal, sys
from tests.support import guarded

def main():
    if not (fork := os.fork()):
        os._exit(signal.set_wakeup_fd(-1) != -1)
    return os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])

sys.exit(guarded.until_terminated(main))
"""


def started(program: str, folder: Path) -> subprocess.Popen[str]:
    """Start one of the programs and return when its child runs."""
    command = [sys.executable, "-c", program, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_process_killed_ends_its_children_and_removes_folders(tmp_path: Path, number: signal.Signals) -> None:
    """The default action of SIGTERM runs no context manager either; a fork that lives on changes nothing."""
    with started(PARENT, tmp_path) as parent:
        grandchild = int((tmp_path / "pid").read_text())
        assert runs(grandchild)
        parent.send_signal(number)
    try:
        wait_for(lambda: not runs(grandchild))
        wait_for(lambda: not (tmp_path / "data").exists())
    finally:
        os.kill(int((tmp_path / "fork").read_text()), signal.SIGKILL)


def test_until_terminated_sigterm_leaves_context_managers(tmp_path: Path) -> None:
    """A thread that waits for a playbook goes on when the playbook has been stopped."""
    with started(DRILL, tmp_path) as drill:
        drill.send_signal(signal.SIGTERM)
        assert drill.wait(60) == 128 + signal.SIGTERM
    assert (tmp_path / "clean").exists()


def test_until_terminated_the_end_of_a_fork_ends_nothing_else() -> None:
    assert 0 == subprocess.run([sys.executable, "-c", FORK], cwd=ROOT, check=False).returncode


def test_run_timeout_kills_the_group(tmp_path: Path) -> None:
    """What the command has started does not go on."""
    seconds = f"60.{os.getpid()}"  # how it is found: on a busy machine it may not even have begun
    with pytest.raises(subprocess.TimeoutExpired):
        guarded.run(["sh", "-c", f"sleep {seconds} & wait"], cwd=tmp_path, env=dict(os.environ), timeout=0.5)
    wait_for(lambda: not any(seconds in each.command for each in processes()))


def test_run_returns_status_and_output(tmp_path: Path) -> None:
    """The result is that of subprocess.run."""
    script = "echo out; echo error >&2; exit 3"
    done = guarded.run(["sh", "-c", script], cwd=tmp_path, env=dict(os.environ))
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "error\n")
