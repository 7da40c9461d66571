"""Every envelope of tests/events becomes the same ObjectCreated, and nothing else does."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcore.errors import Invalid
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.s3_events import deliveries, message

EVENTS = Path(__file__).parents[1] / "events"

UPLOAD = ObjectCreated(
    bucket="gallery-test-uploads",
    key="raw/a b+cé.jpg",
    size=1_048_576,
    etag="d41d8cd98f00b204e9800998ecf8427e",
    version_id="096fKKXTRTtl3on89fVO.nfljtsv6qko",
    sequencer="0055AED6DCD90281E5",
)


def read(name: str) -> object:
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["s3", "sns", "sqs_raw", "sqs_wrapped", "eventbridge", "sqs_eventbridge"])
def test_every_envelope_holds_the_same_upload(name: str) -> None:
    """S3, SNS, SQS and EventBridge say the same thing, each in its own encoding of the key."""
    assert [(UPLOAD,)] == [delivery.created for delivery in deliveries(read(name))]


@pytest.mark.parametrize("name", ["s3_test", "s3_removed"])
def test_news_of_something_else_is_understood_and_empty(name: str) -> None:
    """S3's test event and a removal are no uploads, and no errors."""
    (delivery,) = deliveries(read(name))

    assert ((), None, None) == (delivery.created, delivery.task, delivery.problem)


def test_one_bad_message_does_not_spoil_its_batch() -> None:
    """Each message of an SQS batch stands alone: upload, not JSON, test event, task, unknown."""
    found = deliveries(read("sqs_batch_one_bad"))

    assert [(UPLOAD,), (), (), (), ()] == [delivery.created for delivery in found]
    assert [None, None, None, "sweep", None] == [delivery.task for delivery in found]
    assert [False, True, False, False, True] == [delivery.problem is not None for delivery in found]
    assert len({delivery.message_id for delivery in found}) == len(found)


def test_the_pipelines_own_task() -> None:
    """The schedule's input is a task."""
    assert ["sweep"] == [delivery.task for delivery in deliveries(read("sweep"))]


def test_an_unversioned_bucket_has_no_version() -> None:
    """S3 writes "null" where a bucket keeps no versions."""
    event = read("s3")
    event["Records"][0]["s3"]["object"]["versionId"] = "null"  # type: ignore[index]

    assert deliveries(event)[0].created[0].version_id is None


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        {},
        {"Records": "x"},
        {"Records": [1]},
        {"Records": [{"eventSource": "aws:kinesis"}]},
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]},
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": {}}}]},
        {
            "Records": [
                {
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {"object": {"key": "k"}, "bucket": {}},
                }
            ]
        },
        {"Type": "Notification", "Message": "no json"},
        {"Type": "Notification"},
        {"Type": "Notification", "Message": "[" * 100_000},
    ],
)
def test_an_unknown_event_is_refused(event: object) -> None:
    """What is no known envelope is Invalid, never guessed at."""
    with pytest.raises(Invalid):
        deliveries(event)


def test_another_detail_of_eventbridge_is_empty() -> None:
    """Only "Object Created" counts."""
    event = {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}}

    assert () == deliveries(event)[0].created


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_our_own_message_comes_back_as_it_was_sent(key: str) -> None:
    """Whatever is in a key survives the form-encoding of S3's envelope."""
    assert [(ObjectCreated("b", key),)] == [
        delivery.created for delivery in deliveries(json.loads(message("b", key)))
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["Records", "eventSource", "s3", "object", "key", "body", "Type", "detail", "source", "task"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_json_breaks_it(event: object) -> None:
    """Any JSON at all is either understood or Invalid."""
    keys: list[str] = []
    with suppress(Invalid):
        keys = [created.key for delivery in deliveries(event) for created in delivery.created]

    assert all(keys)
