"""The sweep: lost events, crashed workers, unused forms, the trash, vanished files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgcore.errors import Unavailable
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import (
    EVERYBODY,
    Image,
    NewImage,
    Picture,
    Renditions,
    TaskKind,
    TaskStatus,
    UploadStatus,
)
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Outcome, Processor
from imgcore.pipeline.sweeper import Sweeper
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeQueues, FakeStorage
from tests.unit.pipeline_photos import CAPTION, SOON, THUMBNAIL, news, now, quick, upload


def test_sweep_upload_without_event_is_received_and_queued(
    sweeper: Sweeper, repositories: Repositories, storage: FakeStorage, queues: FakeQueues
) -> None:
    """The object exists, the row is awaiting: both tasks are queued."""
    image = upload(repositories, storage)

    report = quick(sweeper).sweep()

    assert 1 == report.recovered
    assert {(kind, image.image_key) for kind in TaskKind} == {(kind, key) for kind, key, _ in queues.sent}
    assert UploadStatus.RECEIVED == now(repositories, image).upload_status


def test_sweep_task_without_event_is_queued(
    processor: Processor, sweeper: Sweeper, repositories: Repositories, storage: FakeStorage, queues: FakeQueues
) -> None:
    """One function received the event, the other did not."""
    image = upload(repositories, storage)
    processor.process(news(image), THUMBNAIL, deadline=SOON)

    report = quick(sweeper).sweep()

    assert (1, [(CAPTION, image.image_key)]) == (report.redelivered, [sent[:2] for sent in queues.sent])


def test_sweep_task_that_crashed_every_time_fails(
    sweeper: Sweeper, repositories: Repositories, storage: FakeStorage, queues: FakeQueues
) -> None:
    image = upload(repositories, storage)
    hasty = quick(sweeper)
    repositories.images.receive(news(image), NewImage(new_public_id(), image.image_key, "x", None, None, 0.0))
    for _ in range(hasty.timing.max_attempts):
        claim = repositories.tasks.claim(image.image_key, THUMBNAIL, lease=-1.0, max_attempts=5)
        assert claim is not None

    report = hasty.sweep()

    task = now(repositories, image).task(THUMBNAIL)
    assert (1, TaskStatus.FAILED, "crashed") == (report.exhausted, task.status, task.error)


def test_sweep_task_due_before_the_next_sweep_is_queued_once_with_a_delay(
    processor: Processor, sweeper: Sweeper, repositories: Repositories, storage: FakeStorage,
    queues: FakeQueues, captioner: FakeCaptioner,
) -> None:  # fmt: skip
    captioner.answers = [Unavailable("Not now.", retry_after=40.0)]
    image = upload(repositories, storage)
    processor.process(news(image), THUMBNAIL, deadline=SOON)
    processor.process(news(image), CAPTION, deadline=SOON)

    reports = [sweeper.sweep(), sweeper.sweep()]

    ((kind, key, delay),) = queues.sent
    assert [1, 0] == [report.redelivered for report in reports]
    assert (CAPTION, image.image_key) == (kind, key)
    assert 38 < delay <= 40


def test_sweep_unused_form_expires(sweeper: Sweeper, repositories: Repositories, storage: FakeStorage) -> None:
    key = raw_key(new_public_id(), "image/jpeg")
    image = repositories.images.add(NewImage(new_public_id(), key, "x", "image/jpeg", 1, -400.0))

    assert 1 == quick(sweeper).sweep().expired
    assert "expired" == now(repositories, image).status


def test_sweep_valid_form_is_left_alone(sweeper: Sweeper, repositories: Repositories) -> None:
    key = raw_key(new_public_id(), "image/jpeg")
    image = repositories.images.add(NewImage(new_public_id(), key, "x", "image/jpeg", 1, 3600.0))

    report = quick(sweeper).sweep()
    assert (0, 0, "awaiting") == (report.expired, report.recovered, now(repositories, image).status)


def test_sweep_expired_trash_is_purged(
    processor: Processor,
    sweeper: Sweeper,
    repositories: Repositories,
    storage: FakeStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The objects are deleted first, then the row."""
    image = upload(repositories, storage)
    for kind in TaskKind:
        processor.process(news(image), kind, deadline=SOON)
    repositories.images.delete(image.public_id)

    assert 0 == sweeper.sweep().purged
    monkeypatch.setattr("imgcore.pipeline.sweeper.TRASH_SECONDS", 0.0)
    assert 1 == sweeper.sweep().purged
    assert ({}, {}, None) == (storage.uploads, storage.derived, repositories.images.get(image.public_id))


