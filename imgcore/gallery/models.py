"""Images, their tasks and descriptions, and who may see them. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

RAW_PREFIX = "raw/"
TRASH_SECONDS = 30 * 86_400.0  # how long a deleted image can be restored

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MODEL_SIDE = 1536  # pixels; Gemini counts the same tokens for more, and they only take longer to send
MAX_SIDE = 30_000  # pixels; a longer side is a strip that no page can show

# What may be uploaded: media type → the ending of its key.
MEDIA_TYPES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/heif": "heif",
}


class TaskKind(StrEnum):
    """The two things done to every photograph."""

    THUMBNAIL = "thumbnail"
    CAPTION = "caption"


class TaskStatus(StrEnum):
    """Where one task of one photograph stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    RETRY = "retry"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"  # the model declined
    SKIPPED = "skipped"  # the file was rejected

    @property
    def terminal(self) -> bool:
        """True where nothing more happens unless a person asks."""
        return self in _TERMINAL


_TERMINAL = frozenset({TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED})


class UploadStatus(StrEnum):
    """Where the upload itself stands."""

    AWAITING = "awaiting"
    RECEIVED = "received"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DELETED = "deleted"


class Source(StrEnum):
    """Who wrote a description."""

    HUMAN = "human"
    GEMINI = "gemini"
    EMBEDDED = "embedded"  # the photograph's own IPTC or XMP caption
    LOCAL = "local"

    @property
    def rank(self) -> int:
        """Higher outranks lower: human > gemini > embedded > local."""
        return _RANK[self]


_RANK = {Source.LOCAL: 0, Source.EMBEDDED: 1, Source.GEMINI: 2, Source.HUMAN: 3}


