"""Images, their tasks and descriptions, and who may see them. Pure data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from imgcore.gallery.descriptions import Description as Description
from imgcore.gallery.descriptions import Edit as Edit
from imgcore.gallery.descriptions import Safety as Safety
from imgcore.gallery.descriptions import Source as Source
from imgcore.gallery.descriptions import Translation as Translation
from imgcore.gallery.descriptions import WordField as WordField
from imgcore.gallery.descriptions import WordVersion as WordVersion
from imgcore.gallery.photo_details import NO_DETAILS as NO_DETAILS
from imgcore.gallery.photo_details import PhotoDetails as PhotoDetails

RAW_PREFIX = "raw/"
TRASH_SECONDS = 30 * 86_400.0  # how long a deleted image can be restored

MAX_BYTES = 20 * 1024 * 1024  # 20 MiB
MAX_PIXELS = 50_000_000
MODEL_SIDE = 1536  # pixels; Gemini bills the same tokens for larger images, and they take longer to send
MAX_SIDE = 30_000  # pixels

# Accepted media types and the extensions of their keys.
MEDIA_TYPES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/x-adobe-dng": "dng",
    "image/x-canon-cr2": "cr2",
    "image/x-canon-cr3": "cr3",
    "image/x-nikon-nef": "nef",
    "image/x-sony-arw": "arw",
    "image/x-fuji-raf": "raf",
}


MISSING = "missing"  # error code of a task whose stored file has vanished
# PhotoFacts.format → its media types, the usual one first
_FORMAT_TYPES = {
    "JPEG": ("image/jpeg",),
    "PNG": ("image/png",),
    "WEBP": ("image/webp",),
    "GIF": ("image/gif",),
    "AVIF": ("image/avif",),
    "HEIF": ("image/heic", "image/heif"),
    "BMP": ("image/bmp",),
    "TIFF": ("image/tiff",),
    "DNG": ("image/x-adobe-dng",),
    "CR2": ("image/x-canon-cr2",),
    "CR3": ("image/x-canon-cr3",),
    "NEF": ("image/x-nikon-nef",),
    "ARW": ("image/x-sony-arw",),
    "RAF": ("image/x-fuji-raf",),
}


class TaskKind(StrEnum):
    """The two tasks of each image."""

    THUMBNAIL = "thumbnail"
    CAPTION = "caption"


class TaskStatus(StrEnum):
    """The status of one task of one image."""

    PENDING = "pending"
    PROCESSING = "processing"
    RETRY = "retry"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"  # the model refused to describe the image
    SKIPPED = "skipped"  # the file was rejected

    @property
    def terminal(self) -> bool:
        """True where nothing more happens without a person's request."""
        return self in _TERMINAL


_TERMINAL = frozenset({TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED})


class UploadStatus(StrEnum):
    """The status of the upload."""

    AWAITING = "awaiting"
    RECEIVED = "received"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """Facts about a decoded file."""

    format: str  # "JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "TIFF", "BMP", or "DNG" and other camera raw
    width: int  # pixels, upright
    height: int  # pixels, upright
    size: int  # bytes
    sha256: str  # of the file, hexadecimal
    taken_at: datetime | None = None  # the camera's local time; the time zone is unknown
    camera: str | None = None
    location: tuple[float, float] | None = None  # degrees north and east; None unless decoded with the location
    embedded_caption: str | None = None  # IPTC 2:120 / XMP dc:description
    embedded_keywords: tuple[str, ...] = ()  # IPTC 2:25 / XMP dc:subject
    details: PhotoDetails = NO_DETAILS


