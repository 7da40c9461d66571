"""The real gallery service and repositories over SQLite, with a storage and queues in this process."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from imgcore.accounts.passwords import Argon2Hasher
from imgcore.bootstrap_collections import downloads
from imgcore.campaigns.service import Campaigns
from imgcore.captioning.prices import quote
from imgcore.collections.albums import Albums
from imgcore.collections.shares import Shares
from imgcore.config import Config
from imgcore.db.albums import AlbumRepository
from imgcore.db.campaigns import CampaignRepository
from imgcore.db.changes import ChangeRepository
from imgcore.db.circuit_breaker import CircuitBreakers
from imgcore.db.connection import Database, Transaction
from imgcore.db.front import FrontRepository
from imgcore.db.images import ImageRepository
from imgcore.db.jobs import JobRepository
from imgcore.db.ledger import LedgerRepository
from imgcore.db.login_throttle import LoginThrottle
from imgcore.db.mapping import details_column
from imgcore.db.pages import PageRepository
from imgcore.db.part_uploads import PartUploadRepository
from imgcore.db.shares import ShareRepository
from imgcore.db.tag_list import TagListRepository
from imgcore.db.tags import TagRepository
from imgcore.db.timeline import TimelineRepository
from imgcore.db.trash import TrashRepository
from imgcore.db.webhooks import WebhookRepository
from imgcore.db.word_index import update_search_text
from imgcore.errors import ImgcoreError, NotFound, Unavailable
from imgcore.gallery.models import (
    EVERYBODY,
    MEDIA_TYPES,
    Image,
    Limits,
    PhotoDetails,
    Source,
    TaskKind,
    TaskStatus,
    UploadForm,
    UploadStatus,
)
from imgcore.gallery.part_models import Part, PartRequest
from imgcore.gallery.parts import PartUploads
from imgcore.gallery.service import Gallery
from imgcore.pipeline.jobs import Jobs
from imgcore.pipeline.maintenance_models import DeadLetters
from imgcore.pipeline.models import ObjectCreated, StoredObject
from imgcore.spending.service import Spending
from imgcore.webhooks.sender import HttpSender
from imgcore.webhooks.service import Webhooks
from tests.support.sqlite import migrated

T = TypeVar("T")

AWAY = Unavailable("The database cannot be reached just now.", code="database")
WITH_ERROR = {TaskStatus.RETRY, TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED}
FIRST_UPLOAD = datetime(2026, 11, 21, 9, 1, tzinfo=UTC)  # each further one is a minute later


class FaultyDatabase(Database):
    """A database that raises ``fault``, if one is set, instead of doing anything."""

    fault: Exception | None = None

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault

    def read(self, work: Callable[[Transaction], T]) -> T:
        self._fail()
        return super().read(work)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        self._fail()
        with super().transaction() as transaction:
            yield transaction


class EditableImages(ImageRepository):
    """The repository of images, whose rows a test can also set as the pipeline would have left them."""

    def __init__(self, database: FaultyDatabase, path: Path) -> None:
        super().__init__(database)
        self.database = database
        self._path = path
        self._updating = threading.Lock()  # SQLite sleeps up to 100 ms between two attempts to lock its file

    @property
    def rows(self) -> dict[str, Image]:
        """All images by their ids, in the order in which they were added."""
        return {image.public_id: image for image in self.get_many(self._public_ids())}

    def _public_ids(self) -> list[str]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            return [row[0] for row in connection.execute("SELECT public_id FROM images ORDER BY id")]

    def change(self, public_id: str, **values: Any) -> Image:
        """Set attributes of an image; the columns that the schema derives from them follow.

        No others: another thread may have changed them since they were read.
        """
        known = self._found(public_id)
        new = replace(known, **values)
        columns = dict(values)
        if {"caption", "alt_text", "tags"} & values.keys():
            described = (new.caption or new.alt_text or new.tags) and new.source is None
            columns["source"] = Source.LOCAL if described else new.source
            columns["caption_generated_at"] = datetime.now(UTC) if new.caption else None
        if "thumbnail_key" in values:
            columns["thumbnail_generated_at"] = datetime.now(UTC) if new.thumbnail_key else None
        if {"deleted_at", "upload_status"} & values.keys():
            listed = new.deleted_at is None and new.upload_status is not UploadStatus.EXPIRED
            columns["listed_id"] = new.id if listed else None
        self._update("images", columns, "id = ?", known.id)
        self.database.run(lambda tx: update_search_text(tx, known.id))
        return self._found(public_id)

    def set_task(self, public_id: str, kind: TaskKind, status: TaskStatus, **values: Any) -> Image:
        """Set one task's state after one attempt."""
        now, processing = datetime.now(UTC), status is TaskStatus.PROCESSING
        columns = {
            "status": status,
            "attempts": 1,
            "error": "made_up" if status in WITH_ERROR else None,
            "message": None,
            "next_at": now if status is TaskStatus.RETRY else None,
            "lease_token": "made-up" if processing else None,
            "lease_until": now if processing else None,
            "finished_at": now if status.terminal else None,
        } | values
        image_id = self._found(public_id).id
        self._update("tasks", columns, "image_id = ? AND kind = ?", image_id, kind.value)
        return self._found(public_id)

    def _found(self, public_id: str) -> Image:
        image = self.get(public_id)
        assert image is not None
        return image

    def _update(self, table: str, columns: dict[str, Any], where: str, *key: Any) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        changed = "UPDATE images SET version = version + 1, changed_at = ? WHERE id = ?"
        values = [_column(value) for value in columns.values()]
        with (
            self._updating,
            closing(sqlite3.connect(self._path, timeout=30)) as connection,
            connection,
        ):
            connection.execute(f"UPDATE {table} SET {assignments} WHERE {where}", (*values, *key))
            connection.execute(changed, (_column(datetime.now(UTC)), key[0]))


