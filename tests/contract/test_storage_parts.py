"""Uploads in parts to an emulator that enforces every condition."""

from __future__ import annotations

import base64
import hashlib
import uuid
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from imgcore.aws.s3 import S3Storage
from imgcore.gallery.part_models import PartRequest

PARTS = (b"a" * (5 * 2**20), b"the rest")


def key() -> str:
    return f"raw/{uuid.uuid4().hex}.jpg"


def put(request: PartRequest, data: bytes, **headers: str) -> int:
    """Send a part as a browser does; the status."""
    sent = Request(request.url, data, request.headers | headers, method="PUT")
    try:
        with urlopen(sent, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def part(storage: S3Storage, name: str, upload: str, number: int) -> PartRequest:
    data = PARTS[number - 1]
    sha256 = hashlib.sha256(data).hexdigest()
    return storage.parts.request(name, upload, number, size=len(data), sha256=sha256, expires_in=60)


def test_parts_are_joined_into_the_object_they_were_cut_from(storage: S3Storage) -> None:
    name = key()
    upload = storage.parts.start(name, "image/jpeg")
    assert [200, 200] == [put(part(storage, name, upload, number), PARTS[number - 1]) for number in (2, 1)]
    received = storage.parts.received(name, upload)
    assert received is not None
    hashes = [hashlib.sha256(data).hexdigest() for data in PARTS]
    assert [(1, len(PARTS[0])), (2, len(PARTS[1]))] == [(each.number, each.size) for each in received]
    assert hashes == [each.sha256 for each in received]
    assert storage.find(name) is None
    storage.parts.finish(name, upload, received)
    assert b"".join(PARTS) == storage.read(name, max_bytes=10**7).data
    assert storage.parts.received(name, upload) is None


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"the resT", {}),
        (b"the rest of it", {}),
        (
            b"another!",
            {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(b"another!").digest()).decode()},
        ),
    ],
    ids=["content", "size", "checksum"],
)
def test_part_that_is_not_the_one_asked_for_is_refused(
    storage: S3Storage, data: bytes, headers: dict[str, str]
) -> None:
    name = key()
    upload = storage.parts.start(name, "image/jpeg")
    assert put(part(storage, name, upload, 2), data, **headers) in (400, 403)
    assert [] == storage.parts.received(name, upload)


def test_aborted_upload_has_no_parts_and_takes_none(storage: S3Storage) -> None:
    name = key()
    upload = storage.parts.start(name, "image/jpeg")
    put(part(storage, name, upload, 1), PARTS[0])
    for _ in range(2):
        storage.parts.abort(name, upload)
    assert storage.parts.received(name, upload) is None
    assert 404 == put(part(storage, name, upload, 2), PARTS[1])
