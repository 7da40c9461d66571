"""A function that runs from its zip, and the images that it is given."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image as PillowImage

from imgcore.gallery.models import Image, NewImage
from tests.cloud import Cloud
from tests.runtime_api import Answer, Running, RuntimeApi, running
from tests.support.repositories import Repositories

UPLOADS, DERIVED = "uploads", "derived"
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "avif": "AVIF", "heic": "HEIF"}


@dataclass(frozen=True)
class Lambda:
    """A function that is running, and the environment that it has."""

    api: RuntimeApi
    process: Running

    def invoke(self, event: Any) -> Answer:
        """Hand it an event."""
        return self.api.invoke(event)

    def receive(self, *bodies: str) -> Answer:
        """Hand it the messages m0, m1, … of its queue."""
        records = [
            {"messageId": f"m{index}", "eventSource": "aws:sqs", "body": body}
            for index, body in enumerate(bodies)
        ]
        return self.invoke({"Records": records})


@contextmanager
def started(bare: Path, root: Path, function: str, settings: Mapping[str, str]) -> Iterator[Lambda]:
    """The function at work."""
    handler = f"lambda_build.handlers.{function}.handler"
    with RuntimeApi() as api, running(api, bare, root, handler, settings) as process:
        yield Lambda(api, process)


def photo(ending: str) -> bytes:
    """A small picture of two colours in that format."""
    picture = PillowImage.new("RGB", (320, 240), (200, 120, 40))
    picture.paste((30, 60, 160), (0, 0, 320, 120))
    out = io.BytesIO()
    if ending == "heic":
        pillow_heif.from_pillow(picture).save(out)
    else:
        picture.save(out, FORMATS[ending])
    return out.getvalue()


def upload(aws: Cloud, repositories: Repositories, data: bytes, ending: str) -> Image:
    """The row first, then the object, as the gallery and the browser do."""
    public_id = secrets.token_hex(16)
    image = repositories.images.add(
        NewImage(public_id, f"raw/{public_id}.{ending}", "photo", None, len(data), 3600.0)
    )
    aws.client("s3").put_object(Bucket=UPLOADS, Key=image.image_key, Body=data)
    return image


def found(repositories: Repositories, image: Image) -> Image:
    """The row as it is by now."""
    row = repositories.images.get(image.public_id)
    assert row is not None
    return row


DONE = Answer("", payload={"batchItemFailures": []})


def plain(answer: Answer) -> Answer:
    """The log lines lack the request's id."""
    return replace(answer, request_id="")
