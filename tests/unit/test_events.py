"""Events of every format in tests/events are parsed to the same ObjectCreated."""

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
def test_deliveries_every_format_holds_the_same_upload(name: str) -> None:
    """S3, SNS, SQS and EventBridge, each with its own encoding of the key."""
    assert [(UPLOAD,)] == [delivery.created for delivery in deliveries(read(name))]


@pytest.mark.parametrize("name", ["s3_test", "s3_removed"])
def test_deliveries_other_events_are_empty(name: str) -> None:
    """S3's test event and a removal."""
    (delivery,) = deliveries(read(name))

    assert ((), None, None) == (delivery.created, delivery.task, delivery.problem)


def test_deliveries_bad_message_does_not_affect_the_batch() -> None:
    """Upload, not JSON, test event, task, unknown."""
    found = deliveries(read("sqs_batch_one_bad"))

    assert [(UPLOAD,), (), (), (), ()] == [delivery.created for delivery in found]
    assert [None, None, None, "sweep", None] == [delivery.task for delivery in found]
    assert [False, True, False, False, True] == [delivery.problem is not None for delivery in found]
    assert len({delivery.message_id for delivery in found}) == len(found)


def stored(**item: object) -> ObjectCreated:
    """Return what is made of an S3 record whose object has these fields."""
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}
    parts = {"bucket": {"name": "b"}, "object": {"key": "raw/a.jpg", **item}}
    [delivery] = deliveries({"Records": [{**record, "s3": parts}]})
    [created] = delivery.created
    return created


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, 0), (1, 1), (-1, None), (True, None), (False, None), ("1", None), (1.5, None), (None, None)],
)
def test_deliveries_size_is_a_whole_number_from_zero(size: object, expected: int | None) -> None:
    found = stored(size=size).size
    assert (expected, type(expected)) == (found, type(found))


@pytest.mark.parametrize(("etag", "expected"), [("abc", "abc"), ("", None), (7, None), (None, None)])
def test_deliveries_etag_is_a_text_or_none(etag: object, expected: str | None) -> None:
    assert expected == stored(eTag=etag).etag


@pytest.mark.parametrize("key", ["", 7, None])
def test_deliveries_key_that_is_no_text_is_invalid(key: object) -> None:
    with pytest.raises(Invalid, match="no 'key'"):
        stored(key=key)


@pytest.mark.parametrize("event", [{"source": "aws.s3"}, {"detail": {"object": {}}}])
def test_deliveries_half_of_an_eventbridge_event_has_an_unknown_format(event: object) -> None:
    with pytest.raises(Invalid, match="unknown format"):
        deliveries(event)


def test_deliveries_text_that_is_not_json_is_named() -> None:
    [found] = deliveries({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": "{"}]})
    assert ("This message is not JSON.", 0) == (found.problem, found.postponed)


def test_deliveries_event_without_a_message_was_never_postponed() -> None:
    assert [0] == [delivery.postponed for delivery in deliveries(read("s3"))]


@pytest.mark.parametrize("body", ["[]", "{}", '"text"', "1", "null", None, 7, ["x"], {"a": 1}])
def test_deliveries_any_body_is_a_problem_of_its_message_alone(body: object) -> None:
    good = {"messageId": "good", "eventSource": "aws:sqs", "body": message("b", "raw/a.jpg")}
    bad = {"messageId": "bad", "eventSource": "aws:sqs", "body": body}

    found = deliveries({"Records": [bad, good]})

    assert [("bad", True), ("good", False)] == [(each.message_id, each.problem is not None) for each in found]
    assert ObjectCreated("b", "raw/a.jpg") == found[1].created[0]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"postponed": {"stringValue": "3", "dataType": "Number"}}, 3),
        ({}, 0),
        (None, 0),
        ({"postponed": "3"}, 0),
        ({"postponed": {"stringValue": "-1"}}, 0),
        ({"postponed": {"stringValue": "³"}}, 0),
        ({"other": {"stringValue": "3"}}, 0),
    ],
)
def test_deliveries_read_how_often_a_message_was_postponed(attributes: object, expected: int) -> None:
    text = message("b", "raw/a.jpg")
    record = {"messageId": "m", "eventSource": "aws:sqs", "body": text, "messageAttributes": attributes}

    (delivery,) = deliveries({"Records": [record]})

    assert (text, expected) == (delivery.body, delivery.postponed)


def test_deliveries_task_is_returned() -> None:
    assert ["sweep"] == [delivery.task for delivery in deliveries(read("sweep"))]


def test_deliveries_version_null_is_none() -> None:
    """S3 sends "null" for a bucket without versioning."""
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
def test_deliveries_unknown_event_is_invalid(event: object) -> None:
    with pytest.raises(Invalid):
        deliveries(event)


def test_deliveries_other_detail_type_is_empty() -> None:
    event = {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}}

    assert () == deliveries(event)[0].created


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_message_is_parsed_to_the_same_key(key: str) -> None:
    """Any key survives the form encoding."""
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
def test_deliveries_any_json_is_parsed_or_invalid(event: object) -> None:
    keys: list[str] = []
    with suppress(Invalid):
        keys = [created.key for delivery in deliveries(event) for created in delivery.created]

    assert all(keys)
