"""The hosts that S3's clients use: the region's own, or an emulator's endpoint with the bucket in the path."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from imgcore.aws.clients import create_client
from imgcore.aws.presign import bucket_of
from imgcore.aws.s3 import S3Storage

BUCKET = "caption-gallery-production-derived-123456789012"
# us-east-1 and others that are on by default, and regions that an account must opt in to.
REGIONS = (
    "us-east-1",
    "us-west-2",
    "eu-central-1",
    "ap-southeast-2",
    "af-south-1",
    "ap-east-1",
    "me-central-1",
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, and nothing from the machine's own settings."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


def addresses(region: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return scheme, host and path before the key of everything that is presigned in that region."""
    monkeypatch.setenv("AWS_REGION", region)
    client = create_client("s3")
    storage = S3Storage(client, BUCKET, BUCKET)
    form = storage.form("k", media_type="image/png", min_bytes=1, max_bytes=2, expires_in=60)
    part = client.generate_presigned_url(
        "upload_part", Params={"Bucket": BUCKET, "Key": "k", "PartNumber": 1, "UploadId": "u"}
    )
    urls = [form.url, part, storage.url("k"), bucket_of(client, BUCKET).url]
    parts = [urlsplit(url) for url in urls]
    return {f"{each.scheme}://{each.netloc}{each.path.removesuffix('k')}" for each in parts}


@pytest.mark.parametrize("region", REGIONS)
def test_buckets_are_reached_at_the_host_of_their_region(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {f"https://{BUCKET}.s3.{region}.amazonaws.com/"} == addresses(region, monkeypatch)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_buckets_are_in_the_path_of_an_emulators_endpoint(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://emulator.example:4566")
    found = addresses("eu-central-1", monkeypatch)
    assert {f"http://emulator.example:4566/{BUCKET}"} == {address.rstrip("/") for address in found}
