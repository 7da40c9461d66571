"""What AWS refuses and the emulator does not: every call of the playbooks, and the states of AWS's slowness.

tests/unit/test_request_constraints.py shows which violations are found. A module that makes one fails at once.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deploy.provision_account import Account, History
from tests.support.ansible import api_calls

pytestmark = pytest.mark.timeout(1800)

# What the first run of site.yml always meets, however long it lasts.
MET = {
    *("role unknown to Lambda", "role without its policy for Lambda", "mapping Creating or Updating"),
    *("web ACL unknown to CloudFront", "throttled"),
}


def test_every_call_satisfies_the_constraints(history: History) -> None:
    lines = [json.loads(line) for line in api_calls(history.aws.home).read_text().splitlines()]
    assert len(lines) > 1500
    assert len({(line["service"], line["operation"]) for line in lines}) > 120
    assert [] == [problem for line in lines for problem in line["problems"]]


def test_resources_of_ec2_get_their_tags_at_creation(history: History) -> None:
    """The operator may tag what he creates only within the call that creates it."""
    assert [] == [call for call in history.first_calls if call == ("ec2", "CreateTags")]
    assert ("ec2", "CreateVpc") in history.first_calls


def test_site_waits_for_what_is_not_ready(history: History) -> None:
    assert set() == MET - set(history.aws.states_met())


@pytest.mark.parametrize(
    ("action", "parameter"),
    [
        ("create_security_group", {"GroupName": "refused", "Description": "AWS's services"}),
        ("describe_flow_logs", {"Filters": [{"Name": "resource-type", "Values": ["VPC"]}]}),
    ],
)
def test_emulator_refuses_what_ec2_refuses(
    provisioned: Account, action: str, parameter: dict[str, Any]
) -> None:
    client = provisioned.client("ec2")
    with pytest.raises(client.exceptions.ClientError, match="InvalidParameterValue"):
        getattr(client, action)(**parameter)
