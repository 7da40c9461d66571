"""Following imports: which modules an archive needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_build.imports import needed_modules
from lambda_build.targets import BuildError

# An entry point, a composition root that imports adapters inside functions, and the adapters.
TREE = {
    "app/__init__.py": "",
    "app/root.py": """
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from app.typing_only import Thing
import json

def used():
    from app.adapter import Adapter
    return _helper(Adapter)

def _helper(adapter):
    from app import transitive
    return transitive.thing(adapter)

def unused():
    from app.other import Other
    return Other

def optional():
    try:
        from app.heavy import run
    except ImportError:
        run = None
    return run

def required():
    from app.heavy import run
    return run
""",
    "app/adapter.py": "import driver\nclass Adapter:\n    def run(self):\n        import app.method\n",
    "app/method.py": "",
    "app/transitive.py": "def thing(x):\n    return x\n\ndef other():\n    import app.other\n",
    "app/other.py": "class Other: ...\n",
    "app/typing_only.py": "class Thing: ...\n",
    "app/heavy.py": "from app.nets import run\n",
    "app/nets.py": "def run():\n    import numpy\n    return numpy\nRUN = run\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def needed(tree: Path, main: str, *packages: str) -> set[str]:
    """The modules that a program of these lines needs, without itself and the package ``app``."""
    (tree / "main.py").write_text(main)
    return set(needed_modules(["main"], [tree], packages)) - {"main", "app"}


def test_imports_inside_a_used_function_are_followed_transitively(tree: Path) -> None:
    found = needed(tree, "from app import root\nroot.used()\n", "driver")

    assert {"app.root", "app.adapter", "app.method", "app.transitive"} == found


def test_imports_inside_an_unused_function_are_not_followed(tree: Path) -> None:
    assert {"app.root"} == needed(tree, "from app.root import TYPE_CHECKING\n")


def test_imports_of_a_function_imported_by_name_are_followed(tree: Path) -> None:
    found = needed(tree, "from app.root import unused as make\nmake()\n")

    assert {"app.root", "app.other"} == found


def test_imports_of_a_module_handed_on_are_all_followed(tree: Path) -> None:
    found = needed(tree, "from app import transitive\nprint(transitive)\n")

    assert {"app.transitive", "app.other"} == found


def test_guarded_import_of_a_missing_package_leaves_the_module_out(tree: Path) -> None:
    """The module imports no package itself; a function of a module that it imports does."""
    assert {"app.root"} == needed(tree, "from app import root\nroot.optional()\n")


def test_guarded_import_of_a_present_package_is_followed(tree: Path) -> None:
    found = needed(tree, "from app import root\nroot.optional()\n", "numpy")

    assert {"app.root", "app.heavy", "app.nets"} == found


@pytest.mark.parametrize(
    ("main", "reason"),
    [
        (
            "from app import root\nroot.required()\n",
            "main cannot run: app.nets imports numpy, which is not among",
        ),
        ("import requests\n", "main cannot run: main imports requests, which is not among"),
        ("import app.gone\n", "main cannot run: main imports app.gone, which is not among"),
        ("from . import root\n", "Line 1 has a relative import"),
    ],
)
def test_unguarded_import_that_fails_stops_the_build(tree: Path, main: str, reason: str) -> None:
    with pytest.raises(BuildError, match=reason):
        needed(tree, main)


def test_entry_that_does_not_exist_stops_the_build(tree: Path) -> None:
    with pytest.raises(BuildError, match=r"There is no module gone\."):
        needed_modules(["gone"], [tree], [])
