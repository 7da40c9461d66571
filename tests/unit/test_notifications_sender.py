"""Owners of finished batches are notified once, also where sending fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgcore.errors import Unavailable
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import Image, NewImage, TaskKind
from imgcore.notifications.sender import Notifier
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Processor
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeSender, FakeStorage, decode, render

SOON = 1e9
BATCH = "11111111-2222-3333-4444-555555555555"
LEASE = 60.0  # seconds


@pytest.fixture
def sender() -> FakeSender:
    """A sender without messages."""
    return FakeSender()


@pytest.fixture
def processor(repositories: Repositories, storage: FakeStorage) -> Processor:
    """A processor on SQLite; storage and captioner are fakes."""
    return Processor(
        *repositories.of_processor(),
        storage,
        decode,
        render,
        FakeCaptioner(),
        uploads_bucket=BUCKET,
    )


@pytest.fixture
def notifier(repositories: Repositories, sender: FakeSender) -> Notifier:
    """A notifier for which a batch is finished at once."""
    url = "https://gallery.example"
    return Notifier(repositories.notifications, sender, url, quiet=0.0, lease=LEASE)


def upload(processor: Processor, storage: FakeStorage, data: bytes = b"photo", batch: str = BATCH) -> Image:
    """Insert an image of that batch and store its object."""
    public_id = new_public_id()
    key = raw_key(public_id, "image/jpeg")
    storage.uploads[key] = data
    row = NewImage(public_id, key, "cat.jpg", "image/jpeg", len(data), 3600.0, batch_id=batch)
    return processor.images.add(row)


def work(processor: Processor, image: Image) -> None:
    for kind in TaskKind:
        processor.process(ObjectCreated(BUCKET, image.image_key, 5, "etag"), kind, deadline=SOON)


def test_notify_owners_after_the_last_image_sends_one_message(
    processor: Processor, notifier: Notifier, storage: FakeStorage, sender: FakeSender
) -> None:
    """The message says how each image ended."""
    images = [upload(processor, storage, data) for data in (b"photo", b"bad file", b"photo")]
    notified = []
    for image in images:
        work(processor, image)
        notified.append(notifier.notify_owners())
    assert [0, 0, 1] == notified
    assert ["2 photos are ready, 1 failed"] == [message.subject for message in sender.sent]
    assert "1 failed: This file is not an image.\n  cat.jpg" in sender.sent[0].body


def test_notify_owners_again_sends_nothing(
    processor: Processor, notifier: Notifier, storage: FakeStorage, sender: FakeSender
) -> None:
    """A retry of one of its images does not change that."""
    image = upload(processor, storage)
    work(processor, image)
    assert [1, 0, 0] == [notifier.notify_owners() for _ in range(3)]
    processor.images.reopen(image.public_id, also_done=True)
    work(processor, image)
    assert (0, 1) == (notifier.notify_owners(), len(sender.sent))


def test_notify_owners_two_batches_send_two_messages(
    processor: Processor, notifier: Notifier, storage: FakeStorage, sender: FakeSender
) -> None:
    for number in range(2):
        work(processor, upload(processor, storage, batch=f"{number}{BATCH[1:]}"))
    assert (2, [1, 2]) == (notifier.notify_owners(), [message.number for message in sender.sent])


def test_notify_owners_without_a_sender_stores_the_message(
    processor: Processor, notifier: Notifier, storage: FakeStorage, repositories: Repositories
) -> None:
    """The account page shows it."""
    work(processor, upload(processor, storage))
    assert 1 == replace(notifier, sender=None).notify_owners()
    assert ["1 photo is ready"] == [
        message.subject for message in repositories.notifications.delivered(None, 5)
    ]


def test_notify_owners_failed_message_is_sent_later(
    processor: Processor, notifier: Notifier, storage: FakeStorage, sender: FakeSender
) -> None:
    """No other message is sent in the same call."""
    for number in range(2):
        work(processor, upload(processor, storage, batch=f"{number}{BATCH[1:]}"))
    sender.broken = Unavailable("SNS is away.")
    notified = [notifier.notify_owners(), notifier.notify_owners()]
    sender.broken = None
    notified.append(notifier.notify_owners())
    forget_waiting(notifier)
    notified.append(notifier.notify_owners())
    assert ([0, 0, 0, 2], [1, 2]) == (notified, [message.number for message in sender.sent])


def forget_waiting(notifier: Notifier) -> None:
    """End every delay and lease of the notifications."""
    notifier.notifications._database.run(lambda tx: tx.execute("UPDATE notices SET lease_until = NULL"))


def test_notify_owners_lost_answer_sends_the_message_again(
    processor: Processor, notifier: Notifier, storage: FakeStorage, sender: FakeSender
) -> None:
    """One message too many rather than none."""
    work(processor, upload(processor, storage))
    sender.broken, sender.late = Unavailable("No answer."), True
    notifier.notify_owners()
    sender.broken = None
    forget_waiting(notifier)
    assert [1, 0] == [notifier.notify_owners() for _ in range(2)]
    assert 2 == len(sender.sent)


def test_notify_owners_after_a_crash_waits_for_the_lease(
    processor: Processor, notifier: Notifier, storage: FakeStorage, sender: FakeSender
) -> None:
    work(processor, upload(processor, storage))
    sender.broken = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        notifier.notify_owners()
    sender.broken = None
    at_once = replace(notifier, lease=135.0).notify_owners()
    forget_waiting(notifier)
    assert (0, 1, 1) == (at_once, notifier.notify_owners(), len(sender.sent))
