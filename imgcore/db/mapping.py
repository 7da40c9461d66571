"""Map rows to the model's objects and values to columns: times, text to store, text to search."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.statements import sql
from imgcore.errors import NotFound
from imgcore.gallery.models import (
    Image,
    PhotoDetails,
    Safety,
    Source,
    Task,
    TaskKind,
    TaskStatus,
    UploadStatus,
    WordField,
)
from imgcore.text import storable

Row = dict[str, Any]

# What the columns hold, in characters; see imgcore/db/steps/m001.py.
KEY, NAME, WORD, MESSAGE = 768, 512, 64, 1000
CAPTION, ALT_TEXT, VISIBLE_TEXT, HINT, TAG, TAGS = 4000, 1000, 4000, 500, 100, 50

_PLAIN = (
    "id", "public_id", "image_key", "name", "media_type", "size", "width", "height", "format", "sha256",
    "camera", "caption", "alt_text", "visible_text", "model", "prompt_version", "input_tokens", "output_tokens",
    "price_usd", "thumbnail_key", "thumbnail_2x_key", "grid_key", "display_key", "display_width",
    "display_height", "placeholder", "owner_id", "batch_id", "hint", "latitude", "longitude", "version_id",
    "version", "languages",
)  # fmt: skip
_TIMES = ("uploaded_at", "caption_generated_at", "thumbnail_generated_at", "deleted_at")
_SOURCES = ("caption_source", "alt_text_source", "tags_source")
_OTHERS = ("upload_status", "details", "taken_at", "tags", "safety", "source", *_SOURCES)

TASK = ("status", "attempts", "error", "message", "next_at")

# The image has words of :source in one of its fields. images.source is that of the first field, and of all in
# rows of 0.1.0.
HAS_WORDS_OF = ":source IN (i.source, i.alt_text_source, i.tags_source)"

# One row an image: its own columns, and those of each of its tasks under the task's name.
_COLUMNS = (
    [f"i.{column}" for column in (*_PLAIN, *_TIMES, *_OTHERS)]
    + [f"{kind}.{column} AS {kind}_{column}" for kind in TaskKind for column in TASK]
    + ["owner.name AS owner"]
)
TASK_JOINS = " ".join(
    f"JOIN tasks {kind} ON {kind}.image_id = i.id AND {kind}.kind = '{kind}'" for kind in TaskKind
)
_OWNER = "LEFT JOIN accounts owner ON owner.id = i.owner_id"
SELECT = sql(
    "SELECT {columns} FROM images i {joins} {owner}",
    columns=", ".join(_COLUMNS),
    joins=TASK_JOINS,
    owner=_OWNER,
)


def images(rows: Iterable[Row]) -> list[Image]:
    """Return the images of rows that SELECT gave, in their order."""
    return [_image(row) for row in rows]


def _image(row: Row) -> Image:
    taken_at = moment(row["taken_at"])
    return Image(
        **{name: row[name] for name in _PLAIN},
        owner=row["owner"],
        **{name: moment(row[name]) for name in _TIMES},  # type: ignore[arg-type]
        upload_status=UploadStatus(row["upload_status"]),
        taken_at=taken_at.replace(tzinfo=None) if taken_at else None,
        tags=tuple(json.loads(row["tags"])) if row["tags"] else (),
        details=_details(row["details"]),
        safety=Safety(row["safety"]) if row["safety"] else None,
        source=Source(row["source"]) if row["source"] else None,
        **{f"{field}_source": field_source(row, field) for field in WordField},  # type: ignore[arg-type]
        tasks=tuple(task(kind, row) for kind in TaskKind),
    )


def details_column(details: PhotoDetails) -> str:
    """Return details as the column holds them: a JSON object of those that are known."""
    return json.dumps({name: value for name, value in asdict(details).items() if value}, ensure_ascii=False)


def _details(column: str | None) -> PhotoDetails | None:
    if not column:
        return None
    known = {field.name for field in fields(PhotoDetails)}  # a later release may have written others
    return PhotoDetails(**{name: value for name, value in json.loads(column).items() if name in known})


def field_source(row: Row, field: WordField) -> Source | None:
    """Return who wrote a field; None where it is empty. Rows of 0.1.0 have one source for all fields."""
    name = row[f"{field}_source"] or row["source"]
    return Source(name) if row[field] is not None and name else None


def task(kind: TaskKind, row: Row) -> Task:
    """Return the task of that kind, whose columns are under its name."""
    status = TaskStatus(row[f"{kind}_status"])
    return Task(
        kind=kind,
        status=status,
        attempts=row[f"{kind}_attempts"],
        error=row[f"{kind}_error"],
        message=row[f"{kind}_message"],
        next_at=moment(row[f"{kind}_next_at"]) if status is TaskStatus.RETRY else None,
    )


def moment(value: datetime | str | None) -> datetime | None:
    """Return a time as either database gives it, in UTC."""
    if value is None:
        return None
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).replace(tzinfo=UTC)


def in_list(name: str, values: Iterable[Any]) -> tuple[str, dict[str, Any]]:
    """Return ``:name_0, :name_1, …`` for an IN of ``values``, and the values by these names."""
    named = {f"{name}_{number}": value for number, value in enumerate(values)}
    return ", ".join(f":{key}" for key in named), named


def local_time(value: datetime | None) -> str | None:
    """Return the time of a camera's clock, which has no time zone, as both databases take it."""
    return value.replace(tzinfo=None).isoformat(" ", "microseconds") if value else None


def micros(seconds: float) -> int:
    """Return seconds as the microseconds that ``{later:…}`` and ``{ago:…}`` take."""
    return round(seconds * 1_000_000)


def storable_tags(tags: Iterable[str]) -> str:
    """Return tags as the column holds them: a JSON list without doubles and empty ones."""
    cleaned = (storable(tag, TAG).strip() for tag in tags)
    return json.dumps([tag for tag in dict.fromkeys(cleaned) if tag][:TAGS], ensure_ascii=False)


def image_by_id(tx: Transaction, image_id: int) -> Image:
    """Return the image of that id, which must exist."""
    return images(tx.rows(SELECT + " WHERE i.id = :image_id", image_id=image_id))[0]


def lock_account(tx: Transaction, account_id: int) -> None:
    """Lock the account's row, so that rows added now cannot outlive it. NotFound where it was deleted."""
    if tx.row("SELECT id FROM accounts WHERE id = :account_id {for_update}", account_id=account_id) is None:
        raise NotFound("This account has been deleted.", code="account")
