"""Every policy against AWS's Service Authorization Reference and against the permissions boundary."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.cloud import ROOT
from tests.deploy.plays import run_tasks
from tests.deploy.security_operator import LIMIT, RELEASE, boundary, policies, size
from tests.deploy.security_rules import many
from tests.support.service_authorization import TABLE

pytestmark = pytest.mark.timeout(300)

ACTIONS: dict[str, Any] = json.loads(TABLE.read_text())["actions"]
DOCUMENTS = {**policies(), "release": json.loads(RELEASE.read_text()), "boundary": boundary()}
STATEMENTS = [
    pytest.param(statement, id=f"{name}-{statement['Sid']}")
    for name, policy in DOCUMENTS.items()
    for statement in policy["Statement"]
]
OWN = {"aws:ResourceTag/Project", "aws:ResourceTag/Env"}
OF_CLOUDFRONT = {"aws:ResourceTag/aws.cloudfront.vpcorigin"}  # the group that it makes in the VPC of an origin
UNTAGGED = {"aws:RequestTag/Project", "aws:RequestTag/Env", "aws:ResourceTag/Project"}
# Actions that are granted on everything although they could be limited, by the reason.
EVERYWHERE = {
    "it reads": r"(\w|-)+:(Describe|Get|List).*",
    "it creates what has no name or tag yet": r"ec2:(Allocate|Create|Import|Run).*",
    "Lambda's network interfaces have random names": r"ec2:DeleteNetworkInterface|ec2:(Una|A)ssignPrivate.*",
    "AWS needs it within another call": r"route53:AssociateVPCWithHostedZone|ssm:UpdateInstanceInformation",
}


@cache
def same(one: str, other: str) -> bool:
    """Return whether some ARN matches both patterns; a star stays in its part of the ARN."""
    return all(map(overlap, one.split(":", 5), other.split(":", 5)))


@cache
def overlap(one: str, other: str) -> bool:
    """Return whether some text matches both patterns."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and overlap(one[1:], other[1:])


OTHER_BALANCERS = r"listener/(gwy|net)"  # required only for the load balancers that these are


def keys(statement: dict[str, Any]) -> set[str]:
    """Return the condition keys of a statement."""
    return {key for tests in statement.get("Condition", {}).values() for key in tests}


def unknown_keys(statement: dict[str, Any]) -> list[str]:
    """Return the condition keys that an action of the statement does not have."""
    return [
        f"{action} {key}"
        for action in many(statement["Action"])
        for key in keys(statement)
        if not any(fnmatch.fnmatchcase(key, known) for known in ACTIONS[action]["keys"])
    ]


def without_effect(statement: dict[str, Any]) -> list[str]:
    """Return the actions that have no resource of those that the statement names."""
    return [
        action
        for action in many(statement["Action"])
        if many(statement["Resource"]) != ["*"]
        and not any(
            same(resource, kind["arn"])
            for resource in many(statement["Resource"])
            for kind in ACTIONS[action]["resources"].values()
        )
    ]


def missing(policy: dict[str, Any]) -> Iterator[str]:
    """Yield each resource type that a call of an action always names, and that no statement grants."""
    granted: dict[str, set[str]] = {}
    for statement in policy["Statement"]:
        for action in many(statement["Action"]):
            granted.setdefault(action, set()).update(many(statement["Resource"]))
    for action, resources in granted.items():
        for kind, described in ACTIONS[action]["resources"].items():
            needed = described["required"] and not re.match(OTHER_BALANCERS, kind)
            if needed and not any(each == "*" or same(each, described["arn"]) for each in resources):
                yield f"{action} on {kind}"


def too_wide(statement: dict[str, Any]) -> list[str]:
    """Return the actions that are granted on everything, without a condition or a reason."""
    if many(statement["Resource"]) != ["*"] or keys(statement):
        return []
    return [
        action
        for action in many(statement["Action"])
        if ACTIONS[action]["resources"]
        and not any(re.fullmatch(pattern, action) for pattern in EVERYWHERE.values())
    ]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_agrees_with_the_reference(statement: dict[str, Any]) -> None:
    assert [] == [action for action in many(statement["Action"]) if action not in ACTIONS]
    assert [] == unknown_keys(statement)
    assert [] == without_effect(statement)
    assert [] == too_wide(statement)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_policy_grants_every_resource_that_its_calls_name(name: str) -> None:
    assert [] == list(missing(DOCUMENTS[name]))


@pytest.mark.parametrize("name", ["release", "boundary"])
def test_policy_is_within_the_size_limit(name: str) -> None:
    assert size(json.dumps(DOCUMENTS[name])) <= LIMIT


@pytest.mark.parametrize("statement", STATEMENTS)
def test_tags_are_set_at_creation_or_on_what_is_the_projects(statement: dict[str, Any]) -> None:
    """Else the operator could tag what is not the project's, and then delete it."""
    if {"ec2:CreateTags", "ec2:DeleteTags"} & set(many(statement["Action"])):
        assert keys(statement) in ({"ec2:CreateAction"}, OWN)
    if "cloudfront:TagResource" in many(statement["Action"]):
        assert keys(statement) in (UNTAGGED, OWN)
    if keys(statement) == UNTAGGED:  # CloudFront has random ARNs, and no key for the call that creates
        assert {"aws:ResourceTag/Project": "true"} == statement["Condition"]["Null"]
    elif keys(statement) == OF_CLOUDFRONT:
        assert ["ec2:DeleteSecurityGroup"] == statement["Action"]
    elif any(key.startswith("aws:ResourceTag/") for key in keys(statement)):
        assert keys(statement) == OWN


