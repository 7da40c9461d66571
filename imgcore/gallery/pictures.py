"""What is decoded from a file, and what is derived from it. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imgcore.gallery.photo_details import NO_DETAILS, PhotoDetails


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
    perceptual_hash: int | None = None  # 64 bits; 0 for a plain picture, None where it was not computed

    def all(self) -> tuple[Rendition, ...]:
        """Return those that are stored in the bucket."""
        grid = () if self.grid is None else (self.grid,)
        return (self.thumbnail, self.thumbnail_2x, *grid, self.display)
