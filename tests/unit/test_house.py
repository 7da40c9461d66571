"""Who may import whom. One wall broken is one failed test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PURE = {"model", "errors"}
CORE = PURE | {"ports", "keys"}
ADAPTERS = {
    "images",
    "thumbnails",
    "metadata",
    "captioning",
    "describing",
    "storage",
    "queues",
    "database",
    "migrations",
    "repository",
    "accountrows",
    "passwords",
    "mailboxes",
    "addressrows",
}
# module → modules of imgcore that it may import
MAY = {
    "model": set(),
    "errors": set(),
    "ports": {"model"},
    "keys": {"model"},
    "config": PURE,
    "events": PURE,
    "pipeline": CORE | {"notices"},
    "notices": PURE,
    "mail": PURE | {"people"},
    "mailboxes": PURE | {"mail"},
    "addressrows": PURE | {"database", "mail", "rows", "throttles"},
    "service": CORE | {"pipeline"},
    "people": PURE,
    "accounts": PURE | {"keys", "people", "pipeline"},
    "accountrows": PURE | {"database", "people", "rows", "throttles"},
    "throttles": {"database", "rows"},
    "passwords": PURE,
    "containers": PURE | {"containers"},
    "refusals": PURE | {"containers"},
    "images": PURE | {"containers", "metadata", "refusals"},
    "metadata": PURE,
    "thumbnails": CORE | {"images"},
    "captioning": PURE | {"config", "prices", "retrying", "prompting"},
    "describing": PURE | {"describing"},
    "storage": PURE,
    "queues": PURE | {"events"},
    "dialects": PURE | {"config"},
    "database": PURE | {"config", "dialects"},
    "migrations": PURE | {"database"},
    "rows": CORE | {"database"},
    "gates": CORE | {"database", "rows"},
    "tasking": CORE | {"database", "rows"},
    "sweeping": CORE | {"database", "rows", "tasking"},
    "noticing": CORE | {"database", "rows"},
    "intake": CORE | {"database", "noticing", "rows"},
    "repository": CORE
    | {"database", "migrations", "rows", "gates", "intake", "tasking", "sweeping", "noticing"},
}
OUTSIDE = {
    "accounts",
    "mail",
    "people",
    "bootstrap",
    "service",
    "pipeline",
    "model",
    "errors",
    "events",
    "config",
    "keys",
}

# library → the only modules that may import it
OWNERS = {
    "PIL": {"images", "thumbnails", "metadata"},
    "pillow_heif": {"images"},
    "google": {"captioning"},
    "numpy": {"describing"},
    "pymysql": {"dialects"},
    "sqlite3": {"dialects"},
    "boto3": {"bootstrap"},
    "botocore": {"bootstrap", "storage", "queues", "mailboxes"},
    "tqdm": {"cli"},
    "bottle": set(),
    "waitress": set(),
    "argon2": {"passwords"},
}


def modules(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def home(path: Path) -> str:
    """imgcore/describing/x.py → describing; imgcore/model.py → model."""
    return path.relative_to(ROOT / "imgcore").parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports anywhere, those for type checkers alone left out."""
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
            if node.level or node.module is None:  # a neighbour in the same package
                continue
            if node.module == "imgcore":
                yield from (f"imgcore.{alias.name}" for alias in node.names)
            else:
                yield node.module


def of_imgcore(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("imgcore.")}


@pytest.mark.parametrize(
    "path", [p for p in modules("imgcore") if home(p) in MAY], ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_room_opens_only_its_own_doors(path: Path) -> None:
    """A module of imgcore imports what the table allows."""
    assert set() == of_imgcore(path) - MAY[home(path)] - {home(path)}


def test_every_room_is_on_the_plan() -> None:
    """A new module finds its place in the table before it lands."""
    known = set(MAY) | {"__init__", "__main__", "bootstrap", "cli", "prices", "retrying", "prompting"}
    known |= {"usercli"}

    assert set() == {home(path) for path in modules("imgcore")} - known


@pytest.mark.parametrize(
    "path", [*modules("web"), *modules("lambda_build/handlers")], ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_faces_never_touch_an_adapter(path: Path) -> None:
    """The web and the handlers know the use cases, not what stands behind them."""
    assert set() == of_imgcore(path) - OUTSIDE


@pytest.mark.parametrize("path", modules("imgcore"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_library_has_one_owner(path: Path) -> None:
    """Whoever wants Pillow, boto3 or a driver asks the module that owns it."""
    tops = {name.split(".")[0] for name in imports(path)}

    assert [] == [lib for lib, owners in OWNERS.items() if lib in tops and home(path) not in owners]


def test_nobody_imports_a_face() -> None:
    """imgcore knows neither the web nor the Lambdas."""
    tops = {name.split(".")[0] for path in modules("imgcore") for name in imports(path)}

    assert set() == tops & {"web", "lambda_build", "tests", "roles"}
