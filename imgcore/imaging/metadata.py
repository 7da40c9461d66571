"""The metadata of a photo: EXIF, IPTC and XMP from an untrusted file. Pure.

Only the named fields are looked at. Where the picture was taken is read by ``location`` alone, for those who
want it kept; ``read`` does not follow its directory.
Nothing here can reject a file; what makes no sense is absent.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from imgcore.imaging.xmp import DIGITIZED, TAKEN, read_xmp
from imgcore.text import is_boilerplate, one_line, shorten

MAX_CAPTION = 2000  # characters; IPTC's own limit for 2:120
MAX_KEYWORD = 64  # characters; IPTC's own limit for 2:25
MAX_KEYWORDS = 50
MAX_CAMERA = 80  # characters


@dataclass(frozen=True, slots=True)
class Metadata:
    """The fields that are read, all of bounded length and without control characters."""

    orientation: int = 1  # 1 to 8, EXIF's: how the stored picture has to be turned
    taken_at: datetime | None = None  # the camera's clock
    camera: str | None = None
    caption: str | None = None
    keywords: tuple[str, ...] = ()


def read(*, exif: bytes = b"", iptc: bytes = b"", xmp: bytes = b"") -> Metadata:
    """Read the fields of a TIFF structure, of Photoshop's image resources and of an XMP packet.

    For a caption XMP wins over IPTC, and IPTC over EXIF's ImageDescription, which programs fill more often.
    """
    tags = dict(_tags(exif))
    packet = read_xmp(xmp)
    captions, keywords = packet.captions, packet.keywords
    for number, value in islice(_iptc(iptc), 4 * MAX_KEYWORDS):
        (captions if number == _CAPTION else keywords).append(value)
    if isinstance(description := tags.get(_DESCRIPTION), str):
        captions.append(description)
    clean = (clean_text(text, MAX_CAPTION) for text in captions)
    distinct: dict[str, str] = {}
    for word in (clean_text(text, MAX_KEYWORD) for text in keywords):
        distinct.setdefault(word.casefold(), word)
    distinct.pop("", None)
    return Metadata(
        orientation=_orientation(tags.get(_ORIENTATION)),
        taken_at=_first_date(tags, packet.dates),
        camera=_camera(tags.get(_MAKE), tags.get(_MODEL)),
        caption=next((text for text in clean if text and not is_boilerplate(text)), None),
        keywords=tuple(distinct.values())[:MAX_KEYWORDS],
    )


def location(exif: bytes) -> tuple[float, float] | None:
    """Return the degrees north and east of a TIFF structure, to about a metre; None if not plausible."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return None
    try:
        (first,) = struct.unpack_from(f"{order}L", exif, 4)
        start = _number_of(exif, order, first, _GPS_DIRECTORY)
        if start is None:
            return None
        north = _angle(exif, order, start, (1, 2), {b"N": 1, b"S": -1}, 90)
        east = _angle(exif, order, start, (3, 4), {b"E": 1, b"W": -1}, 180)
    except (struct.error, ZeroDivisionError):
        return None
    if north is None or east is None or north == east == 0:  # what a receiver without satellites writes
        return None
    return north, east


def clean_text(text: str, limit: int) -> str:
    """Return ``text`` in one line without invisible characters, at most ``limit`` characters long."""
    return shorten(one_line(text[: 4 * limit]), limit)


# EXIF 3.0 (CIPA DC-008): tags of the first directory and of the Exif directory

_MAKE, _MODEL, _ORIENTATION, _CHANGED, _EXIF_DIRECTORY = 0x010F, 0x0110, 0x0112, 0x0132, 0x8769
_TAKEN, _DIGITIZED, _DESCRIPTION = 0x9003, 0x9004, 0x010E
_TEXTS = frozenset({_DESCRIPTION, _MAKE, _MODEL, _CHANGED, _TAKEN, _DIGITIZED})
_BYTE, _ASCII, _SHORT, _LONG = 1, 2, 3, 4
_MAX_ENTRIES = 512  # of one directory; cameras write some sixty