class Picture(Protocol):
    """A decoded image: upright, sRGB, without metadata; laid on black or white where it is transparent.

    All sizes are in pixels. A ``box`` is (left, top, right, bottom) in the coordinates of ``size``, the size
    after decoding, not that of the file.
    """

    @property
    def facts(self) -> PhotoFacts: ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height after decoding."""
        ...

    def jpeg(self, max_side: int, quality: int = 85) -> bytes:
        """Return a JPEG whose longer side is at most ``max_side``."""
        ...

    def jpegs(self, max_side: int, quality: int = 85) -> Sequence[bytes]:
        """Return the JPEG of the whole; those of its parts follow where it is longer than 3 to 1."""
        ...

    def rgb(self, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> bytes:
        """Return ``box`` (default: the whole image) resized to ``size``: width × height × 3 bytes by row."""
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
    """The derived images of one image."""

    thumbnail: Rendition  # 200 × 200 at most
    thumbnail_2x: Rendition  # the same for dense screens, 400 × 400 at most
    display: Rendition  # longer side at most 1600; more for a picture longer than 2.5 to 1
    placeholder: str  # a data: URI of 100 to 300 bytes, shown until the thumbnail has loaded
    grid: Rendition | None = None  # uncropped, 360 high; None where the display image serves as well

    def all(self) -> tuple[Rendition, ...]:
        """Return those that are stored in the bucket."""
        grid = () if self.grid is None else (self.grid,)
        return (self.thumbnail, self.thumbnail_2x, *grid, self.display)


@dataclass(frozen=True, slots=True)
class Task:
    """One task of one image."""

    kind: TaskKind
    status: TaskStatus
    attempts: int = 0
    error: str | None = None  # a code
    message: str | None = None  # a sentence for people
    next_at: datetime | None = None  # UTC; when the retry is due


@dataclass(frozen=True, slots=True)
class Image:
    """One image with its tasks. Times are UTC."""

    id: int
    public_id: str
    image_key: str
    name: str
    upload_status: UploadStatus
    uploaded_at: datetime
    tasks: tuple[Task, ...]
    media_type: str | None = None  # as declared before the upload; None where the name did not show it either
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
    source: Source | None = None  # of the caption; without one, of the alt text or the tags
    caption_source: Source | None = None
    alt_text_source: Source | None = None
    tags_source: Source | None = None
    languages: str | None = None  # JSON: by field, the code of each language and the words, null for those here
    model: str | None = None
    prompt_version: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    price_usd: float | None = None
    caption_generated_at: datetime | None = None
    thumbnail_key: str | None = None
    thumbnail_2x_key: str | None = None
    grid_key: str | None = None  # None where the timeline shows the display image
    display_key: str | None = None
    display_width: int | None = None
    display_height: int | None = None
    placeholder: str | None = None
    thumbnail_generated_at: datetime | None = None
    deleted_at: datetime | None = None
    owner_id: int | None = None  # None where it was uploaded without an account
    owner: str | None = None  # name of that account
    batch_id: str | None = None  # a UUID, the same for all images uploaded together
    hint: str | None = None  # what the uploader said of it, for the model
    latitude: float | None = None  # degrees north; stored only with KEEP_LOCATION=1
    longitude: float | None = None  # degrees east
    version: int = 0  # increased by each change of what a card shows
    details: PhotoDetails | None = None  # None where it was not decoded since version 0.2.0
    version_id: str | None = None  # of the original, as received first; None in a bucket without versions

    @property
    def status(self) -> str:
        """Derived, never stored: awaiting, rejected, expired, deleted, waiting, working, failed or done."""
        if self.deleted_at is not None:
            return "deleted"
        if self.upload_status is not UploadStatus.RECEIVED:
            return str(self.upload_status)
        states = [task.status for task in self.tasks]  # a set would hash each: a listing asks for it 400 times
        if TaskStatus.PROCESSING in states:
            return "working"
        if TaskStatus.PENDING in states or TaskStatus.RETRY in states:
            return "waiting"
        if TaskStatus.FAILED in states or TaskStatus.BLOCKED in states:
            return "failed"
        return "done"

    @property
    def content_type(self) -> str | None:
        """The media type of the content once it was decoded; until then the declared one, if any."""
        family = _FORMAT_TYPES.get(self.format or "", ())
        return self.media_type if not family or self.media_type in family else family[0]

    @property
    def alt_text_may_not_fit(self) -> bool:
        """True where a person changed the caption and the alt text is still a machine's."""
        return self.caption_source is Source.HUMAN and self.alt_text_source not in (None, Source.HUMAN)

    @property
    def provisional(self) -> bool:
        """True for words of the local describer while the caption waits for a model."""
        captions = [task for task in self.tasks if task.kind is TaskKind.CAPTION]
        return self.source is Source.LOCAL and not all(task.status.terminal for task in captions)

    def language_of(self, field: WordField, wanted: str | None = None) -> str | None:
        """Return the code of the language in which a field is shown to a reader of ``wanted``, if known."""
        known = json.loads(self.languages).get(field, {}) if self.languages else {}
        return wanted if wanted in known else next(iter(known), None)

    def in_language(self, code: str | None) -> Image:
        """Return the image with its words in a language, field by field, where there are any."""
        if code is None or self.languages is None:
            return self
        known = json.loads(self.languages)
        words = {field: value for field in known if (value := known[field].get(code)) is not None}
        if "tags" in words:
            words["tags"] = tuple(words["tags"])
        return replace(self, **words)

    @property
    def settled(self) -> bool:
        """True where nothing changes without a person's request."""
        return self.status in {"rejected", "expired", "deleted", "failed", "done"}

    @property
    def derived_keys(self) -> list[str]:
        """The keys of the derived images that were made."""
        keys = (self.thumbnail_key, self.thumbnail_2x_key, self.grid_key, self.display_key)
        return [key for key in keys if key]

    def task(self, kind: TaskKind) -> Task:
        """Return the task of that kind."""
        return next(task for task in self.tasks if task.kind is kind)


