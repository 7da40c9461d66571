"""Run playbooks fast: modules run in forks of a warm interpreter and are packed once for a test process."""

from __future__ import annotations

import atexit
import json
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.deploy.warm import warm

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ansible:
    """An interpreter for Ansible's modules that has imported AWS's SDK, and the folder of packed modules."""

    python: Path
    packed: Path

    def command(
        self, inventory: str, playbook: str, *arguments: str, variables: Mapping[str, Any]
    ) -> list[str]:
        """Return the command line that runs a playbook with these extra variables."""
        program = [sys.executable, "-P", str(ROOT / "tests/deploy/playbook.py"), str(self.packed)]
        given = {"ansible_python_interpreter": str(self.python), **variables}
        return [*program, "-i", inventory, playbook, "-e", json.dumps(given), *arguments]

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


@cache
def ansible() -> Ansible:
    """Return this process's Ansible; its interpreter ends with the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    packed = stack.enter_context(tempfile.TemporaryDirectory(prefix="ansible-modules-"))
    return Ansible(stack.enter_context(warm()), Path(packed))
