"""Every call of every use case fails once, in each way: what is acknowledged holds, and the rest converges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from imgcore.db.sweep import SweepRepository
from imgcore.errors import Blocked, Conflict, ImgcoreError, RateLimited
from imgcore.gallery.models import Edit, TaskKind
from tests.pipeline.seeded_bugs import acknowledgement_before_commit
from tests.pipeline.world import MAX_RECEIVES, Killed, Mode, World, with_captioner

WORDS = Edit("A person's words.", None, ["mine"])


@dataclass(frozen=True)
class UseCase:
    """What happened before, what is done, and whether a person does it, and again until it is acknowledged."""

    before: Callable[[World], object]
    act: Callable[[World], object]
    person: bool = False


def uploaded(world: World, data: bytes = b"photo", *, events: bool = True) -> None:
    world.announce()
    world.messages.clear()
    world.put(data, events=events)


def processed(world: World) -> None:
    """A finished photo, and one of which nothing changes: a bystander."""
    for name in ("bystander.jpg", "a.jpg"):
        world.announce(name)
    world.settle()


def failed(world: World) -> None:
    with_captioner(world, Blocked("The model declined."), "A red barn.")
    world.announce()
    world.settle()


def rate_limited(world: World) -> None:
    uploaded(world)
    with_captioner(world, RateLimited("Later.", retry_after=60.0), "A red barn.")


def half_done(world: World) -> None:
    uploaded(world)
    world.deliver(TaskKind.CAPTION)
    world.messages.clear()


def without_thumbnails(world: World) -> None:
    processed(world)
    world.storage.derived.clear()


def without_original(world: World) -> None:
    processed(world)
    del world.storage.uploads[f"raw/{world.ids[-1]}.jpg"]


def used_twice(world: World) -> None:
    processed(world)
    world.put(b"other", "v2")


def trashed(world: World) -> None:
    processed(world)
    world.gallery.delete(world.ids[-1])


def trashed_long_ago(world: World) -> None:
    trashed(world)
    with world.database.transaction() as tx:
        tx.execute(
            "UPDATE images SET deleted_at = '2000-01-01 00:00:00.000000' WHERE public_id = :id",
            id=world.ids[-1],
        )


def not_notified(world: World) -> None:
    uploaded(world)
    world.deliver()


def last(world: World) -> str:
    return world.ids[-1]


USE_CASES = {
    "upload": UseCase(lambda world: None, World.announce, person=True),
    "make the thumbnails": UseCase(uploaded, lambda world: world.deliver(TaskKind.THUMBNAIL)),
    "describe": UseCase(uploaded, lambda world: world.deliver(TaskKind.CAPTION)),
    "describe at the rate limit": UseCase(rate_limited, lambda world: world.deliver(TaskKind.CAPTION)),
    "reject a file": UseCase(lambda world: uploaded(world, b"bad"), World.deliver),
    "find a lost event": UseCase(lambda world: uploaded(world, events=False), World.sweep),
    "find a lost task": UseCase(half_done, World.sweep),
    "find vanished thumbnails": UseCase(without_thumbnails, World.sweep),
    "find a vanished original": UseCase(without_original, World.sweep),
    "remove a second upload": UseCase(used_twice, World.deliver),
    "purge": UseCase(trashed_long_ago, World.sweep),
    "notify": UseCase(not_notified, World.sweep),
    "edit": UseCase(processed, lambda world: world.gallery.edit(last(world), WORDS), person=True),
    "delete": UseCase(processed, lambda world: world.gallery.delete(last(world)), person=True),
    "restore": UseCase(trashed, lambda world: world.gallery.restore(last(world)), person=True),
    "retry": UseCase(failed, lambda world: world.gallery.retry(last(world)), person=True),
    "describe again": UseCase(processed, lambda world: world.gallery.recaption(last(world)), person=True),
}


def run(folder: Path, use_case: UseCase, at: int, mode: Mode = Mode.ERROR) -> tuple[int, dict[str, Any]]:
    """Let call number ``at`` fail; return how many calls the use case makes, and the state at the end."""
    folder.mkdir()
    world = World(folder)
    try:
        use_case.before(world)
        world.faults.at, world.faults.mode, world.faults.armed = at, mode, True
        acknowledged = False
        while not acknowledged:
            try:
                use_case.act(world)
                acknowledged = True
            except Conflict:  # a person has done it already
                acknowledged = True
            except (ImgcoreError, Killed):
                acknowledged = not use_case.person
        calls = world.faults.count
        world.settle()
        assert max((message.receives for message in world.messages), default=0) <= MAX_RECEIVES
        return calls, world.state()
    finally:
        world.close()


def differences(folder: Path, use_case: UseCase, modes: Sequence[Mode]) -> list[str]:
    """Return each fault after which the state is another one than without."""
    calls, expected = run(folder / "none", use_case, 0)
    assert calls > 0
    found = []
    for mode in modes:
        for at in range(1, calls + 1):
            _, state = run(folder / f"{mode} {at}", use_case, at, mode)
            if state != expected:
                found.append(f"{mode} at call {at} of {calls}: {state}")
    return found


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("name", USE_CASES)
def test_fault_at_any_call_leads_to_the_same_state(tmp_path: Path, name: str, mode: Mode) -> None:
    assert [] == differences(tmp_path, USE_CASES[name], [mode])


def never_redeliver() -> AbstractContextManager[object]:
    return patch.object(SweepRepository, "due_tasks", lambda self, **given: [])


def purge_the_row_first() -> AbstractContextManager[object]:
    expired_trash = SweepRepository.expired_trash

    def purged(self: SweepRepository, **given: Any) -> Any:
        found = expired_trash(self, **given)
        for image in found:
            self.purge(image.public_id)
        return found

    return patch.object(SweepRepository, "expired_trash", purged)


BUGS = {
    "acknowledge before commit": (acknowledgement_before_commit, "edit"),
    "never redeliver": (never_redeliver, "make the thumbnails"),
    "purge the row first": (purge_the_row_first, "purge"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_seeded_bug_is_detected(tmp_path: Path, bug: str) -> None:
    """It shows as another state, or as one that never settles."""
    seed, name = BUGS[bug]
    try:
        with seed():
            found = differences(tmp_path, USE_CASES[name], list(Mode))
    except AssertionError as error:
        found = [str(error)]
    assert found
