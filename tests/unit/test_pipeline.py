"""Tasks of images: success, duplicates, every kind of failure, and the sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imgcore.accounts.models import Role
from imgcore.captioning.prices import quote
from imgcore.db.tasks import TaskRepository
from imgcore.errors import BadAnswer, Blocked, ImgcoreError, Misconfigured, RateLimited, Rejected, Unavailable
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import Image, NewImage, PhotoFacts, Source, TaskKind, TaskStatus, UploadStatus
from imgcore.notifications.sender import Notifier
from imgcore.pipeline.models import ObjectCreated, RecordCall, Timing, ignore_call
from imgcore.pipeline.processing import Outcome, Processor
from imgcore.pipeline.sweeper import Sweeper
from imgcore.spending.models import Caps, Group, Period, Quote
from imgcore.spending.service import Spending
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakePicture, FakeQueues, FakeStorage, decode, render

SOON = 1e9  # a deadline that no test reaches, on time.monotonic()'s clock
Run = Callable[..., Outcome]

THUMBNAIL, CAPTION = TaskKind.THUMBNAIL, TaskKind.CAPTION


@pytest.fixture
def captioner() -> FakeCaptioner:
    """A captioner that always succeeds."""
    return FakeCaptioner()


@pytest.fixture
def processor(repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner) -> Processor:
    """A processor on SQLite; storage and captioner are fakes and retries have no jitter."""
    return Processor(
        *repositories.of_processor(),
        storage,
        decode,
        render,
        captioner,
        uploads_bucket=BUCKET,
        rng=lambda: 0.0,
    )


@pytest.fixture
def sweeper(repositories: Repositories, storage: FakeStorage, queues: FakeQueues) -> Sweeper:
    """A sweeper on SQLite; storage and queues are fakes."""
    notifier = Notifier(repositories.notifications)
    return Sweeper(repositories.images, repositories.sweep, storage, queues, notifier.notify_owners)


def upload(repositories: Repositories, storage: FakeStorage, data: bytes = b"photo") -> Image:
    """Insert an image and store its object, as after an upload by the browser."""
    public_id = new_public_id()
    key = raw_key(public_id, "image/jpeg")
    storage.uploads[key] = data
    return repositories.images.add(NewImage(public_id, key, "cat.jpg", "image/jpeg", len(data), 3600.0))


def news(image: Image) -> ObjectCreated:
    return ObjectCreated(BUCKET, image.image_key, size=5, etag="etag")


def now(repositories: Repositories, image: Image) -> Image:
    found = repositories.images.get(image.public_id)
    assert found is not None
    return found


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


def test_process_while_the_model_is_away_opens_the_breaker(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """One call is enough for all images; each keeps its attempts and gets a provisional description."""
    captioner.answers = [Unavailable("The model cannot be reached.")]
    both = replace(processor, standby=FakeCaptioner(["A photo."], Source.LOCAL))
    images = [upload(repositories, storage) for _ in range(3)]

    outcomes = [both.process(news(image), CAPTION, deadline=SOON) for image in images]

    found = [now(repositories, image) for image in images]
    tasks = [image.task(CAPTION) for image in found]
    assert ([Outcome.PARKED] * 3, 1) == (outcomes, len(captioner.deadlines))
    assert [("waiting", "A photo.", True)] * 3 == [(i.status, i.caption, i.provisional) for i in found]
    assert [("unavailable", 0)] * 3 == [(task.error, task.attempts) for task in tasks]
    assert all(task.next_at is not None for task in tasks)
    assert 25 < repositories.breakers.state("gemini").wait <= 30


def test_process_with_the_model_back_replaces_the_provisional_words(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner,
    sweeper: Sweeper,
) -> None:  # fmt: skip
    captioner.answers = [RateLimited("Used up.", code="quota_exhausted", retry_after=7200.0), "A cat."]
    both = replace(processor, standby=FakeCaptioner(["A photo."], Source.LOCAL))
    image = upload(repositories, storage)
    both.process(news(image), CAPTION, deadline=SOON)
    of_model = replace(sweeper, breakers=repositories.breakers, breaker="gemini")

    of_model.sweep()
    assert Outcome.IDLE == both.process(news(image), CAPTION, deadline=SOON)
    repositories.breakers.close("gemini")
    of_model.sweep()
    assert Outcome.DONE == both.process(news(image), CAPTION, deadline=SOON)

    found = now(repositories, image)
    assert ("A cat.", Source.GEMINI, False) == (found.caption, found.source, found.provisional)


class Probed(FakeCaptioner):
    """A captioner whose probes end as ``probes`` says."""

    probes: tuple[ImgcoreError | None, ...] = (None,)

    def probe(self, record: RecordCall = ignore_call) -> None:
        first, *rest = self.probes
        self.probes = tuple(rest) or (first,)
        if first is not None:
            raise first


def test_process_image_that_a_working_model_never_answers_fails(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """An image that makes the model crash does not stop the captions of others."""
    working = Probed([Unavailable("The model cannot be reached.")])
    image = upload(repositories, storage)

    outcomes = [
        replace(processor, captioner=working).process(news(image), CAPTION, deadline=SOON) for _ in range(5)
    ]

    assert [Outcome.PARKED] * 4 + [Outcome.FAILED] == outcomes
    assert repositories.breakers.state("gemini").closed
    assert "unanswered" == now(repositories, image).task(CAPTION).error


def test_process_after_the_pause_probes_with_no_photo(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """A failed probe doubles the pause; a successful one lets the photo's call pass."""
    model = Probed()
    model.probes = (Unavailable("Away."), None)
    both = replace(processor, captioner=model)
    images = [upload(repositories, storage) for _ in range(2)]
    repositories.breakers.back_off("gemini", probing=False, reason="unavailable", message="Away.")
    repositories.breakers.allow_probe("gemini")

    first = both.process(news(images[0]), CAPTION, deadline=SOON)
    assert (Outcome.PARKED, 0) == (first, len(model.deadlines))
    assert 55 < repositories.breakers.state("gemini").wait <= 60

    repositories.breakers.allow_probe("gemini")
    assert Outcome.DONE == both.process(news(images[1]), CAPTION, deadline=SOON)
    assert repositories.breakers.state("gemini").reason is None


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


