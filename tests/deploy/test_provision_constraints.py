"""Constraints of EC2 that botocore does not know, checked on every recorded call of site.yml."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.deploy.provision_account import Account

pytestmark = pytest.mark.timeout(1800)

DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
SECURITY_GROUP_CALL = re.compile(r"(Create|Authorize|Update|Modify)SecurityGroup.*")
FLOW_LOG_FILTERS = {
    *("deliver-log-status", "log-destination-type", "flow-log-id", "log-group-name", "resource-id"),
    *("traffic-type", "tag-key", "tag:Project", "tag:Env"),
}


@pytest.fixture(scope="module")
def calls(provisioned: Account) -> list[dict[str, Any]]:
    """Every EC2 call that the account recorded, with its parameters."""
    pages = provisioned.client("cloudtrail").get_paginator("lookup_events").paginate()
    events = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    return [event for event in events if event["eventSource"] == "ec2.amazonaws.com"]


def parameters(event: dict[str, Any]) -> dict[str, str]:
    """The parameters of a recorded call as text, by the name that EC2's query protocol gives them."""
    return {
        key: value[0] if isinstance(value, list) else str(value)
        for key, value in event["requestParameters"].items()
    }


def test_security_group_descriptions_hold_accepted_characters_only(calls: list[dict[str, Any]]) -> None:
    found = [
        (event["eventName"], key, text)
        for event in calls
        if SECURITY_GROUP_CALL.fullmatch(event["eventName"])
        for key, text in parameters(event).items()
        if key.endswith("Description")
    ]
    assert len(found) > 15
    assert [] == [call for call in found if not DESCRIPTION.fullmatch(call[2])]


def test_flow_log_filters_are_documented_ones(calls: list[dict[str, Any]]) -> None:
    names = {
        text
        for event in calls
        if event["eventName"] == "DescribeFlowLogs"
        for key, text in parameters(event).items()
        if re.fullmatch(r"Filter\.\d+\.Name", key)
    }
    assert names
    assert set() == names - FLOW_LOG_FILTERS


@pytest.mark.parametrize(
    ("action", "parameter"),
    [
        ("create_security_group", {"GroupName": "refused", "Description": "AWS's services"}),
        ("describe_flow_logs", {"Filters": [{"Name": "resource-type", "Values": ["VPC"]}]}),
    ],
)
def test_emulator_refuses_what_ec2_refuses(
    provisioned: Account, calls: object, action: str, parameter: dict[str, Any]
) -> None:
    client = provisioned.client("ec2")
    with pytest.raises(client.exceptions.ClientError, match="InvalidParameterValue"):
        getattr(client, action)(**parameter)
