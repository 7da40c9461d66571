"""What the modules of the role events make of what they are given and of what they find."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loading import module_at

rules = module_at("roles/events/library/eventbridge_rule.py")
announcing = module_at("roles/events/library/s3_notification.py")

TOPIC = "arn:aws:sns:us-east-1:123456789012:uploads"
PARAMS: dict[str, Any] = {
    "bucket": "uploads",
    "id": "uploads",
    "topic_arn": TOPIC,
    "events": ["s3:ObjectCreated:*"],
    "prefix": "raw/",
    "eventbridge": None,
}
(OURS,) = announcing.build(PARAMS)
THEIRS = {"Id": "theirs", "QueueArn": "arn:aws:sqs:us-east-1:123456789012:theirs", "Events": ["s3:TestEvent"]}
ON: dict[str, Any] = {"EventBridgeConfiguration": {}}


def announced(current: dict[str, Any], **given: Any) -> dict[str, Any] | None:
    """What the bucket's document becomes; None where it stays."""
    params = PARAMS | given
    wanted = announcing.build(params)
    after: dict[str, Any] | None = announcing.changed(current, params["id"], wanted, params["eventbridge"])
    return after


def test_a_notification_in_other_words_is_the_same() -> None:
    """S3 writes Prefix with a capital, and the events in any order."""
    rules = [{"Name": "Prefix", "Value": "raw/"}]
    current = {"TopicConfigurations": [OURS | {"Filter": {"Key": {"FilterRules": rules}}}]}
    assert announced(current) is None


@pytest.mark.parametrize(
    "change", [{"TopicArn": f"{TOPIC}-2"}, {"Events": ["s3:ObjectCreated:Put"]}, {"Filter": {}}], ids=str
)
def test_another_notification_of_this_name_is_replaced(change: dict[str, Any]) -> None:
    """By the one that is wanted."""
    assert {"TopicConfigurations": [OURS]} == announced({"TopicConfigurations": [OURS | change]})


def test_a_notification_of_this_name_to_a_queue_goes() -> None:
    """There is one of each name."""
    current = {"QueueConfigurations": [THEIRS | {"Id": "uploads"}]}
    assert {"TopicConfigurations": [OURS]} == announced(current)


def test_from_the_topic_to_eventbridge_it_is_one_document() -> None:
    """And what is somebody else's stays in it."""
    current = {"TopicConfigurations": [OURS], "QueueConfigurations": [THEIRS]}
    expected = {"QueueConfigurations": [THEIRS], **ON}
    assert expected == announced(current, topic_arn=None, eventbridge=True)


def test_from_eventbridge_to_the_topic_it_is_one_document() -> None:
    """And what is somebody else's stays in it."""
    expected = {"TopicConfigurations": [OURS], "QueueConfigurations": [THEIRS]}
    assert expected == announced({"QueueConfigurations": [THEIRS], **ON}, eventbridge=False)


@pytest.mark.parametrize("current", [{}, ON], ids=["off", "on"])
def test_eventbridge_stays_as_it_is_where_nothing_is_said(current: dict[str, Any]) -> None:
    """Whoever has switched it on may have a use for it."""
    assert {"TopicConfigurations": [OURS], **current} == announced(current)


def test_eventbridge_is_left_alone_where_it_is_right() -> None:
    """Nothing is put."""
    assert announced(ON, topic_arn=None, eventbridge=True) is None


RULE = rules.wanted_rule({"name": "uploads", "description": "x", "pattern": {"source": ["aws.s3"], "a": [1]}})
TARGET = rules.wanted_target(
    {"id": "caption", "arn": "q", "dead_letter_arn": "d", "retry_hours": 2, "retry_attempts": 3}
)
ARN = "arn:aws:events:us-east-1:123456789012:rule/uploads"


