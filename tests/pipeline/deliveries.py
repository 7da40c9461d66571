"""Photos that differ by colour, events repeated, shuffled or lost, and workers that are killed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from PIL import Image as PillowImage

from imgcore.gallery.models import Image, Source, TaskKind
from imgcore.pipeline.s3_events import deliveries, message
from tests.pipeline.stage import Stage, staged

VISIBILITY_SECONDS = 12  # at least the timeout of the functions
COLOURS = {"red": (205, 25, 25), "green": (40, 150, 40), "blue": (40, 80, 195), "yellow": (240, 220, 50)}


def short_leases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start a pipeline with short leases, so that killed workers are replaced soon, and many attempts.

    A fixture's function: ``stage = pytest.fixture(short_leases, scope="module")``.
    """
    home = tmp_path_factory.mktemp("deliveries")
    settings = {
        "DATABASE_URL": f"sqlite:///{home}/gallery.db",
        "LOST_AFTER_SECONDS": "3",
        "MAX_ATTEMPTS": "50",
        "CAPTIONER": "local",
    }
    with (
        pytest.MonkeyPatch.context() as environ,
        staged(
            home,
            environ,
            functions_environment=settings,
            functions_thumbnail_timeout=10,
            functions_caption_timeout=10,
            functions_lease_margin=2,
            functions_thumbnail_concurrency=2,  # the emulator unpacks up to 190 MB for each process
            functions_caption_concurrency=2,
            functions_sweep_schedule="rate(1 hour)",
            events_max_receives=50,  # the worker of one message may die five times by chance
            events_thumbnail_visibility=60,
            events_caption_visibility=60,
        ) as stage,
    ):
        for kind in TaskKind:  # the roles keep to AWS's recommendation of six times the timeout
            stage.aws.client("sqs").set_queue_attributes(
                QueueUrl=stage.queue(kind), Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
            )
        yield stage