@dataclass(frozen=True, slots=True)
class Viewer:
    """The current user's read and write rights. By default everything is permitted.

    account_id: the owner of "own" images. sees_others: the received images of others are visible.
    changes_others: they may also be changed, downloaded and restored.
    """

    account_id: int | None = None
    sees_others: bool = True
    changes_others: bool = True

    def changes(self, image: Image) -> bool:
        """Return whether the viewer has the rights of the owner of ``image``."""
        return self.changes_others or (self.account_id is not None and image.owner_id == self.account_id)

    def sees(self, image: Image) -> bool:
        """Return whether ``image`` is visible to the viewer."""
        visible = image.upload_status is UploadStatus.RECEIVED and image.deleted_at is None
        return self.changes(image) or (self.sees_others and visible)


EVERYBODY = Viewer()


@dataclass(frozen=True, slots=True)
class NewImage:
    """The row to insert before the upload."""

    public_id: str
    image_key: str
    name: str
    media_type: str | None
    size: int | None  # bytes, as declared
    expires_in: float  # seconds until the upload form expires; 0 for an object that exists already
    owner_id: int | None = None  # id of the account
    batch_id: str | None = None  # a UUID
    hint: str | None = None
    sha256: str | None = None  # as declared before the upload; the pipeline stores the one of the content


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A presigned POST: send ``fields`` in order, then the file as ``file``, to ``url``."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, newest first."""

    images: tuple[Image, ...]
    next: str | None  # the cursor of the next page; None at the end


@dataclass(frozen=True, slots=True)
class PageVersions:
    """The images of a page by id and version: equal ones show the same."""

    versions: tuple[tuple[int, int], ...]  # (id, version), newest first
    next: str | None  # the cursor of the next page; None at the end


@dataclass(frozen=True, slots=True)
class Links:
    """Presigned URLs of an image's files; None where the file does not exist or is not permitted."""

    thumbnail: str | None = None
    thumbnail_2x: str | None = None
    grid: str | None = None
    display: str | None = None
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an upload, checked before it and again after it."""

    max_bytes: int
    media_types: dict[str, str]  # media type → extension of the key


@dataclass(frozen=True, slots=True)
class Notice:
    """A condition shown to all users of the gallery. code: a word for programs. message: a sentence."""

    code: str
    message: str
