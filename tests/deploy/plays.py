"""Run playbooks as an operator without an account does: with no AWS settings, and a home of the test's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.cloud import ROOT
from tests.support import guarded
from tests.support.ansible import ansible


def run_playbook(
    playbook: str | Path,
    *arguments: str,
    home: Path,
    inventory: str = "staging",
    environ: Mapping[str, str] | None = None,
    timeout: float = 280,
) -> str:
    """Return the output of a playbook that succeeds. environ: settings beside the clean ones."""
    done = guarded.run(
        ansible().command(f"inventory/{inventory}", str(playbook), *arguments, variables={}),
        cwd=ROOT,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "HOME": str(home),
            **ansible().environ(home),
            **(environ or {}),
        },
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def run_tasks(tasks: Sequence[Mapping[str, Any]], *arguments: str, home: Path, **options: Any) -> str:
    """Return the output of a play of these tasks on this machine. options: of run_playbook."""
    play = home / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
    return run_playbook(play, *arguments, home=home, **options)


def answer_to(number: int, *tasks: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task that runs these and, if one fails, prints its message after ``number``."""
    failed = {"ansible.builtin.debug": {"msg": f"{number}: {{{{ ansible_failed_result.msg }}}}"}}
    return {"block": list(tasks), "rescue": [failed]}


def answers(output: str, count: int) -> list[str]:
    """Return what each task of answer_to has printed, in the order of their numbers; else "nothing"."""
    lines = [line for line in output.splitlines() if line.lstrip().startswith('"msg": "')]
    parts = [line.partition('"msg": "')[2].split(": ", 1) for line in lines]
    found = {part[0]: part[1] for part in parts if part[0].isdecimal()}
    return [found.get(str(number), "nothing") for number in range(count)]
