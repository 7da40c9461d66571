"""Senders of notifications and e-mail subscriptions; SNS is stubbed where the emulator differs from it."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from imgcore.aws.sns import CompositeSender, FolderSender, SnsSender, SnsTopic
from imgcore.errors import Conflict, ImgcoreError, Invalid, Unavailable
from imgcore.notifications.models import NotificationMessage
from imgcore.notifications.subscriptions import SubscriptionState

TOPIC = "arn:aws:sns:us-east-1:123456789012:notices"
ARN = f"{TOPIC}:6b0e71bd-7e97-4d97-80ce-4a0994e55286"
OWNER = "a" * 32
MESSAGE = NotificationMessage(7, OWNER, "anna@home", "2 photos are ready", "Both are done – see “them”.\n")


@pytest.fixture
def client() -> Any:
    """A client that connects to nothing."""
    return boto3.client("sns", "us-east-1", aws_access_key_id="made", aws_secret_access_key="up")


def answers(client: Any, *calls: tuple[str, dict[str, Any] | tuple[str, str]]) -> SnsTopic:
    """Return a topic whose calls get these answers, in order: a body, or an error's code and message."""
    stub = Stubber(client)
    for operation, answer in calls:
        if isinstance(answer, tuple):
            stub.add_client_error(operation, answer[0], answer[1])
        else:
            stub.add_response(operation, answer)
    stub.activate()
    return SnsTopic(lambda: client, TOPIC)


def known(**attributes: str) -> dict[str, Any]:
    return {"Attributes": {"FilterPolicy": f'{{"owner": ["{OWNER}"]}}', **attributes}}


def test_folder_sender_writes_a_readable_mail(tmp_path: Path) -> None:
    FolderSender(tmp_path / "mail").send(MESSAGE)
    text = (tmp_path / "mail/000007.eml").read_bytes()
    mail = email.message_from_bytes(text, policy=email.policy.default)
    assert ("2 photos are ready", MESSAGE.body) == (mail["Subject"], mail.get_content())
    assert "anna@home" == mail["To"].addresses[0].display_name
    assert "Both are done – see “them”." in text.decode()


def test_folder_sender_same_message_twice_is_one_file(tmp_path: Path) -> None:
    """No unfinished file is left."""
    for _ in range(2):
        FolderSender(tmp_path).send(MESSAGE)
    assert ["000007.eml"] == [path.name for path in tmp_path.iterdir()]


def test_folder_sender_unwritable_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(Unavailable):
        FolderSender(tmp_path / "mail").send(MESSAGE)


def test_sns_sender_publishes_with_the_owner_attribute(client: Any) -> None:
    """Every subscription filters by it."""
    wanted = {
        "TopicArn": TOPIC,
        "Subject": MESSAGE.subject,
        "Message": MESSAGE.body,
        "MessageAttributes": {"owner": {"DataType": "String", "StringValue": OWNER}},
    }
    with Stubber(client) as stub:
        stub.add_response("publish", {"MessageId": "1"}, wanted)
        SnsSender(lambda: client, TOPIC).send(MESSAGE)
        stub.assert_no_pending_responses()


def test_sns_sender_error_is_unavailable(client: Any) -> None:
    stub = Stubber(client)
    stub.add_client_error("publish", "InternalError", "Sorry")
    stub.activate()
    with pytest.raises(Unavailable):
        SnsSender(lambda: client, TOPIC).send(MESSAGE)


def test_composite_sender_sends_through_each(tmp_path: Path) -> None:
    CompositeSender([FolderSender(tmp_path / "a"), FolderSender(tmp_path / "b")]).send(MESSAGE)
    assert [1, 1] == [len(list((tmp_path / name).iterdir())) for name in "ab"]


def test_subscribe_new_address_is_pending(client: Any) -> None:
    """SNS returns the ARN at once and sends a confirmation mail."""
    topic = answers(
        client,
        ("subscribe", {"SubscriptionArn": ARN}),
        ("get_subscription_attributes", known(PendingConfirmation="true")),
        ("get_subscription_attributes", known(PendingConfirmation="true")),
        ("get_subscription_attributes", known(PendingConfirmation="false")),
    )
    arn = topic.subscribe("anna@example.org", OWNER)
    assert (ARN, SubscriptionState.PENDING, SubscriptionState.CONFIRMED) == (
        arn,
        topic.state(arn),
        topic.state(arn),
    )


def test_subscribe_sends_the_filter_policy_with_the_request(client: Any) -> None:
    """An address is never subscribed to the notifications of everybody."""
    wanted = {
        "TopicArn": TOPIC,
        "Protocol": "email",
        "Endpoint": "anna@example.org",
        "Attributes": {"FilterPolicy": f'{{"owner": ["{OWNER}"]}}'},
        "ReturnSubscriptionArn": True,
    }
    with Stubber(client) as stub:
        stub.add_response("subscribe", {"SubscriptionArn": ARN}, wanted)
        stub.add_response("get_subscription_attributes", known(), {"SubscriptionArn": ANY})
        SnsTopic(lambda: client, TOPIC).subscribe("anna@example.org", OWNER)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("InvalidParameter", "Invalid parameter: Email address", Invalid),
        ("InvalidParameter", "Subscription already exists with different attributes", Conflict),
        ("FilterPolicyLimitExceeded", "Filter policies per topic", Unavailable),
        ("Throttled", "Slow down", Unavailable),
    ],
)
def test_subscribe_refused_address_is_explained(
    client: Any, code: str, message: str, expected: type[ImgcoreError]
) -> None:
    """SNS has one code for several reasons."""
    with pytest.raises(expected):
        answers(client, ("subscribe", (code, message))).subscribe("anna@example.org", OWNER)


def test_subscribe_existing_subscription_of_another_account_is_a_conflict(client: Any) -> None:
    other = {"Attributes": {"FilterPolicy": '{"owner": ["b"]}'}}
    topic = answers(client, ("subscribe", {"SubscriptionArn": ARN}), ("get_subscription_attributes", other))
    with pytest.raises(Conflict):
        topic.subscribe("anna@example.org", OWNER)


def test_state_unknown_subscription_is_none(client: Any) -> None:
    """It was never confirmed, or stopped by the link in a mail."""
    assert answers(client, ("get_subscription_attributes", ("NotFound", "No such"))).state(ARN) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({}, True), (("NotFound", "No such"), True), (("InvalidParameter", "pending confirmation"), False)],
)
def test_unsubscribe_pending_subscription_is_false(client: Any, answer: Any, expected: bool) -> None:
    """A subscription that does not exist counts as removed."""
    assert expected is answers(client, ("unsubscribe", answer)).unsubscribe(ARN)


@pytest.mark.parametrize("operation", ["get_subscription_attributes", "unsubscribe"])
def test_unreachable_topic_is_unavailable(client: Any, operation: str) -> None:
    topic = answers(client, (operation, ("InternalError", "Sorry")))
    with pytest.raises(Unavailable):
        (topic.unsubscribe if operation == "unsubscribe" else topic.state)(ARN)
