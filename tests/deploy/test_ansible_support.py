"""How the tests run playbooks: modules by the warm interpreter, without a process between, and packed once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.playbook import environment
from tests.deploy.warm import warm
from tests.support import ansible as support
from tests.support.ansible import Ansible, keep, packed_modules

PYTHON = Path("/tmp/warm-1/python")
PLAY = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "ansible.builtin.stat": {"path": "$GIVEN/play.json"},
                "environment": {"GIVEN": "{{ playbook_dir }}"},
                "register": "found",
            },
            {"ansible.builtin.assert": {"that": ["found.stat.exists"]}},
        ],
    }
]

# A handler is one task that runs twice.
NOTIFY = {
    "ansible.builtin.set_fact": {"value": "{{ item }}"},
    "changed_when": True,
    "loop": ["first"],
    "notify": "Print",
}
FLUSH = {"ansible.builtin.meta": "flush_handlers"}
HANDLED = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "handlers": [{"name": "Print", "ansible.builtin.debug": {"msg": "printed {{ value }}"}}],
        "tasks": [NOTIFY, FLUSH, {**NOTIFY, "loop": ["second"]}, FLUSH],
    }
]


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ("/bin/sh -c '/tmp/warm-1/python && sleep 0'", {}),
        ("/bin/sh -c 'A=1 B='\"'\"'x y'\"'\"' /tmp/warm-1/python && sleep 0'", {"A": "1", "B": "x y"}),
        ("/bin/sh -c '/usr/bin/python && sleep 0'", None),
        ("/bin/sh -c '/tmp/warm-1/python /tmp/module.py && sleep 0'", None),
        ("/bin/sh -c 'echo ~ && sleep 0'", None),
    ],
)
def test_variables_of_a_module_command_are_found(command: str, variables: dict[str, str] | None) -> None:
    assert variables == environment(command, PYTHON)


def test_modules_run_without_the_client_and_with_their_environment(tmp_path: Path) -> None:
    with warm() as python:
        python.write_text("#!/bin/false\n")  # what a shell would start
        run(PLAY, python, tmp_path)
    assert any(path.name.startswith("ansible.modules.stat") for path in (tmp_path / "packed").iterdir())


def test_task_that_runs_twice_in_one_process_is_templated_each_time(tmp_path: Path) -> None:
    printed = run(HANDLED, tmp_path / "python", tmp_path)
    assert ["printed first", "printed second"] == re.findall(r"printed \w+", printed)


def run(play: list[dict[str, Any]], python: Path, home: Path) -> str:
    """Return the output of a play that succeeds."""
    (home / "play.json").write_text(json.dumps(play))
    fast = Ansible(python, home / "packed")
    done = subprocess.run(
        fast.command("inventory/local", str(home / "play.json"), variables={}),
        cwd=support.ROOT,
        env={"PATH": os.defpath, "HOME": str(home), **fast.environ(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_a_changed_module_is_packed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "ROOT", tmp_path)
    module = tmp_path / "roles/a/library/m.py"
    module.parent.mkdir(parents=True)
    folders = set()
    for content in ("x = 1", "x = 2", "x = 1"):
        module.write_text(content)
        folders.add(packed_modules())
    assert 2 == len(folders)


def test_packed_modules_that_nobody_uses_are_removed_after_a_week(tmp_path: Path) -> None:
    for name, age in (("old", support.WEEK + 60), ("recent", support.WEEK - 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    keep(tmp_path / "used")
    assert {"recent", "used"} == {path.name for path in tmp_path.iterdir()}
