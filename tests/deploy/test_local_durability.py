"""What the local object store acknowledges survives a power failure; what it cannot store it refuses."""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote_plus
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from roles.local_cloud.files.children import Children
from roles.local_cloud.files.emulator import Emulator, emulator_at
from tests.cloud import Cloud
from tests.support import unsafe_disk

BUCKET, PLAIN = "caption-gallery-local-uploads", "caption-gallery-local-derived"


@dataclass(frozen=True)
class Disk:
    """The emulator's folder of objects, and the copy of what a power failure leaves of it."""

    home: Path

    @property
    def full(self) -> Path:
        """The disk is full while this file exists."""
        return self.home / "full"

    @property
    def objects(self) -> Path:
        return self.home / "objects"

    @property
    def survives(self) -> Path:
        return self.home / "survives"

    def fail(self) -> None:
        """Lose what was not synced. The emulator must have been killed."""
        shutil.rmtree(self.objects)
        shutil.copytree(self.survives, self.objects)

    @contextmanager
    def emulator(self) -> Iterator[Cloud]:
        """Start the emulator on this disk; kill it at the end, as a power failure does."""
        emulator: Emulator = emulator_at(self.home).prepare()
        self.survives.mkdir(exist_ok=True)
        disk = [str(path) for path in (self.objects, self.survives, self.full)]
        _, _, *program = emulator.command  # without the interpreter and -P
        command = [sys.executable, unsafe_disk.__file__, *disk, *program]
        with Children(self.home / "logs") as children:
            child = children.start("emulator", command, emulator.environ(), self.home)
            children.wait(emulator.healthy, "the AWS emulator", 60)
            try:
                yield Cloud(emulator)
            finally:
                child.process.kill()
                child.process.wait()


def put(aws: Cloud, bucket: str, key: str, body: bytes) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def post(aws: Cloud, bucket: str, key: str, body: bytes) -> None:
    """Upload as a browser does, with a presigned form."""
    form = aws.client("s3").generate_presigned_post(bucket, key)
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode())
    data = b"".join([*parts, body, f"\r\n--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urlopen(Request(form["url"], data, headers), timeout=10) as answer:
        assert answer.status in (201, 204)


def put_in_parts(aws: Cloud, bucket: str, key: str, body: bytes) -> None:
    s3, target = aws.client("s3"), {"Bucket": bucket, "Key": key}
    upload = target | {"UploadId": s3.create_multipart_upload(**target)["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=body)["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": 1}]})


def copy(aws: Cloud, bucket: str, key: str, body: bytes) -> None:
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key=f"{key}.source", Body=body)
    s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": f"{key}.source"})


WRITES: dict[str, Callable[[Cloud, str, str, bytes], None]] = {
    "put": put,
    "post": post,
    "put in parts": put_in_parts,
    "copy": copy,
}


def read(aws: Cloud, bucket: str, key: str, **more: Any) -> bytes | None:
    """The object; None where there is none."""
    s3 = aws.client("s3")
    try:
        return bytes(s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None


def refused(write: Callable[[Cloud, str, str, bytes], None], *arguments: Any) -> bool:
    """Whether the write was answered with 503."""
    try:
        write(*arguments)
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 503)
    except HTTPError as error:
        return error.code == 503 and b"ServiceUnavailable" in error.read()
    return False


def create_buckets(aws: Cloud) -> None:
    s3 = aws.client("s3")
    for bucket in (BUCKET, PLAIN):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def test_acknowledged_objects_survive_a_power_failure(tmp_path: Path) -> None:
    """Each kind of write, new and over an older object; deleted ones stay deleted."""
    disk, expected = Disk(tmp_path), dict[tuple[str, str], bytes | None]()
    with disk.emulator() as aws:
        create_buckets(aws)
        for bucket in (BUCKET, PLAIN):
            for name, write in WRITES.items():
                for times in (1, 2):
                    key = f"raw/{name} {times}.jpg"
                    for time in range(times):
                        expected[bucket, key] = f"{bucket} {name} {time}".encode()
                        write(aws, bucket, key, expected[bucket, key] or b"")
            put(aws, bucket, "raw/deleted.jpg", b"deleted")
            aws.client("s3").delete_object(Bucket=bucket, Key="raw/deleted.jpg")
            expected[bucket, "raw/deleted.jpg"] = None
    disk.fail()

    with disk.emulator() as aws:
        assert expected == {name: read(aws, *name) for name in expected}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Disk, Cloud]]:
    """An emulator with one object in each bucket, on a disk that becomes full."""
    disk = Disk(tmp_path_factory.mktemp("full"))
    with disk.emulator() as aws:
        create_buckets(aws)
        for bucket in (BUCKET, PLAIN):
            put(aws, bucket, "raw/kept.jpg", b"kept")
        sqs, s3 = aws.client("sqs"), aws.client("s3")
        url = sqs.create_queue(QueueName="events")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}}
        statement = {**allowed, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration=configuration, SkipDestinationValidation=True
        )
        yield disk, aws


def announced(aws: Cloud, *expected: str) -> list[str]:
    """Return the keys that events in the queue name, which is then empty.

    It waits for those of the expected keys, and of an object that it creates after all others.
    """
    sqs, last = aws.client("sqs"), f"raw/{uuid.uuid4().hex}"
    url = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    put(aws, BUCKET, last, b"last")
    found: list[str] = []
    while not {last, *expected} <= set(found):
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            records = json.loads(message["Body"]).get("Records", [])
            found += [unquote_plus(record["s3"]["object"]["key"]) for record in records]
    return sorted(key for key in found if key != last)


@pytest.mark.parametrize("bucket", [BUCKET, PLAIN])
@pytest.mark.parametrize("name", [name for name in WRITES if name != "copy"])
@pytest.mark.parametrize("key", ["raw/new.jpg", "another/new.jpg", "raw/kept.jpg"])
def test_full_disk_refuses_a_write_and_keeps_what_was_there(
    full: tuple[Disk, Cloud], bucket: str, name: str, key: str
) -> None:
    """No event announces the object, and the same write succeeds as soon as there is space."""
    disk, aws = full
    kept, written = (["raw/kept.jpg"], [key]) if bucket == BUCKET else ([], [])
    put(aws, bucket, "raw/kept.jpg", b"kept")
    assert kept == announced(aws, *kept)
    before = aws.client("s3").list_object_versions(Bucket=bucket).get("Versions", [])

    disk.full.touch()
    try:
        assert refused(WRITES[name], aws, bucket, key, b"more")
        assert (b"kept" if "kept" in key else None) == read(aws, bucket, key)
    finally:
        disk.full.unlink()

    assert before == aws.client("s3").list_object_versions(Bucket=bucket).get("Versions", [])
    assert [] == announced(aws)
    WRITES[name](aws, bucket, key, b"more")
    assert b"more" == read(aws, bucket, key)
    assert written == announced(aws, *written)
    if key != "raw/kept.jpg":
        for version in aws.client("s3").list_object_versions(Bucket=bucket, Prefix=key)["Versions"]:
            aws.client("s3").delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
