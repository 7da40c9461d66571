"""The interpreter of Ansible's modules in `make run`, in a folder whose path a shell would split."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from roles.local_cloud.files.emulator import Emulator
from tests.cloud import ROOT

PLAYBOOK = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n"


def environment_at(folder: Path) -> Path:
    """Create a virtual environment with the packages of this one; return its interpreter."""
    (folder / "bin").mkdir(parents=True)
    for name in ("lib", "pyvenv.cfg"):
        (folder / name).symlink_to(Path(sys.prefix) / name)
    python = folder / "bin/python"
    python.symlink_to(Path(sys.executable).resolve())
    program = python.with_name("ansible-playbook")
    program.write_text("from ansible.cli.playbook import main\nmain()\n")
    return python


def test_modules_run_in_a_folder_with_a_space_and_a_quote(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(ROOT / "roles/local_cloud/files")  # as run.py, which is a script, imports it
    steps = importlib.import_module("steps")
    python = environment_at(tmp_path / "my gallery's")
    monkeypatch.setattr(steps.sys, "executable", str(python))
    (book := tmp_path / "ping.yml").write_text(PLAYBOOK)
    command = [str(book) if part == "playbooks/local.yml" else part for part in steps.playbook(tmp_path)]
    done = subprocess.run(
        [python, *command],
        cwd=ROOT,
        env={**os.environ, **steps.ansible_environ(ROOT, Emulator(tmp_path, 1, "key", "secret"), {})},
        capture_output=True,
        text=True,
    )
    assert "ok=1" in done.stdout, done.stdout + done.stderr
    assert 0 == done.returncode