class Bus:
    """EventBridge, as far as the module asks it. refuses: the id of a target that it does not take."""

    class exceptions:  # noqa: N801 - boto3's name
        ResourceNotFoundException = KeyError

    def __init__(self, rule: dict[str, Any] | None, targets: list[dict[str, Any]], refuses: str = "") -> None:
        self.rule, self.targets, self.refuses = rule, targets, refuses
        self.calls: list[tuple[str, Any]] = []

    def describe_rule(self, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if self.rule is None:
            raise KeyError(Name)
        return self.rule | {"Arn": ARN}

    def get_paginator(self, operation: str) -> Bus:
        return self

    def paginate(self, Rule: str) -> list[dict[str, Any]]:  # noqa: N803
        return [{"Targets": [target]} for target in self.targets]

    def list_tags_for_resource(self, ResourceARN: str) -> dict[str, Any]:  # noqa: N803
        return {"Tags": [{"Key": "Env", "Value": "old"}, {"Key": "Stray", "Value": "x"}]}

    def __getattr__(self, operation: str) -> Any:
        def call(**given: Any) -> dict[str, Any]:
            self.calls.append((operation, given))
            failed = [{"TargetId": self.refuses, "ErrorMessage": "no such queue"}] if self.refuses else []
            return {"FailedEntryCount": len(failed), "FailedEntries": failed}

        return call

    @property
    def writes(self) -> list[str]:
        """The names of the calls that change something."""
        return [operation for operation, _ in self.calls]


def apply(bus: Bus, tags: dict[str, str] | None = None, check_mode: bool = False) -> list[str]:
    """What the module finds to do."""
    rule = rules.Rule(bus, "uploads", check_mode)
    parts: list[str] = rule.set(RULE, tags) + rule.set_targets([TARGET]) + rule.set_tags(tags)
    return parts


def test_a_new_rule_comes_with_its_tags() -> None:
    """In the one call in which AWS takes them."""
    bus = Bus(None, [])
    assert ["rule", "targets"] == apply(bus, {"Env": "new"})
    assert ["put_rule", "put_targets"] == bus.writes
    assert [{"Key": "Env", "Value": "new"}] == bus.calls[0][1]["Tags"]


def test_a_rule_in_other_words_is_the_same() -> None:
    """AWS keeps the text of a pattern, and whoever wrote it may have ordered it otherwise."""
    bus = Bus(RULE | {"EventPattern": '{"source":["aws.s3"],"a":[1]}'}, [TARGET])
    assert ([], []) == (apply(bus), bus.writes)


@pytest.mark.parametrize(
    "change",
    [
        {"State": "DISABLED"},
        {"Description": "y"},
        {"EventPattern": "{}"},
        {"ScheduleExpression": "rate(1 minute)"},
    ],
    ids=str,
)
def test_a_rule_that_means_something_else_is_put_again(change: dict[str, str]) -> None:
    """Without tags, which AWS would not take."""
    bus = Bus(RULE | change, [TARGET])
    assert ["rule"] == apply(bus)
    assert [("put_rule", RULE)] == bus.calls


def test_targets_of_somebody_else_go_before_ours_come() -> None:
    """A rule takes five at most."""
    bus = Bus(RULE, [{"Id": "stray", "Arn": "x"}])
    assert ["targets"] == apply(bus)
    assert [("remove_targets", ["stray"]), ("put_targets", [TARGET])] == [
        (name, given.get("Ids") or given.get("Targets")) for name, given in bus.calls
    ]


@pytest.mark.parametrize("part", ["Arn", "DeadLetterConfig", "RetryPolicy"])
def test_a_target_that_lacks_something_is_put_again(part: str) -> None:
    """Its dead letters, say, which the console forgets."""
    bus = Bus(RULE, [{key: value for key, value in TARGET.items() if key != part}])
    assert ["targets"] == apply(bus)
    assert [("put_targets", {"Rule": "uploads", "Targets": [TARGET]})] == bus.calls


def test_tags_of_a_rule_that_is_there_are_brought_in_line() -> None:
    """Strays go."""
    bus = Bus(RULE, [TARGET])
    assert ["tags"] == apply(bus, {"Env": "new"})
    assert [
        ("untag_resource", {"ResourceARN": ARN, "TagKeys": ["Stray"]}),
        ("tag_resource", {"ResourceARN": ARN, "Tags": [{"Key": "Env", "Value": "new"}]}),
    ] == bus.calls


def test_check_mode_finds_all_and_writes_nothing() -> None:
    """Of a rule that is not there, and of one that is otherwise."""
    none, other = Bus(None, []), Bus(RULE | {"State": "DISABLED"}, [{"Id": "stray", "Arn": "x"}])
    assert ["rule", "targets"] == apply(none, {"Env": "new"}, check_mode=True)
    assert ["rule", "targets", "tags"] == apply(other, {"Env": "new"}, check_mode=True)
    assert [] == none.writes + other.writes


def test_a_target_that_is_not_taken_is_an_error() -> None:
    """AWS answers 200 all the same."""
    with pytest.raises(rules.FailedTargets, match="caption: no such queue"):
        apply(Bus(RULE, [], refuses="caption"))


def test_a_rule_goes_with_its_targets() -> None:
    """AWS deletes none that has any; one that is not there is passed over."""
    bus, none = Bus(RULE, [TARGET]), Bus(None, [])
    assert ["rule", "targets"] == rules.Rule(bus, "uploads", False).remove()
    assert ["remove_targets", "delete_rule"] == bus.writes
    assert ([], []) == (rules.Rule(none, "uploads", False).remove(), none.writes)
