"""Letters into a folder and into a topic; SNS as it answers itself, where the emulator differs from it."""

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
    """One that reaches nobody."""
    return boto3.client("sns", "us-east-1", aws_access_key_id="made", aws_secret_access_key="up")


def answers(client: Any, *told: tuple[str, dict[str, Any] | tuple[str, str]]) -> SnsTopic:
    """A topic whose calls are answered so, in this order: with a body, or an error's code and message."""
    stub = Stubber(client)
    for operation, answer in told:
        if isinstance(answer, tuple):
            stub.add_client_error(operation, answer[0], answer[1])
        else:
            stub.add_response(operation, answer)
    stub.activate()
    return SnsTopic(lambda: client, TOPIC)


def known(**attributes: str) -> dict[str, Any]:
    return {"Attributes": {"FilterPolicy": f'{{"owner": ["{OWNER}"]}}', **attributes}}


def test_a_letter_in_the_folder_can_be_read(tmp_path: Path) -> None:
    """As any mail program reads it, and by a person as it is."""
    FolderSender(tmp_path / "mail").send(MESSAGE)
    text = (tmp_path / "mail/000007.eml").read_bytes()
    mail = email.message_from_bytes(text, policy=email.policy.default)
    assert ("2 photos are ready", MESSAGE.body) == (mail["Subject"], mail.get_content())
    assert "anna@home" == mail["To"].addresses[0].display_name
    assert "Both are done – see “them”." in text.decode()


def test_a_letter_sent_twice_is_one_file(tmp_path: Path) -> None:
    """And nothing unfinished is left beside it."""
    for _ in range(2):
        FolderSender(tmp_path).send(MESSAGE)
    assert ["000007.eml"] == [path.name for path in tmp_path.iterdir()]


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """The letter is sent again later."""
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(Unavailable):
        FolderSender(tmp_path / "mail").send(MESSAGE)


def test_a_letter_goes_to_the_topic_with_its_owner(client: Any) -> None:
    """The attribute that every subscription filters by."""
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


def test_a_letter_that_sns_does_not_take_is_said(client: Any) -> None:
    """It goes again with the next sweep."""
    stub = Stubber(client)
    stub.add_client_error("publish", "InternalError", "Sorry")
    stub.activate()
    with pytest.raises(Unavailable):
        SnsSender(lambda: client, TOPIC).send(MESSAGE)


def test_several_mailboxes_get_it_each(tmp_path: Path) -> None:
    """In their order."""
    CompositeSender([FolderSender(tmp_path / "a"), FolderSender(tmp_path / "b")]).send(MESSAGE)
    assert [1, 1] == [len(list((tmp_path / name).iterdir())) for name in "ab"]


def test_a_new_address_is_pending(client: Any) -> None:
    """SNS gives its name at once, and writes a mail with a link."""
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


def test_the_filter_goes_along_with_the_request(client: Any) -> None:
    """There is no moment in which an address gets everybody's letters."""
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
def test_a_refused_address_is_explained(
    client: Any, code: str, message: str, expected: type[ImgcoreError]
) -> None:
    """SNS has one code for several things."""
    with pytest.raises(expected):
        answers(client, ("subscribe", (code, message))).subscribe("anna@example.org", OWNER)


def test_a_filter_of_somebody_else_is_noticed(client: Any) -> None:
    """Should the topic give back a subscription that there was."""
    other = {"Attributes": {"FilterPolicy": '{"owner": ["b"]}'}}
    topic = answers(client, ("subscribe", {"SubscriptionArn": ARN}), ("get_subscription_attributes", other))
    with pytest.raises(Conflict):
        topic.subscribe("anna@example.org", OWNER)


def test_what_sns_does_not_know_any_more_has_no_state(client: Any) -> None:
    """Never confirmed, or stopped by the link in a letter."""
    assert answers(client, ("get_subscription_attributes", ("NotFound", "No such"))).state(ARN) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({}, True), (("NotFound", "No such"), True), (("InvalidParameter", "pending confirmation"), False)],
)
def test_what_waits_for_confirmation_cannot_be_removed(client: Any, answer: Any, expected: bool) -> None:
    """SNS keeps it until it forgets it; what is not there is gone."""
    assert expected is answers(client, ("unsubscribe", answer)).unsubscribe(ARN)


@pytest.mark.parametrize("operation", ["get_subscription_attributes", "unsubscribe"])
def test_a_topic_that_is_away_is_said_to_be(client: Any, operation: str) -> None:
    """Nothing is concluded from it."""
    topic = answers(client, (operation, ("InternalError", "Sorry")))
    with pytest.raises(Unavailable):
        (topic.unsubscribe if operation == "unsubscribe" else topic.state)(ARN)