def _column(value: Any) -> Any:
    """A value as its column holds it."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, PhotoDetails):
        return details_column(value)
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False) if value else None
    return value.value if hasattr(value, "value") else value


class FakeStorage:
    """imgcore.gallery.ports.Storage over the address of a bucket that may or may not be there."""

    def __init__(self, origin: str = "http://bucket.localhost:9") -> None:
        self.origin = origin
        self.signature = "made-up"
        self.away = False
        self.vanished: set[str] = set()
        self.objects: dict[str, bytes] = {}

    def form(
        self,
        key: str,
        *,
        media_type: str,
        min_bytes: int,
        max_bytes: int,
        expires_in: int,
        redirect: str | None = None,
    ) -> UploadForm:
        fields = {"Content-Type": media_type, "key": key, "policy": f"{min_bytes}-{max_bytes}-{expires_in}"}
        if redirect:
            fields["success_action_redirect"] = redirect
        return UploadForm(f"{self.origin}/uploads", fields)

    def origins(self) -> Sequence[str]:
        return [self.origin]

    def ping(self) -> None:
        if self.away:
            raise Unavailable("The uploads bucket cannot be reached just now.", code="storage")

    def find(self, key: str, *, version_id: str | None = None) -> ObjectCreated | None:
        return None if key in self.vanished else ObjectCreated("uploads", key)

    def chunks(self, key: str, *, derived: bool, version_id: str | None = None) -> Iterator[bytes]:
        if key in self.vanished:
            raise NotFound("It does not exist any more.")
        return iter([self.objects.get(key, key.encode())])

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> StoredObject:
        return StoredObject(b"".join(self.chunks(key, derived=False)), None, None)

    def has_derived(self, keys: Sequence[str]) -> bool:
        return not self.vanished & set(keys)

    def url(self, key: str, *, download_as: str | None = None) -> str:
        return f"{self.origin}/derived/{key}?X-Amz-Signature={self.signature}"

    def expires_at(self) -> datetime:
        return datetime(2026, 11, 28, 13, tzinfo=UTC)

    def period(self, *, originals: bool = False) -> str:
        return f"{self.origin} {self.signature}"

    def original_url(self, key: str, *, download_as: str, version_id: str | None = None) -> str:
        return f"{self.origin}/uploads/{key}?X-Amz-Signature={self.signature}"


def public_names(host: str, port: int) -> list[str]:
    """Resolve every name to a public address, and an address to itself."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        return ["93.184.215.14"]


class FakeParts:
    """imgcore.gallery.parts.PartStorage over the same address. uploads: id → its parts by number."""

    def __init__(self, storage: FakeStorage) -> None:
        self.storage = storage
        self.uploads: dict[str, dict[int, Part]] = {}
        self.data: dict[tuple[str, int], bytes] = {}
        self.finished: list[str] = []
        self.on_object: Callable[[str, bytes], None] = lambda key, data: None

    def start(self, key: str, media_type: str) -> str:
        if self.storage.away:
            raise Unavailable("The uploads bucket cannot be reached just now.", code="storage")
        self.uploads[key] = {}
        self.storage.vanished.add(key)
        return key

    def request(
        self, key: str, upload: str, number: int, *, size: int, sha256: str, expires_in: int
    ) -> PartRequest:
        return PartRequest(
            number, f"{self.storage.origin}/uploads/{key}?part={number}&size={size}", {"x-made-up": sha256}
        )

    def receive(self, key: str, number: int, data: bytes) -> None:
        """Store a part as the bucket does."""
        self.data[key, number] = data
        self.uploads[key][number] = Part(number, len(data), hashlib.sha256(data).hexdigest(), f'"{number}"')

    def received(self, key: str, upload: str) -> Sequence[Part] | None:
        return list(self.uploads[upload].values()) if upload in self.uploads else None

    def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        del self.uploads[upload]
        self.storage.vanished.discard(key)
        self.finished.append(key)
        self.on_object(key, b"".join(self.data.pop((key, part.number)) for part in parts))

    def abort(self, key: str, upload: str) -> None:
        self.uploads.pop(upload, None)


