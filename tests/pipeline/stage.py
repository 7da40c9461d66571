"""The whole pipeline on a private cloud: real roles, real zips, an emulator that enforces IAM."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from imgcore import bootstrap
from imgcore.config import Config
from imgcore.db.connection import Database
from imgcore.gallery.models import Image, UploadForm
from imgcore.gallery.service import Gallery
from tests.cloud import Cloud, cloud
from tests.contract.images import settled
from tests.support.processes import processes
from tests.zips import built

PROJECT = "caption-gallery-local"

UNPACKED = re.compile(r"/\S*?/ministack-lambda-[^/\s]+")  # in the command of a worker


@dataclass(frozen=True)
class Stage:
    """A running pipeline, as the web process and as the operator see it."""

    aws: Cloud
    gallery: Gallery
    database: Database

    def upload(self, name: str, data: bytes, media_type: str = "image/jpeg") -> Image:
        """Ask for a form and send the file through it, as a browser does."""
        image, form = self.gallery.request_upload(name, len(data), media_type)
        assert send(form, data) == 201
        return image

    def sweep(self) -> None:
        """Start a sweep as the schedule does, without waiting; it may be killed as any other worker."""
        self.aws.client("lambda").invoke(
            FunctionName=f"{PROJECT}-caption", InvocationType="Event", Payload=b'{"task": "sweep"}'
        )

    def settle(self, ids: list[str], seconds: float) -> list[Image]:
        """Wait until nothing of these changes any more, sweeping as the schedule does but more often."""
        now = time.monotonic()
        deadline, next_sweep = now + seconds, now
        while True:
            images = self.images(ids)
            left = [image for image in images if not image.settled]
            if not left:
                return images
            now = time.monotonic()
            assert now < deadline, f"{len(left)} of {len(ids)} never settled: {left[0]}"
            if now >= next_sweep:
                self.sweep()
                next_sweep = now + 2.0
            time.sleep(0.2)

    def images(self, ids: list[str]) -> list[Image]:
        """Return the current images, read a hundred at a time."""
        parts = [ids[start : start + 100] for start in range(0, len(ids), 100)]
        return [image for part in parts for image in self.gallery.get_many(part)]

    def settled(self) -> int:
        """Return the number of images none of whose tasks is open."""
        return len(settled(self.database))

    def queue(self, name: str) -> str:
        """The address of one of the project's queues."""
        return str(self.aws.client("sqs").get_queue_url(QueueName=f"{PROJECT}-{name}")["QueueUrl"])

    def waiting(self, name: str) -> int:
        """Messages in a queue, those in flight and those delayed included."""
        which = ["", "NotVisible", "Delayed"]
        found = self.aws.client("sqs").get_queue_attributes(
            QueueUrl=self.queue(name), AttributeNames=[f"ApproximateNumberOfMessages{part}" for part in which]
        )
        return sum(int(value) for value in found["Attributes"].values())

    def dead(self) -> int:
        """Dead letters of both tasks."""
        return self.waiting("thumbnail-dead") + self.waiting("caption-dead")

    def workers(self) -> dict[int, Path]:
        """The processes that run the functions just now, each with the folder of its unpacked code."""
        mine = [each for each in processes() if str(self.aws.home) in each.command]
        found = {each.pid: UNPACKED.search(each.command) for each in mine}
        return {pid: Path(folder[0]) for pid, folder in found.items() if folder}


def send(form: UploadForm, data: bytes) -> int:
    """Post a file through its form; the status."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form.fields.items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    body = b"".join([*parts, file, data, f"\r\n--{boundary}--\r\n".encode()])
    with urlopen(Request(form.url, body, headers), timeout=30) as answer:
        return int(answer.status)


@contextmanager
def staged(home: Path, environ: Any, **variables: Any) -> Iterator[Stage]:
    """Start a cloud, apply the roles with local zips, migrate, and hand over a gallery.

    environ: pytest's MonkeyPatch or anything with setenv. variables: for the playbook.
    """
    zips = {built(kind, "local").parent for kind in ("caption", "thumbnail")}
    with cloud(home) as aws:
        assert len(zips) == 1
        url = f"sqlite:///{aws.home}/gallery.db"
        bootstrap.migrate(Config.read({"DATABASE_URL": url}))
        aws.apply(functions_zip_dir=str(zips.pop()), **variables)
        settings = aws.settings("web")
        for name, value in settings.items():
            if name.startswith("AWS_"):
                environ.setenv(name, value)
        config = Config.read(settings | {"DATABASE_URL": url})
        database = bootstrap.database(config)
        yield Stage(aws, bootstrap.gallery(config), database)
        database.close()
