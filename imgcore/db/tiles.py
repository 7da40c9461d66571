"""Narrow reads of images: what listings show of many, and how far one is.

A row is read as one JSON array: pymysql decodes each column in Python, most of the time of a listing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.mapping import TASK, TASK_JOINS, moment, task
from imgcore.db.statements import sql
from imgcore.gallery.listing import Tile
from imgcore.gallery.models import Image, Source, Task, TaskKind, TaskStatus, UploadStatus

_PLAIN = (
    "id", "public_id", "name", "version", "owner_id", "width", "height", "placeholder", "thumbnail_key",
    "thumbnail_2x_key", "grid_key", "display_key", "caption", "alt_text", "languages", "batch_id",
)  # fmt: skip
_OTHERS = ("upload_status", "uploaded_at", "deleted_at", "source")
_TASK = ("status", "message")
_KINDS = tuple(TaskKind)
_SELECT = sql(
    "SELECT JSON_ARRAY({columns}, i.{place}, i.changed_at) FROM images i {joins} WHERE {where}",
    columns=", ".join(
        [f"i.{column}" for column in (*_PLAIN, *_OTHERS)]
        + [f"{kind}.{column}" for kind in _KINDS for column in _TASK]
    ),
    joins=TASK_JOINS,
)

_OF_PROGRESS = ("id", "public_id", "version", "owner_id", "upload_status", "uploaded_at", "deleted_at")
_OF_TASKS = [(f"{kind}_{column}", f"{kind}.{column}") for kind in _KINDS for column in TASK]
_PROGRESS = sql(
    "SELECT JSON_ARRAY({columns}) FROM images i {joins} WHERE i.public_id = :public_id",
    columns=", ".join([*(f"i.{column}" for column in _OF_PROGRESS), *(column for _, column in _OF_TASKS)]),
    joins=TASK_JOINS,
)
_PROGRESS_NAMES = (*_OF_PROGRESS, *(name for name, _ in _OF_TASKS))


def read_tiles(tx: Transaction, where: str, values: Mapping[str, Any], place: str) -> Sequence[Tile]:
    """Return the tiles of the images that meet a condition on ``i``. place: the column of their order."""
    rows = tx.tuples(sql(_SELECT, place=place, where=where), **values)
    return [_tile(json.loads(row)) for (row,) in rows]


def read_cards(tx: Transaction, where: str, values: Mapping[str, Any]) -> list[Image]:
    """Return what a card shows of the images that meet a condition on ``i``."""
    rows = tx.tuples(sql(_SELECT, place="timeline_at", where=where), **values)
    return [_image(json.loads(row)) for (row,) in rows]


def read_progress(tx: Transaction, public_id: str) -> Image | None:
    """Return an image with its tasks and its rights; other attributes are as if they were unknown."""
    rows = tx.tuples(_PROGRESS, public_id=public_id)
    if not rows:
        return None
    row = dict(zip(_PROGRESS_NAMES, json.loads(rows[0][0]), strict=True))
    return Image(
        id=row["id"],
        public_id=row["public_id"],
        image_key="",
        name="",
        version=row["version"],
        owner_id=row["owner_id"],
        upload_status=UploadStatus(row["upload_status"]),
        uploaded_at=_utc(row["uploaded_at"]),
        deleted_at=moment(row["deleted_at"]),
        tasks=tuple(task(kind, row) for kind in _KINDS),
    )


def _tile(row: Sequence[Any]) -> Tile:
    return Tile(_image(row), _plain(row[-2]), _plain(row[-1]))


def _image(row: Sequence[Any]) -> Image:
    plain, rest = row[: len(_PLAIN)], row[len(_PLAIN) : -2]
    upload_status, uploaded_at, deleted_at, source, *tasks = rest
    return Image(
        **dict(zip(_PLAIN, plain, strict=True)),
        image_key="",
        upload_status=UploadStatus(upload_status),
        uploaded_at=_utc(uploaded_at),
        deleted_at=moment(deleted_at),
        source=Source(source) if source else None,
        tasks=tuple(
            Task(kind, TaskStatus(tasks[2 * number]), message=tasks[2 * number + 1])
            for number, kind in enumerate(_KINDS)
        ),
    )


def _utc(value: Any) -> datetime:
    found = moment(value)
    assert found is not None
    return found


def _plain(value: Any) -> datetime | None:
    """Return a time without its zone."""
    found = moment(value)
    return found.replace(tzinfo=None) if found else None
