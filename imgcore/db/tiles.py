"""Narrow reads of images: what listings show of many, and how far one is.

A row is read as one JSON array: pymysql decodes each column in Python, most of the time of a listing. The
arrays of all rows are decoded at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
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
_UPLOAD_STATUS = {
    status.value: status for status in UploadStatus
}  # an enum's own look-up takes ten times as long
_SOURCE = {source.value: source for source in Source}
_SELECT = sql(
    "SELECT JSON_ARRAY({columns}, {place}, i.changed_at) FROM images i {joins} WHERE {where}",
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
    """Return the tiles of the images that meet a condition on ``i``. place: the expression of their order."""
    return [_tile(row) for row in _arrays(tx, sql(_SELECT, place=place, where=where), values)]


def read_cards(tx: Transaction, where: str, values: Mapping[str, Any]) -> list[Image]:
    """Return what a card shows of the images that meet a condition on ``i``."""
    return [_image(row) for row in _arrays(tx, sql(_SELECT, place="i.timeline_at", where=where), values)]


def read_progress(tx: Transaction, public_id: str) -> Image | None:
    """Return an image with its tasks and its rights; other attributes are as if they were unknown."""
    rows = _arrays(tx, _PROGRESS, {"public_id": public_id})
    if not rows:
        return None
    row = dict(zip(_PROGRESS_NAMES, rows[0], strict=True))
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


def _arrays(tx: Transaction, statement: str, values: Mapping[str, Any]) -> list[list[Any]]:
    """Return the rows of a statement whose only column is a JSON array."""
    found: list[list[Any]] = json.loads(
        f"[{','.join(row[0] or '' for row in tx.answer(statement, **values).rows)}]"
    )
    return found


def _tile(row: Sequence[Any]) -> Tile:
    return Tile(_image(row), _plain(row[-2]), _plain(row[-1]))


def _image(row: Sequence[Any]) -> Image:
    plain, rest = row[: len(_PLAIN)], row[len(_PLAIN) : -2]
    upload_status, uploaded_at, deleted_at, source, *tasks = rest
    return Image(
        **dict(zip(_PLAIN, plain, strict=True)),
        image_key="",
        upload_status=_UPLOAD_STATUS[upload_status],
        uploaded_at=_utc(uploaded_at),
        deleted_at=moment(deleted_at),
        source=_SOURCE[source] if source else None,
        tasks=_tasks(*tasks),
    )


@lru_cache(maxsize=128)
def _tasks(*columns: Any) -> tuple[Task, ...]:
    """Return the tasks of an image, which are the same for most images."""
    pairs = zip(_KINDS, columns[::2], columns[1::2], strict=True)
    return tuple(Task(kind, TaskStatus(status), message=message) for kind, status, message in pairs)


def _utc(value: Any) -> datetime:
    found = moment(value)
    assert found is not None
    return found


def _plain(value: Any) -> datetime | None:
    """Return a time without its zone."""
    found = moment(value)
    return found.replace(tzinfo=None) if found else None
