"""Images for tests: rows at every stage of their way, and what the workers would store."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime

from imgcore.db.connection import Database, Transaction
from imgcore.gallery.models import (
    Description,
    Image,
    NewImage,
    PhotoDetails,
    PhotoFacts,
    Rendition,
    Renditions,
    Source,
    Task,
    TaskKind,
)
from imgcore.pipeline.models import Claim, ObjectCreated
from tests.support.repositories import Repositories

THUMBNAIL, CAPTION = TaskKind.THUMBNAIL, TaskKind.CAPTION
HASH = 0xF0C3_5A96_B7D4_8E65  # of each picture: 64 bits, the highest of them set

FACTS = PhotoFacts(
    format="JPEG",
    width=4032,
    height=3024,
    size=123_456,
    sha256="0f" * 32,
    taken_at=datetime(2025, 7, 14, 18, 30, 5),  # noqa: DTZ001 - a camera knows no time zone
    camera="Contoso Phone 7",
    details=PhotoDetails(
        utc_offset="+02:00", exposure_time=0.004, iso=400, lens="Contoso 24 mm", animated=True
    ),
)


def new(name: str = "image.jpg", *, expires_in: float = 3600.0) -> NewImage:
    """A row to be, of an identity of its own."""
    public_id = secrets.token_hex(16)
    return NewImage(public_id, f"raw/{public_id}.jpg", name, "image/jpeg", 123_456, expires_in)


def event(image: Image | NewImage, *, etag: str = "e1", sequencer: str | None = "0055AE") -> ObjectCreated:
    """The news that the upload is there."""
    return ObjectCreated("uploads", image.image_key, 123_456, etag, f"version-{etag}", sequencer)


def arrived(repositories: Repositories, name: str = "image.jpg") -> Image:
    """An image that has been received."""
    row = new(name)
    repositories.images.add(row)
    return repositories.images.receive(event(row), row)


def claim(
    repositories: Repositories, image: Image, kind: TaskKind, *, lease: float = 60.0, max_attempts: int = 5
) -> Claim:
    """A claim that must be had."""
    claimed = repositories.tasks.claim(image.image_key, kind, lease=lease, max_attempts=max_attempts)
    assert claimed is not None
    return claimed


def try_claim(repositories: Repositories, image: Image, kind: TaskKind, max_attempts: int = 5) -> Claim | None:
    return repositories.tasks.claim(image.image_key, kind, lease=60, max_attempts=max_attempts)


def abandoned(repositories: Repositories, image: Image, kind: TaskKind) -> Claim:
    """A claim whose lease has ended, as after a crash."""
    return claim(repositories, image, kind, lease=-1.0)


def described(repositories: Repositories, name: str, **words: object) -> Image:
    """An image with a caption, a thumbnail not yet made."""
    image = arrived(repositories, name)
    assert repositories.tasks.finish_caption(claim(repositories, image, CAPTION), description(**words))
    return stored(repositories, image)


def description(**changes: object) -> Description:
    """What the keyless describer might say."""
    values: dict[str, object] = {
        "caption": "A ginger cat on a wall.",
        "alt_text": "Ginger cat.",
        "tags": ("cat", "wall"),
        "source": Source.LOCAL,
    }
    return Description(**(values | changes))  # type: ignore[arg-type]


def renditions(image: Image) -> Renditions:
    """What the thumbnail's worker wrote to the bucket."""

    def one(path: str, side: int) -> Rendition:
        return Rendition(f"{path}/{image.public_id}/{side}.webp", b"", "image/webp", side, side * 3 // 4)

    return Renditions(
        one("thumbnails", 200),
        one("thumbnails", 400),
        one("display", 1600),
        "data:image/webp;base64,AA",
        one("thumbnails", 480),
        perceptual_hash=HASH,
    )


def finish(repositories: Repositories, image: Image, claimed: Claim) -> bool:
    """Store the result of either task."""
    if claimed.kind is CAPTION:
        return repositories.tasks.finish_caption(claimed, description())
    return repositories.tasks.finish_thumbnail(claimed, FACTS, renditions(image))


def stored(repositories: Repositories, image: Image | NewImage) -> Image:
    """The row as it is now."""
    found = repositories.images.get(image.public_id)
    assert found is not None
    return found


def task(repositories: Repositories, image: Image, kind: TaskKind) -> Task:
    """One of its tasks as it is now."""
    return stored(repositories, image).task(kind)


def settled(database: Database) -> list[int]:
    """The ids of the images none of whose tasks is open, in order."""
    query = (
        "SELECT id FROM images WHERE public_id NOT LIKE 'bystander%' AND NOT EXISTS (SELECT 1 FROM tasks"
        " WHERE image_id = images.id AND status IN ('pending', 'processing', 'retry')) ORDER BY id"
    )
    return [row["id"] for row in database.read(lambda tx: tx.rows(query))]


_COPIED = (
    "name, upload_status, uploaded_at, upload_expires_at, deleted_at, caption, alt_text, tags, source,"
    " caption_generated_at, thumbnail_key, thumbnail_generated_at, placeholder, search_text"
)


def multiply(database: Database, size: int, batch: int = 10_000) -> Iterator[int]:
    """Copy the rows that there are, under keys of their own, until there are ``size``; how many there are.

    The tasks of the copies are done.
    """
    while True:
        (row,) = database.read(lambda tx: tx.rows("SELECT COUNT(*) AS n, MAX(id) AS top FROM images"))
        yield row["n"]
        if row["n"] >= size:
            return
        database.run(lambda tx, row=row: _copy(tx, row["top"], min(row["n"], size - row["n"], batch)))


def _copy(tx: Transaction, top: int, count: int) -> None:
    key = f"CONCAT('copy-{top}-', id)" if tx.dialect.name == "mysql" else f"'copy-{top}-' || id"
    tx.execute(
        f"INSERT INTO images (public_id, image_key, {_COPIED})"
        f" SELECT {key}, {key}, {_COPIED} FROM images ORDER BY id LIMIT :count",
        count=count,
    )
    tx.execute(
        "UPDATE images SET listed_id = id"
        " WHERE id > :top AND deleted_at IS NULL AND upload_status <> 'expired'",
        top=top,
    )
    tx.execute(
        "INSERT INTO words (word, image_id) SELECT w.word, i.id FROM words w JOIN images source"
        " ON source.id = w.image_id JOIN images i ON i.id > :top AND i.image_key = {copied}".replace(
            "{copied}", key.replace("id", "source.id")
        ),
        top=top,
    )
    for kind in TaskKind:
        tx.execute(
            "INSERT INTO tasks (image_id, kind, status, attempts, finished_at)"
            " SELECT id, :kind, 'done', 1, {now} FROM images WHERE id > :top",
            kind=kind.value,
            top=top,
        )
