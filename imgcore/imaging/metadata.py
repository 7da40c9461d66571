"""The metadata of a photo: EXIF, IPTC and XMP from an untrusted file. Pure.

Only the named fields are looked at.
Nothing here can reject a file; what makes no sense is absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from imgcore.gallery.models import NO_DETAILS, PhotoDetails
from imgcore.imaging import exif_tags
from imgcore.imaging.xmp import DIGITIZED, TAKEN, read_xmp
from imgcore.text import is_boilerplate, one_line, shorten

MAX_CAPTION = 2000  # characters; IPTC's own limit for 2:120
MAX_KEYWORD = 64  # characters; IPTC's own limit for 2:25
MAX_KEYWORDS = 50
MAX_CAMERA = 80  # characters
_ISO_ELSEWHERE = 65_535  # what SensitivityType and its tags hold for higher values (EXIF 3.0, 4.6.6.7)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The fields that are read, all of bounded length and without control characters."""

    orientation: int = 1  # 1 to 8, EXIF's: how the stored picture has to be turned
    taken_at: datetime | None = None  # the camera's clock
    camera: str | None = None
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    details: PhotoDetails = NO_DETAILS


def read(*, exif: bytes = b"", iptc: bytes = b"", xmp: bytes = b"") -> Metadata:
    """Read the fields of a TIFF structure, of Photoshop's image resources and of an XMP packet.

    For a caption XMP wins over IPTC, and IPTC over EXIF's ImageDescription, which programs fill more often.
    """
    tags = exif_tags.read(exif)
    texts = {tag: _decoded(text, utf8=False) for tag, text in tags.texts.items()}
    packet = read_xmp(xmp)
    taken_at, offset = _first_date(texts, packet.dates)
    captions, keywords = packet.captions, packet.keywords
    for number, value in islice(_iptc(iptc), 4 * MAX_KEYWORDS):
        (captions if number == _CAPTION else keywords).append(value)
    captions += [texts[exif_tags.DESCRIPTION]] if exif_tags.DESCRIPTION in texts else []
    clean = (clean_text(text, MAX_CAPTION) for text in captions)
    distinct: dict[str, str] = {}
    for word in (clean_text(text, MAX_KEYWORD) for text in keywords):
        distinct.setdefault(word.casefold(), word)
    distinct.pop("", None)
    orientation = int(tags.numbers.get(exif_tags.ORIENTATION, 1))
    return Metadata(
        orientation=orientation if orientation in range(1, 9) else 1,
        taken_at=taken_at,
        camera=_camera(texts.get(exif_tags.MAKE), texts.get(exif_tags.MODEL)),
        caption=next((text for text in clean if text and not is_boilerplate(text)), None),
        keywords=tuple(distinct.values())[:MAX_KEYWORDS],
        details=_details(tags, texts, offset),
    )


def clean_text(text: str, limit: int) -> str:
    """Return ``text`` in one line without invisible characters, at most ``limit`` characters long."""
    return shorten(one_line(text[: 4 * limit]), limit)


_DATE = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?|$)", re.ASCII)


def _first_date(texts: dict[int, str], xmp: dict[str, str]) -> tuple[datetime | None, str | None]:
    """Return when it was taken, else digitized, else changed, and that clock's offset from UTC if it is known.

    EXIF wins over XMP for each of them (MWG 5.3).
    """
    taken = [
        (texts.get(exif_tags.TAKEN), texts.get(exif_tags.OFFSET_TAKEN)),
        *((xmp.get(name), None) for name in TAKEN),
    ]
    digitized = [
        (texts.get(exif_tags.DIGITIZED), texts.get(exif_tags.OFFSET_DIGITIZED)),
        *((xmp.get(name), None) for name in DIGITIZED),
    ]
    changed = (texts.get(exif_tags.CHANGED), texts.get(exif_tags.OFFSET_CHANGED))
    for text, offset in (*taken, *digitized, changed):
        if text and (date := _date(text)):
            if text == changed[0]:  # some phones write one offset for all their dates
                offset = offset or changed[1]
            return date, _offset(offset or text)
    return None, None


