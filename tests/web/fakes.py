"""The gallery's use cases over a repository, buckets and queues that live in this process.

The service is the real one; the three ports behind it are small and keep to their protocols' words.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from imgcore.errors import Invalid, Unavailable
from imgcore.gallery.models import (
    EVERYBODY,
    MAX_PIXELS,
    MEDIA_TYPES,
    Edit,
    Image,
    Limits,
    NewImage,
    Page,
    Source,
    Task,
    TaskKind,
    TaskStatus,
    UploadForm,
    UploadStatus,
    Viewer,
)
from imgcore.gallery.service import Gallery
from imgcore.pipeline.models import BreakerState

REOPENABLE = {TaskStatus.FAILED, TaskStatus.BLOCKED}


class FakeRepository:
    """ImageRepository and CircuitBreakers, as far as the gallery needs them, in a dict.

    ``away`` makes every call fail.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Image] = {}
        self.away = False
        self.trouble: Exception | None = None
        self.gemini = BreakerState("gemini")
        self._lock = threading.RLock()
        self._start = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def _check(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        if self.away:
            raise Unavailable("The database cannot be reached just now.", code="database")

    def ping(self) -> None:
        self._check()

    def add(self, new: NewImage) -> Image:
        self._check()
        with self._lock:
            number = len(self.rows) + 1
            image = Image(
                id=number,
                public_id=new.public_id,
                image_key=new.image_key,
                name=new.name,
                upload_status=UploadStatus.AWAITING,
                uploaded_at=self._start + timedelta(minutes=number),
                tasks=tuple(Task(kind, TaskStatus.PENDING) for kind in TaskKind),
                media_type=new.media_type,
                size=new.size,
                owner_id=new.owner_id,
                batch_id=new.batch_id,
            )
            self.rows[new.public_id] = image
            return image

    def change(self, public_id: str, **values: object) -> Image:
        """Set columns of a row, as the pipeline would."""
        with self._lock:
            self.rows[public_id] = replace(self.rows[public_id], **values)
            return self.rows[public_id]

    def set_task(self, public_id: str, kind: TaskKind, status: TaskStatus, **values: object) -> Image:
        """Set one task's state."""
        with self._lock:
            tasks = tuple(
                Task(kind, status, **{"attempts": 1, **values}) if task.kind is kind else task
                for task in self.rows[public_id].tasks
            )
            return self.change(public_id, tasks=tasks)

    def get(self, public_id: str) -> Image | None:
        self._check()
        return self.rows.get(public_id)

    def get_many(self, public_ids: Sequence[str]) -> Sequence[Image]:
        self._check()
        return [self.rows[key] for key in public_ids if key in self.rows]

    def page(self, *, cursor: str | None, limit: int, query: str | None, viewer: Viewer = EVERYBODY) -> Page:
        self._check()
        below = self._cursor(cursor)
        words = (query or "").lower().split()
        found = [
            image
            for image in sorted(self.rows.values(), key=lambda image: -image.id)
            if image.id < below
            and viewer.sees(image)
            and image.deleted_at is None
            and image.upload_status is not UploadStatus.EXPIRED
            and all(word in self._haystack(image) for word in words)
        ]
        shown = tuple(found[:limit])
        return Page(shown, str(shown[-1].id) if len(found) > limit else None)

    @staticmethod
    def _cursor(cursor: str | None) -> float:
        if cursor is None:
            return float("inf")
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 12):
            raise Invalid("This cursor was not handed out here.", code="cursor")
        return int(cursor)

    @staticmethod
    def _haystack(image: Image) -> str:
        parts = (image.name, image.caption, image.alt_text, image.visible_text, " ".join(image.tags))
        return " ".join(part for part in parts if part).lower()

    def edit(self, public_id: str, edit: Edit) -> Image | None:
        self._check()
        if public_id not in self.rows:
            return None
        values = {"caption": edit.caption, "alt_text": edit.alt_text, "tags": edit.tags}
        values = {name: value for name, value in values.items() if value is not None}
        if "tags" in values:
            values["tags"] = tuple(values["tags"])
        return self.change(public_id, source=Source.HUMAN, **values)

    def reopen(
        self, public_id: str, kinds: Sequence[TaskKind] | None = None, *, also_done: bool = False
    ) -> Sequence[TaskKind]:
        self._check()
        open_states = REOPENABLE | ({TaskStatus.DONE} if also_done else set())
        image = self.rows[public_id]
        found = [t.kind for t in image.tasks if t.status in open_states and (kinds is None or t.kind in kinds)]
        if image.upload_status is not UploadStatus.RECEIVED or image.deleted_at:
            return []
        for kind in found:
            self.set_task(public_id, kind, TaskStatus.PENDING, attempts=0)
        return found

    def delete(self, public_id: str) -> bool:
        self._check()
        if self.rows[public_id].deleted_at is not None:
            return False
        self.change(public_id, deleted_at=datetime.now(UTC))
        return True

    def restore(self, public_id: str) -> bool:
        self._check()
        self.change(public_id, deleted_at=None)
        return True

    def state(self, name: str) -> BreakerState:
        self._check()
        return self.gemini


class FakeStorage:
    """imgcore.gallery.ports.Storage over the address of a bucket that may or may not be there."""

    def __init__(self, origin: str = "http://bucket.localhost:9") -> None:
        self.origin = origin
        self.signature = "made-up"
        self.away = False

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

    def url(self, key: str, *, download_as: str | None = None) -> str:
        return f"{self.origin}/derived/{key}?X-Amz-Signature={self.signature}"

    def original_url(self, key: str, *, download_as: str) -> str:
        return f"{self.origin}/uploads/{key}?X-Amz-Signature={self.signature}"


class FakeQueues:
    """imgcore.gallery.ports.Queues that remembers, and tells whoever listens."""

    def __init__(self) -> None:
        self.sent: list[tuple[TaskKind, str]] = []
        self.listener: Callable[[TaskKind, str], None] = lambda kind, image_key: None

    def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
        self.sent.append((kind, image_key))
        self.listener(kind, image_key)


def fake_gallery(origin: str = "http://bucket.localhost:9", *, max_bytes: int = 20_000_000) -> Gallery:
    """The real service over the three fakes."""
    repository = FakeRepository()
    return Gallery(
        images=repository,
        breakers=repository,
        storage=FakeStorage(origin),
        queues=FakeQueues(),
        limits=Limits(max_bytes, MAX_PIXELS, MEDIA_TYPES),
        release="abc1234",
    )


def add_image(gallery: Gallery, name: str = "cat.jpg", **values: object) -> Image:
    """One photo that has been received; further columns as given."""
    image, _ = gallery.request_upload(name, 1_234_567, "image/jpeg")
    return gallery.images.change(image.public_id, upload_status=UploadStatus.RECEIVED, **values)


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