def test_sweep_photo_deleted_for_good_while_it_is_rendered_leaves_no_thumbnails(
    processor: Processor, sweeper: Sweeper, repositories: Repositories, storage: FakeStorage
) -> None:
    """The worker writes its files after a sweep; only the row names them."""
    image, render, purged = upload(repositories, storage), processor.render, []

    def slow(picture: Picture, public_id: str, *, fit: str) -> Renditions:
        repositories.images.delete(image.public_id)
        assert repositories.trash.delete(EVERYBODY, image.public_id)
        purged.append(sweeper.sweep().purged)
        return render(picture, public_id, fit=fit)

    assert Outcome.FENCED is replace(processor, render=slow).process(news(image), THUMBNAIL, deadline=SOON)
    assert storage.derived

    statement = "UPDATE tasks SET lease_until = {now} WHERE status = 'processing'"
    repositories.images._database.run(lambda tx: tx.execute(statement))
    purged.append(sweeper.sweep().purged)

    assert [0, 1] == purged
    assert ({}, {}, None) == (storage.uploads, storage.derived, repositories.images.get(image.public_id))


@pytest.fixture
def finished(processor: Processor, repositories: Repositories, storage: FakeStorage) -> list[Image]:
    """Three finished photos."""
    images = [upload(repositories, storage, data) for data in (b"photo a", b"photo b", b"photo c")]
    for image in images:
        for kind in TaskKind:
            processor.process(news(image), kind, deadline=SOON)
    return [now(repositories, image) for image in images]


def test_sweep_photo_whose_original_has_vanished_fails_with_a_message(
    sweeper: Sweeper, repositories: Repositories, storage: FakeStorage, finished: list[Image]
) -> None:
    """The caption stays, and other photos are unchanged."""
    lost, *others = finished
    del storage.uploads[lost.image_key]

    reports = [sweeper.sweep() for _ in range(2)]

    found = now(repositories, lost)
    assert ([1, 0], 1) == ([report.missing for report in reports], repositories.images.missing())
    assert ("failed", "missing", lost.caption) == (found.status, found.task(THUMBNAIL).error, found.caption)
    assert "has vanished" in (found.task(THUMBNAIL).message or "")
    assert others == [now(repositories, image) for image in others]


@pytest.mark.parametrize("which", ["thumbnail_key", "thumbnail_2x_key", "grid_key", "display_key"])
def test_sweep_vanished_derived_images_are_made_again(
    sweeper: Sweeper,
    processor: Processor,
    repositories: Repositories,
    storage: FakeStorage,
    queues: FakeQueues,
    finished: list[Image],
    which: str,
) -> None:
    _, lost, _ = finished
    derived = dict(storage.derived)
    del storage.derived[getattr(lost, which)]

    report = sweeper.sweep()

    assert (1, [(THUMBNAIL, lost.image_key, 0.0)]) == (report.repaired, queues.sent)
    assert Outcome.DONE == processor.process(ObjectCreated(BUCKET, lost.image_key), THUMBNAIL, deadline=SOON)
    assert (derived, 0) == (storage.derived, sweeper.sweep().repaired)


def test_sweep_away_bucket_fails_no_photo(
    sweeper: Sweeper,
    repositories: Repositories,
    storage: FakeStorage,
    finished: list[Image],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HeadObject answers 404 for a missing bucket too."""
    storage.uploads.clear()

    def away() -> None:
        raise Unavailable("The uploads bucket refused the request: NoSuchBucket.", code="storage_refused")

    monkeypatch.setattr(storage, "ping", away)

    with pytest.raises(Unavailable):
        sweeper.sweep()
    assert finished == [now(repositories, image) for image in finished]


def test_sweep_checks_the_stored_files_of_every_photo_in_turn(
    sweeper: Sweeper, repositories: Repositories, storage: FakeStorage, processor: Processor
) -> None:
    """A few each minute: 25 photos take three."""
    minute = [0.0]
    sweeper = replace(sweeper, clock=lambda: minute[0])
    images = [upload(repositories, storage, f"photo {number}".encode()) for number in range(25)]
    for image in images:
        processor.process(news(image), THUMBNAIL, deadline=SOON)
    storage.uploads.clear()

    missing = []
    for number in range(4):
        minute[0] = 60.0 * number
        missing.append(sweeper.sweep().missing)

    assert ([10, 10, 5, 0], 25) == (missing, repositories.images.missing())
