"""Run playbooks fast: tasks without forks, modules in forks of a warm interpreter and packed once for all."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.deploy.warm import warm

ROOT = Path(__file__).resolve().parents[2]
PACKED = ROOT / ".local/test-cache/ansible-modules"
WEEK = 7 * 86400  # seconds
# The repository's own modules and what they import; all others come with Ansible.
MODULES = (
    "playbooks/library/*.py",
    "playbooks/module_utils/*.py",
    "roles/*/library/*.py",
    "roles/*/module_utils/*.py",
)


@dataclass(frozen=True)
class Ansible:
    """An interpreter for Ansible's modules that has imported AWS's SDK, and the folder of packed modules."""

    python: Path
    packed: Path

    def command(
        self, inventory: str, playbook: str, *arguments: str, variables: Mapping[str, Any]
    ) -> list[str]:
        """Return the command line that runs a playbook with these extra variables."""
        program = [sys.executable, "-P", str(ROOT / "tests/deploy/playbook.py")]
        given = {"ansible_python_interpreter": str(self.python), **variables}
        return [
            *program,
            str(self.packed),
            str(self.python),
            "-i",
            inventory,
            playbook,
            "-e",
            json.dumps(given),
            *arguments,
        ]

    def environ(self, home: Path) -> dict[str, str]:
        """Return the settings that Ansible needs beside those of AWS; its temporary files are in ``home``."""
        return {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": str(home / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(home / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "AWS_API_CALLS": str(api_calls(home)),
        }


def api_calls(home: Path) -> Path:
    """Return the file that notes each AWS call of the modules: JSON with service, operation, problems."""
    return home / "api_calls.jsonl"


def packed_modules() -> Path:
    """Return the folder of the packed modules of this Ansible and this state of the repository's modules.

    Packing takes a third of a second for each module, so all processes of a run share the folder.
    """
    digest = hashlib.sha256(repr([version("ansible"), version("ansible-core"), sys.version]).encode())
    for path in sorted(path for pattern in MODULES for path in ROOT.glob(pattern)):
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return PACKED / digest.hexdigest()[:16]


def keep(folder: Path) -> None:
    """Create or touch a folder of packed modules; remove those beside it that nobody has used for a week."""
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    for other in folder.parent.iterdir():
        if other.stat().st_mtime < time.time() - WEEK:
            shutil.rmtree(other, ignore_errors=True)


@cache
def ansible() -> Ansible:
    """Return this process's Ansible; its interpreter ends with the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    keep(packed := packed_modules())
    return Ansible(stack.enter_context(warm()), packed)
