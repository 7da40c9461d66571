"""Tasks of images: success, duplicates and errors of the file, the description and the worker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgcore.errors import BadAnswer, Blocked, ImgcoreError, Misconfigured, RateLimited, Rejected, Unavailable
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import Image, NewImage, Source, TaskKind, TaskStatus, UploadStatus
from imgcore.pipeline.models import ObjectCreated, Timing
from imgcore.pipeline.processing import Outcome, Processor
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeStorage
from tests.unit.pipeline_photos import CAPTION, SOON, THUMBNAIL, news, now, upload


def test_process_both_tasks_makes_a_finished_image(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    image = upload(repositories, storage)

    outcomes = [processor.process(news(image), kind, deadline=SOON) for kind in TaskKind]

    found = now(repositories, image)
    assert [Outcome.DONE, Outcome.DONE] == outcomes
    assert ("done", "A red barn.", "Alt: A red barn.", ("barn", "red", "field"), Source.GEMINI) == (
        found.status,
        found.caption,
        found.alt_text,
        found.tags,
        found.source,
    )
    assert (400, 300, 5) == (found.width, found.height, found.size)
    assert set(found.derived_keys) == set(storage.derived)


def test_process_duplicate_event_changes_nothing(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """The second delivery finds the task done and does not call the model."""
    image = upload(repositories, storage)

    outcomes = [processor.process(news(image), CAPTION, deadline=SOON) for _ in range(3)]

    assert [Outcome.DONE, Outcome.IDLE, Outcome.IDLE] == outcomes
    assert 1 == len(captioner.deadlines)


@pytest.mark.parametrize("first", ["v1", "v2"])
def test_process_second_use_of_a_form_is_removed(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner, first: str
) -> None:
    """Whichever version is received first stays; the model is called once. Events come to both functions."""
    image, other = upload(repositories, storage), "v1" if first == "v2" else "v2"

    outcomes = [
        processor.process(replace(news(image), version_id=version), kind, deadline=SOON)
        for version in (first, other, first, other)
        for kind in TaskKind
    ]

    kept, surplus = [Outcome.IDLE] * 2, [Outcome.SURPLUS] * 2
    assert [Outcome.DONE] * 2 + surplus + kept + surplus == outcomes
    assert [(image.image_key, other)] * 2 == storage.removed_versions
    assert (1, first) == (len(captioner.deadlines), now(repositories, image).version_id)


@pytest.mark.parametrize("data", [b"bad", b"photo"])
def test_process_second_use_of_a_form_of_a_rejected_or_deleted_photo_is_removed(
    processor: Processor, repositories: Repositories, storage: FakeStorage, data: bytes
) -> None:
    image = upload(repositories, storage, data)
    processor.process(replace(news(image), version_id="v1"), CAPTION, deadline=SOON)
    repositories.images.delete(image.public_id)

    outcome = processor.process(replace(news(image), version_id="v2"), CAPTION, deadline=SOON)

    assert (Outcome.SURPLUS, [(image.image_key, "v2")]) == (outcome, storage.removed_versions)


@pytest.mark.parametrize("version", ["v1", None])
def test_process_file_of_a_purged_photo_is_hidden(
    processor: Processor, repositories: Repositories, storage: FakeStorage, version: str | None
) -> None:
    image = upload(repositories, storage)
    repositories.images.delete(image.public_id)
    assert repositories.sweep.purge(image.public_id)

    outcomes = [
        processor.process(replace(news(image), version_id=version), kind, deadline=SOON) for kind in TaskKind
    ]

    assert [Outcome.SURPLUS] * 2 == outcomes
    assert ([image.image_key], []) == (storage.hidden, storage.removed_versions)
    assert () == repositories.pages.page(cursor=None, limit=10, query=None).images


@pytest.mark.parametrize(("received", "event"), [(None, "v1"), ("v1", None), (None, None)])
def test_process_event_without_a_version_removes_nothing(
    processor: Processor,
    repositories: Repositories,
    storage: FakeStorage,
    received: str | None,
    event: str | None,
) -> None:
    """Tasks of the sweep name no version, and neither does a bucket without versions."""
    image = upload(repositories, storage)

    outcomes = [
        processor.process(replace(news(image), version_id=version), CAPTION, deadline=SOON)
        for version in (received, event)
    ]

    assert ([Outcome.DONE, Outcome.IDLE], []) == (outcomes, storage.removed_versions)


def test_process_surplus_version_is_tried_again_while_the_bucket_is_away(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """The function postpones the message."""
    image = upload(repositories, storage)
    processor.process(replace(news(image), version_id="v1"), CAPTION, deadline=SOON)
    storage.broken = Unavailable("The uploads bucket cannot be reached just now.", code="storage")

    with pytest.raises(Unavailable):
        processor.process(replace(news(image), version_id="v2"), CAPTION, deadline=SOON)


@pytest.mark.parametrize(
    "created", [ObjectCreated("another", "raw/x.jpg"), ObjectCreated(BUCKET, "thumbnails/x/200.webp")]
)
def test_process_object_outside_the_uploads_is_ignored(
    processor: Processor, repositories: Repositories, created: ObjectCreated
) -> None:
    """An object of another bucket, or one that the pipeline wrote itself."""
    assert Outcome.IGNORED == processor.process(created, THUMBNAIL, deadline=SOON)
    assert () == repositories.pages.page(cursor=None, limit=10, query=None).images


def test_process_object_without_a_form_inserts_a_row(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """An object copied into the bucket is captioned like an upload."""
    storage.uploads["raw/from the camera.jpg"] = b"photo"

    outcome = processor.process(ObjectCreated(BUCKET, "raw/from the camera.jpg"), CAPTION, deadline=SOON)

    (image,) = repositories.pages.page(cursor=None, limit=10, query=None).images
    assert (Outcome.DONE, "from the camera.jpg", "A red barn.") == (outcome, image.name, image.caption)


def test_process_bad_file_is_rejected_for_both_tasks(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """The first task stores the reason; the other one is skipped."""
    image = upload(repositories, storage, b"bad")

    outcomes = [processor.process(news(image), kind, deadline=SOON) for kind in (CAPTION, THUMBNAIL)]

    found = now(repositories, image)
    assert [Outcome.REJECTED, Outcome.IDLE] == outcomes
    assert (UploadStatus.REJECTED, "rejected") == (found.upload_status, found.status)
    assert {(TaskStatus.SKIPPED, "not_an_image", "This file is not an image.")} == {
        (task.status, task.error, task.message) for task in found.tasks
    }


def test_process_blocked_caption_is_final(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """The thumbnail is made all the same."""
    captioner.answers = [Blocked("The model declined.")]
    image = upload(repositories, storage)

    outcomes = [processor.process(news(image), kind, deadline=SOON) for kind in (CAPTION, THUMBNAIL)]

    found = now(repositories, image)
    assert [Outcome.BLOCKED, Outcome.DONE] == outcomes
    assert ("failed", TaskStatus.BLOCKED, None) == (found.status, found.task(CAPTION).status, found.caption)


def test_process_permanent_error_fails_at_once(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    captioner.answers = [BadAnswer("The model gave no description.")]
    image = upload(repositories, storage)

    assert Outcome.FAILED == processor.process(news(image), CAPTION, deadline=SOON)
    assert "bad_answer" == now(repositories, image).task(CAPTION).error


def test_process_missing_object_fails_with_a_message(processor: Processor, repositories: Repositories) -> None:
    image = upload(repositories, FakeStorage())

    assert Outcome.FAILED == processor.process(news(image), THUMBNAIL, deadline=SOON)
    assert "Upload it again" in (now(repositories, image).task(THUMBNAIL).message or "")


def test_process_transient_error_is_parked_and_done_when_due(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """The message is acknowledged; the database schedules the retry."""
    captioner.answers = [BadAnswer("No time left.", code="out_of_time", permanent=False), "A cat."]
    image = upload(repositories, storage)

    outcomes = [processor.process(news(image), CAPTION, deadline=SOON) for _ in range(2)]

    found = now(repositories, image)
    assert [Outcome.PARKED, Outcome.DONE] == outcomes
    assert ("A cat.", 2) == (found.caption, found.task(CAPTION).attempts)


@pytest.mark.parametrize("error", [Blocked("Declined."), BadAnswer("No description.")])
def test_process_failed_recaption_keeps_the_words(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner,
    error: ImgcoreError,
) -> None:  # fmt: skip
    captioner.answers = ["A cat.", error]
    image = upload(repositories, storage)
    processor.process(news(image), CAPTION, deadline=SOON)
    repositories.images.reopen(image.public_id, [CAPTION], also_done=True)

    processor.process(news(image), CAPTION, deadline=SOON)

    found = now(repositories, image)
    assert (TaskStatus.DONE, None, "A cat.") == (
        found.task(CAPTION).status,
        found.task(CAPTION).message,
        found.caption,
    )


def test_process_lasting_error_fails_after_the_last_attempt(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """Four attempts are parked, the fifth fails."""
    captioner.answers = [BadAnswer("No time left.", code="out_of_time", permanent=False)]
    image = upload(repositories, storage)

    outcomes = [processor.process(news(image), CAPTION, deadline=SOON) for _ in range(6)]

    assert [Outcome.PARKED] * 4 + [Outcome.FAILED, Outcome.IDLE] == outcomes


def test_process_unexpected_exception_is_stored_and_raised(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """The row is parked at once; the exception counts towards the dead-letter queue."""
    image = upload(repositories, storage, b"bug")

    with pytest.raises(ZeroDivisionError):
        processor.process(news(image), THUMBNAIL, deadline=SOON)

    task = now(repositories, image).task(THUMBNAIL)
    assert (TaskStatus.RETRY, "internal") == (task.status, task.error)


def test_process_result_after_the_lease_is_dropped(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """Another worker finished the task in the meantime."""
    image = upload(repositories, storage)
    slow = replace(processor, timing=Timing(caption_lease=-1.0), captioner=_Overtaken(processor, image))

    assert Outcome.FENCED == slow.process(news(image), CAPTION, deadline=SOON)
    assert "A red barn." == now(repositories, image).caption


class _Overtaken(FakeCaptioner):
    """Another worker does the same task while this one describes."""

    def __init__(self, other: Processor, image: Image) -> None:
        super().__init__(["Too late."], Source.LOCAL)
        self._other, self._image = other, image

    def describe(self, picture, *, deadline, record, context):  # type: ignore[no-untyped-def]
        assert Outcome.DONE == self._other.process(news(self._image), CAPTION, deadline=deadline)
        return super().describe(picture, deadline=deadline)


def test_process_captioner_deadline_leaves_time_to_commit(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """Five seconds are kept back."""
    processor.process(news(upload(repositories, storage)), CAPTION, deadline=100.0)

    assert [95.0] == captioner.deadlines


@pytest.mark.parametrize(
    ("error", "attempts", "delay"),
    [
        (Unavailable("x"), 1, 10.0),
        (Unavailable("x"), 3, 40.0),
        (Unavailable("x"), 20, 450.0),
        (Unavailable("x", retry_after=10.0), 1, 10.6),
        (RateLimited("x", retry_after=100.0), 1, 101.0),
        (Misconfigured("x"), 1, 300.5),
        (ImgcoreError("x"), 2, 20.0),
    ],
)
def test_delay_follows_the_error_or_full_jitter(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner,
    error: ImgcoreError, attempts: int, delay: float,
) -> None:  # fmt: skip
    """The random number is ½: half of the backoff, which doubles from 20 s to 15 minutes."""
    image = upload(repositories, storage)
    claim = None
    for _ in range(attempts):
        repositories.images.receive(
            news(image), NewImage(new_public_id(), image.image_key, "x", None, None, 0.0)
        )
        claim = repositories.tasks.claim(image.image_key, CAPTION, lease=-1.0, max_attempts=99)
    assert claim is not None

    assert pytest.approx(delay) == replace(processor, rng=lambda: 0.5)._delay(claim, error)


def test_settle_without_the_lease_is_fenced(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """A worker without the lease stores nothing, whatever the error is."""
    image = upload(repositories, storage)
    repositories.images.receive(news(image), NewImage(new_public_id(), image.image_key, "x", None, None, 0.0))
    stale = repositories.tasks.claim(image.image_key, CAPTION, lease=-1.0, max_attempts=9)
    assert stale is not None
    assert Outcome.DONE == processor.process(news(image), CAPTION, deadline=SOON)

    errors = [Rejected("x"), Blocked("x"), BadAnswer("x"), Unavailable("x")]
    assert [Outcome.FENCED] * 4 == [processor._settle(stale, image, error) for error in errors]
    assert "done" == now(repositories, image).task(CAPTION).status
