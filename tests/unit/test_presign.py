"""Presigned URLs are those of botocore, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imgcore.aws import presign
from imgcore.aws.presign import Bucket, Credentials, bucket_of, credentials_of, presigned_url
from imgcore.aws.s3 import S3Storage

NOW = 1_795_824_000 + 7  # seconds since the epoch
CLIENTS = [
    ("eu-central-1", None, "my-bucket", "auto"),
    ("us-east-1", None, "my-bucket", "virtual"),
    ("eu-south-2", None, "my-bucket", "virtual"),
    ("cn-north-1", None, "my-bucket", "virtual"),
    ("eu-central-1", None, "my.dotted.bucket", "auto"),
    ("eu-central-1", None, "my-bucket", "path"),
    ("eu-central-1", "http://127.0.0.1:4566", "my-bucket", "auto"),
    ("eu-central-1", "http://[::1]:4566", "my-bucket", "auto"),
    ("eu-central-1", "https://Store.Example.org:443/behind/a/path", "my-bucket", "path"),
    ("eu-central-1", "http://store.example.org:80", "my-bucket", "virtual"),
]
KEYS = ["x", "a b/ü~+&?#%2F..//x", "/lead", "..", "a/./../b", "\n", "a/", "日本語/🐈.webp", "=&;,:@!$'()*[]"]


def client(region: str, endpoint: str | None, addressing: str, token: str | None) -> Any:
    session = boto3.session.Session(
        aws_access_key_id="AKIA/+made up", aws_secret_access_key="made+/up ü", aws_session_token=token
    )
    config = Config(signature_version="s3v4", s3={"addressing_style": addressing})
    return session.client("s3", region_name=region, endpoint_url=endpoint, config=config)


def of_botocore(made: Any, bucket: str, key: str, parameters: dict[str, str]) -> str:
    names = {
        "response-content-disposition": "ResponseContentDisposition",
        "response-content-type": "ResponseContentType",
        "versionId": "VersionId",
    }
    parameters = {"Bucket": bucket, "Key": key} | {names[name]: value for name, value in parameters.items()}
    then = datetime.fromtimestamp(NOW, UTC)
    with patch("botocore.auth.get_current_datetime", lambda **_: then.replace(tzinfo=None)):
        url: str = made.generate_presigned_url("get_object", Params=parameters, ExpiresIn=3600)
    return url


def of_ours(made: Any, place: Bucket, key: str, parameters: dict[str, str]) -> str:
    return presigned_url(
        place, key, credentials_of(made), signed_at=NOW, expires_in=3600, parameters=parameters
    )


@pytest.mark.parametrize("token", [None, "made/up+token=="], ids=["user", "role"])
@pytest.mark.parametrize(("region", "endpoint", "bucket", "addressing"), CLIENTS)
def test_a_url_is_that_of_botocore(
    region: str, endpoint: str | None, bucket: str, addressing: str, token: str | None
) -> None:
    """The endpoints, buckets and keys that are encoded in unusual ways."""
    made = client(region, endpoint, addressing, token)
    place = bucket_of(made, bucket)
    parameters = {
        "response-content-disposition": "attachment; filename=\"a\"; filename*=UTF-8''%C3%BC+ b",
        "response-content-type": "application/octet-stream",
        "versionId": "made.up/+_Version",
    }

    for key in KEYS:
        assert of_botocore(made, bucket, key, {}) == of_ours(made, place, key, {})
        assert of_botocore(made, bucket, key, parameters) == of_ours(made, place, key, parameters)


_KEY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_SHARED = client("eu-central-1", None, "auto", "token")


@given(key=_KEY, disposition=_KEY)
@example(key="%", disposition="%25")
@settings(max_examples=300, deadline=None)
def test_a_url_of_any_key_is_that_of_botocore(key: str, disposition: str) -> None:
    parameters = {"response-content-disposition": disposition}
    place = bucket_of(_SHARED, "my-bucket")

    assert of_botocore(_SHARED, "my-bucket", key, parameters) == of_ours(_SHARED, place, key, parameters)


def test_a_client_without_credentials_raises_botocores_error(monkeypatch: pytest.MonkeyPatch) -> None:
    unsigned = client("eu-central-1", None, "auto", None)
    monkeypatch.setattr(unsigned._request_signer, "_credentials", None)

    with pytest.raises(NoCredentialsError):
        credentials_of(unsigned)


def test_new_credentials_sign_at_once() -> None:
    """A URL dies with the credentials that signed it."""
    made = client("eu-central-1", None, "auto", None)
    storage = S3Storage(made, "uploads", "derived", clock=lambda: float(NOW))
    before = storage.url("x")
    made._request_signer._credentials = type(made._request_signer._credentials)("AKIAother", "other", "token")

    assert "AKIAother" in storage.url("x") != before


def test_160_urls_share_one_key() -> None:
    """What they cost: ``python -m tests.load.bench_pages``."""
    place = Bucket("https://b.s3.amazonaws.com/", "b.s3.amazonaws.com", "/", "eu-central-1")
    credentials = Credentials("AKIA", "made-up", None)
    before = presign._signer.cache_info().hits
    for number in range(160):
        presigned_url(place, f"thumbnails/{number:032x}/200.webp", credentials, signed_at=NOW, expires_in=3600)
    assert presign._signer.cache_info().hits - before >= 159