class FakeQueues:
    """imgcore.gallery.ports.Queues that records what is sent and calls a listener."""

    def __init__(self) -> None:
        self.sent: list[tuple[TaskKind, str]] = []
        self.dead: list[DeadLetters] = []
        self.broken: ImgcoreError | None = None
        self.listener: Callable[[TaskKind, str], None] = lambda kind, image_key: None

    def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
        self.sent.append((kind, image_key))
        self.listener(kind, image_key)

    def postpone(self, kind: TaskKind, body: str, *, postponed: int, delay: float) -> None:
        raise AssertionError("The web process receives no messages.")

    def dead_letters(self) -> list[DeadLetters]:
        if self.broken is not None:
            raise self.broken
        return self.dead


class RememberingHasher(Argon2Hasher):
    """The product's own, which hashes each password once a process: most tests have the same people."""

    hash = functools.cache(Argon2Hasher.hash)


@functools.cache
def hasher() -> Argon2Hasher:
    """Return one for all tests: it computes something when it is made."""
    return RememberingHasher()


def fake_gallery(
    folder: Path, origin: str = "http://bucket.localhost:9", *, max_bytes: int = 20_000_000
) -> Gallery:
    """The real service over a database in ``folder`` and the two fakes."""
    database = FaultyDatabase(migrated(folder).dialect)
    queues = FakeQueues()
    images = EditableImages(database, folder / "gallery.db")
    albums = Albums(AlbumRepository(database), images)
    attempts = LoginThrottle(database)
    storage = FakeStorage(origin)
    parts = PartUploads(PartUploadRepository(database), FakeParts(storage), storage.find)
    return Gallery(
        parts=parts,
        webhooks=Webhooks(WebhookRepository(database), HttpSender(resolve=public_names), EVERYBODY),
        images=images,
        pages=PageRepository(database),
        front=FrontRepository(database),
        breakers=CircuitBreakers(database),
        storage=storage,
        downloads=downloads(Config.read({}), database, storage),
        tags=TagRepository(database),
        jobs=Jobs(JobRepository(database), queues, "gemini"),
        queues=queues,
        limits=Limits(max_bytes, MEDIA_TYPES),
        release="abc1234",
        spending=Spending(LedgerRepository(database), quote),
        timeline=TimelineRepository(database),
        tag_list=TagListRepository(database),
        trash=TrashRepository(database),
        changes=ChangeRepository(database, itertools.count(step=0.5).__next__),  # reads them anew each time
        campaigns=Campaigns(CampaignRepository(database), queues, lambda images: images * 0.5),
        albums=albums,
        shares=Shares(ShareRepository(database), albums, images, attempts, hasher),
    )


def add_image(gallery: Gallery, name: str = "cat.jpg", **values: object) -> Image:
    """One image that has been received; further columns as given."""
    image, _ = gallery.request_upload(name, 1_234_567, "image/jpeg")
    uploaded_at = FIRST_UPLOAD + timedelta(minutes=image.id - 1)
    received = {"upload_status": UploadStatus.RECEIVED, "uploaded_at": uploaded_at}
    return gallery.images.change(image.public_id, **received, **values)


def add_done(gallery: Gallery, name: str = "cat.jpg", **values: object) -> Image:
    """One that is described and has its thumbnails."""
    image = add_image(gallery, name)
    key = image.public_id
    known = {
        "caption": "A cat asleep on a windowsill.",
        "alt_text": "A grey cat sleeps on a sunny windowsill.",
        "tags": ("cat", "window"),
        "source": Source.LOCAL,
        "thumbnail_key": f"thumbnails/{key}/200.webp",
        "thumbnail_2x_key": f"thumbnails/{key}/400.webp",
        "grid_key": f"thumbnails/{key}/grid.webp",
        "display_key": f"display/{key}/1600.webp",
        "placeholder": "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==",
        "width": 4000,
        "height": 3000,
        "format": "JPEG",
    }
    for kind in TaskKind:
        gallery.images.set_task(key, kind, TaskStatus.DONE)
    return gallery.images.change(key, **{**known, **values})


def add_failed(gallery: Gallery, name: str = "dog.jpg", message: str = "The model did not answer.") -> Image:
    """One whose caption failed."""
    image = add_done(gallery, name, caption=None, alt_text=None, tags=(), source=None)
    return gallery.images.set_task(
        image.public_id, TaskKind.CAPTION, TaskStatus.FAILED, error="bad_answer", message=message
    )