def _date(text: str) -> datetime | None:
    found = _DATE.match(text)
    if not found:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        taken = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - no time zone is known
    except ValueError:
        return None
    return taken if taken.year >= 1826 else None  # before the first photo it was a placeholder


_OFFSET = re.compile(r"(?:^|:\d\d(?:\.\d+)?)\s*(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)\s*$", re.ASCII)


def _offset(text: str) -> str | None:
    """Return the offset from UTC at the end of a text, as +02:00."""
    found = _OFFSET.search(text)
    if not found:
        return None
    return "+00:00" if found[1] == "Z" else f"{found[1][:3]}:{found[1][-2:]}"


def _camera(make: str | None, model: str | None) -> str | None:
    maker, name = (clean_text(part or "", MAX_CAMERA) for part in (make, model))
    brand = maker.split(" ")[0]
    if not name or name.casefold().startswith(brand.casefold()):  # "Canon", "Canon EOS R5"
        return name or maker or None
    return clean_text(f"{maker} {name}", MAX_CAMERA)


def _details(tags: exif_tags.Tags, texts: dict[int, str], offset: str | None) -> PhotoDetails:
    """Return how the photo was taken; numbers that no camera has are absent."""

    def number(tag: int, most: float) -> float | None:
        value = tags.numbers.get(tag, 0)
        return round(value, 6) if 0 < value <= most else None

    iso, equivalent = number(exif_tags.SENSITIVITY, 10_000_000), number(exif_tags.FOCAL_LENGTH_35MM, 10_000)
    lens = texts.get(exif_tags.LENS_MODEL)
    return PhotoDetails(
        utc_offset=offset,
        exposure_time=number(exif_tags.EXPOSURE, 100_000),
        f_number=number(exif_tags.APERTURE, 1000),
        iso=int(iso) if iso and iso != _ISO_ELSEWHERE else None,
        focal_length=number(exif_tags.FOCAL_LENGTH, 100_000),
        focal_length_35mm=int(equivalent) if equivalent else None,
        lens=_camera(texts.get(exif_tags.LENS_MAKE), lens) if lens else None,
    )


# IPTC IIM 4.2 in Photoshop's image resource 0x0404

_CAPTION, _KEYWORD = 120, 25
_IIM = b"\x04\x04"
_UTF8 = b"\x1b%G"


def _iptc(resources: bytes) -> Iterator[tuple[int, str]]:
    """Yield the data set number and the text of each caption and keyword."""
    utf8 = False
    for record, number, value in _data_sets(_resource(resources)):
        if (record, number) == (1, 90):
            utf8 = value == _UTF8
        elif record == 2 and number in (_CAPTION, _KEYWORD):
            yield number, _decoded(value, utf8)


def _decoded(value: bytes, utf8: bool) -> str:
    if utf8:
        return value.decode("utf-8", "replace")
    try:  # most writers of today use UTF-8 without saying so
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _resource(data: bytes) -> bytes:
    """Return the content of the resource that holds IIM: signature, number, padded name, length, content."""
    at = 0
    while data[at : at + 4] == b"8BIM" and at + 12 <= len(data):
        number, name = data[at + 4 : at + 6], data[at + 6]
        body = at + 6 + (name + 2 & ~1) + 4
        length = int.from_bytes(data[body - 4 : body])
        if number == _IIM:
            return data[body : body + length]
        at = body + length + length % 2
    return b""


def _data_sets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        record, number, length = data[at + 1], data[at + 2], int.from_bytes(data[at + 3 : at + 5])
        if length & 0x8000:
            return  # an extended length: nothing that long is text
        yield record, number, data[at + 5 : at + 5 + length]
        at += 5 + length