class Safety(StrEnum):
    """The model's judgement; ``None`` in a Description means that nobody judged."""

    OK = "ok"
    SENSITIVE = "sensitive"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What a file says about itself once it has been decoded safely."""

    format: str  # "JPEG", "PNG", "WEBP", "GIF", "AVIF" or "HEIF"
    width: int  # pixels, upright
    height: int  # pixels, upright
    size: int  # bytes
    sha256: str  # of the file, hexadecimal
    taken_at: datetime | None = None  # the camera's clock; no time zone is known
    camera: str | None = None
    location: tuple[float, float] | None = None  # degrees north and east, read only if asked for
    embedded_caption: str | None = None  # IPTC 2:120 / XMP dc:description
    embedded_keywords: tuple[str, ...] = ()  # IPTC 2:25 / XMP dc:subject


class Picture(Protocol):
    """A decoded photograph: upright, sRGB, without metadata.

    All sizes are pixels. ``box`` is (left, top, right, bottom) in the picture's own pixels,
    which are those of ``size``, at most the side it was decoded at, not of the file.
    """

    @property
    def facts(self) -> PhotoFacts: ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that it was decoded at."""
        ...

    def jpeg(self, max_side: int, quality: int = 85) -> bytes:
        """A JPEG whose longer side is at most ``max_side``."""
        ...

    def rgb(self, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> bytes:
        """``box`` (all of it by default) resized to ``size``: width × height × 3 bytes, row by row."""
        ...


@dataclass(frozen=True, slots=True)
class Rendition:
    """One derived image, ready to store."""

    key: str
    data: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Renditions:
    """All that one decode gives the gallery."""

    thumbnail: Rendition  # 200 × 200 at most
    thumbnail_2x: Rendition  # the same cut for dense screens, 400 × 400 at most
    display: Rendition  # longer side at most 1600
    placeholder: str  # a data: URI of some 100–300 bytes, shown while the rest loads

    def all(self) -> tuple[Rendition, ...]:
        """Everything that has to be written to the bucket."""
        return (self.thumbnail, self.thumbnail_2x, self.display)


@dataclass(frozen=True, slots=True)
class Description:
    """What is said about a photograph, by whom, and at what price."""

    caption: str
    alt_text: str
    tags: tuple[str, ...]
    source: Source
    visible_text: str = ""
    safety: Safety | None = None
    model: str | None = None  # as the answer named it, not as it was asked for
    prompt_version: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    price_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One task of one photograph, as people are shown it."""

    kind: TaskKind
    status: TaskStatus
    attempts: int = 0
    error: str | None = None  # a code
    message: str | None = None  # a sentence for the uploader
    next_at: datetime | None = None  # UTC; when a parked task is due


@dataclass(frozen=True, slots=True)
class Image:
    """Everything the gallery knows about one photograph. All times are UTC."""

    id: int
    public_id: str
    image_key: str
    name: str
    upload_status: UploadStatus
    uploaded_at: datetime
    tasks: tuple[Task, ...]
    media_type: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    sha256: str | None = None
    taken_at: datetime | None = None
    camera: str | None = None
    caption: str | None = None
    alt_text: str | None = None
    tags: tuple[str, ...] = ()
    visible_text: str | None = None
    safety: Safety | None = None
    source: Source | None = None
    model: str | None = None
    prompt_version: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    price_usd: float | None = None
    caption_generated_at: datetime | None = None
    thumbnail_key: str | None = None
    thumbnail_2x_key: str | None = None
    display_key: str | None = None
    display_width: int | None = None
    display_height: int | None = None
    placeholder: str | None = None
    thumbnail_generated_at: datetime | None = None
    deleted_at: datetime | None = None
    owner_id: int | None = None  # whose it is; None where it came without an account
    owner: str | None = None  # that account's name
    batch_id: str | None = None  # what was uploaded together has one id, a UUID
    latitude: float | None = None  # degrees north; kept only where KEEP_LOCATION says so
    longitude: float | None = None  # degrees east

    @property
    def status(self) -> str:
        """Derived, never stored: awaiting, rejected, expired, deleted, waiting, working, failed or done."""
        if self.deleted_at is not None:
            return "deleted"
        if self.upload_status is not UploadStatus.RECEIVED:
            return str(self.upload_status)
        states = {task.status for task in self.tasks}
        if TaskStatus.PROCESSING in states:
            return "working"
        if states & {TaskStatus.PENDING, TaskStatus.RETRY}:
            return "waiting"
        if states & {TaskStatus.FAILED, TaskStatus.BLOCKED}:
            return "failed"
        return "done"

    @property
    def settled(self) -> bool:
        """True where nothing more changes by itself."""
        return self.status in {"rejected", "expired", "deleted", "failed", "done"}

    def task(self, kind: TaskKind) -> Task:
        """The task of that kind."""
        return next(task for task in self.tasks if task.kind is kind)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose eyes the gallery is seen with. By default everybody's: open mode, and programs on the machine.

    account_id: whose photographs are one's own. sees_others: what others have uploaded is shown, once it is
    there. changes_others: and may be changed, downloaded and taken out of the trash as well.
    """

    account_id: int | None = None
    sees_others: bool = True
    changes_others: bool = True

    def changes(self, image: Image) -> bool:
        """Whether this viewer may do with ``image`` what its owner may."""
        return self.changes_others or (self.account_id is not None and image.owner_id == self.account_id)

    def sees(self, image: Image) -> bool:
        """Whether ``image`` is there at all for this viewer."""
        there = image.upload_status is UploadStatus.RECEIVED and image.deleted_at is None
        return self.changes(image) or (self.sees_others and there)


EVERYBODY = Viewer()


@dataclass(frozen=True, slots=True)
class NewImage:
    """A row to be made before anything is uploaded."""

    public_id: str
    image_key: str
    name: str
    media_type: str | None
    size: int | None  # bytes, as declared
    expires_in: float  # seconds until the upload form ends; 0 where the object is there already
    owner_id: int | None = None  # an account's
    batch_id: str | None = None  # a UUID


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A presigned POST: send ``fields`` in order, then the file as ``file``, to ``url``."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One screenful, newest first."""

    images: tuple[Image, ...]
    next: str | None  # the cursor of the next page; None at the end


@dataclass(frozen=True, slots=True)
class Links:
    """Presigned addresses of one photograph's files; None where there is no such file."""

    thumbnail: str | None = None
    thumbnail_2x: str | None = None
    display: str | None = None
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be uploaded, said before the upload and enforced after it."""

    max_bytes: int
    max_pixels: int
    media_types: dict[str, str]  # media type → ending


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that everybody who looks at the gallery should know now."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A person's own words; a field that is None stays as it is."""

    caption: str | None = None
    alt_text: str | None = None
    tags: Sequence[str] | None = field(default=None)
