"""The operator's policies: whether they cover what site.yml asks for, and what they must not hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.deploy.provision_account import Account
from tests.deploy.security_operator import (
    ANSIBLE,
    FOLDER,
    LIMIT,
    Judged,
    actions,
    covered,
    judged,
    policies,
    size,
    statements,
)
from tests.deploy.security_rules import many

# What changes identities or reads secrets is granted on the project's own alone.
DANGEROUS = ("iam:Create", "iam:Put", "iam:Pass", "iam:Update", "secretsmanager:Get", "s3:Delete", "rds:Delete")


every = pytest.mark.parametrize("statement", statements(), ids=lambda each: each["Sid"])


@pytest.mark.timeout(1800)  # the account is made by Ansible on a busy machine
def test_operator_policies_grant_every_call_of_the_playbooks(provisioned: Account) -> None:
    calls = judged(provisioned.calls, provisioned.environ()["AWS_ACCESS_KEY_ID"], ANSIBLE)
    assert len({call.action for call in calls}) > 100
    assert [] == [f"{call.action} {call.resource}" for call in calls if not covered(call)]


@pytest.mark.parametrize(
    "action",
    [
        *("DeleteRule", "DescribeRule", "ListTagsForResource", "ListTargetsByRule", "PutRule", "PutTargets"),
        *("RemoveTargets", "TagResource", "UntagResource"),
    ],
)
def test_operator_policies_grant_every_call_of_the_other_router(action: str) -> None:
    assert covered(
        Judged(f"events:{action}", "arn:aws:events:us-east-1:123456789012:rule/caption-gallery-staging-uploads")
    )


@every
def test_operator_statements_name_their_actions(statement: dict[str, Any]) -> None:
    assert [] == [action for action in many(statement["Action"]) if "*" in action or "?" in action]
    assert {"NotAction", "NotResource", "Principal"}.isdisjoint(statement)
    assert "Allow" == statement["Effect"]


@every
def test_dangerous_actions_are_limited_to_the_project(statement: dict[str, Any]) -> None:
    if any(action.startswith(DANGEROUS) for action in statement["Action"]):
        names = [resource for resource in many(statement["Resource"]) if "aws-service-role/" not in resource]
        assert [] == [name for name in names if "caption-gallery-" not in name]


def test_pass_role_is_limited_to_services() -> None:
    (passing,) = (statement for statement in statements() if "iam:PassRole" in statement["Action"])
    assert ["iam:PassRole"] == passing["Action"]
    assert set() < set(passing["Condition"]["StringEquals"]["iam:PassedToService"])


@pytest.mark.parametrize("name", policies())
def test_operator_policies_are_within_the_size_limit(name: str) -> None:
    assert size((FOLDER / f"{name}.json").read_text()) <= LIMIT


def test_statement_ids_are_unique() -> None:
    names = [statement["Sid"] for statement in statements()]
    assert sorted(set(names)) == sorted(names)


def test_deploy_guide_names_every_policy() -> None:
    guide = (FOLDER.parent / "deploy.md").read_text()
    assert [] == [name for name in policies() if f"operator/{name}.json" not in guide]


COMMAND = re.compile(r"\baws ([a-z0-9]+) ([a-z]+(?:-[a-z]+)+)")
OF_ADMINISTRATOR = {
    *("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:CreateUser", "iam:AttachUserPolicy"),
    "iam:CreateAccessKey",
}


def test_policies_grant_every_command_of_the_documents() -> None:
    """An operator who follows them in an emergency is not denied."""
    release = json.loads((FOLDER.parent / "release-policy.json").read_text())["Statement"]
    granted = actions() | {action for statement in release for action in many(statement["Action"])}
    commands = {
        f"{service}:{''.join(map(str.capitalize, name.split('-')))}"
        for page in FOLDER.parent.glob("*.md")
        for service, name in COMMAND.findall(page.read_text())
    }
    assert OF_ADMINISTRATOR <= commands
    assert {"logs:FilterLogEvents", "autoscaling:RollbackInstanceRefresh"} <= commands
    assert set() == commands - granted - OF_ADMINISTRATOR


@pytest.mark.parametrize(
    "call",
    [
        Judged("s3:GetObject", "arn:aws:s3:::caption-gallery-staging-uploads-123456789012/raw/x.jpg"),
        Judged("s3:DeleteBucket", "arn:aws:s3:::of-somebody-else"),
        Judged("iam:CreateUser", "*"),
        Judged("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/admin"),
        Judged("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/caption-gallery-staging-caption"),
        Judged("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:payroll"),
        Judged("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:billing"),
        Judged("rds:DeleteDBInstance", "arn:aws:rds:us-east-1:123456789012:db:ledger"),
    ],
    ids=lambda call: f"{call.action}-{call.resource.rpartition(':')[2]}",
)
def test_calls_outside_the_project_are_not_covered(call: Judged) -> None:
    assert not covered(call)
