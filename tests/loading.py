"""Modules of roles, which lie where Ansible or Lambda looks for them and Python does not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]


def module_at(path: Path | str) -> ModuleType:
    """Run the file (absolute, or from the repository's root) as a module of its own, anew with each call."""
    file = ROOT / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
