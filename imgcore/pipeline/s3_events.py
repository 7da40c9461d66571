"""Parse the events that announce an upload, in every format. Pure.

S3 event notifications, SNS around them, SQS around either (raw delivery or not), EventBridge's
"Object Created", and tasks such as {"task": "sweep"}. Shapes: Amazon S3 User Guide, "Event message structure";
Amazon SNS, "Raw message delivery"; AWS Lambda, "Using Lambda with Amazon SQS".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from imgcore.errors import Invalid
from imgcore.pipeline.models import ObjectCreated

POSTPONED = "postponed"  # message attribute: how many times the message was postponed


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of an event.

    message_id: that of SQS, to report the message as failed; None for other events.
    body: the message's own text, to send it again.
    postponed: how many times the message was postponed already.
    created: the created objects; empty for s3:TestEvent and for events of other types.
    task: "sweep" or "ping".
    problem: why the message cannot be parsed; then the other two are empty.
    """

    message_id: str | None = None
    body: str = ""
    postponed: int = 0
    created: tuple[ObjectCreated, ...] = ()
    task: str | None = None
    problem: str | None = None


def deliveries(event: Any) -> list[Delivery]:
    """Return the messages in the event of a function. Invalid for an unknown format.

    A message of an SQS batch that cannot be parsed does not affect the others: its Delivery has the problem.
    """
    records = _records(event)
    if records and all(_source(record) == "aws:sqs" for record in records):
        return [_from_sqs(record) for record in records]
    if isinstance(event, Mapping) and isinstance(event.get("task"), str):
        return [Delivery(task=event["task"])]
    return [Delivery(created=tuple(_created(event)))]


def message(bucket: str, key: str) -> str:
    """Return the body of a message about this object, in the format of an S3 event."""
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Redelivered",
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}},
    }
    return json.dumps({"Records": [record]})


def _from_sqs(record: Mapping[str, Any]) -> Delivery:
    text = record.get("body")
    delivery = Delivery(
        str(record.get("messageId", "")), text if isinstance(text, str) else "", _postponed(record)
    )
    try:
        body = _json(text)
        if isinstance(body, Mapping) and isinstance(body.get("task"), str):
            return replace(delivery, task=body["task"])
        return replace(delivery, created=tuple(_created(body)))
    except Invalid as error:
        return replace(delivery, problem=error.message)


def _postponed(record: Mapping[str, Any]) -> int:
    """Return the count in the message attribute POSTPONED; 0 where there is none."""
    attributes = record.get("messageAttributes")
    attribute = attributes.get(POSTPONED) if isinstance(attributes, Mapping) else None
    value = attribute.get("stringValue") if isinstance(attribute, Mapping) else None
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else 0


def _created(event: Any) -> Iterator[ObjectCreated]:
    if isinstance(event, Mapping):
        if event.get("Event") == "s3:TestEvent":
            return
        if event.get("Type") == "Notification":
            yield from _created(_json(event.get("Message")))
            return
        if event.get("source") == "aws.s3" and "detail" in event:
            yield from _from_eventbridge(event)
            return
    records = _records(event)
    if records is None:
        raise Invalid("This event has an unknown format: no Records, no detail, no task.")
    for record in records:
        match _source(record):
            case "aws:s3":
                yield from _from_s3(record)
            case "aws:sns":
                yield from _created(_json(_part(record, "Sns").get("Message")))
            case other:
                raise Invalid(f"This event has an unknown format: its source is {other!r}.")


def _from_s3(record: Mapping[str, Any]) -> Iterator[ObjectCreated]:
    if not str(record.get("eventName", "")).removeprefix("s3:").startswith("ObjectCreated:"):
        return
    s3 = _part(record, "s3")
    item = _part(s3, "object")
    # Keys in S3 event notifications are form-encoded: "a b" is sent as "a+b"
    yield _object(_part(s3, "bucket"), item, unquote_plus(_text(item, "key")), item.get("versionId"), "eTag")


def _from_eventbridge(event: Mapping[str, Any]) -> Iterator[ObjectCreated]:
    if event.get("detail-type") != "Object Created":
        return
    detail = _part(event, "detail")
    item = _part(detail, "object")
    yield _object(_part(detail, "bucket"), item, _text(item, "key"), item.get("version-id"), "etag")


def _object(
    bucket: Mapping[str, Any], item: Mapping[str, Any], key: str, version_id: Any, etag: str
) -> ObjectCreated:
    size = item.get("size")
    return ObjectCreated(
        bucket=_text(bucket, "name"),
        key=key,
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        etag=_optional(item.get(etag)),
        # "null" is the version id of an object in a bucket without versioning
        version_id=_optional(version_id if version_id != "null" else None),
        sequencer=_optional(item.get("sequencer")),
    )


def _records(event: Any) -> list[Mapping[str, Any]] | None:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        return None
    return records


def _source(record: Mapping[str, Any]) -> str:
    return str(record.get("eventSource") or record.get("EventSource") or "")


def _part(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = parent.get(name)
    if not isinstance(part, Mapping):
        raise Invalid(f"This event has no {name!r} part.")
    return part


def _text(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid(f"This event has no {name!r}.")
    return value


def _optional(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _json(text: Any) -> Any:
    if not isinstance(text, str):
        raise Invalid("This message has no text.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("This message is not JSON.") from error
