"""Load modules of roles, which Python's import system does not find."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import ansible.module_utils

ROOT = Path(__file__).parents[1]
# Ansible packs playbooks/module_utils with a module; in tests the folder becomes part of the same package.
ansible.module_utils.__path__.append(str(ROOT / "playbooks/module_utils"))


def module_at(path: Path | str) -> ModuleType:
    """Execute a file (absolute or relative to the repository) as a new module and return it."""
    file = ROOT / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
