"""Tiles: the narrow rows of listings, read as tuples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.mapping import moment
from imgcore.db.statements import sql
from imgcore.gallery.listing import Tile
from imgcore.gallery.models import Image, Source, Task, TaskKind, TaskStatus, UploadStatus

_PLAIN = (
    "id", "public_id", "name", "version", "owner_id", "width", "height", "placeholder", "thumbnail_key",
    "display_key", "caption", "alt_text", "model", "languages", "batch_id",
)  # fmt: skip
_OTHERS = ("upload_status", "uploaded_at", "deleted_at", "source")
_TASK = ("status", "message")
_SELECT = sql(
    "SELECT {columns}, i.{place}, i.changed_at FROM images i {joins} WHERE {where}",
    columns=", ".join(
        [f"i.{column}" for column in (*_PLAIN, *_OTHERS)]
        + [f"{kind}.{column} AS {kind}_{column}" for kind in TaskKind for column in _TASK]
    ),
    joins=" ".join(
        f"JOIN tasks {kind} ON {kind}.image_id = i.id AND {kind}.kind = '{kind}'" for kind in TaskKind
    ),
)
_KINDS = tuple(TaskKind)


def read_tiles(tx: Transaction, where: str, values: Mapping[str, Any], place: str) -> Sequence[Tile]:
    """Return the tiles of the images that meet a condition on ``i``. place: the column of their order."""
    return [_tile(row) for row in tx.tuples(sql(_SELECT, place=place, where=where), **values)]


def _tile(row: Sequence[Any]) -> Tile:
    plain, rest = row[: len(_PLAIN)], row[len(_PLAIN) :]
    upload_status, uploaded_at, deleted_at, source, *tasks, place, changed_at = rest
    uploaded = moment(uploaded_at)
    assert uploaded is not None
    image = Image(
        **dict(zip(_PLAIN, plain, strict=True)),
        image_key="",
        upload_status=UploadStatus(upload_status),
        uploaded_at=uploaded,
        deleted_at=moment(deleted_at),
        source=Source(source) if source else None,
        tasks=tuple(
            Task(kind, TaskStatus(tasks[2 * number]), message=tasks[2 * number + 1])
            for number, kind in enumerate(_KINDS)
        ),
    )
    return Tile(image, _plain(place), _plain(changed_at))


def _plain(value: Any) -> datetime | None:
    """Return a time without its zone."""
    found = moment(value)
    return found.replace(tzinfo=None) if found else None
