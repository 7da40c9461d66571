"""Create ten thousand finished images in seconds: rows in the database, thumbnails in a bucket."""

from __future__ import annotations

import base64
import colorsys
import functools
import io
import json
import random
import secrets
from collections import ChainMap
from collections.abc import Iterator, Sequence
from typing import Any

from PIL import Image, ImageOps

from imgcore.db.connection import Database, Transaction
from imgcore.db.mapping import in_list
from imgcore.db.word_index import index_unindexed

BATCH = 500
HUES = 64  # number of distinct pictures; the images share them
_SUBJECTS = ("A red boat", "Two dogs", "An old bridge", "A child with a kite", "Snow on a field", "A stall")
_PLACES = ("in the harbour", "by the river", "under a grey sky", "in evening light", "between tall houses")
_TAGS = ("boat", "water", "dog", "street", "snow", "light", "people", "evening", "stone", "green", "blue")
_SQUARE = Image.linear_gradient("L")

_COLUMNS = (
    "public_id, image_key, name, size, caption, alt_text, tags, thumbnail_key, thumbnail_2x_key, display_key,"
    " placeholder, upload_status, media_type, width, height, format, display_width,"
    " display_height, source, uploaded_at, upload_expires_at, caption_generated_at, thumbnail_generated_at,"
    " search_text"
)
_CONSTANTS = (
    "'received', 'image/jpeg', 4032, 3024, 'JPEG', 1600, 1200, 'gemini', {now}, {now}, {now}, {now}, ''"
)
_TASKS = (
    "INSERT INTO tasks (image_id, kind, status, attempts, started_at, finished_at)"
    " SELECT id, kind, 'done', 1, {now}, {now}"
    " FROM images, (SELECT 'thumbnail' AS kind UNION SELECT 'caption') kinds"
)


def fill(database: Database, objects: dict[str, bytes], count: int) -> Iterator[int]:
    """Put ``count`` images into ``database``, empty and migrated, and their thumbnails into ``objects``.

    Yields how many there are, after each five hundred.
    """
    chance = random.Random(count)  # the same words in every run
    for first in range(0, count, BATCH):
        rows = [_row(chance, objects, number) for number in range(first, min(first + BATCH, count))]
        database.run(functools.partial(_insert, rows))
        yield first + len(rows)
    database.run(lambda tx: tx.execute("UPDATE images SET listed_id = id"))
    database.run(lambda tx: tx.execute(_TASKS))
    while database.run(lambda tx: index_unindexed(tx, BATCH)):
        pass


def _insert(rows: Sequence[tuple[Any, ...]], tx: Transaction) -> None:
    named = [in_list(f"row_{number}", row) for number, row in enumerate(rows)]
    values = ", ".join(f"({names}, {_CONSTANTS})" for names, _ in named)
    tx.execute(f"INSERT INTO images ({_COLUMNS}) VALUES {values}", **dict(ChainMap(*(row for _, row in named))))


def _row(chance: random.Random, objects: dict[str, bytes], number: int) -> tuple[Any, ...]:
    public_id, name = secrets.token_hex(16), f"IMG_{number:05}.jpg"
    alt = f"{chance.choice(_SUBJECTS)} {chance.choice(_PLACES)}"
    caption = f"{alt}, seen from a little above, with long shadows and a clear horizon behind."
    tags = chance.sample(_TAGS, 6)
    thumbnail, tiny = _picture(chance.randrange(HUES))
    keys = [f"thumbnails/{public_id}/200.webp", f"thumbnails/{public_id}/400.webp"]
    objects |= dict.fromkeys(keys, thumbnail)
    row = (public_id, f"raw/{public_id}.jpg", name, chance.randrange(10**6, 10**7), caption, alt)
    return (*row, json.dumps(tags), *keys, f"display/{public_id}/1600.webp", tiny)


@functools.cache
def _picture(hue: int) -> tuple[bytes, str]:
    """A square that fades from dark to bright in one colour: its thumbnail and its placeholder."""
    dark, bright = (
        tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue / HUES, 0.6, value)) for value in (0.2, 0.9)
    )
    picture = ImageOps.colorize(_SQUARE, dark, bright)  # type: ignore[arg-type]
    tiny = base64.b64encode(_webp(picture.resize((12, 9)))).decode()
    return _webp(picture.resize((200, 200))), f"data:image/webp;base64,{tiny}"


def _webp(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=60)
    return out.getvalue()
