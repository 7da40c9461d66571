"""The modules of the role events, run in this process with Ansible's parsing of their arguments."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import Mock, call

import pytest

from tests.deploy.module_run import Failed, denied, pages, run, writes
from tests.loading import module_at

notification = module_at("roles/events/library/s3_notification.py")
rule = module_at("roles/events/library/eventbridge_rule.py")
check_or_not = pytest.mark.parametrize("check", [False, True])


class Missing(Exception):
    """What was asked for does not exist."""


# s3_notification

OURS = {"Id": "uploads", "TopicArn": "arn:t", "Events": ["s3:ObjectCreated:*"]}


def bucket(stored: dict[str, Any] | None) -> Mock:
    """A client whose bucket has these notifications; None without a bucket."""
    client = Mock()
    client.exceptions.NoSuchBucket = Missing
    answer = Missing if stored is None else [{**stored, "ResponseMetadata": {}}]
    client.get_bucket_notification_configuration.side_effect = answer
    return client


def notify(client: Mock, *, check: bool = False) -> dict[str, Any]:
    return run(notification, client, check=check, bucket="b", id="uploads", topic_arn="arn:t")


@check_or_not
def test_notification_is_put_where_it_is_missing(check: bool) -> None:
    client, wanted = bucket({}), {"TopicConfigurations": [OURS]}
    assert {"changed": True, "configuration": wanted} == notify(client, check=check)
    expected = [] if check else [call(Bucket="b", NotificationConfiguration=wanted)]
    assert expected == client.put_bucket_notification_configuration.call_args_list


def test_notification_that_is_right_is_left() -> None:
    client, stored = bucket({"TopicConfigurations": [OURS]}), {"TopicConfigurations": [OURS]}
    assert {"changed": False, "configuration": stored} == notify(client)
    assert [] == writes(client)


def test_notification_of_a_missing_bucket_is_a_change_in_check_mode_alone() -> None:
    assert {"changed": True, "configuration": {}} == notify(bucket(None), check=True)
    with pytest.raises(Failed, match="The bucket b does not exist"):
        notify(bucket(None))


def test_notification_that_is_denied_fails() -> None:
    client = bucket({})
    client.put_bucket_notification_configuration.side_effect = denied("PutBucketNotificationConfiguration")
    with pytest.raises(Failed, match=r"Failed to set the notifications of bucket b.*Not allowed"):
        notify(client)


# eventbridge_rule

TARGET = {"id": "q", "arn": "arn:q", "dead_letter_arn": "arn:dead"}
PUT = {
    "Id": "q",
    "Arn": "arn:q",
    "DeadLetterConfig": {"Arn": "arn:dead"},
    "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
}
PATTERN = {"source": ["aws.s3"], "detail": {"b": 1, "a": 2}}
STORED = {"Arn": "arn:r", "Description": "", "EventPattern": json.dumps(PATTERN), "State": "ENABLED"}
TAGS = [{"Key": "Project", "Value": "p"}]


def bus(stored: dict[str, Any] | None, *targets: dict[str, Any]) -> Mock:
    """A client with this rule; None without one."""
    client = Mock(get_paginator=pages(list_targets_by_rule=[{"Targets": list(targets)}]))
    client.exceptions.ResourceNotFoundException = Missing
    client.describe_rule.side_effect = Missing if stored is None else [stored]
    client.put_targets.return_value = client.remove_targets.return_value = {"FailedEntries": []}
    client.list_tags_for_resource.return_value = {"Tags": TAGS}
    return client


def set_rule(client: Mock, *, check: bool = False, **given: Any) -> dict[str, Any]:
    params = {"name": "r", "pattern": PATTERN, "targets": [TARGET], "tags": {"Project": "p"}, **given}
    return run(rule, client, check=check, **params)


@check_or_not
def test_rule_that_is_missing_is_created_with_its_target_and_tags(check: bool) -> None:
    client = bus(None)
    assert {"changed": True, "parts": ["rule", "targets"]} == set_rule(client, check=check)
    assert ([] if check else ["put_rule", "put_targets"]) == writes(client)
    if not check:
        pattern = '{"detail": {"a": 2, "b": 1}, "source": ["aws.s3"]}'
        created = call(Name="r", Description="", EventPattern=pattern, State="ENABLED", Tags=TAGS)
        assert created == client.put_rule.call_args
        assert call(Rule="r", Targets=[PUT]) == client.put_targets.call_args


def test_rule_without_tags_is_created_without_them() -> None:
    client = bus(None)
    set_rule(client, tags={})
    assert "Tags" not in client.put_rule.call_args[1]


def test_rule_that_is_right_is_left() -> None:
    client = bus(STORED, PUT)
    assert {"changed": False, "parts": []} == set_rule(client)
    assert [] == writes(client)


@check_or_not
def test_rule_that_is_not_wanted_is_deleted_after_its_targets(check: bool) -> None:
    client = bus(STORED, PUT)
    assert {"changed": True, "parts": ["rule", "targets"]} == run(
        rule, client, check=check, name="r", state="absent"
    )
    assert ([] if check else ["remove_targets", "delete_rule"]) == writes(client)
    gone = run(rule, bus(None), name="r", state="absent")
    assert {"changed": False, "parts": []} == gone


def test_rule_whose_target_is_rejected_fails() -> None:
    client = bus(None)
    client.put_targets.return_value = {"FailedEntries": [{"TargetId": "q", "ErrorMessage": "No such queue."}]}
    with pytest.raises(Failed, match=r"Some targets of the rule r were rejected: q: No such queue\."):
        set_rule(client)


def test_rule_that_is_denied_fails() -> None:
    client = bus(None)
    client.put_rule.side_effect = denied("PutRule")
    with pytest.raises(Failed, match=r"Failed to manage the rule r.*Not allowed"):
        set_rule(client)


@pytest.mark.parametrize("missing", TARGET)
def test_target_needs_each_of_its_options(missing: str) -> None:
    target = {key: value for key, value in TARGET.items() if key != missing}
    with pytest.raises(Failed, match=f"missing required arguments: {missing}"):
        set_rule(bus(None), targets=[target])


@pytest.mark.parametrize("missing", ["pattern", "targets"])
def test_rule_needs_a_pattern_and_targets(missing: str) -> None:
    given = {"pattern": PATTERN, "targets": [TARGET]}
    del given[missing]
    with pytest.raises(Failed, match=f"missing: {missing}"):
        run(rule, bus(None), name="r", **given)
