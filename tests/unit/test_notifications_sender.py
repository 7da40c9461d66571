"""What a sweep does about batches that have ended: each owner is told once, also where sending fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgcore.errors import Unavailable
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import Image, NewImage, TaskKind
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Pipeline, Timing
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeQueues, FakeSender, FakeStorage, decode, render

SOON = 1e9
BATCH = "11111111-2222-3333-4444-555555555555"
LEASE = 60.0  # seconds


@pytest.fixture
def sender() -> FakeSender:
    """An empty one."""
    return FakeSender()


@pytest.fixture
def pipeline(
    repositories: Repositories, storage: FakeStorage, queues: FakeQueues, sender: FakeSender
) -> Pipeline:
    """Nothing real but the database; no batch is waited for."""
    made = Pipeline(
        *repositories.all(), storage, queues, decode, render, FakeCaptioner(), uploads_bucket=BUCKET
    )
    timing = Timing(quiet=0.0, caption_lease=LEASE)
    return replace(made, sender=sender, timing=timing, public_url="https://gallery.example")


def upload(pipeline: Pipeline, storage: FakeStorage, data: bytes = b"photo", batch: str = BATCH) -> Image:
    """A photograph of that batch that has arrived."""
    public_id = new_public_id()
    key = raw_key(public_id, "image/jpeg")
    storage.uploads[key] = data
    row = NewImage(public_id, key, "cat.jpg", "image/jpeg", len(data), 3600.0, batch_id=batch)
    return pipeline.images.add(row)


def work(pipeline: Pipeline, image: Image) -> None:
    for kind in TaskKind:
        pipeline.process(ObjectCreated(BUCKET, image.image_key, 5, "etag"), kind, deadline=SOON)


def test_the_last_photograph_of_a_batch_is_waited_for(
    pipeline: Pipeline, storage: FakeStorage, sender: FakeSender
) -> None:
    """Then there is one message, which says how each of them ended."""
    images = [upload(pipeline, storage, data) for data in (b"photo", b"bad file", b"photo")]
    told = []
    for image in images:
        work(pipeline, image)
        told.append(pipeline.sweep().notified)
    assert [0, 0, 1] == told
    assert ["2 photos are ready, 1 failed"] == [message.subject for message in sender.sent]
    assert "1 failed: This file is not an image.\n  cat.jpg" in sender.sent[0].body


def test_a_batch_is_told_of_once(pipeline: Pipeline, storage: FakeStorage, sender: FakeSender) -> None:
    """However often it is swept, and whatever is tried again later."""
    image = upload(pipeline, storage)
    work(pipeline, image)
    assert [1, 0, 0] == [pipeline.sweep().notified for _ in range(3)]
    pipeline.images.reopen(image.public_id, also_done=True)
    work(pipeline, image)
    assert (0, 1) == (pipeline.sweep().notified, len(sender.sent))


def test_two_batches_are_told_of_in_one_sweep(
    pipeline: Pipeline, storage: FakeStorage, sender: FakeSender
) -> None:
    """Each by a message of its own."""
    for number in range(2):
        work(pipeline, upload(pipeline, storage, batch=f"{number}{BATCH[1:]}"))
    assert (2, [1, 2]) == (pipeline.sweep().notified, [message.number for message in sender.sent])


def test_without_a_mailbox_the_letter_is_written_all_the_same(
    pipeline: Pipeline, storage: FakeStorage, repositories: Repositories
) -> None:
    """To be read on the account's page."""
    work(pipeline, upload(pipeline, storage))
    assert 1 == replace(pipeline, sender=None).sweep().notified
    assert ["1 photo is ready"] == [
        message.subject for message in repositories.notifications.delivered(None, 5)
    ]


def test_a_letter_that_was_refused_is_sent_later(
    pipeline: Pipeline, storage: FakeStorage, sender: FakeSender
) -> None:
    """Not at once, so that who is away is left in peace; and no other is tried in the same sweep."""
    for number in range(2):
        work(pipeline, upload(pipeline, storage, batch=f"{number}{BATCH[1:]}"))
    sender.broken = Unavailable("SNS is away.")
    told = [pipeline.sweep().notified, pipeline.sweep().notified]
    sender.broken = None
    told.append(pipeline.sweep().notified)
    forget_waiting(pipeline)
    told.append(pipeline.sweep().notified)
    assert ([0, 0, 0, 2], [1, 2]) == (told, [message.number for message in sender.sent])


def forget_waiting(pipeline: Pipeline) -> None:
    """As if the time had come."""
    pipeline.notifications._database.run(lambda tx: tx.execute("UPDATE notices SET lease_until = NULL"))


def test_a_letter_whose_answer_was_lost_goes_once_more(
    pipeline: Pipeline, storage: FakeStorage, sender: FakeSender
) -> None:
    """Taken, and we do not know: one too many rather than none."""
    work(pipeline, upload(pipeline, storage))
    sender.broken, sender.late = Unavailable("No answer."), True
    pipeline.sweep()
    sender.broken = None
    forget_waiting(pipeline)
    assert [1, 0] == [pipeline.sweep().notified for _ in range(2)]
    assert 2 == len(sender.sent)


def test_a_sender_that_dies_is_replaced_when_its_lease_ends(
    pipeline: Pipeline, storage: FakeStorage, sender: FakeSender
) -> None:
    """Not before: it may still be at it."""
    work(pipeline, upload(pipeline, storage))
    sender.broken = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        pipeline.sweep()
    sender.broken = None
    at_once = replace(pipeline, timing=Timing(quiet=0.0)).sweep().notified
    forget_waiting(pipeline)
    assert (0, 1, 1) == (at_once, pipeline.sweep().notified, len(sender.sent))