def test_sweep_with_a_first_key_describes_local_photos_again(
    processor: Processor, repositories: Repositories, storage: FakeStorage, queues: FakeQueues,
    sweeper: Sweeper, captioner: FakeCaptioner,
) -> None:  # fmt: skip
    """Each is tried once: one that the model declines keeps its words and is left alone."""
    local = replace(processor, captioner=FakeCaptioner(["A photo."], Source.LOCAL))
    images = [upload(repositories, storage) for _ in range(2)]
    for image in images:
        local.process(news(image), CAPTION, deadline=SOON)
    with_key = replace(sweeper, breakers=repositories.breakers, breaker="gemini", upgrade=True)
    captioner.answers = ["A cat.", Blocked("Declined.")]

    assert 0 == sweeper.sweep().upgraded
    assert 2 == with_key.sweep().upgraded
    assert {(CAPTION, image.image_key, 0.0) for image in images} <= set(queues.sent)
    for image in images:
        processor.process(news(image), CAPTION, deadline=SOON)

    assert {"A cat.", "A photo."} == {now(repositories, image).caption for image in images}
    assert {"done"} == {str(now(repositories, image).task(CAPTION).status) for image in images}
    assert 0 == with_key.sweep().upgraded


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


def test_process_rate_limit_opens_the_breaker_for_all_images(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """One status 429 stops the calls for all images; no attempt is used up."""
    captioner.answers = [RateLimited("Wait a little.", retry_after=34.0), "never asked"]
    first, second = upload(repositories, storage), upload(repositories, storage)

    outcomes = [processor.process(news(image), CAPTION, deadline=SOON) for image in (first, second)]

    tasks = [now(repositories, image).task(CAPTION) for image in (first, second)]
    assert [Outcome.PARKED, Outcome.PARKED] == outcomes
    assert 1 == len(captioner.deadlines)
    assert [(TaskStatus.RETRY, 0, "rate_limited")] * 2 == [
        (task.status, task.attempts, task.error) for task in tasks
    ]
    assert 30 < repositories.breakers.state("gemini").wait <= 34


def test_process_successful_probe_closes_the_breaker(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """One image probes the model after the pause."""
    repositories.breakers.open("gemini", wait=-1.0, reason="rate_limited", message="Wait.")
    image = upload(repositories, storage)

    assert Outcome.DONE == processor.process(news(image), CAPTION, deadline=SOON)
    breaker = repositories.breakers.state("gemini")
    assert (True, None) == (breaker.closed, breaker.reason)


def test_process_refused_key_with_a_standby_is_described_provisionally(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """The refused key is not tried for each image."""
    captioner.answers = [Misconfigured("Gemini refuses the key.", code="key_refused")]
    both = replace(processor, standby=FakeCaptioner(["A photo."], Source.LOCAL))
    images = [upload(repositories, storage) for _ in range(3)]

    outcomes = [both.process(news(image), CAPTION, deadline=SOON) for image in images]

    assert [Outcome.PARKED] * 3 == outcomes
    assert [(Source.LOCAL, True)] * 3 == [
        (found.source, found.provisional) for found in (now(repositories, image) for image in images)
    ]
    assert 1 == len(captioner.deadlines)
    assert "key_refused" == repositories.breakers.state("gemini").reason


def test_process_refused_key_without_a_standby_is_parked(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """No attempt is used up, however often it is retried."""
    captioner.answers = [Misconfigured("Gemini refuses the key.", code="key_refused")]
    images = [upload(repositories, storage) for _ in range(2)]

    outcomes = [processor.process(news(image), CAPTION, deadline=SOON) for image in images]

    assert [Outcome.PARKED] * 2 == outcomes
    assert [0, 0] == [now(repositories, image).task(CAPTION).attempts for image in images]


def test_process_exhausted_quota_with_a_standby_is_parked(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """A better description tomorrow is worth the wait; the second image does not call the model."""
    captioner.answers = [RateLimited("Used up.", code="quota_exhausted", retry_after=7200.0)]
    both = replace(processor, standby=FakeCaptioner(["A photo."], Source.LOCAL))
    images = [upload(repositories, storage) for _ in range(2)]

    outcomes = [both.process(news(image), CAPTION, deadline=SOON) for image in images]

    assert [Outcome.PARKED] * 2 == outcomes
    assert 1 == len(captioner.deadlines)


def test_process_captioner_deadline_leaves_time_to_commit(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """Five seconds are kept back."""
    processor.process(news(upload(repositories, storage)), CAPTION, deadline=100.0)

    assert [95.0] == captioner.deadlines


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


def quick(sweeper: Sweeper) -> Sweeper:
    """A sweeper for which every event is late and every lease has ended."""
    return replace(sweeper, timing=Timing(lost_after=-1.0, thumbnail_lease=-1.0, caption_lease=-1.0))


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
    assert [Outcome.FENCED] * 4 == [processor._settle(stale, error) for error in errors]
    assert "done" == now(repositories, image).task(CAPTION).status


def test_process_without_a_captioner_parks_the_caption(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """The thumbnail function has no captioner."""
    image = upload(repositories, storage)

    assert Outcome.PARKED == replace(processor, captioner=None).process(news(image), CAPTION, deadline=SOON)
    assert "This function does not describe photos." == now(repositories, image).task(CAPTION).message


def test_caption_answer_is_recorded_with_its_owner(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """A description without tokens, as of the local describer, adds nothing to the ledger."""
    spending = Spending(repositories.ledger, quote)
    image = upload(repositories, storage)
    captioner.tokens = (560, 80)

    replace(processor, spending=spending).process(news(image), CAPTION, deadline=SOON)
    replace(processor, spending=spending).process(news(image), THUMBNAIL, deadline=SOON)

    (usage,) = spending.usage(Period(), Group.MODEL)
    assert ("fake-1", 1, 560, 80, 1) == (
        usage.group,
        usage.calls,
        usage.input_tokens,
        usage.output_tokens,
        usage.unpriced,
    )


def test_caption_waits_at_the_quota_of_its_owner(
    processor: Processor, repositories: Repositories, storage: FakeStorage, queues: FakeQueues,
    captioner: FakeCaptioner, sweeper: Sweeper,
) -> None:  # fmt: skip
    """The photo of another account is described; a higher quota lets the next sweep queue the photo."""
    accounts = repositories.accounts
    ada, zoe = (accounts.add(name, name, Role.PERSON, "hash") for name in ("ada", "zoe"))
    paid = Spending(repositories.ledger, lambda *tokens: Quote(1.0, "2026-11-28", 1.0), quota=Caps(month=1.0))
    paid.append(paid.entry(model="m", input_tokens=1, output_tokens=1, outcome="described", owner_id=ada.id))
    images = [upload(repositories, storage) for _ in range(2)]
    for image, owner in zip(images, (ada, zoe), strict=True):
        own = {"owner_id": owner.id, "id": image.id}
        statement = "UPDATE images SET owner_id = :owner_id WHERE id = :id"
        repositories.database.run(lambda tx, own=own, statement=statement: tx.execute(statement, **own))

    charged = replace(processor, spending=paid)
    outcomes = [charged.process(news(image), CAPTION, deadline=SOON) for image in images]

    task = now(repositories, images[0]).task(CAPTION)
    assert ([Outcome.PARKED, Outcome.DONE], "spend_quota_month", 0, 1) == (
        outcomes,
        task.error,
        task.attempts,
        len(captioner.deadlines),
    )
    replace(sweeper, spending=paid).sweep()
    assert [] == [key for kind, key, _ in queues.sent if kind is CAPTION]
    accounts.set_quota(ada.id, images=None, bytes_=None, uploads=None, spend_month=5.0)
    replace(sweeper, spending=paid).sweep()
    assert [images[0].image_key] == [key for kind, key, _ in queues.sent if kind is CAPTION]


def test_caption_waits_at_a_reached_cap_and_is_released(
    processor: Processor, repositories: Repositories, storage: FakeStorage, queues: FakeQueues,
    captioner: FakeCaptioner, sweeper: Sweeper,
) -> None:  # fmt: skip
    """The model is not called and no attempt is used; a higher cap lets the next sweep queue the photo."""
    paid = Spending(repositories.ledger, lambda *tokens: Quote(1.0, "2026-11-28", 1.0), Caps(day=1.0))
    paid.append(paid.entry(model="m", input_tokens=1, output_tokens=1, outcome="described"))
    image = upload(repositories, storage)

    outcome = replace(processor, spending=paid).process(news(image), CAPTION, deadline=SOON)

    task = now(repositories, image).task(CAPTION)
    assert (Outcome.PARKED, "spend_cap_day", 0, []) == (outcome, task.error, task.attempts, captioner.deadlines)
    replace(sweeper, spending=paid).sweep()
    assert [] == queues.sent
    paid.caps = Caps(day=2.0)
    replace(sweeper, spending=paid).sweep()
    assert [(CAPTION, image.image_key)] == [(kind, key) for kind, key, _ in queues.sent]


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


def test_caption_in_the_file_outranks_the_models_which_supplies_the_rest(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """The model's caption is in the history, where a person can choose it."""

    def decode_with_caption(data: bytes, **options: object) -> FakePicture:
        facts = PhotoFacts("JPEG", 400, 300, len(data), "0" * 64, embedded_caption="Mia’s first goal")
        return FakePicture(facts)

    image = upload(repositories, storage)

    replace(processor, decode=decode_with_caption).process(news(image), CAPTION, deadline=SOON)

    stored = now(repositories, image)
    assert ("Mia’s first goal", Source.EMBEDDED, "Alt: A red barn.", Source.GEMINI, Source.GEMINI) == (
        stored.caption,
        stored.caption_source,
        stored.alt_text,
        stored.alt_text_source,
        stored.tags_source,
    )
    versions = repositories.images.history(image.public_id)
    assert [("A red barn.", False)] == [(v.value, v.applied) for v in versions if v.value == "A red barn."]


def test_caption_model_gets_the_hints_as_context(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    public_id = new_public_id()
    key = raw_key(public_id, "image/jpeg")
    storage.uploads[key] = b"photo"
    new = NewImage(public_id, key, "cat.jpg", "image/jpeg", 5, 3600.0, hint="The church")
    image = repositories.images.add(new)

    replace(processor, hint="Anna's wedding").process(news(image), CAPTION, deadline=SOON)

    assert ["About all photos of this gallery: Anna's wedding\nAbout this upload: The church"] == (
        captioner.contexts
    )
