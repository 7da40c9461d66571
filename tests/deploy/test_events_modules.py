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


def test_notification_with_other_case_and_order_is_equal() -> None:
    rules = [{"Name": "Prefix", "Value": "raw/"}]
    current = {"TopicConfigurations": [OURS | {"Filter": {"Key": {"FilterRules": rules}}}]}
    assert announced(current) is None


@pytest.mark.parametrize(
    "change", [{"TopicArn": f"{TOPIC}-2"}, {"Events": ["s3:ObjectCreated:Put"]}, {"Filter": {}}], ids=str
)
def test_notification_that_differs_is_replaced(change: dict[str, Any]) -> None:
    assert {"TopicConfigurations": [OURS]} == announced({"TopicConfigurations": [OURS | change]})


def test_notification_with_this_id_to_a_queue_is_removed() -> None:
    current = {"QueueConfigurations": [THEIRS | {"Id": "uploads"}]}
    assert {"TopicConfigurations": [OURS]} == announced(current)


def test_switch_to_eventbridge_is_one_document_and_keeps_others() -> None:
    current = {"TopicConfigurations": [OURS], "QueueConfigurations": [THEIRS]}
    expected = {"QueueConfigurations": [THEIRS], **ON}
    assert expected == announced(current, topic_arn=None, eventbridge=True)


def test_switch_to_topic_is_one_document_and_keeps_others() -> None:
    expected = {"TopicConfigurations": [OURS], "QueueConfigurations": [THEIRS]}
    assert expected == announced({"QueueConfigurations": [THEIRS], **ON}, eventbridge=False)


@pytest.mark.parametrize("current", [{}, ON], ids=["off", "on"])
def test_eventbridge_setting_is_kept_if_omitted(current: dict[str, Any]) -> None:
    assert {"TopicConfigurations": [OURS], **current} == announced(current)


def test_eventbridge_setting_that_is_right_writes_nothing() -> None:
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


def test_new_rule_is_created_with_tags() -> None:
    bus = Bus(None, [])
    assert ["rule", "targets"] == apply(bus, {"Env": "new"})
    assert ["put_rule", "put_targets"] == bus.writes
    assert [{"Key": "Env", "Value": "new"}] == bus.calls[0][1]["Tags"]


def test_rule_with_other_key_order_is_equal() -> None:
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
def test_rule_that_differs_is_updated_without_tags(change: dict[str, str]) -> None:
    bus = Bus(RULE | change, [TARGET])
    assert ["rule"] == apply(bus)
    assert [("put_rule", RULE)] == bus.calls


def test_unknown_targets_are_removed_before_ours_are_added() -> None:
    bus = Bus(RULE, [{"Id": "stray", "Arn": "x"}])
    assert ["targets"] == apply(bus)
    assert [("remove_targets", ["stray"]), ("put_targets", [TARGET])] == [
        (name, given.get("Ids") or given.get("Targets")) for name, given in bus.calls
    ]


@pytest.mark.parametrize("part", ["Arn", "DeadLetterConfig", "RetryPolicy"])
def test_target_that_lacks_a_property_is_updated(part: str) -> None:
    bus = Bus(RULE, [{key: value for key, value in TARGET.items() if key != part}])
    assert ["targets"] == apply(bus)
    assert [("put_targets", {"Rule": "uploads", "Targets": [TARGET]})] == bus.calls


def test_tags_of_existing_rule_are_replaced() -> None:
    bus = Bus(RULE, [TARGET])
    assert ["tags"] == apply(bus, {"Env": "new"})
    assert [
        ("untag_resource", {"ResourceARN": ARN, "TagKeys": ["Stray"]}),
        ("tag_resource", {"ResourceARN": ARN, "Tags": [{"Key": "Env", "Value": "new"}]}),
    ] == bus.calls


def test_rule_in_check_mode_reports_changes_and_writes_nothing() -> None:
    none, other = Bus(None, []), Bus(RULE | {"State": "DISABLED"}, [{"Id": "stray", "Arn": "x"}])
    assert ["rule", "targets"] == apply(none, {"Env": "new"}, check_mode=True)
    assert ["rule", "targets", "tags"] == apply(other, {"Env": "new"}, check_mode=True)
    assert [] == none.writes + other.writes


def test_rejected_target_raises_failed_targets() -> None:
    with pytest.raises(rules.FailedTargets, match="caption: no such queue"):
        apply(Bus(RULE, [], refuses="caption"))


def test_deletion_removes_targets_then_rule() -> None:
    bus, none = Bus(RULE, [TARGET]), Bus(None, [])
    assert ["rule", "targets"] == rules.Rule(bus, "uploads", False).remove()
    assert ["remove_targets", "delete_rule"] == bus.writes
    assert ([], []) == (rules.Rule(none, "uploads", False).remove(), none.writes)
