"""The other router: a rule of EventBridge in place of the topic: made from nothing, gone to and come from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from imgcore.pipeline.models import ObjectCreated
from tests.deploy.local_tools import ARN, PREFIX, UPLOADS, recap
from tests.deploy.provision_account import search
from tests.drills.router_story import KINDS, STRANGER, Done, Ground, ground

pytestmark = pytest.mark.timeout(900)  # Ansible on a busy machine

NAME = f"{PREFIX}-uploads"
RULE = ARN.format("events", f"rule/{NAME}")
TOPIC = ARN.format("sns", NAME)
KEY = "raw/summer 2026/a+b ä%20.jpg"


@dataclass(frozen=True)
class Story:
    """An account that had the rule first and the topic then: what was run, and how it looked afterwards."""

    dry: Done  # eventbridge, in check mode, on nothing
    first: Done  # eventbridge
    bridged: dict[str, Any]
    received: dict[str, list[ObjectCreated]]
    found: list[str]  # by teardown
    again: Done
    checked: Done
    leaving: Done  # sns, in check mode
    topical: dict[str, Any]  # sns
    received_after_switch: dict[str, list[ObjectCreated]]


@dataclass(frozen=True)
class Reverse:
    """An account that had the topic first and the rule then."""

    topical: dict[str, Any]  # sns
    leaving: Done  # eventbridge, in check mode
    bridged: dict[str, Any]  # eventbridge
    received_after_switch: dict[str, list[ObjectCreated]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The story runs once."""
    with ground(tmp_path_factory.mktemp("router") / "home") as it:
        dry, first = it.run("eventbridge", "--check"), it.run("eventbridge")
        bridged, received, found = it.described(), it.upload(KEY), rules_found(it)
        again, checked = it.run("eventbridge"), it.run("eventbridge", "--check")
        leaving = it.run("sns", "--check")
        it.run("sns")
        yield Story(
            dry, first, bridged, received, found, again, checked, leaving, it.described(), it.upload(KEY)
        )  # fmt: skip


@pytest.fixture(scope="module")
def reverse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reverse]:
    """The story runs once, in another account."""
    with ground(tmp_path_factory.mktemp("reverse") / "home") as it:
        it.run("sns")
        topical, leaving = it.described(), it.run("eventbridge", "--check")
        it.run("eventbridge")
        yield Reverse(topical, leaving, it.described(), it.upload(KEY))


def rules_found(it: Ground) -> list[str]:
    """The rules that teardown would remove."""
    found = search().Search(it.aws.client, *PREFIX.rsplit("-", 1)).functions()
    return [each["name"] for each in found if each["kind"] == "rule"]


def changed(said: str) -> list[str]:
    """The tasks that say that they changed something, or would."""
    lines = re.findall(r"^TASK \[(.*?)\] \**$|^(changed): ", said, re.MULTILINE)
    return [before for (before, _), (_, now) in pairwise(lines) if now and before]


def others(announced: dict[str, Any]) -> list[str]:
    """The notifications of the bucket that are somebody else's."""
    return [each["Id"] for each in announced["QueueConfigurations"]]


def test_check_mode_on_empty_account_reports_the_rule(story: Story) -> None:
    assert f"Would create the rule {NAME} with both queues as targets" in story.dry.said
    assert [] == story.dry.writes


def test_first_run_creates_rule_and_targets(story: Story) -> None:
    assert {"PutRule", "PutTargets"} <= set(story.first.writes)
    assert recap(story.first.said)["changed"] >= 5


def test_rule_matches_uploads_only(story: Story) -> None:
    rule = story.bridged["rules"][NAME]
    wanted = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [UPLOADS]}, "object": {"key": [{"prefix": "raw/"}]}},
    }
    tags = {each["Key"]: each["Value"] for each in rule["Tags"]}
    assert (wanted, "ENABLED", "default") == (
        json.loads(rule["EventPattern"]),
        rule["State"],
        rule["EventBusName"],
    )
    assert {"Project": "caption-gallery", "Env": "local", "Role": "events"} == tags


