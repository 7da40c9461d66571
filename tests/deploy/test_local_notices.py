"""The topic for notices: as the role makes it, and each owner's letters to that owner alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from imgcore.aws.sns import SnsSender, SnsTopic
from imgcore.errors import Conflict, Unavailable
from imgcore.notifications.models import NotificationMessage
from imgcore.notifications.subscriptions import SubscriptionState
from tests.cloud import Cloud
from tests.deploy.local_tools import ARN, PREFIX, ask_probe

pytestmark = pytest.mark.timeout(900)  # Ansible on a busy machine

TOPIC = ARN.format("sns", f"{PREFIX}-notices")
ANNA, BEN, CARA = ("a" * 32, "b" * 32, "c" * 32)


def attributes(aws: Cloud) -> dict[str, Any]:
    """The topic's own."""
    found: dict[str, Any] = aws.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    return found


class Inbox:
    """A queue in place of an owner's mail program: subscribed with the filter that an address gets."""

    def __init__(self, aws: Cloud, owner: str) -> None:
        self._sqs = aws.client("sqs")
        self._queue = self._sqs.create_queue(QueueName=f"inbox-{owner[0]}")["QueueUrl"]
        arn = ARN.format("sqs", f"inbox-{owner[0]}")
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        filtered = {"FilterPolicy": json.dumps({"owner": [owner]})}
        aws.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn, Attributes=filtered)

    def subjects(self) -> list[str]:
        """Return all messages received since then."""
        got = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for each in got.get("Messages", []):
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"])["Subject"] for each in got.get("Messages", [])]


@pytest.fixture(scope="module")
def inboxes(aws: Cloud) -> Iterator[dict[str, Inbox]]:
    """Anna's and Ben's; Cara has none."""
    yield {owner: Inbox(aws, owner) for owner in (ANNA, BEN)}
    sns = aws.client("sns")
    for each in sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def letter(owner: str | None) -> NotificationMessage:
    return NotificationMessage(1, owner, "somebody", f"For {owner}", "Body")


@pytest.fixture
def web_topic(aws: Cloud) -> SnsTopic:
    """The topic as the web process has it."""
    return SnsTopic(lambda: aws.client("sns", aws.settings("web")), TOPIC)


def test_topic_is_encrypted(aws: Cloud) -> None:
    assert "alias/aws/sns" == attributes(aws)["KmsMasterKeyId"]


def test_topic_policy_denies_other_accounts(aws: Cloud) -> None:
    (statement,) = json.loads(attributes(aws)["Policy"])["Statement"]
    assert ("Deny", ["sns:Publish", "sns:Subscribe"]) == (statement["Effect"], statement["Action"])
    assert {"StringNotEquals": {"aws:PrincipalAccount": "000000000000"}} == statement["Condition"]


def test_function_and_web_process_know_the_topic(aws: Cloud) -> None:
    found = aws.client("lambda").get_function_configuration(FunctionName=f"{PREFIX}-caption")
    assert TOPIC == found["Environment"]["Variables"]["NOTICES_TOPIC_ARN"]
    assert TOPIC == aws.settings("web")["NOTICES_TOPIC_ARN"]


@pytest.mark.parametrize("owner", [ANNA, BEN, CARA])
def test_a_letter_goes_to_its_owner_alone(aws: Cloud, inboxes: dict[str, Inbox], owner: str) -> None:
    """Published by the function's own identity; who has no inbox gets nothing, and nobody gets it instead."""
    attribute = {"owner": {"DataType": "String", "StringValue": owner}}
    sent = {"TopicArn": TOPIC, "Subject": f"For {owner}", "Message": "Body", "MessageAttributes": attribute}
    assert ask_probe(aws, "caption", "sns", "publish", sent) is None
    expected = {each: [f"For {owner}"] if each == owner else [] for each in inboxes}
    assert expected == {each: inbox.subjects() for each, inbox in inboxes.items()}


@pytest.mark.parametrize("owner", [ANNA, None])
def test_sender_names_the_owner_of_the_message(
    aws: Cloud, inboxes: dict[str, Inbox], owner: str | None
) -> None:
    """A message without an owner reaches no subscriber."""
    SnsSender(lambda: aws.client("sns"), TOPIC).send(letter(owner))
    expected = {ANNA: [f"For {owner}"] if owner else [], BEN: []}
    assert expected == {each: inbox.subjects() for each, inbox in inboxes.items()}


def test_a_letter_that_is_refused_is_not_sent(aws: Cloud) -> None:
    """The web process may not publish; the call is rejected."""
    with pytest.raises(Unavailable):
        SnsSender(lambda: aws.client("sns", aws.settings("web")), TOPIC).send(letter(ANNA))


def test_an_address_is_subscribed_with_its_filter_and_stopped(aws: Cloud, web_topic: SnsTopic) -> None:
    """The emulator confirms e-mail by itself, where SNS writes a mail with a link."""
    arn = web_topic.subscribe("cara@example.org", CARA)
    known = aws.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    before = web_topic.state(arn)
    gone = web_topic.unsubscribe(arn)
    assert {"owner": [CARA]} == json.loads(known["FilterPolicy"])
    assert (SubscriptionState.CONFIRMED, True, None) == (before, gone, web_topic.state(arn))


def test_an_address_serves_one_account(web_topic: SnsTopic) -> None:
    """A second one would get the letters of the first, or take them away."""
    arn = web_topic.subscribe("both@example.org", ANNA)
    try:
        with pytest.raises(Conflict):
            web_topic.subscribe("both@example.org", BEN)
    finally:
        web_topic.unsubscribe(arn)
