"""The permissions boundary: the operator cannot become an administrator; a role cannot leave its boundary."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from roles.local_cloud.files.children import Children
from roles.local_cloud.files.emulator import emulator_at
from tests.cloud import ROOT
from tests.deploy.security_operator import BOUNDARY, create_boundary, policies

ID = "123456789012"
REGION = "us-east-1"
LIMIT = f"arn:aws:iam::{ID}:policy/{BOUNDARY}"
ROLE = "caption-gallery-staging-thumbnail"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def trust(**principal: str) -> str:
    """Return a trust policy of this principal."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = trust(Service="lambda.amazonaws.com")
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Client]]:
    """Clients of the root identity, and of a user with the operator's policies."""
    home = tmp_path_factory.mktemp("escalation")
    emulator = emulator_at(home).prepare()
    environ = emulator.environ() | {"MINISTACK_ACCOUNT_ID": ID}
    with Children(home / "logs") as children:
        command = [sys.executable, "-P", str(ROOT / "tests/deploy/aws_corrections.py")]
        children.start("aws", command, environ, home)
        children.wait(emulator.healthy, "the AWS emulator", 60)

        def of(keys: dict[str, str]) -> Client:
            given = {name.lower(): value for name, value in keys.items()} | {"region_name": REGION}
            session = boto3.session.Session(**given)
            return lambda service: session.client(service, endpoint_url=emulator.endpoint)

        root = {name: emulator.root()[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        administrator = of(root)
        yield administrator, of(operator(administrator("iam")))


def operator(iam: Any) -> dict[str, str]:
    """Create the boundary, a role with it, one without, and the operator; return the operator's keys."""
    create_boundary(iam)
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=LIMIT)
    for name in ("caption-gallery-unbounded", "administrators"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.create_user(UserName="operator")
    for name, policy in policies().items():
        iam.put_user_policy(UserName="operator", PolicyName=name, PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName="operator")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


def new_role(name: str, **further: str) -> dict[str, str]:
    """Return the arguments of CreateRole."""
    return {"RoleName": name, "AssumeRolePolicyDocument": TRUST, **further}


def new_policy(**further: str) -> dict[str, str]:
    """Return the arguments of a call that grants everything."""
    return {"PolicyName": "work", "PolicyDocument": json.dumps(EVERYTHING), **further}


FUNCTION = {
    "FunctionName": "caption-gallery-staging-mine",
    "Role": f"arn:aws:iam::{ID}:role/administrators",
    "Runtime": "python3.11",
    "Handler": "x.y",
    "Code": {"ZipFile": b"x"},
}
# What the operator may try, and may not do.
ESCALATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "role without the boundary": ("iam", "create_role", new_role("caption-gallery-staging-mine")),
    "role with a wider boundary": (
        "iam",
        "create_role",
        new_role("caption-gallery-staging-mine", PermissionsBoundary=ADMINISTRATOR),
    ),
    "role of another name": ("iam", "create_role", new_role("mine", PermissionsBoundary=LIMIT)),
    "administrator's policy": ("iam", "attach_role_policy", {"RoleName": ROLE, "PolicyArn": ADMINISTRATOR}),
    "policy of an unbounded role": (
        "iam",
        "put_role_policy",
        new_policy(RoleName="caption-gallery-unbounded"),
    ),
    "removed boundary": ("iam", "delete_role_permissions_boundary", {"RoleName": ROLE}),
    "replaced boundary": (
        "iam",
        "put_role_permissions_boundary",
        {"RoleName": ROLE, "PermissionsBoundary": ADMINISTRATOR},
    ),
    "wider version of the boundary": (
        "iam",
        "create_policy_version",
        {"PolicyArn": LIMIT, "PolicyDocument": json.dumps(EVERYTHING), "SetAsDefault": True},
    ),
    "own policy": ("iam", "put_user_policy", new_policy(UserName="operator")),
    "own administrator's policy": (
        "iam",
        "attach_user_policy",
        {"UserName": "operator", "PolicyArn": ADMINISTRATOR},
    ),
    "another user": ("iam", "create_user", {"UserName": "mine"}),
    "function with another's role": ("lambda", "create_function", FUNCTION),
}


@pytest.mark.parametrize("attempt", ESCALATIONS)
def test_operator_cannot_escalate(clients: tuple[Client, Client], attempt: str) -> None:
    service, call, arguments = ESCALATIONS[attempt]
    with pytest.raises(ClientError) as refused:
        getattr(clients[1](service), call)(**arguments)
    assert "AccessDenied" in refused.value.response["Error"]["Code"]


def test_operator_creates_and_changes_roles_with_the_boundary(clients: tuple[Client, Client]) -> None:
    iam = clients[1]("iam")
    iam.create_role(**new_role("caption-gallery-staging-caption", PermissionsBoundary=LIMIT))
    iam.put_role_policy(**new_policy(RoleName="caption-gallery-staging-caption"))
    iam.put_role_permissions_boundary(RoleName="caption-gallery-unbounded", PermissionsBoundary=LIMIT)
    iam.put_role_policy(**new_policy(RoleName="caption-gallery-unbounded"))
    iam.delete_role_policy(RoleName="caption-gallery-unbounded", PolicyName="work")
    clients[0]("iam").delete_role_permissions_boundary(RoleName="caption-gallery-unbounded")


def test_role_cannot_leave_its_boundary_with_a_wider_policy(clients: tuple[Client, Client]) -> None:
    """The operator may give a role a policy that grants everything, and assume it: the boundary still holds."""
    iam, sts = clients[1]("iam"), clients[0]("sts")
    iam.put_role_policy(**new_policy(RoleName=ROLE))
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=trust(AWS=f"arn:aws:iam::{ID}:root"))
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::{ID}:role/{ROLE}", RoleSessionName="operator")["Credentials"]
    session = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=sts.meta.endpoint_url)

    with pytest.raises(ClientError, match="AccessDenied"):
        client("iam").create_user(UserName="mine")
    with pytest.raises(ClientError, match="AccessDenied"):
        client("secretsmanager").get_secret_value(SecretId="payroll")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client("secretsmanager").get_secret_value(SecretId="caption-gallery-staging/gemini")


