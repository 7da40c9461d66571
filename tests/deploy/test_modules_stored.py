"""Ansible modules for secrets, flow logs and topics: what they write, what they leave, and their check mode."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import Mock, call, patch

import pytest
from ansible.module_utils.basic import AnsibleModule

from tests.deploy.module_run import Failed, denied, pages, run, writes
from tests.loading import module_at

attributes = module_at("playbooks/library/sns_topic_attributes.py")
flow_log = module_at("roles/network/library/vpc_flow_log.py")
secret = module_at("roles/secrets/library/kept_secret.py")

TAGS = [{"Key": "Project", "Value": "p"}]
check_or_not = pytest.mark.parametrize("check", [False, True])


class Missing(Exception):
    """What was asked for does not exist."""


# kept_secret

DESCRIBED = {
    "ARN": "arn:s", "Description": "d", "Tags": TAGS,
    "VersionIdsToStages": {"1": ["AWSPREVIOUS"], "2": ["AWSCURRENT"]},
}  # fmt: skip


def manager(found: dict[str, Any] | None, value: str | None = None) -> Mock:
    client = Mock()
    client.exceptions.ResourceNotFoundException = Missing
    client.describe_secret.side_effect = [found] if found else Missing
    client.get_secret_value.return_value = {"SecretString": value}
    client.create_secret.return_value = {"ARN": "arn:new"}
    return client


def keep(client: Mock, *, check: bool = False, **given: Any) -> dict[str, Any]:
    return run(secret, client, check=check, name="n", description="d", tags={"Project": "p"}, **given)


@check_or_not
def test_secret_that_is_missing_is_created_with_a_random_password(check: bool) -> None:
    client, other = manager(None), manager(None)
    assert {"changed": True, "arn": None if check else "arn:new"} == keep(client, check=check, username="u")
    if check:
        assert [] == writes(client)
        return
    keep(other, username="u")
    made = [json.loads(each.create_secret.call_args[1].pop("SecretString")) for each in (client, other)]
    assert {"Name": "n", "Description": "d", "Tags": TAGS} == client.create_secret.call_args[1]
    assert ["u", "u"] == [each["username"] for each in made]
    assert made[0]["password"] != made[1]["password"]
    assert all(len(each["password"]) == 40 and each["password"].isalnum() for each in made)


@pytest.mark.parametrize(("given", "created"), [({"value": "v"}, {"SecretString": "v"}), ({}, {})])
def test_secret_that_is_missing_is_created_with_the_given_value(given: Any, created: Any) -> None:
    client = manager(None)
    keep(client, **given)
    assert call(Name="n", Description="d", Tags=TAGS, **created) == client.create_secret.call_args


@pytest.mark.parametrize("given", [{"username": "u"}, {"value": "v"}, {}])
def test_secret_that_is_right_is_left(given: dict[str, str]) -> None:
    client = manager(DESCRIBED, "v")
    assert {"changed": False, "arn": "arn:s"} == keep(client, **given)
    assert [] == writes(client)


@check_or_not
def test_secret_with_another_value_gets_the_given_one(check: bool) -> None:
    client = manager(DESCRIBED, "old")
    assert {"changed": True, "arn": "arn:s"} == keep(client, check=check, value="v")
    assert client.put_secret_value.call_args_list == ([] if check else [call(SecretId="n", SecretString="v")])


@check_or_not
@pytest.mark.parametrize("given", [{"username": "u"}, {"value": "v"}])
def test_secret_without_a_value_gets_one(given: dict[str, str], check: bool) -> None:
    client = manager(DESCRIBED | {"VersionIdsToStages": {"1": ["AWSPREVIOUS"]}}, "v")
    assert keep(client, check=check, **given)["changed"]
    assert (["put_secret_value"], [])[check] == writes(client)
    assert not client.get_secret_value.called


@check_or_not
def test_secret_that_is_scheduled_for_deletion_is_restored_first(check: bool) -> None:
    client = manager(DESCRIBED | {"DeletedDate": "today"}, "v")
    assert {"changed": True, "arn": "arn:s"} == keep(client, check=check, value="v")
    assert ([] if check else ["restore_secret"]) == writes(client)
    assert client.get_secret_value.called is not check


@check_or_not
@pytest.mark.parametrize(
    ("found", "written"),
    [
        ({"Description": "old"}, ["update_secret"]),
        ({"Tags": [{"Key": "Old", "Value": "o"}]}, ["tag_resource", "untag_resource"]),
    ],
)
def test_secret_with_another_description_or_tags_is_updated(
    found: Any, written: list[str], check: bool
) -> None:
    client = manager(DESCRIBED | found)
    assert keep(client, check=check, username="u")["changed"]
    assert ([] if check else written) == sorted(writes(client))


def test_secret_with_a_user_name_and_a_value_is_refused() -> None:
    with pytest.raises(Failed, match="mutually exclusive"):
        keep(manager(None), username="u", value="v")


def test_secret_that_is_denied_fails() -> None:
    client = manager(None)
    client.create_secret.side_effect = denied("CreateSecret")
    with pytest.raises(Failed, match="Failed to manage the secret n"):
        keep(client, value="v")


# vpc_flow_log

RIGHT = {
    "FlowLogId": "fl-1", "LogGroupName": "g", "DeliverLogsPermissionArn": "arn:r", "TrafficType": "ALL",
    "MaxAggregationInterval": 600, "Tags": TAGS,
}  # fmt: skip
BUCKET = RIGHT | {"FlowLogId": "fl-s3", "LogDestinationType": "s3"}


def network(*logs: dict[str, Any]) -> Mock:
    client = Mock(get_paginator=pages(describe_flow_logs=[{"FlowLogs": list(logs)}]))
    client.create_flow_logs.return_value = {"FlowLogIds": ["fl-new"], "Unsuccessful": []}
    return client


def log_flow(client: Mock, *, check: bool = False, **given: Any) -> dict[str, Any]:
    params = {"vpc_id": "vpc-1", "log_group": "g", "role_arn": "arn:r", "tags": {"Project": "p"}, **given}
    return run(flow_log, client, check=check, **params)


@check_or_not
def test_flow_log_that_is_missing_is_created(check: bool) -> None:
    client = network(BUCKET)
    assert {"changed": True, "flow_log_id": None if check else "fl-new"} == log_flow(client, check=check)
    assert client.create_flow_logs.call_args_list == (
        []
        if check
        else [
            call(
                ResourceIds=["vpc-1"], ResourceType="VPC", LogDestinationType="cloud-watch-logs",
                TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": TAGS}], LogGroupName="g",
                DeliverLogsPermissionArn="arn:r", TrafficType="ALL", MaxAggregationInterval=600,
            )
        ]
    )  # fmt: skip
    assert not client.delete_flow_logs.called


def test_flow_log_without_tags_names_none() -> None:
    client = network()
    log_flow(client, tags={})
    assert [] == client.create_flow_logs.call_args[1]["TagSpecifications"]


def test_flow_log_that_is_right_is_left() -> None:
    client = network(RIGHT, BUCKET)
    assert {"changed": False, "flow_log_id": "fl-1"} == log_flow(client)
    assert [] == writes(client)


@check_or_not
@pytest.mark.parametrize(
    "change", [{"traffic": "REJECT"}, {"interval": 60}, {"log_group": "h"}, {"role_arn": "arn:q"}]
)
def test_flow_log_that_differs_is_replaced(change: dict[str, Any], check: bool) -> None:
    client = network(RIGHT)
    assert log_flow(client, check=check, **change)["changed"]
    assert ([] if check else ["delete_flow_logs", "create_flow_logs"]) == writes(client)
    assert ([] if check else [call(FlowLogIds=["fl-1"])]) == client.delete_flow_logs.call_args_list


@check_or_not
def test_flow_log_that_is_there_twice_is_deleted_once(check: bool) -> None:
    client = network(RIGHT, RIGHT | {"FlowLogId": "fl-2", "LogDestinationType": "cloud-watch-logs"})
    assert {"changed": True, "flow_log_id": "fl-1"} == log_flow(client, check=check)
    assert client.delete_flow_logs.call_args_list == ([] if check else [call(FlowLogIds=["fl-2"])])


@check_or_not
def test_flow_log_with_other_tags_is_tagged(check: bool) -> None:
    client = network(RIGHT | {"Tags": [{"Key": "Old", "Value": "o"}]})
    assert {"changed": True, "flow_log_id": "fl-1"} == log_flow(client, check=check)
    assert ([] if check else ["create_tags", "delete_tags"]) == sorted(writes(client))
    if not check:
        assert call(Resources=["fl-1"], Tags=TAGS) == client.create_tags.call_args
        assert call(Resources=["fl-1"], Tags=[{"Key": "Old"}]) == client.delete_tags.call_args


def test_flow_log_that_is_denied_fails() -> None:
    client = network()
    client.create_flow_logs.side_effect = denied("CreateFlowLogs")
    with pytest.raises(Failed, match=r"Failed to manage the flow log of vpc-1: .*Not allowed"):
        log_flow(client)


def test_flow_log_that_ec2_rejects_fails_with_its_sentence() -> None:
    client = network()
    client.create_flow_logs.return_value = {"Unsuccessful": [{"Error": {"Message": "No such role."}}]}
    with pytest.raises(Failed, match=r"the flow log of vpc-1: No such role\."):
        log_flow(client)


# sns_topic_attributes


def sns(key: str | None, redrive: str | None = None) -> Mock:
    """A topic with a KMS key, and one subscription with a redrive policy. key: None without a topic."""
    client = Mock()
    client.exceptions.NotFoundException = Missing
    listed = [{"Subscriptions": [{"Endpoint": "arn:q", "SubscriptionArn": "arn:sub"}]}]
    client.get_paginator = pages(list_subscriptions_by_topic=listed)
    client.get_topic_attributes.side_effect = [{"Attributes": {"KmsMasterKeyId": key}}] if key else Missing
    client.get_subscription_attributes.return_value = {
        "Attributes": {"RedrivePolicy": redrive} if redrive else {}
    }
    return client


@check_or_not
@pytest.mark.parametrize(("key", "changed"), [("k", False), ("other", True)])
def test_topic_gets_its_key_where_it_differs(key: str, changed: bool, check: bool) -> None:
    client = sns(key)
    result = run(attributes, client, check=check, topic_arn="arn:t", kms_key="k")
    assert {"changed": changed, "differences": ["KmsMasterKeyId"] * changed} == result
    expected = [call(TopicArn="arn:t", AttributeName="KmsMasterKeyId", AttributeValue="k")] * (
        changed and not check
    )
    assert expected == client.set_topic_attributes.call_args_list


def test_topic_that_is_missing_is_a_change_in_check_mode_alone() -> None:
    assert run(attributes, sns(None), check=True, topic_arn="arn:t", kms_key="k")["changed"]
    with pytest.raises(Missing):
        run(attributes, sns(None), topic_arn="arn:t", kms_key="k")


def test_topic_that_is_denied_fails() -> None:
    client = sns("other")
    client.set_topic_attributes.side_effect = denied("SetTopicAttributes")
    with pytest.raises(Failed, match=r"Failed to set the attributes of topic arn:t: .*Not allowed"):
        run(attributes, client, topic_arn="arn:t", kms_key="k")


def test_name_of_a_topics_key_is_logged() -> None:
    """It is no secret, though Ansible takes names that end with key for one."""
    with patch.object(AnsibleModule, "log") as log:
        run(attributes, sns("k"), topic_arn="arn:t", kms_key="alias/k")
    assert log.call_args[1]["log_args"]["kms_key"] == "alias/k"


@check_or_not
@pytest.mark.parametrize(
    ("redrive", "changed"),
    [('{"deadLetterTargetArn": "arn:d"}', False), ('{"deadLetterTargetArn": "x"}', True), (None, True)],
)
def test_subscription_gets_its_dead_letter_queue(redrive: str | None, changed: bool, check: bool) -> None:
    client = sns("k", redrive)
    result = run(attributes, client, check=check, topic_arn="arn:t", dead_letters={"arn:q": "arn:d"})
    assert {"changed": changed, "differences": ["arn:q"] * changed} == result
    assert not client.set_topic_attributes.called
    written = client.set_subscription_attributes.call_args_list
    assert len(written) == (changed and not check)
    for each in written:
        assert ("arn:sub", "RedrivePolicy") == (each[1]["SubscriptionArn"], each[1]["AttributeName"])
        assert {"deadLetterTargetArn": "arn:d"} == json.loads(each[1]["AttributeValue"])


def test_endpoint_that_is_not_subscribed_is_a_change_in_check_mode_alone() -> None:
    given = {"topic_arn": "arn:t", "dead_letters": {"arn:other": "arn:d"}}
    assert ["arn:other"] == run(attributes, sns("k"), check=True, **given)["differences"]
    with pytest.raises(Failed, match="arn:other is not subscribed to arn:t"):
        run(attributes, sns("k"), **given)


def test_topic_without_subscriptions_because_it_is_missing_is_a_change_in_check_mode() -> None:
    client = sns(None)
    client.get_paginator = Mock(return_value=Mock(paginate=Mock(return_value=iter_missing())))
    assert run(attributes, client, check=True, topic_arn="arn:t", dead_letters={"arn:q": "arn:d"})["changed"]


def iter_missing() -> Any:
    """Pages whose first one is an error."""
    raise_now = True
    if raise_now:
        raise Missing
    yield {}
