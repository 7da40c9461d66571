"""Detect a file's format and extract the parts that a codec needs. Pure: no codec is involved.

Codecs and their wrappers are careless with what surrounds a picture. Text that unpacks to 64 MB, a comment
joined piece by piece in quadratic time, an EXIF directory whose 65,535 entries all claim the same
megabytes: each of these stops a process from a file of a few hundred kilobytes. So the file is taken apart
here first, in linear time. The codec gets the picture alone; metadata is kept aside, bounded.
"""

from __future__ import annotations

from collections.abc import Callable

from imgcore.gallery.models import MEDIA_TYPES
from imgcore.imaging.formats import bmp, gif, heif, jpeg, png, raw, tiff, webp
from imgcore.imaging.formats.base import MOST_MISSING, Carved, ColourCoding, Damaged, Unsupported

__all__ = ["MOST_MISSING", "Carved", "ColourCoding", "Damaged", "Unsupported", "carve", "media_type"]

_CARVERS: dict[str, Callable[[bytes], Carved]] = {
    "image/jpeg": jpeg.carve,
    "image/png": png.carve,
    "image/gif": gif.carve,
    "image/webp": webp.carve,
    "image/avif": heif.carve,
    "image/heic": heif.carve,
    "image/heif": heif.carve,
    "image/bmp": bmp.carve,
    "image/tiff": tiff.carve,
    "image/x-adobe-dng": raw.carve,
    "image/x-canon-cr2": raw.carve,
    "image/x-canon-cr3": raw.carve,
    "image/x-nikon-nef": raw.carve,
    "image/x-sony-arw": raw.carve,
    "image/x-fuji-raf": raw.carve,
}


def media_type(data: bytes) -> str | None:
    """Return the accepted media type that the first bytes of ``data`` belong to; None if there is none."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"BM"):
        return "image/bmp"
    if found := raw.media_type(data):
        return found
    return "image/tiff" if data.startswith((b"II*\0", b"MM\0*")) else heif.media_type(data)


def carve(data: bytes, kind: str) -> Carved:
    """Split ``data``, which ``media_type`` found to be ``kind``. Damaged: its structure is broken."""
    assert kind in MEDIA_TYPES
    return _CARVERS[kind](data)
