"""The functions that site.yml deployed: each call that they make is allowed to their roles, and no other.

The calls are those of the laptop's functions, whose roles are the same, on this account's names; and what only
this account has to tempt with.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.deploy import test_local_identities as local
from tests.deploy.local_tools import ARN, DERIVED, SECRET, UPLOADS
from tests.deploy.provision_account import ENV, ID, PREFIX, PROJECT, REGION, Account
from tests.deploy.security_checks_roles import JOIN_NETWORK, granted
from tests.deploy.security_describe import roles
from tests.deploy.security_look import Look

pytestmark = pytest.mark.timeout(1800)  # the account is made by Ansible on a busy machine

Call = local.Call
ROLE = f"arn:aws:iam::{ID}:role/{PREFIX}"
NAMES = {
    UPLOADS: f"{PREFIX}-uploads-{ID}",
    DERIVED: f"{PREFIX}-derived-{ID}",
    SECRET: f"{PREFIX}/gemini",
    "another-secret": f"{PREFIX}/database/master",
    ARN.format("sns", local.PREFIX): f"arn:aws:sns:{REGION}:{ID}:{PREFIX}",
    "arn:aws:iam::000000000000:role/" + local.PREFIX: ROLE,
    local.PREFIX: PREFIX,
}
ANYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
FORBIDDEN: list[Call] = [
    *local.FORBIDDEN,
    ("secretsmanager", "get_secret_value", {"SecretId": f"{PREFIX}/database/migrate"}),
    ("secretsmanager", "put_secret_value", {"SecretId": f"{PREFIX}/database/app", "SecretString": "x"}),
    ("secretsmanager", "list_secrets", {}),
    ("rds", "delete_db_instance", {"DBInstanceIdentifier": f"{PREFIX}-database", "SkipFinalSnapshot": True}),
    ("rds", "describe_db_instances", {}),
    ("ec2", "describe_security_groups", {}),
    ("ec2", "create_vpc", {"CidrBlock": "10.99.0.0/16"}),
    ("ec2", "terminate_instances", {"InstanceIds": ["i-00000000000000000"]}),
    ("elbv2", "describe_load_balancers", {}),
    ("cloudwatch", "disable_alarm_actions", {"AlarmNames": [f"{PREFIX}-caption-dead"]}),
    ("logs", "delete_log_group", {"logGroupName": f"/{PREFIX}/vpc-flow"}),
    (
        "iam",
        "put_role_policy",
        {"RoleName": f"{PREFIX}-caption", "PolicyName": "x", "PolicyDocument": ANYTHING},
    ),
    ("lambda", "invoke", {"FunctionName": f"{PREFIX}-migrator", "Payload": '{"task": "migrate"}'}),
    ("sts", "assume_role", {"RoleArn": f"{ROLE}-migrator", "RoleSessionName": "probe"}),
]
APP = ("secretsmanager", "get_secret_value", {"SecretId": f"{PREFIX}/database/app"})
VERSION = ("s3", "get_object", local.THERE | {"VersionId": "of the first"})
DELETED = ("s3", "delete_object", local.obj(UPLOADS, "raw/gone.jpg", VersionId="of the second"))
ABORTED = ("s3", "abort_multipart_upload", local.obj(UPLOADS, "raw/parts.jpg", UploadId="of a new one"))
ALLOWED = {
    "thumbnail": [*local.THUMBNAIL_ALLOWED, APP, VERSION],
    "caption": [*local.CAPTION_ALLOWED, APP, VERSION, DELETED, ABORTED],
}
# What Lambda itself asks for with a function's role, to run it and to feed it; no probe can ask for the same.
BY_LAMBDA = {action for action, _ in JOIN_NETWORK} | {
    "logs:CreateLogStream", "logs:PutLogEvents", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
}  # fmt: skip


@dataclass(frozen=True)
class Tempting:
    """The account, a client for each service, and what came of the calls that are allowed."""

    account: Account
    look: Look
    answers: dict[str, list[str | None]] = field(default_factory=dict)
    made: dict[str, set[str]] = field(default_factory=dict)

    def notes(self) -> list[dict[str, Any]]:
        """The calls that IAM has judged so far."""
        return [json.loads(line) for line in self.account.calls.read_text().splitlines()]


@pytest.fixture(scope="module")
def aws(provisioned: Account) -> Iterator[Tempting]:
    """The account with a few objects in it; they are taken away again. Each allowed call was made once."""
    aws = Tempting(provisioned, Look(provisioned.client, PROJECT, ENV))
    s3, uploads = aws.look.client("s3"), NAMES[UPLOADS]
    for key in ("raw/there.jpg", "elsewhere.jpg"):
        s3.put_object(Bucket=uploads, Key=key, Body=b"x")
    for key in ("thumbnails/there", "display/there"):
        s3.put_object(Bucket=NAMES[DERIVED], Key=key, Body=b"x")
    root = provisioned.environ()["AWS_ACCESS_KEY_ID"]
    for who, calls in ALLOWED.items():
        before = len(aws.notes())
        aws.answers[who] = [asked(aws, who, call) for call in calls]
        aws.made[who] = {note["action"] for note in aws.notes()[before:] if note["key"] != root}
    yield aws
    for bucket in (uploads, NAMES[DERIVED]):
        listed = s3.list_object_versions(Bucket=bucket)
        for each in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def here(value: Any) -> Any:
    """Parameters with this account's names in them."""
    if isinstance(value, dict):
        return {key: here(each) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    for old, new in NAMES.items():
        value = value.replace(old, new)
    return value


def asked(aws: Tempting, who: str, call: Call) -> str | None:
    """The error code of a call that the function makes with its own role; None where it is allowed."""
    service, operation, parameters = call[0], call[1], here(call[2])
    if "QueueUrl" in parameters:
        parameters["QueueUrl"] = f"{aws.account.endpoint}/{ID}/{PREFIX}-{parameters['QueueUrl']}"
    if "VersionId" in parameters:
        parameters["VersionId"] = version(aws, parameters["Key"])
    if "UploadId" in parameters:
        started = aws.look.client("s3").create_multipart_upload(
            Bucket=parameters["Bucket"], Key=parameters["Key"]
        )
        parameters["UploadId"] = started["UploadId"]
    payload = {"service": service, "operation": operation, "parameters": parameters}
    answer = aws.look.client("lambda").invoke(FunctionName=f"{PREFIX}-{who}", Payload=json.dumps(payload))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    code: str | None = payload["code"]
    return code


def version(aws: Tempting, key: str) -> str:
    """A version of an upload, made now where there is none."""
    s3, uploads = aws.look.client("s3"), NAMES[UPLOADS]
    listed = s3.list_object_versions(Bucket=uploads, Prefix=key).get("Versions", [])
    found: str = (
        listed[0]["VersionId"] if listed else s3.put_object(Bucket=uploads, Key=key, Body=b"x")["VersionId"]
    )
    return found


@local.matrix(
    thumbnail=FORBIDDEN + local.THUMBNAIL_FORBIDDEN,
    caption=FORBIDDEN + local.CAPTION_FORBIDDEN,
)
def test_call_without_permission_is_denied(aws: Tempting, who: str, call: Call) -> None:
    assert asked(aws, who, call) in local.DENIED


@pytest.mark.parametrize("who", ALLOWED)
def test_call_with_permission_is_allowed(aws: Tempting, who: str) -> None:
    refused = zip(ALLOWED[who], aws.answers[who], strict=True)
    assert [] == [(call, code) for call, code in refused if code is not None]


@pytest.mark.parametrize("who", ALLOWED)
def test_policies_grant_no_unused_action(aws: Tempting, who: str) -> None:
    role = roles(aws.look)[f"{PREFIX}-{who}"]
    assert set() == {action for action, _ in granted(role)} - aws.made[who] - BY_LAMBDA


@pytest.mark.parametrize("who", ALLOWED)
def test_missing_upload_returns_404(aws: Tempting, who: str) -> None:
    assert "NoSuchKey" == asked(aws, who, ("s3", "get_object", local.MISSING))


def test_upload_is_processed_by_both_functions(aws: Tempting) -> None:
    aws.look.client("s3").put_object(Bucket=NAMES[UPLOADS], Key="raw/through.jpg", Body=b"x")
    sqs = aws.look.client("sqs")
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> dict[str, int]:
        urls = sqs.list_queues(QueueNamePrefix=f"{PREFIX}-")["QueueUrls"]
        answers = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"] for url in urls]
        return {url: sum(map(int, each.values())) for url, each in zip(urls, answers, strict=True)}

    assert {0} == waited(left)


def waited(left: Callable[[], dict[str, int]]) -> set[int]:
    """What is left in the queues: as soon as it is nothing, or after half a minute."""
    end = time.monotonic() + 30
    while any(left().values()) and time.monotonic() < end:
        time.sleep(0.2)
    return set(left().values())
