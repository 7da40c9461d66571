"""Uploaded photos, their events and rows, for the tests of the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import Image, NewImage, TaskKind
from imgcore.pipeline.models import ObjectCreated, Timing
from imgcore.pipeline.processing import Outcome
from imgcore.pipeline.sweeper import Sweeper
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeStorage

SOON = 1e9  # a deadline that no test reaches, on time.monotonic()'s clock

Run = Callable[..., Outcome]

THUMBNAIL, CAPTION = TaskKind.THUMBNAIL, TaskKind.CAPTION


def upload(
    repositories: Repositories, storage: FakeStorage, data: bytes = b"photo", owner_id: int | None = None
) -> Image:
    """Insert an image and store its object, as after an upload by the browser."""
    public_id = new_public_id()
    key = raw_key(public_id, "image/jpeg")
    storage.uploads[key] = data
    new = NewImage(public_id, key, "cat.jpg", "image/jpeg", len(data), 3600.0, owner_id=owner_id)
    return repositories.images.add(new)


def news(image: Image) -> ObjectCreated:
    return ObjectCreated(BUCKET, image.image_key, size=5, etag="etag")


def now(repositories: Repositories, image: Image) -> Image:
    found = repositories.images.get(image.public_id)
    assert found is not None
    return found


def quick(sweeper: Sweeper) -> Sweeper:
    """A sweeper for which every event is late and every lease has ended."""
    return replace(sweeper, timing=Timing(lost_after=-1.0, thumbnail_lease=-1.0, caption_lease=-1.0))
