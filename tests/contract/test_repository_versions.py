"""Every change of what a card shows increases the image's version."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgcore.db.connection import Database
from imgcore.db.versions import changes_tasks, with_version
from imgcore.gallery.models import Edit, Image, TaskKind, TaskStatus
from tests.contract.images import (
    CAPTION,
    THUMBNAIL,
    abandoned,
    arrived,
    claim,
    described,
    description,
    event,
    finish,
    new,
    stored,
)
from tests.support.repositories import Repositories

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bystanders() -> None:
    """None here: two tests change every row."""


Change = Callable[[Repositories, Image], Any]

# Each change is applied to a photo in the state that ``start`` leaves; it must be visible, and counted.
CHANGES: dict[str, tuple[Callable[[Repositories], Image], Change]] = {
    "received": (lambda r: r.images.add(new()), lambda r, i: r.images.receive(event(i), new())),
    "claimed": (arrived, lambda r, i: claim(r, i, CAPTION)),
    "described": (arrived, lambda r, i: r.tasks.finish_caption(claim(r, i, CAPTION), description())),
    "thumbnail": (arrived, lambda r, i: finish(r, i, claim(r, i, THUMBNAIL))),
    "parked": (
        arrived,
        lambda r, i: r.tasks.park(claim(r, i, CAPTION), code="x", message="Later.", delay=9, refund=True),
    ),
    "failed": (
        arrived,
        lambda r, i: r.tasks.fail(claim(r, i, CAPTION), TaskStatus.FAILED, code="x", message="No."),
    ),
    "rejected": (arrived, lambda r, i: r.tasks.reject(claim(r, i, THUMBNAIL), code="x", message="No.")),
    "edited": (lambda r: described(r, "a.jpg"), lambda r, i: r.images.edit(i.public_id, Edit(caption="New"))),
    "deleted": (arrived, lambda r, i: r.images.delete(i.public_id)),
    "expired": (lambda r: r.images.add(new(expires_in=-1000)), lambda r, i: r.sweep.expire(i.public_id)),
    "crashed": (
        lambda r: r.images.get(_crashed(r).public_id) or arrived(r),
        lambda r, i: r.sweep.fail_exhausted_tasks(max_attempts=1),
    ),
}


def _crashed(repositories: Repositories) -> Image:
    image = arrived(repositories)
    abandoned(repositories, image, TaskKind.CAPTION)
    return image


@pytest.mark.parametrize("name", CHANGES)
def test_a_visible_change_increases_the_version(repositories: Repositories, name: str) -> None:
    start, change = CHANGES[name]
    before = stored(repositories, start(repositories))

    change(repositories, before)

    after = stored(repositories, before)
    assert replace(after, version=before.version) != before
    assert after.version > before.version


def test_restored_and_reopened_increase_the_version(repositories: Repositories) -> None:
    image = arrived(repositories)
    repositories.tasks.fail(claim(repositories, image, CAPTION), TaskStatus.FAILED, code="x", message="No.")
    seen = [stored(repositories, image).version]
    for change in (repositories.images.reopen, repositories.images.delete, repositories.images.restore):
        assert change(image.public_id)
        seen.append(stored(repositories, image).version)

    assert sorted(set(seen)) == seen


def test_statements_over_many_tasks_increase_the_versions(
    repositories: Repositories, database: Database
) -> None:
    images = [arrived(repositories) for _ in range(3)]
    before = [stored(repositories, image).version for image in images]
    statement = "UPDATE tasks SET next_at = {now} WHERE status = 'pending' AND kind = :kind AND image_id > 0"

    database.run(lambda tx: tx.execute(statement, kind="caption"))

    assert [version + 1 for version in before] == [stored(repositories, image).version for image in images]


def test_what_no_card_shows_changes_no_version(repositories: Repositories) -> None:
    image = arrived(repositories)
    version = stored(repositories, image).version
    repositories.sweep.due_tasks(within=60, lost_after=-60, again_after=300, limit=500)
    repositories.sweep.index_unindexed(limit=10)

    assert version == stored(repositories, image).version


def test_statements_that_write_are_executed_by_name() -> None:
    """Only Transaction.execute knows of versions: no module hands an UPDATE to another method."""
    for path in sorted((ROOT / "imgcore").rglob("*.py")):
        if path.name in ("connection.py", "dialects.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in ("executemany", "executescript"), path
                if node.func.attr in ("rows", "row", "insert"):
                    text = "".join(ast.unparse(argument) for argument in node.args)
                    assert not re.search(r"UPDATE (images|tasks)", text), (path, text)


@pytest.mark.parametrize("table", ["images", "tasks"])
def test_updates_are_written_so_that_they_are_known(table: str) -> None:
    """One blank, capital letters, no alias: as with_version and changes_tasks read them."""
    for path in sorted((ROOT / "imgcore").rglob("*.py")):
        for found in re.findall(rf"(?i)update\s+{table}\b[^\"]*", path.read_text()):
            if path.name != "versions.py":
                assert found.startswith(f"UPDATE {table} SET "), (path, found)


def test_only_hidden_columns_alone_leave_the_version() -> None:
    hidden = "UPDATE images SET search_text = :text WHERE id = :id"
    both = "UPDATE images SET checked_at = {now}, name = :name WHERE id = :id"

    assert hidden == with_version(hidden)
    assert both.replace("SET ", "SET version = version + 1, changed_at = {now}, ") == with_version(both)
    assert not changes_tasks("UPDATE tasks SET dispatched_at = {now} WHERE id = :id")
    assert changes_tasks("UPDATE tasks SET dispatched_at = {now}, status = 'x' WHERE id = :id")
