"""The import rules between packages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FEATURES = {"gallery", "pipeline", "accounts", "notifications", "spending", "campaigns", "collections"} | {
    "webhooks"
}
BASE = {"errors", "config", "backoff", "single_flight", "text"}
# What one feature may import from another: data, the names of objects, the protocols of adapters, and the pure
# rules for tokens and for the limits of attempts.
SHARED = {
    "models",
    "share_models",
    "part_models",
    "maintenance_models",
    "events",
    "descriptions",
    "embedded",
    "foreign_formats",
    "keys",
    "media_types",
    "edits",
    "languages",
    "ports",
    "messages",
    "s3_events",
    "limits",
    "listing",
    "pictures",
    "places",
    "states",
    "viewers",
    "changes",
    "filters",
    "tokens",
    "throttle",
}
# The composition root, by parts
ROOTS = {"bootstrap", "bootstrap_accounts", "bootstrap_collections"}
ADAPTERS = {"imaging", "captioning", "captioning.gemini", "captioning.local", "captioning.openai", "db", "aws"}
# Services and models that an adapter implements a protocol for.
IMPLEMENTED = {*SHARED, "subscriptions"}

# library → the packages that may import it; a library that is not named here may be imported by none of them
OWNERS = {
    "PIL": {"imaging"},
    "pillow_heif": {"imaging"},
    "google": {"captioning.gemini"},
    "numpy": {"captioning.local"},
    "pymysql": {"db"},
    "sqlite3": {"db"},
    "Stemmer": {"db"},
    "boto3": {"aws"},
    "botocore": {"aws"},
    "tqdm": {"cli"},
    "bottle": set(),
    "waitress": set(),
    "argon2": {"accounts"},
    "pyotp": {"accounts"},
    "segno": set(),
    "webauthn": {"accounts"},
}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def dotted(path: Path) -> str:
    """imgcore/gallery/models.py → gallery.models; imgcore/db/__init__.py → db."""
    parts = path.relative_to(ROOT / "imgcore").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


_CAPTIONERS = (["gemini"], ["local"], ["openai"])


def package(module: str) -> str:
    """gallery.models → gallery; captioning.gemini.client → captioning.gemini; errors → errors."""
    first, *rest = module.split(".")
    return f"{first}.{rest[0]}" if first == "captioning" and rest[:1] in _CAPTIONERS else first


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports anywhere, except those for type checkers alone."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            assert node.module is not None
            yield from (_module(node.module, alias.name) for alias in node.names)


def _module(module: str, name: str) -> str:
    """The module that ``from module import name`` imports: ``name`` itself where it is one."""
    inner = ROOT / module.replace(".", "/") / name
    return f"{module}.{name}" if inner.is_dir() or inner.with_suffix(".py").exists() else module


def of_imgcore(path: Path) -> set[str]:
    return {name.removeprefix("imgcore.") for name in imports(path) if name.startswith("imgcore.")}


def allowed(importer: str, imported: str) -> bool:
    """Whether one module of imgcore may import another."""
    ours, theirs, name = package(importer), package(imported), imported.rpartition(".")[2]
    if ours == theirs or theirs == "errors":
        return True
    if ours in BASE:
        return theirs in BASE or imported in {"gallery.models", "gallery.limits"}
    if ours in FEATURES:
        return theirs in BASE or (theirs in FEATURES and name in SHARED)
    if ours in ADAPTERS:
        return (
            theirs in BASE
            or (theirs in FEATURES and name in IMPLEMENTED)
            or (ours.startswith("captioning.") and theirs == "captioning")
        )
    return ours in {*ROOTS, "captioners", "cli", "__main__", ""}


@pytest.mark.parametrize("path", modules("imgcore"), ids=dotted)
def test_imgcore_module_imports_only_what_its_package_may(path: Path) -> None:
    """Features import data and protocols; adapters import models and never each other."""
    assert set() == {name for name in of_imgcore(path) if not allowed(dotted(path), name)}


def test_imgcore_top_level_holds_at_most_ten_modules() -> None:
    assert len(list((ROOT / "imgcore").glob("*.py"))) <= 10


def test_imgcore_packages_are_all_in_the_rules() -> None:
    """A new package is added to the rules before it lands."""
    known = {*BASE, *FEATURES, *ADAPTERS, *ROOTS, "errors", "captioners", "cli", "__main__", ""}

    assert set() == {package(dotted(path)) for path in modules("imgcore")} - known


@pytest.mark.parametrize(
    "path", [*modules("web"), *modules("lambda_build/handlers")], ids=lambda p: str(p.relative_to(ROOT))
)
def test_entry_point_imports_no_adapter(path: Path) -> None:
    """The web application and the Lambda handlers use services, models and the composition root."""
    assert set() == {name for name in of_imgcore(path) if package(name) in {*ADAPTERS, "cli"}}


@pytest.mark.parametrize("path", modules("imgcore"), ids=dotted)
def test_library_is_imported_only_by_its_owner(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)}

    assert [] == [lib for lib, owners in OWNERS.items() if lib in tops and package(dotted(path)) not in owners]


def test_imgcore_imports_no_entry_point() -> None:
    tops = {name.split(".")[0] for path in modules("imgcore") for name in imports(path)}

    assert set() == tops & {"web", "lambda_build", "tests", "roles"}


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in ("imgcore", "web", "lambda_build", "roles", "playbooks", "tests")
        for pattern in ("*.py", "*.js")
        for path in sorted((ROOT / folder).rglob(pattern))
    ],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_module_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
