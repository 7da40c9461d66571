"""The reasons why a file is rejected: codes, and the sentences that its uploader reads. Pure.

Each sentence says what is wrong, with figures where there are any, and what to do about it.
"""

from __future__ import annotations

import math

from imgcore.errors import Rejected
from imgcore.gallery.foreign_formats import foreign_name
from imgcore.gallery.models import MAX_PIXELS, MAX_SIDE
from imgcore.imaging import formats
from imgcore.imaging.formats import Damaged, Unsupported
from imgcore.text import too_large

_MEGA = 1_000_000
_ACCEPTED = "JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF, BMP or camera raw"
_NAMES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WebP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/x-adobe-dng": "DNG",
    "image/x-canon-cr2": "CR2",
    "image/x-canon-cr3": "CR3",
    "image/x-nikon-nef": "NEF",
    "image/x-sony-arw": "ARW",
    "image/x-fuji-raf": "RAF",
    "image/heic": "HEIC",
    "image/heif": "HEIC",  # one family: browsers and phones use both names for the same file
}


def check_bytes(data: bytes, max_bytes: int) -> None:
    """Raise Rejected (empty, too_large) if the file's length is out of bounds."""
    if not data:
        raise Rejected("The file is empty; choose it again on the device that it is on.", code="empty")
    if len(data) > max_bytes:
        sentence = f"{too_large(len(data), max_bytes)} Export it smaller and upload that."
        raise Rejected(sentence, code="too_large")


def check_type(data: bytes) -> str:
    """Return the media type of the content. Rejected (not_an_image, unsupported_type)."""
    kind = formats.media_type(data)
    if kind is None:
        raise _foreign(foreign_name(data))
    return kind


def check_size(size: tuple[int, int]) -> None:
    """Raise Rejected (too_many_pixels, too_long) if the width or height of a picture is out of bounds."""
    width, height = size
    if not (width > 0 and height > 0):
        raise Damaged("no area")
    if width * height > MAX_PIXELS:
        mega = math.ceil(10 * width * height / _MEGA) / 10
        shown = f"{mega:,.1f}" if mega < 100 else f"{mega:,.0f}"
        raise Rejected(
            f"The picture has {shown} megapixels; the limit is {MAX_PIXELS // _MEGA}. "
            "Scale it down and upload it again.",
            code="too_many_pixels",
        )
    if max(size) > MAX_SIDE:
        raise Rejected(
            f"The picture measures {width:,} × {height:,} pixels; a side may have at most {MAX_SIDE:,}. "
            "Crop it and upload it again.",
            code="too_long",
        )


def too_large_for_the_host() -> Rejected:
    """Return the error for a picture within the limits on a host that set Pillow a lower one."""
    return Rejected(
        "The picture has more pixels than are allowed here; scale it down and upload it again.",
        code="too_many_pixels",
    )


def too_heavy() -> Rejected:
    """Return the error for a picture within the limits that needs more memory than this machine has."""
    return Rejected(
        "The picture needs more memory than there is here; scale it down and upload it again.", code="too_heavy"
    )


def damaged(kind: str, error: Exception) -> Rejected:
    """Return the error for an exception of a reader or a codec."""
    if isinstance(error, Unsupported):
        raw = kind.startswith("image/x-")
        why = "has no preview inside" if raw else "is packed in a way that cannot be shown here"
        return Rejected(
            f"The {_NAMES[kind]} {why}; export it as JPEG or PNG and upload that.", code="unsupported_type"
        )
    early = isinstance(error, EOFError) or (isinstance(error, Damaged) and error.ends_early)
    if early or "truncated" in str(error).lower():
        return Rejected(
            f"The {_NAMES[kind]} breaks off before its end; "
            "copy it again from where it comes from and upload that.",
            code="damaged",
        )
    return Rejected(
        f"The {_NAMES[kind]} is damaged and cannot be shown; "
        "export it again from the original and upload that.",
        code="damaged",
    )


def _foreign(name: str | None) -> Rejected:
    if name:
        return Rejected(
            f"The file is {name}, which is not taken; export the picture as JPEG and upload that.",
            code="unsupported_type",
        )
    return Rejected(
        f"The file is not a picture, whatever its name says; choose a {_ACCEPTED} file.", code="not_an_image"
    )