def colour_picture(number: int) -> tuple[str, bytes]:
    """Return a colour and a PNG of it; one pixel differs for each number."""
    colour = list(COLOURS)[number % len(COLOURS)]
    picture = PillowImage.new("RGB", (320, 240), COLOURS[colour])
    picture.putpixel((number % 320, number // 320), (255, 255, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return colour, out.getvalue()


def upload_all(stage: Stage, count: int) -> dict[str, tuple[str, bytes]]:
    """Upload ``count`` photos, four at a time; return id → colour and bytes."""

    def one(number: int) -> tuple[str, tuple[str, bytes]]:
        colour, data = colour_picture(number)
        return stage.upload(f"{colour} {number}.png", data, "image/png").public_id, (colour, data)

    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(one, range(count)))


def wrong(stage: Stage, images: list[Image], sent: dict[str, tuple[str, bytes]]) -> list[str]:
    """What is not as it has to be, in words."""
    s3 = stage.aws.client("s3")
    bucket = stage.aws.settings("web")["DERIVED_BUCKET"]
    found = []
    for image in images:
        colour, data = sent[image.public_id]
        if image.status != "done" or image.source is not Source.LOCAL:
            found.append(f"{image.name}: {image.status}, {image.tasks}")
            continue
        if colour not in (image.caption or "") or image.sha256 != hashlib.sha256(data).hexdigest():
            found.append(f"{image.name}: another's caption or facts: {image.caption}")
        for key in (image.thumbnail_key, image.thumbnail_2x_key, image.display_key):
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            middle = PillowImage.open(io.BytesIO(body)).convert("RGB").getpixel((100, 100))
            if max(abs(a - b) for a, b in zip(middle, COLOURS[colour], strict=True)) > 12:
                found.append(f"{image.name}: {key} shows {middle}")
    return found


class Tap:
    """Takes the topic's news instead of the two queues, and delivers it as badly as a test wants."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._sns, self._sqs = stage.aws.client("sns"), stage.aws.client("sqs")
        self.bucket = stage.aws.settings("web")["UPLOADS_BUCKET"]

    def __enter__(self) -> Tap:
        topics = [topic["TopicArn"] for topic in self._sns.list_topics()["Topics"]]
        (self._topic,) = [arn for arn in topics if arn.endswith("-uploads")]
        self._removed = self._sns.list_subscriptions_by_topic(TopicArn=self._topic)["Subscriptions"]
        for subscription in self._removed:
            self._sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        self._queue = self._sqs.create_queue(QueueName="tap")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        self._sns.subscribe(
            TopicArn=self._topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )
        return self

    def __exit__(self, *_: object) -> None:
        for subscription in self._sns.list_subscriptions_by_topic(TopicArn=self._topic)["Subscriptions"]:
            self._sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        for subscription in self._removed:
            self._sns.subscribe(
                TopicArn=self._topic,
                Protocol="sqs",
                Endpoint=subscription["Endpoint"],
                Attributes={"RawMessageDelivery": "true"},
            )

    def collect(self, count: int, seconds: float = 60.0) -> list[str]:
        """Return the keys of the S3 events."""
        deadline, keys = time.monotonic() + seconds, set()
        while len(keys) < count:
            assert time.monotonic() < deadline, f"Events of {len(keys)} uploads only arrived."
            got = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for one in got.get("Messages", []):
                received = deliveries(json.loads(one["Body"]))
                keys |= {created.key for delivery in received for created in delivery.created}
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=one["ReceiptHandle"])
        return sorted(keys)

    def deliver(self, keys: list[str], dice: random.Random, lost: float) -> tuple[int, int]:
        """Each 1 to 5 times, all in random order, some never; messages sent and notifications lost."""
        messages = []
        dropped = 0
        for key in keys:
            for kind in TaskKind:
                if dice.random() < lost:
                    dropped += 1
                else:
                    messages += [(kind, key)] * dice.randint(1, 5)
        dice.shuffle(messages)
        queues = {kind: self._stage.queue(kind) for kind in TaskKind}
        for kind, key in messages:
            self._sqs.send_message(QueueUrl=queues[kind], MessageBody=message(self.bucket, key))
        return len(messages), dropped


def drained(stage: Stage) -> None:
    """Wait until the repeated messages are received too: none of them may become a dead letter later."""
    deadline = time.monotonic() + 120
    while stage.waiting("thumbnail") + stage.waiting("caption"):
        assert time.monotonic() < deadline, "Messages are left in the queues."
        time.sleep(0.5)


def check_bad_deliveries(stage: Stage, uploads: int) -> None:
    """Upload, deliver each event 1 to 5 times, shuffled, 5 % never; assert right rows and no dead letter."""
    before = stage.settled()
    with Tap(stage) as tap:
        sent = upload_all(stage, uploads)
        messages, dropped = tap.deliver(tap.collect(uploads), random.Random(20261121), lost=0.05)
        images = stage.settle(list(sent), seconds=400)
        drained(stage)

    print(f"{uploads} uploads, {messages} messages, {dropped} notifications lost")
    assert dropped > uploads // 40
    assert [] == wrong(stage, images, sent)
    assert uploads == stage.settled() - before
    assert 0 == stage.dead()


def check_killed_workers(stage: Stage, kills: int) -> None:
    """Kill so many workers with SIGKILL while they work; assert right rows, one notice each, no dead letter."""
    before, dice, killed = stage.settled(), random.Random(7), [0]
    over = threading.Event()

    def kill() -> None:
        while killed[0] < kills and not over.wait(dice.uniform(0.0, 0.6)):
            if workers := stage.workers():
                worker, code = dice.choice(list(workers.items()))
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                    killed[0] += 1
                    shutil.rmtree(code, ignore_errors=True)  # the emulator keeps 190 MB of each killed worker

    killer = threading.Thread(target=kill)
    killer.start()
    sent: dict[str, tuple[str, bytes]] = {}
    try:
        deadline = time.monotonic() + 400
        while killed[0] < kills:  # there is always work to be killed at
            assert time.monotonic() < deadline, f"Only {killed[0]} workers were found to kill."
            if sum(not image.settled for image in stage.images(list(sent))) < min(60, kills):
                sent |= upload_all(stage, 10)
            stage.sweep()
            time.sleep(0.5)
    finally:
        over.set()
        killer.join()
    images = stage.settle(list(sent), seconds=240)

    print(f"{len(sent)} uploads, {killed[0]} workers killed")
    assert kills == killed[0]
    assert [] == wrong(stage, images, sent)
    assert len(sent) == stage.settled() - before
    assert 0 == stage.dead()
