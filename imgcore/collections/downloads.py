"""Downloads: photos with their words as a zip archive, and one photo with its words written into it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import IO, TYPE_CHECKING

from imgcore.collections import tables
from imgcore.collections.archive import ArchiveFile, zip_stream
from imgcore.collections.names import FileNames
from imgcore.errors import Busy, Invalid, NotFound, Rejected
from imgcore.gallery.models import MAX_BYTES, Image, UploadStatus, Viewer
from imgcore.gallery.ports import Storage

if TYPE_CHECKING:
    from imgcore.db.images import ImageRepository

_Source = tuple[Iterable[bytes], str, str | None]  # content, key and media type
AT_ONCE = 2  # archives in one process; each keeps one of its threads
SLOT_WAIT = 1.0  # seconds that a download waits for one of these
STRIPPED_AT_MOST = 20 * 2**20  # bytes of an original; of a larger one visitors get the display size
_SLICE = 64 * 1024  # bytes of a file that are sent at once
_BATCH = 100  # rows that are read at once
_IN_MEMORY = 512 * 1024  # bytes of a table before it is kept in a file
_CSV, _JSON, _LEFT_OUT = "captions.csv", "captions.json", "left-out.txt"
_WEBP = "image/webp"
_STRIPPABLE = frozenset({"image/jpeg", "image/png", _WEBP})  # others are not read in vain


class DownloadSize(StrEnum):
    """Which files a download contains."""

    ORIGINAL = "original"  # as uploaded; of photos that the caller may not change, the display size
    DISPLAY = "display"  # at most 1600 pixels, without the camera's metadata


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive contains.

    ids: public ids in their order. viewer: whose rights decide; None for the visitor of a link, who sees all
    of them without names, dates and cameras. metadata: visitors get originals as uploaded. excel: the CSV file
    begins with a byte order mark. also: tells whether an image is visible for another reason than these rights.
    """

    ids: Sequence[str]
    size: DownloadSize = DownloadSize.DISPLAY
    viewer: Viewer | None = None
    metadata: bool = False
    excel: bool = False
    also: Callable[[Image], bool] = lambda image: False


@dataclass(frozen=True, slots=True)
class FileDownload:
    """A file to be sent. chunks: its content; a slot is taken until they are read, closed or collected."""

    size: int
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Downloads:
    """Downloads of photos.

    sidecar: returns the XMP packet of an image's words. embed: returns the parts of a file with the words
    written into it. strip: returns the parts of a file without its metadata; Invalid where that cannot be done.
    max_bytes: of an original that is changed by one of these.
    """

    images: ImageRepository
    storage: Storage
    sidecar: Callable[[Image], bytes]
    embed: Callable[[bytes, Image], Sequence[bytes | memoryview]]
    strip: Callable[[bytes], Sequence[bytes | memoryview]]
    max_bytes: int = MAX_BYTES
    _slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))
    _large: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(1))

    def archive(self, contents: Contents) -> Iterator[bytes]:
        """Yield a zip archive. Busy, before the first byte, where too many are being made."""
        with self._slot():
            yield from zip_stream(_Archive(self, contents).files())

    def embedded(self, image: Image) -> FileDownload:
        """Return the original with caption, alt text and tags written into its XMP.

        Invalid (``not_embeddable``) for a format that cannot hold them. NotFound, Unavailable.
        """
        with ExitStack() as held:
            held.enter_context(self._slot())
            if (image.size or self.max_bytes) > STRIPPED_AT_MOST:
                held.enter_context(self._slot(self._large))
            return _file(self.embed(self._read(image, self.max_bytes), image), held)

    def stripped(self, image: Image) -> FileDownload | None:
        """Return the original without its metadata. NotFound, Unavailable.

        None where that is impossible, or the file is larger than STRIPPED_AT_MOST.
        """
        with ExitStack() as held:
            held.enter_context(self._slot())
            parts = self.try_strip(image)
            return None if parts is None else _file(parts, held)

    def try_strip(self, image: Image) -> Sequence[bytes | memoryview] | None:
        """Return the parts of what ``stripped`` returns, as a part of another download."""
        if image.content_type not in _STRIPPABLE:
            return None
        try:
            return self.strip(self._read(image, min(self.max_bytes, STRIPPED_AT_MOST)))
        except (Invalid, Rejected):
            return None

    def _read(self, image: Image, most: int) -> bytes:
        return self.storage.read(image.image_key, max_bytes=most, version_id=image.version_id).data

    @contextmanager
    def _slot(self, slots: threading.BoundedSemaphore | None = None) -> Iterator[None]:
        slots = slots or self._slots
        if not slots.acquire(timeout=SLOT_WAIT):
            raise Busy("Too many downloads are running. Try again in a few minutes.", retry_after=60)
        try:
            yield
        finally:
            slots.release()


