"""A gallery of thousands of photos for figures of its page: the web process, SQLite, a bucket on loopback."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import imgcore
from imgcore.db.connection import Transaction, open_database
from imgcore.db.migrations import migrate
from tests.load.full_gallery import Web, web
from tests.load.many_images import fill
from tests.support.sample_photos import sample_photos
from tests.web.fake_bucket import FakeBucket

PICTURES = 24  # that differ; the photos share them
DAYS_BETWEEN = 0.08  # from a photo to the one before it: 375 a month
NEWEST = datetime(2026, 11, 20, 12, 0)  # noqa: DTZ001 - a camera knows no time zone


@contextmanager
def page_gallery(photos: int) -> Iterator[Web]:
    """Start a gallery of ``photos`` described photos, whose pictures are rendered as uploads are."""
    bucket = FakeBucket()
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'gallery.db'}"
            database = open_database(url)
            migrate(database)
            for _ in fill(database.with_timeout(600), bucket.objects, photos):
                pass
            database.run(functools.partial(_give_pictures, bucket.objects))
            database.close()
            with web(url, bucket.origin, processes=1) as running:
                yield running
    finally:
        bucket.close()


def _give_pictures(objects: dict[str, bytes], tx: Transaction) -> None:
    rendered = _rendered()
    for number, row in enumerate(tx.rows("SELECT id, public_id FROM images ORDER BY id DESC")):
        picture = rendered[number % PICTURES]
        key = f"thumbnails/{row['public_id']}/grid.webp"
        objects[key] = picture["grid"]
        tx.execute(
            "UPDATE images SET grid_key = :key, width = :width, height = :height, placeholder = :placeholder,"
            " taken_at = :taken WHERE id = :id",
            key=key,
            width=picture["width"],
            height=picture["height"],
            placeholder=picture["placeholder"],
            taken=(NEWEST - timedelta(days=DAYS_BETWEEN * number)).isoformat(" "),
            id=row["id"],
        )


@functools.cache
def _rendered() -> list[dict[str, Any]]:
    found = []
    for name, data in sample_photos(PICTURES):
        picture = imgcore.decode(data, max_side=1600)
        renditions = imgcore.render(picture, name, fit="crop")
        grid = renditions.grid or renditions.display
        width, height = picture.size
        found.append(
            {"grid": grid.data, "width": width, "height": height, "placeholder": renditions.placeholder}
        )
    return found