FORGED = {"Sid": "x", "Effect": "Allow", "Action": "rds:CreateDBInstance", "Resource": "*"}


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        (unknown_keys, FORGED | {"Condition": {"StringEquals": {"iam:PassedToService": "x"}}}),
        (without_effect, FORGED | {"Resource": "arn:aws:s3:::caption-gallery-*"}),
        (too_wide, FORGED),
    ],
)
def test_seeded_fault_is_found(check: Any, statement: dict[str, Any]) -> None:
    assert [] != check(statement)


def test_missing_resource_type_is_found() -> None:
    statement = FORGED | {"Resource": "arn:aws:rds:*:*:pg:caption-gallery-*"}
    assert ["rds:CreateDBInstance on db"] == list(missing({"Statement": [statement]}))


# What the roles look up on AWS.
CALLER = {"account": "123456789012", "arn": "arn:aws:iam::123456789012:user/x"}
GIVEN: dict[str, Any] = {
    **{f"__{role}_caller": CALLER for role in ("functions", "fleet", "database", "network")},
    "fleet_session_manager": True,
    "functions_subnet_ids": ["subnet-1"],
    "functions_secret_arns": ["arn:aws:secretsmanager:us-east-1:123456789012:secret:caption-gallery-staging/x"],
    "functions_caption_secret_arns": [],
    "functions_security_group_ids": [],
    "functions_environment": {},
    "functions_caption_environment": {},
    "fleet_settings": {},
    "fleet_image_id": "",
    "fleet_release": "r1",
    "release": "r1",
}
SHOWN = {
    "thumbnail": "{{ __functions_policy }}",
    "caption": "{{ __functions_policy }}",
    "web": "{{ __fleet_policy }}",
    "migrator": "{{ __database_migrator_policy }}",
    "flow-log": "{{ __network_flow_log_policy }}",
}


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The policy of each role that the playbooks create."""
    folder = tmp_path_factory.mktemp("policies")
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_role": {"name": role, "tasks_from": "validate", "public": True}}
        for role in ("functions", "fleet", "database", "network")
    ]
    for number, name in enumerate(SHOWN):
        content = {"content": f"{{{{ shown.{name.replace('-', '_')} | to_json }}}}", "dest": f"{folder}/{name}"}
        variables = {
            "shown": {name.replace("-", "_"): SHOWN[name]},
            "__functions_function": f"{{{{ __functions_all[{min(number, 1)}] }}}}",
        }
        tasks.append({"ansible.builtin.copy": content, "vars": variables})
    run_tasks(tasks, "-e", json.dumps(GIVEN), home=folder)
    return {name: json.loads((folder / name).read_text()) for name in SHOWN}


def grants(policy: dict[str, Any]) -> set[tuple[str, str]]:
    """Return each action of a policy with each resource."""
    return {
        (action, resource)
        for statement in policy["Statement"]
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
    }


def test_iam_roles_are_created_by_one_role() -> None:
    """Else a role may lack the boundary, or the wait until IAM knows it."""
    files = [path for path in (ROOT / "roles").glob("*/tasks/*.yml") if "local_cloud" not in path.parts]
    creating = r"amazon\.aws\.iam_role:(?!\n +name: .*\n +state: absent)|amazon\.aws\.iam_policy:"
    assert {"service_role"} == {path.parts[-3] for path in files if re.search(creating, path.read_text())}


@pytest.mark.parametrize("name", SHOWN)
def test_policy_of_a_role_agrees_with_the_reference(roles: dict[str, dict[str, Any]], name: str) -> None:
    for statement in roles[name]["Statement"]:
        assert [] == unknown_keys(statement)
        assert [] == without_effect(statement)
        assert [] == too_wide(statement)
    assert [] == list(missing(roles[name]))


@pytest.mark.parametrize("name", SHOWN)
def test_policy_of_a_role_is_within_the_boundary(roles: dict[str, dict[str, Any]], name: str) -> None:
    limits = grants(boundary())
    outside = [
        f"{action} on {resource}"
        for action, resource in grants(roles[name])
        if not any(action == known and fnmatch.fnmatchcase(resource, pattern) for known, pattern in limits)
    ]
    assert [] == outside


def test_boundary_is_no_wider_than_the_roles(roles: dict[str, dict[str, Any]]) -> None:
    needed = {action for policy in roles.values() for action, _ in grants(policy)}
    # KMS calls that other services make for a role, which the policy of their AWS managed key allows.
    through = {
        action
        for statement in boundary()["Statement"]
        for action in many(statement["Action"])
        if keys(statement) == {"kms:ViaService"}
    }
    assert {"kms:Decrypt", "kms:GenerateDataKey"} == through
    assert needed | through == {action for action, _ in grants(boundary())}
