"""Multipart uploads to the bucket of originals (Amazon S3 API), each part with its SHA-256."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from imgcore.aws.presign import life_now
from imgcore.aws.s3 import reaching
from imgcore.errors import NotFound
from imgcore.gallery.part_models import Part, PartRequest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHECKSUM = "x-amz-checksum-sha256"


class S3Parts:
    """Uploads in parts (imgcore.gallery.parts.PartStorage). client: boto3's S3 client. clock: as time.time."""

    def __init__(self, client: S3Client, uploads: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._bucket = uploads
        self._clock = clock

    def start(self, key: str, media_type: str) -> str:
        """Start an upload whose parts need a SHA-256, and return its id."""
        with reaching("uploads bucket"):
            started = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=media_type, ChecksumAlgorithm="SHA256"
            )
        return started["UploadId"]

    def request(
        self, key: str, upload: str, number: int, *, size: int, sha256: str, expires_in: int
    ) -> PartRequest:
        """Return a presigned UploadPart. Size and checksum are among the signed headers, and S3 checks both."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        with reaching("uploads bucket"):
            url = self._client.generate_presigned_url(
                "upload_part",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "UploadId": upload,
                    "PartNumber": number,
                    "ContentLength": size,
                    "ChecksumSHA256": checksum,
                },
                ExpiresIn=life_now(self._client, expires_in, self._clock()),
            )
        return PartRequest(number, url, {_CHECKSUM: checksum})

    def received(self, key: str, upload: str) -> Sequence[Part] | None:
        """Return the parts of ListParts; None for status 404."""
        pages = self._client.get_paginator("list_parts")
        try:
            with reaching("uploads bucket"):
                return [
                    Part(
                        item["PartNumber"],
                        item["Size"],
                        base64.b64decode(item["ChecksumSHA256"]).hex(),
                        item["ETag"],
                    )
                    for page in pages.paginate(Bucket=self._bucket, Key=key, UploadId=upload)
                    for item in page.get("Parts", [])
                ]
        except NotFound:
            return None

    def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Join the parts; S3 compares the checksums, and the size of all with the object's."""
        with reaching("uploads bucket"):
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                MpuObjectSize=sum(part.size for part in parts),
                MultipartUpload={
                    "Parts": [
                        {
                            "PartNumber": part.number,
                            "ETag": part.etag,
                            "ChecksumSHA256": base64.b64encode(bytes.fromhex(part.sha256)).decode(),
                        }
                        for part in parts
                    ]
                },
            )

    def abort(self, key: str, upload: str) -> None:
        """Delete the parts; an upload that has ended is no error."""
        with suppress(NotFound), reaching("uploads bucket"):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