class _Archive:
    """The files of one archive: each photo with its sidecar, then the tables."""

    def __init__(self, downloads: Downloads, contents: Contents) -> None:
        self._downloads, self._contents = downloads, contents
        self._names = FileNames(_CSV, _JSON, _LEFT_OUT)
        self._fields = tables.FIELDS if contents.viewer is not None else tables.VISITOR_FIELDS
        self._left_out: list[str] = []

    def files(self) -> Iterator[ArchiveFile]:
        with _table() as rows, _table() as objects:
            rows.write((tables.BOM if self._contents.excel else "") + tables.csv_line(["file", *self._fields]))
            objects.write("[")
            first = True
            for image in self._images():
                file = self._picture(image)
                if file is None:
                    continue
                yield file
                yield ArchiveFile(f"{file.name}.xmp", [self._downloads.sidecar(image)], compress=True)
                row = {"file": file.name} | tables.image_row(image, self._fields)
                rows.write(tables.csv_row(row, ("file", *self._fields)))
                objects.write(("\n" if first else ",\n") + tables.json_row(row))
                first = False
            objects.write("\n]\n")
            yield ArchiveFile(_CSV, _content(rows), compress=True)
            yield ArchiveFile(_JSON, _content(objects), compress=True)
        if self._left_out:
            text = "These photos were deleted or are not available any more:\r\n"
            lines = (f"{public_id}\r\n".encode() for public_id in self._left_out)
            yield ArchiveFile(_LEFT_OUT, [text.encode(), *lines], compress=True)

    def _images(self) -> Iterator[Image]:
        """Yield the images that may be seen, a few at a time; note the others as left out."""
        ids = list(dict.fromkeys(self._contents.ids))
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            found = {image.public_id: image for image in self._downloads.images.get_many(batch)}
            for public_id in batch:
                image = found.get(public_id)
                if image is not None and self._may_see(image):
                    yield image
                else:
                    self._left_out.append(public_id)

    def _may_see(self, image: Image) -> bool:
        contents = self._contents
        if image.deleted_at is not None or image.upload_status is not UploadStatus.RECEIVED:
            return False
        return contents.viewer is None or contents.viewer.sees(image) or contents.also(image)

    def _picture(self, image: Image) -> ArchiveFile | None:
        """Return the picture's file, or None where it does not exist any more."""
        viewer = self._contents.viewer
        try:
            chunks, key, media_type = self._original(image) or self._display(image)
        except NotFound:
            self._left_out.append(image.public_id)
            return None
        name = image.name if viewer is not None else f"photo{PurePath(key).suffix}"
        return ArchiveFile(self._names.unique(name, media_type), chunks, image.taken_at if viewer else None)

    def _original(self, image: Image) -> _Source | None:
        """Return the original where the archive has originals and may hand out this one."""
        contents, key = self._contents, image.image_key
        if contents.size is not DownloadSize.ORIGINAL:
            return None
        if contents.viewer is None and not contents.metadata:
            data = self._downloads.try_strip(image)
            return None if data is None else (_slices(data), key, image.content_type)
        if contents.viewer is not None and not contents.viewer.changes(image):
            return None
        chunks = self._downloads.storage.chunks(key, derived=False, version_id=image.version_id)
        return chunks, key, image.content_type

    def _display(self, image: Image) -> _Source:
        if image.display_key is None:
            raise NotFound("There is no file in this size.")
        chunks = self._downloads.storage.chunks(image.display_key, derived=True, version_id=None)
        return chunks, image.display_key, _WEBP


def _file(parts: Sequence[bytes | memoryview], held: ExitStack) -> FileDownload:
    """Return a file that takes over what ``held`` holds until its chunks end or are closed."""
    chunks = _held(parts, held.pop_all())
    next(chunks)  # a generator that was not started would not release anything when it is closed
    return FileDownload(sum(map(len, parts)), chunks)


def _held(parts: Sequence[bytes | memoryview], held: ExitStack) -> Iterator[bytes]:
    with held:
        yield b""
        yield from _slices(parts)


def _slices(parts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the parts in slices. A generator lets go of them when it ends, before the next file is read."""
    for part in parts:
        for at in range(0, len(part), _SLICE):
            yield bytes(part[at : at + _SLICE])


@contextmanager
def _table() -> Iterator[IO[str]]:
    """Open a text file that is kept in memory while it is small."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="") as file:
        yield file


def _content(table: IO[str]) -> Iterable[bytes]:
    table.seek(0)
    while text := table.read(64 * 1024):
        yield text.encode("utf-8", "replace")


def archive_name(title: str) -> str:
    """Return the name of an archive with that title."""
    return FileNames().unique(f"{title.replace('/', '_').replace(chr(92), '_')}.zip", None)
