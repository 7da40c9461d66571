"""Images, what is asked of them and what is answered. Pure data.

The names of the modules imported here are also importable from here. What a
cold start imports takes them from the modules themselves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from imgcore.gallery.descriptions import Description as Description
from imgcore.gallery.descriptions import Edit as Edit
from imgcore.gallery.descriptions import Safety as Safety
from imgcore.gallery.descriptions import Source as Source
from imgcore.gallery.descriptions import Translation as Translation
from imgcore.gallery.descriptions import WordField as WordField
from imgcore.gallery.descriptions import WordVersion as WordVersion
from imgcore.gallery.limits import MAX_BYTES as MAX_BYTES
from imgcore.gallery.limits import MAX_PIXELS as MAX_PIXELS
from imgcore.gallery.limits import MAX_SIDE as MAX_SIDE
from imgcore.gallery.limits import MEDIA_TYPES as MEDIA_TYPES
from imgcore.gallery.limits import MODEL_SIDE as MODEL_SIDE
from imgcore.gallery.limits import RAW_PREFIX as RAW_PREFIX
from imgcore.gallery.limits import TRASH_SECONDS as TRASH_SECONDS
from imgcore.gallery.photo_details import NO_DETAILS as NO_DETAILS
from imgcore.gallery.photo_details import PhotoDetails as PhotoDetails
from imgcore.gallery.pictures import PhotoFacts as PhotoFacts
from imgcore.gallery.pictures import Picture as Picture
from imgcore.gallery.pictures import Rendition as Rendition
from imgcore.gallery.pictures import Renditions as Renditions
from imgcore.gallery.states import MISSING as MISSING
from imgcore.gallery.states import Task as Task
from imgcore.gallery.states import TaskKind as TaskKind
from imgcore.gallery.states import TaskStatus as TaskStatus
from imgcore.gallery.states import UploadStatus as UploadStatus
from imgcore.gallery.viewers import EVERYBODY as EVERYBODY
from imgcore.gallery.viewers import Viewer as Viewer

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
class TrashContents:
    """What is in the trash. newest: when the last of them was moved there, UTC; None where there is none."""

    count: int
    newest: datetime | None


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