def test_rule_targets_both_queues_with_dead_letter_queues(story: Story) -> None:
    expected = [
        {
            "Id": kind,
            "Arn": ARN.format("sqs", f"{PREFIX}-{kind}"),
            "DeadLetterConfig": {"Arn": ARN.format("sqs", f"{PREFIX}-{kind}-undelivered")},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
        }
        for kind in KINDS
    ]
    assert expected == story.bridged["rules"][NAME]["Targets"]


def test_eventbridge_router_has_no_topic(story: Story) -> None:
    announced = story.bridged["announced"]
    assert {} == story.bridged["topics"]
    assert {"QueueConfigurations", "EventBridgeConfiguration"} == set(announced)
    assert [STRANGER] == others(announced)


@pytest.mark.parametrize("end", ["", "-dead", "-undelivered"])
@pytest.mark.parametrize("kind", KINDS)
def test_queue_policy_allows_the_rule_only(story: Story, kind: str, end: str) -> None:
    (statement,) = story.bridged["queues"][f"{PREFIX}-{kind}{end}"]["Policy"]["Statement"]
    assert {"Service": "events.amazonaws.com"} == statement["Principal"]
    assert ("sqs:SendMessage", ARN.format("sqs", f"{PREFIX}-{kind}{end}")) == (
        statement["Action"],
        statement["Resource"],
    )
    assert {
        "ArnEquals": {"aws:SourceArn": RULE},
        "StringEqualsIfExists": {"aws:SourceAccount": "000000000000"},
    } == statement["Condition"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chapter", ["received", "received_after_switch"])
def test_upload_reaches_each_queue_once_with_its_key(story: Story, chapter: str, kind: str) -> None:
    created = getattr(story, chapter)[kind]
    assert [(UPLOADS, KEY)] == [(each.bucket, each.key) for each in created]


@pytest.mark.parametrize("kind", KINDS)
def test_upload_after_switch_to_eventbridge_reaches_each_queue_once(reverse: Reverse, kind: str) -> None:
    assert [(UPLOADS, KEY)] == [(each.bucket, each.key) for each in reverse.received_after_switch[kind]]


@pytest.mark.parametrize("chapter", ["again", "checked"])
def test_another_run_of_the_router_changes_nothing(story: Story, chapter: str) -> None:
    done = getattr(story, chapter)
    assert 0 == recap(done.said)["changed"]
    assert (True, []) == (done.calls > 20, done.writes)


@pytest.mark.parametrize(
    "sentence",
    [f"Would create the topic {NAME}, subscribe both queues to it", f", and remove the rule {NAME}."],
)
def test_check_mode_of_switch_to_sns_reports_it(story: Story, sentence: str) -> None:
    assert sentence in story.leaving.said
    assert [] == story.leaving.writes


@pytest.mark.parametrize(
    "task",
    [
        "eventbridge | Create the rule",
        "Send the bucket's events to the router",
        "remove_other_router | Delete the topic and its subscriptions",
    ],
)
def test_check_mode_of_switch_to_eventbridge_reports_it(reverse: Reverse, task: str) -> None:
    assert f"events : {task}" in changed(reverse.leaving.said)
    assert [] == reverse.leaving.writes


def test_switch_to_sns_equals_a_fresh_run(story: Story, reverse: Reverse) -> None:
    assert ({NAME}, {}) == (set(reverse.topical["topics"]), reverse.topical["rules"])
    assert reverse.topical == story.topical


def test_switch_to_eventbridge_equals_a_fresh_run(story: Story, reverse: Reverse) -> None:
    assert story.bridged == reverse.bridged


def test_other_notifications_are_kept(story: Story, reverse: Reverse) -> None:
    assert [[STRANGER]] * 2 == [others(each["announced"]) for each in (story.topical, reverse.bridged)]


def test_teardown_finds_the_rule(story: Story) -> None:
    assert [NAME] == story.found
