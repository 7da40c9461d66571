"""The media types that uploads are declared as. They are never trusted: the content decides. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from imgcore.errors import Invalid
from imgcore.gallery.limits import MEDIA_TYPES

UNKNOWN = "application/octet-stream"

# Other names of accepted types, from browsers, mail programs, phones and `file --mime`
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/jpe": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-jpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/apng": "image/png",
    "image/vnd.mozilla.apng": "image/png",
    "image/x-webp": "image/webp",
    "image/x-gif": "image/gif",
    "image/avif-sequence": "image/avif",
    "image/heic-sequence": "image/heic",
    "image/heif-sequence": "image/heif",
    "image/x-bmp": "image/bmp",
    "image/x-ms-bmp": "image/bmp",
    "image/tif": "image/tiff",
    "image/x-tiff": "image/tiff",
    "image/dng": "image/x-adobe-dng",
    "image/x-dng": "image/x-adobe-dng",
}
_ENDINGS = {ending: kind for kind, ending in MEDIA_TYPES.items()} | {
    "jpeg": "image/jpeg",
    "jpe": "image/jpeg",
    "jfif": "image/jpeg",
    "tiff": "image/tiff",
    "apng": "image/png",
    "hif": "image/heif",
    "heics": "image/heic",
    "heifs": "image/heif",
    "avifs": "image/avif",
}
# Types and endings of files that are not accepted, with their names in messages
_REFUSED_TYPES = {"image/svg+xml": "SVG drawings", "image/vnd.adobe.photoshop": "Photoshop documents"}
_REFUSED_ENDINGS = {
    "svg": "SVG drawings",
    "psd": "Photoshop documents",
    "pdf": "PDF documents",
    "zip": "archives",
}
_VIDEOS = ("mp4", "mov", "m4v", "avi", "mkv", "webm", "3gp")
_REFUSED_ENDINGS |= dict.fromkeys(_VIDEOS, "videos")

_WELL_FORMED = re.compile(r"[\w.+*-]{1,60}/[\w.+*-]{1,60}([ ]*;[ -~]{0,100})?", re.ASCII)


def accepted_type(declared: str, name: str, accepted: Mapping[str, str] = MEDIA_TYPES) -> str | None:
    """Return the accepted type that a file is declared as; None where only its content can show it.

    An empty type, one that says nothing, and an image type that is not known here are decided by the ending of
    ``name``. Invalid (unsupported_type) where type or ending name a kind of file that is not accepted.
    """
    base = declared.partition(";")[0].strip().lower()
    ending = ending_of(name)
    kind = _ALIASES.get(base, base)
    if kind in accepted:
        return kind
    says_nothing = base in ("", UNKNOWN, "binary/octet-stream", "application/x-unknown") or base.startswith(
        "image/"
    )
    refused = _REFUSED_TYPES.get(base) or _REFUSED_ENDINGS.get(ending)
    if refused or not says_nothing:
        what = (
            f"{refused[:1].upper()}{refused[1:]} are not supported."
            if refused
            else "This file type is not supported."
        )
        endings = ", ".join(sorted({known.upper() for known in accepted.values()} - {"HEIF"}))
        raise Invalid(f"{what} Upload {endings}.", code="unsupported_type")
    by_ending = _ENDINGS.get(ending)
    return by_ending if by_ending in accepted else None


def form_type(declared: str) -> str:
    """Return the type that the upload form requires: the declared one in lower case, if it is well-formed."""
    declared = declared.strip().lower()
    return declared if _WELL_FORMED.fullmatch(declared) else UNKNOWN


def type_of_ending(name: str) -> str | None:
    """Return the accepted type that the ending of a file's name stands for."""
    return _ENDINGS.get(ending_of(name))


def ending_of(name: str) -> str:
    """Return the ending of a file's name in lower case, without the dot; nothing where it has none."""
    return name.rpartition(".")[2].strip().lower() if "." in name else ""
