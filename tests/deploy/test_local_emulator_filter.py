"""The real emulator behind its filter: nothing is served without the credentials of a process of ours."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.cloud import Cloud, cloud

BUCKET, KEY = "caption-gallery-local-uploads", "raw/kept.jpg"
CALLS = {
    "dynamodb": "list_tables",
    "ec2": "describe_vpcs",
    "events": "list_rules",
    "iam": "list_users",
    "lambda": "list_functions",
    "logs": "describe_log_groups",
    "rds": "describe_db_instances",
    "s3": "list_buckets",
    "secretsmanager": "list_secrets",
    "sns": "list_topics",
    "sqs": "list_queues",
    "ssm": "describe_parameters",
    "sts": "get_caller_identity",
}
# Refused by the filter, or by the emulator's check of the signature or of the key.
REFUSALS = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "403",
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An emulator with one object in a bucket."""
    with cloud(tmp_path_factory.mktemp("filter")) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"kept")
        yield aws


def status(aws: Cloud, method: str, path: str, **headers: str) -> int:
    data = b"" if method in ("POST", "PUT") else None
    request = urllib.request.Request(aws.emulator.endpoint + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def keys(aws: Cloud) -> list[tuple[str, str]]:
    """Access keys and secrets that a stranger can try: the well-known ones, and our key's id with a guess."""
    return [
        ("test", "test"),
        ("000000000000", "test"),
        ("123456789012", "123456789012"),
        ("AKIAIOSFODNN7AAAAAAA", "a" * 40),
        (aws.emulator.access_key, "a" * 40),
        (aws.emulator.access_key, "test"),
    ]


@pytest.mark.parametrize("service", CALLS)
def test_emulator_call_signed_with_another_secret_is_refused(aws: Cloud, service: str) -> None:
    """The emulator alone takes the id of a root key for its proof."""
    answers: dict[Any, str] = {}
    for key, secret in keys(aws):
        client = boto3.client(
            service,
            endpoint_url=aws.emulator.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )
        with pytest.raises(ClientError) as refused:
            getattr(client, CALLS[service])()
        answers[key, secret] = refused.value.response["Error"]["Code"]

    assert {} == {pair: code for pair, code in answers.items() if code not in REFUSALS}


def test_emulator_presigned_request_with_another_secret_is_refused(aws: Cloud) -> None:
    for key, secret in keys(aws):
        client = boto3.client(
            "s3",
            endpoint_url=aws.emulator.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )
        for method, operation in (("GET", "get_object"), ("PUT", "put_object")):
            url = client.generate_presigned_url(operation, Params={"Bucket": BUCKET, "Key": KEY})
            assert 403 == status(aws, method, url.removeprefix(aws.emulator.endpoint)), (key, operation)
    assert b"kept" == aws.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:8080", "http://evil.example", "null"])
def test_emulator_administrative_endpoints_change_nothing(aws: Cloud, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    for method, path in (
        ("POST", "/_ministack/reset"),
        ("POST", "/_localstack/state/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/ses/messages"),
        ("GET", "/_ministack/lambda-code/caption"),
        ("GET", f"/{BUCKET}/{KEY}"),
        ("DELETE", f"/{BUCKET}/{KEY}"),
        ("GET", f"/{BUCKET}"),
        ("GET", "/"),
    ):
        assert 403 == status(aws, method, path, **headers), path
    assert b"kept" == aws.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
