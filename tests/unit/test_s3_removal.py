"""Removal of a photo's objects: all versions, by one request to each bucket, and what S3 refuses of it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from imgcore.aws.s3 import S3Storage
from imgcore.errors import Unavailable

KEY = "raw/a.jpg"
DERIVED = ["thumbnails/a/200.webp", "display/a/1600.webp"]
LISTED = {
    "Versions": [
        {"Key": KEY, "VersionId": "1"},
        {"Key": KEY, "VersionId": "2"},
        {"Key": f"{KEY}.b", "VersionId": "3"},
    ],
    "DeleteMarkers": [{"Key": KEY, "VersionId": "4"}],
}


@pytest.fixture
def s3() -> Any:
    """A client that connects to nothing."""
    return boto3.client("s3", "us-east-1", aws_access_key_id="made", aws_secret_access_key="up")


def deletes(stub: Stubber, bucket: str, objects: list[dict[str, str]], *errors: dict[str, str]) -> None:
    """Expect one request for these objects."""
    wanted = {"Bucket": bucket, "Delete": {"Objects": objects, "Quiet": True}}
    stub.add_response("delete_objects", {"Errors": list(errors)} if errors else {}, wanted)


def lists(stub: Stubber, listed: dict[str, Any]) -> None:
    stub.add_response("list_object_versions", listed, {"Bucket": "uploads", "Prefix": KEY})


VERSIONS = [{"Key": KEY, "VersionId": each} for each in "124"]


def test_removal_takes_three_requests_for_all_objects_of_a_photo(s3: Any) -> None:
    with Stubber(s3) as stub:
        lists(stub, LISTED)
        deletes(stub, "uploads", VERSIONS)
        deletes(stub, "derived", [{"Key": each} for each in DERIVED])
        S3Storage(s3, "uploads", "derived").remove([KEY], DERIVED)
        stub.assert_no_pending_responses()


def test_removal_of_an_upload_that_never_came_deletes_no_version(s3: Any) -> None:
    with Stubber(s3) as stub:
        lists(stub, {})
        deletes(stub, "derived", [{"Key": each} for each in DERIVED])
        S3Storage(s3, "uploads", "derived").remove([KEY], DERIVED)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "expected"), [("AccessDenied", "storage_refused"), ("InternalError", "storage"), ("", "storage")]
)
def test_removal_of_which_s3_refuses_a_part_fails(s3: Any, code: str, expected: str) -> None:
    """The answer to DeleteObjects has status 200 then."""
    with Stubber(s3) as stub:
        lists(stub, LISTED)
        deletes(stub, "uploads", VERSIONS, {"Key": KEY, "VersionId": "2", "Code": code})
        with pytest.raises(Unavailable, match="uploads bucket") as raised:
            S3Storage(s3, "uploads", "derived").remove([KEY], DERIVED)
    assert expected == raised.value.code


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchVersion"])
def test_removal_of_what_is_gone_meanwhile_is_no_error(s3: Any, code: str) -> None:
    with Stubber(s3) as stub:
        lists(stub, LISTED)
        deletes(stub, "uploads", VERSIONS, {"Key": KEY, "VersionId": "2", "Code": code})
        deletes(stub, "derived", [{"Key": each} for each in DERIVED])
        S3Storage(s3, "uploads", "derived").remove([KEY], DERIVED)
        stub.assert_no_pending_responses()
