"""Queues on an emulator that enforces every condition, with the web process's own identity."""

from __future__ import annotations

import json

import pytest

from imgcore.aws.sqs import SqsQueues
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.models import TaskKind
from imgcore.pipeline.maintenance_models import DeadLetterCause
from imgcore.pipeline.s3_events import deliveries
from tests.cloud import Cloud


def test_a_task_is_handed_to_its_own_queue(aws: Cloud, names: dict[str, str]) -> None:
    """The message is an S3 event; the delay is rounded up and at most a quarter of an hour."""
    urls = {kind: names[f"{kind.upper()}_QUEUE_URL"] for kind in TaskKind}
    queues = SqsQueues(lambda: aws.client("sqs", names), urls, "bucket")

    queues.send(TaskKind.CAPTION, "raw/a b+c.jpg")
    queues.send(TaskKind.CAPTION, "raw/later.jpg", delay=99_999.0)

    root = aws.client("sqs")
    keys: list[str] = []  # what earlier tests uploaded is in the queue as well
    while got := root.receive_message(QueueUrl=urls[TaskKind.CAPTION], MaxNumberOfMessages=10).get("Messages"):
        received = [delivery for one in got for delivery in deliveries(json.loads(one["Body"]))]
        keys += [created.key for delivery in received for created in delivery.created]
    assert ["raw/a b+c.jpg"] == [name for name in keys if " " in name]
    waiting = root.get_queue_attributes(
        QueueUrl=urls[TaskKind.CAPTION], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert "1" == waiting["Attributes"]["ApproximateNumberOfMessagesDelayed"]


def test_postponed_message_is_a_delayed_copy_with_its_count(aws: Cloud, names: dict[str, str]) -> None:
    """The copy has no receives yet, and the emulator's event source mapping hands on its count."""
    urls = {kind: names[f"{kind.upper()}_QUEUE_URL"] for kind in TaskKind}
    queues = SqsQueues(lambda: aws.client("sqs", names), urls, "bucket")
    root = aws.client("sqs")
    root.purge_queue(QueueUrl=urls[TaskKind.THUMBNAIL])

    queues.postpone(TaskKind.THUMBNAIL, '{"task": "ping"}', postponed=3, delay=0.5)

    asked = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"], "WaitTimeSeconds": 5}
    at_once = root.receive_message(QueueUrl=urls[TaskKind.THUMBNAIL], **asked | {"WaitTimeSeconds": 0})
    (copy,) = root.receive_message(QueueUrl=urls[TaskKind.THUMBNAIL], **asked)["Messages"]
    assert [] == at_once.get("Messages", [])
    assert ('{"task": "ping"}', "1") == (copy["Body"], copy["Attributes"]["ApproximateReceiveCount"])
    assert {"postponed": {"DataType": "Number", "StringValue": "3"}} == copy["MessageAttributes"]


def test_dead_letters_are_counted_by_the_web_process(aws: Cloud, names: dict[str, str]) -> None:
    """The identity of the web process may count them, and not read them."""
    urls = {kind: names[f"{kind.upper()}_QUEUE_URL"] for kind in TaskKind}
    queues = SqsQueues(lambda: aws.client("sqs", names), urls, "bucket")
    root = aws.client("sqs")
    for kind in TaskKind:
        for ending in ("dead", "undelivered"):
            root.purge_queue(QueueUrl=f"{urls[kind]}-{ending}")
    for _ in range(2):
        root.send_message(QueueUrl=f"{urls[TaskKind.CAPTION]}-dead", MessageBody="{}")
    root.send_message(QueueUrl=f"{urls[TaskKind.THUMBNAIL]}-undelivered", MessageBody="{}")

    counts = {(found.kind, found.cause): found.count for found in queues.dead_letters()}
    assert {
        (TaskKind.THUMBNAIL, DeadLetterCause.FAILED): 0,
        (TaskKind.THUMBNAIL, DeadLetterCause.UNDELIVERED): 1,
        (TaskKind.CAPTION, DeadLetterCause.FAILED): 2,
        (TaskKind.CAPTION, DeadLetterCause.UNDELIVERED): 0,
    } == counts


def test_a_queue_that_is_not_named_or_not_there(aws: Cloud, names: dict[str, str]) -> None:
    """A missing setting is named; a queue out of reach is unavailable."""
    lost = aws.client("sqs", names | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    queues = SqsQueues(lambda: lost, {TaskKind.CAPTION: "http://127.0.0.1:1/x", TaskKind.THUMBNAIL: None}, "b")

    with pytest.raises(Misconfigured, match="THUMBNAIL_QUEUE_URL"):
        queues.send(TaskKind.THUMBNAIL, "raw/x")
    with pytest.raises(Unavailable, match="caption queue"):
        queues.send(TaskKind.CAPTION, "raw/x")
    with pytest.raises(Misconfigured, match="THUMBNAIL_QUEUE_URL"):
        queues.dead_letters()
    queues = SqsQueues(lambda: lost, dict.fromkeys(TaskKind, "http://127.0.0.1:1/x"), "b")
    with pytest.raises(Unavailable, match="dead-letter queues"):
        queues.dead_letters()
