"""Tasks while the database or the storage is away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imgcore.db.tasks import TaskRepository
from imgcore.errors import Blocked, Unavailable
from imgcore.gallery.models import TaskKind, TaskStatus
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Outcome, Processor
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeStorage
from tests.unit.pipeline_photos import CAPTION, SOON, THUMBNAIL, news, now, upload


def test_process_unreachable_database_raises_unavailable(processor: Processor, storage: FakeStorage) -> None:
    """The queue delivers the message again."""

    class Away:
        def __getattr__(self, name: str) -> object:
            raise Unavailable("The database is away.")

    with pytest.raises(Unavailable):
        replace(processor, images=Away()).process(  # type: ignore[arg-type]
            ObjectCreated(BUCKET, "raw/x.jpg"), THUMBNAIL, deadline=SOON
        )


class Outage:
    """The task repository of a database that is away for the first ``calls`` calls of each method."""

    def __init__(self, tasks: TaskRepository, calls: int) -> None:
        self._tasks = tasks
        self._calls = calls
        self._left: dict[str, int] = {}

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            left = self._left.setdefault(name, 0 if name == "claim" else self._calls)
            self._left[name] = max(0, left - 1)
            if left:
                raise Unavailable("The database cannot be reached just now.")
            return getattr(self._tasks, name)(*given, **named)

        return call


@pytest.mark.parametrize("kind", list(TaskKind))
def test_process_result_outlasts_a_short_outage_of_the_database(
    processor: Processor,
    repositories: Repositories,
    storage: FakeStorage,
    captioner: FakeCaptioner,
    kind: TaskKind,
) -> None:
    """The result is offered again after 0.25, 0.5 and 1 s; the model is called once."""
    image, slept = upload(repositories, storage), list[float]()
    outage: Any = Outage(processor.tasks, calls=3)

    outcome = replace(processor, tasks=outage, sleep=slept.append).process(news(image), kind, deadline=SOON)

    assert (Outcome.DONE, [0.25, 0.5, 1.0]) == (outcome, slept)
    assert TaskStatus.DONE is now(repositories, image).task(kind).status
    assert len(captioner.deadlines) == (kind is CAPTION)


def test_process_failure_outlasts_a_short_outage_of_the_database(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    captioner.answers = [Blocked("The model declined.")]
    image, slept = upload(repositories, storage), list[float]()
    outage: Any = Outage(processor.tasks, calls=1)

    outcome = replace(processor, tasks=outage, sleep=slept.append).process(news(image), CAPTION, deadline=SOON)

    assert (Outcome.BLOCKED, [0.25]) == (outcome, slept)


def test_process_long_outage_of_the_database_ends_before_the_deadline(
    processor: Processor, repositories: Repositories, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is moved by the waits alone."""
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    image = upload(repositories, storage)
    away: Any = Outage(processor.tasks, calls=1000)

    with pytest.raises(Unavailable):
        replace(processor, tasks=away, sleep=sleep).process(news(image), THUMBNAIL, deadline=130.0)
    assert 120.0 < clock[0] < 130.0


def test_process_unreachable_storage_is_parked(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    image = upload(repositories, storage)
    storage.broken = Unavailable("The uploads bucket cannot be reached just now.", code="storage")

    assert Outcome.PARKED == processor.process(news(image), THUMBNAIL, deadline=SOON)
    assert "storage" == now(repositories, image).task(THUMBNAIL).error


@pytest.mark.parametrize("code", ["storage", "storage_refused"])
@pytest.mark.parametrize("kind", TaskKind)
def test_process_storage_that_is_away_for_long_fails_no_photo(
    processor: Processor, repositories: Repositories, storage: FakeStorage, kind: TaskKind, code: str
) -> None:
    """Pauses grow to some minutes; as soon as the storage is back, the task is done."""
    image = upload(repositories, storage)
    waiting = replace(processor, rng=lambda: 0.5)
    storage.broken = Unavailable("The uploads bucket cannot be reached just now.", code=code)
    wait = "SELECT (julianday(next_at) - julianday('now')) * 86400 FROM tasks WHERE kind = :kind"
    due = "UPDATE tasks SET next_at = {now} WHERE kind = :kind"
    waits = []
    for _ in range(3 * processor.timing.max_attempts):
        assert Outcome.PARKED == waiting.process(news(image), kind, deadline=SOON)
        waits.append(repositories.database.read(lambda tx: tx.tuples(wait, kind=kind.value))[0][0])
        repositories.database.run(lambda tx: tx.execute(due, kind=kind.value))
    assert waits[:5] == pytest.approx([10, 20, 40, 80, 160], abs=2)
    assert waits[5:] == pytest.approx([160] * len(waits[5:]), abs=2)

    storage.broken = None
    assert Outcome.DONE == waiting.process(news(image), kind, deadline=SOON)


def test_process_object_that_storage_refuses_for_a_day_fails(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    image = upload(repositories, storage)
    storage.broken = Unavailable("The uploads bucket refused the request.", code="storage_refused")
    day = "UPDATE images SET uploaded_at = {ago:day} WHERE public_id = :public_id"
    due = "UPDATE tasks SET next_at = {now} WHERE kind = 'caption'"
    values = {"day": 86_400_000_000, "public_id": image.public_id}
    outcomes = []
    for _ in range(processor.timing.max_attempts):
        outcomes.append(processor.process(news(image), CAPTION, deadline=SOON))
        repositories.database.run(lambda tx: tx.execute(day, **values))
        repositories.database.run(lambda tx: tx.execute(due))
    assert [Outcome.PARKED] * (len(outcomes) - 1) + [Outcome.FAILED] == outcomes