OURS = {"Project": "caption-gallery", "Env": "staging"}
PROTECTED = ("get_distribution", "get_distribution_config", "delete_distribution")


def distributed(client: Client, *, name: str, tags: dict[str, str]) -> dict[str, Any]:
    """Create a distribution with these tags and return it."""
    config = {
        "CallerReference": name,
        "Comment": name,
        "Enabled": False,
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "o.example.org", "S3OriginConfig": S3}]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only"},
    }
    given = {"DistributionConfig": config, "Tags": {"Items": pairs(tags)}}
    made = client("cloudfront").create_distribution_with_tags(DistributionConfigWithTags=given)
    return dict(made["Distribution"])


S3 = {"OriginAccessIdentity": ""}


def pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as CloudFront takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_operator_creates_distributions_with_the_tags_of_the_project_only(
    clients: tuple[Client, Client],
) -> None:
    _, operator = clients
    made = distributed(operator, name="caption-gallery-staging-edge", tags=OURS)
    assert "E" == operator("cloudfront").get_distribution(Id=made["Id"])["Distribution"]["Id"][0]
    for name, tags in (
        ("untagged", {}),
        ("other", OURS | {"Project": "other"}),
        ("env", OURS | {"Env": "test"}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            distributed(operator, name=name, tags=tags)


@pytest.mark.parametrize("operation", PROTECTED)
def test_operator_may_not_touch_distributions_of_others(clients: tuple[Client, Client], operation: str) -> None:
    administrator, operator = clients
    made = distributed(administrator, name=f"of-others-{operation}", tags={"Project": "other"})
    given = {"Id": made["Id"], **({"IfMatch": "x"} if operation.startswith("delete") else {})}
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(operator("cloudfront"), operation)(**given)


def test_operator_may_not_take_over_a_distribution_of_another_project(clients: tuple[Client, Client]) -> None:
    """One without any tag of a project can be taken over: docs/deploy.md says so."""
    administrator, operator = clients
    other = distributed(administrator, name="of-others", tags={"Project": "other"})
    bare = distributed(administrator, name="of-nobody", tags={})
    with pytest.raises(ClientError, match="AccessDenied"):
        operator("cloudfront").tag_resource(Resource=other["ARN"], Tags={"Items": pairs(OURS)})
    with pytest.raises(ClientError, match="AccessDenied"):
        operator("cloudfront").tag_resource(Resource=bare["ARN"], Tags={"Items": pairs({"Name": "x"})})
    operator("cloudfront").tag_resource(Resource=bare["ARN"], Tags={"Items": pairs(OURS)})
    operator("cloudfront").untag_resource(Resource=bare["ARN"], TagKeys={"Items": ["Env"]})
