"""The filter in front of the emulator of `make run`: what is passed on, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from roles.local_cloud.files.emulator import BUCKET_PREFIX, HEALTH
from roles.local_cloud.files.filtered_emulator import Filter

HOST = ("host", "127.0.0.1:23456")
SIGNED = ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sqs/aws4_request")
PAGE = ("origin", "http://127.0.0.1:8080")
FORM = ("content-type", "multipart/form-data; boundary=x")
PRESIGNED = "X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=00"
BUCKET = "/caption-gallery-local-uploads"

PASSED = {
    "a signed call": ("POST", "/", "", [HOST, SIGNED]),
    "a signed call by name": ("GET", BUCKET, "", [("host", "localhost:23456"), SIGNED]),
    "the health check": ("GET", "/_ministack/health", "", [HOST]),
    "a presigned image": ("GET", f"{BUCKET}/raw/a.jpg", PRESIGNED, [HOST, ("sec-fetch-site", "same-site")]),
    "a presigned part": ("PUT", f"{BUCKET}/raw/a.jpg", PRESIGNED, [HOST, PAGE]),
    "an upload form": ("POST", BUCKET, "", [HOST, PAGE, FORM]),
    "an upload form without scripts": ("POST", f"{BUCKET}/", "", [HOST, FORM]),
    "a preflight": ("OPTIONS", BUCKET, "", [HOST, PAGE]),
    "a page on IPv6": ("POST", BUCKET, "", [HOST, FORM, ("origin", "http://[::1]:8080")]),
}
REFUSED = {
    "reset": ("POST", "/_ministack/reset", "", [HOST]),
    "reset by a page": ("POST", "/_ministack/reset", "", [HOST, PAGE]),
    "reset in a form": ("POST", "/_ministack/reset", "", [HOST, PAGE, FORM]),
    "reset with any authorization": ("POST", "/_ministack/reset", "", [HOST, SIGNED]),
    "reset in other spelling": ("POST", "/%5Fministack/reset", "", [HOST, SIGNED]),
    "configuration": ("POST", "/_ministack/config", "", [HOST]),
    "messages of queues": ("GET", "/_ministack/sqs/messages", "", [HOST]),
    "code of functions": ("GET", "/_ministack/lambda-code/x", "", [HOST]),
    "the health check by a page": ("GET", "/_ministack/health", "", [HOST, PAGE]),
    "another host name": ("GET", "/_ministack/health", "", [("host", "rebound.example:23456")]),
    "no host name": ("POST", "/", "", [SIGNED]),
    "two host names": ("POST", "/", "", [HOST, ("host", "rebound.example"), SIGNED]),
    "an unsigned call": ("POST", "/", "", [HOST]),
    "an unsigned read": ("GET", f"{BUCKET}/raw/a.jpg", "", [HOST]),
    "another scheme of authorization": ("POST", "/", "", [HOST, ("authorization", "Bearer x")]),
    "a signed call by a page": ("POST", "/", "", [HOST, SIGNED, PAGE]),
    "a page of another host": (
        "PUT",
        f"{BUCKET}/raw/a.jpg",
        PRESIGNED,
        [HOST, ("origin", "http://evil.example")],
    ),
    "a page without an origin": ("POST", BUCKET, "", [HOST, FORM, ("origin", "null")]),
    "a presigned removal": ("DELETE", f"{BUCKET}/raw/a.jpg", PRESIGNED, [HOST]),
    "a presigned listing": ("GET", BUCKET, PRESIGNED, [HOST]),
    "another service, presigned": ("GET", f"{BUCKET}/x", PRESIGNED.replace("s3", "sqs"), [HOST]),
    "another bucket": ("POST", "/another-bucket", "", [HOST, PAGE, FORM]),
    "a form that is not one of S3": ("POST", BUCKET, "Action=DeleteQueue", [HOST, PAGE, FORM]),
    "a form of another type": ("POST", BUCKET, "", [HOST, PAGE, ("content-type", "text/plain")]),
    "a preflight elsewhere": ("OPTIONS", "/_ministack/reset", "", [HOST, PAGE]),
}


def refusal(method: str, path: str, query: str, headers: list[tuple[str, str]]) -> str | None:
    from urllib.parse import unquote

    scope: dict[str, Any] = {
        "method": method,
        "path": unquote(path),  # as an ASGI server gives it
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    return Filter(None, BUCKET_PREFIX, HEALTH).refusal(scope)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PASSED)
def test_filter_request_of_the_gallery_is_passed_on(name: str) -> None:
    assert refusal(*PASSED[name]) is None


@pytest.mark.parametrize("name", REFUSED)
def test_filter_any_other_request_is_refused(name: str) -> None:
    assert refusal(*REFUSED[name])