def _tags(tiff: bytes) -> Iterator[tuple[int, int | str]]:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return
    try:
        (first,) = struct.unpack_from(f"{order}L", tiff, 4)
        for tag, value in _directory(tiff, order, first):
            if tag == _EXIF_DIRECTORY and isinstance(value, int):
                yield from _directory(tiff, order, value)
            else:
                yield tag, value
    except struct.error:
        return


def _directory(tiff: bytes, order: str, start: int) -> Iterator[tuple[int, int | str]]:
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for index in range(min(count, _MAX_ENTRIES)):
        at = start + 2 + 12 * index
        tag, kind, length = struct.unpack_from(f"{order}HHL", tiff, at)
        if tag in _TEXTS and kind == _ASCII:
            (offset,) = struct.unpack_from(f"{order}L", tiff, at + 8) if length > 4 else (at + 8,)
            most = 4 * MAX_CAPTION if tag == _DESCRIPTION else 256
            text = tiff[offset : offset + min(length, most)]
            yield tag, _decoded(text.partition(b"\0")[0], utf8=False)
        elif tag in (_ORIENTATION, _EXIF_DIRECTORY) and kind in (_BYTE, _SHORT, _LONG) and length == 1:
            layout = {_BYTE: "B", _SHORT: "H", _LONG: "L"}[kind]
            yield tag, struct.unpack_from(f"{order}{layout}", tiff, at + 8)[0]


# GPSLatitudeRef, GPSLatitude, GPSLongitudeRef, GPSLongitude: tags 1 to 4 of a directory of its own

_GPS_DIRECTORY, _RATIONAL = 0x8825, 5


def _number_of(tiff: bytes, order: str, start: int, wanted: int) -> int | None:
    entry = _entry(tiff, order, start, wanted)
    return None if entry is None else int(struct.unpack_from(f"{order}L", tiff, entry + 8)[0])


def _entry(tiff: bytes, order: str, start: int, wanted: int) -> int | None:
    """Return where the entry of that tag begins: tag, type, count and value, 12 bytes."""
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    places = (start + 2 + 12 * index for index in range(min(count, _MAX_ENTRIES)))
    return next((at for at in places if struct.unpack_from(f"{order}H", tiff, at)[0] == wanted), None)


def _angle(
    tiff: bytes, order: str, start: int, tags: tuple[int, int], signs: dict[bytes, int], most: int
) -> float | None:
    """Return degrees from a hemisphere (N, S, E, W) and three fractions: degrees, minutes and seconds."""
    hemisphere, value = (_entry(tiff, order, start, tag) for tag in tags)
    if hemisphere is None or value is None:
        return None
    sign = signs.get(tiff[hemisphere + 8 : hemisphere + 9].upper())
    kind, count, at = struct.unpack_from(f"{order}HLL", tiff, value + 2)
    if sign is None or (kind, count) != (_RATIONAL, 3):
        return None
    numbers = struct.unpack_from(f"{order}6L", tiff, at)
    parts = [above / below for above, below in zip(numbers[::2], numbers[1::2], strict=True)]
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    return round(sign * degrees, 5) if degrees <= most else None


def _orientation(value: int | str | None) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


_DATE = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?|$)", re.ASCII)


def _first_date(tags: dict[int, int | str], xmp: dict[str, str]) -> datetime | None:
    """Return when it was taken, else digitized, else changed; EXIF wins over XMP for each of them (MWG 5.3)."""
    taken = (tags.get(_TAKEN), *map(xmp.get, TAKEN))
    digitized = (tags.get(_DIGITIZED), *map(xmp.get, DIGITIZED))
    texts = (*taken, *digitized, tags.get(_CHANGED))
    return next((date for text in texts if (date := _date(text))), None)


def _date(value: int | str | None) -> datetime | None:
    found = _DATE.match(value) if isinstance(value, str) else None
    if not found:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        taken = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - no time zone is known
    except ValueError:
        return None
    return taken if taken.year >= 1826 else None  # before the first photo it was a placeholder


def _camera(make: int | str | None, model: int | str | None) -> str | None:
    maker, name = (clean_text(part, MAX_CAMERA) if isinstance(part, str) else "" for part in (make, model))
    brand = maker.split(" ")[0]
    if not name or name.casefold().startswith(brand.casefold()):  # "Canon", "Canon EOS R5"
        return name or maker or None
    return clean_text(f"{maker} {name}", MAX_CAMERA)


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
