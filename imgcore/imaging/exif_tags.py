"""The fields of an EXIF block (CIPA DC-008, EXIF 3.0) from an untrusted file. Pure.

Where the picture was taken is read by ``location`` alone, for those who want it kept; ``read`` does not follow
its directory.
"""

from __future__ import annotations

import contextlib
import struct
from dataclasses import dataclass

from imgcore.imaging.formats.ifd import RATIONAL, Entry, Structure

# Tags of the first directory and of the Exif directory
DESCRIPTION, MAKE, MODEL, ORIENTATION, CHANGED = 0x010E, 0x010F, 0x0110, 0x0112, 0x0132
TAKEN, DIGITIZED = 0x9003, 0x9004
OFFSET_CHANGED, OFFSET_TAKEN, OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
LENS_MAKE, LENS_MODEL = 0xA433, 0xA434
EXPOSURE, APERTURE, SENSITIVITY, FOCAL_LENGTH, FOCAL_LENGTH_35MM = 0x829A, 0x829D, 0x8827, 0x920A, 0xA405
_TEXTS = frozenset(
    {
        DESCRIPTION, MAKE, MODEL, CHANGED, TAKEN, DIGITIZED,
        OFFSET_CHANGED, OFFSET_TAKEN, OFFSET_DIGITIZED, LENS_MAKE, LENS_MODEL,
    }
)  # fmt: skip
_NUMBERS = frozenset({ORIENTATION, EXPOSURE, APERTURE, SENSITIVITY, FOCAL_LENGTH, FOCAL_LENGTH_35MM})
_EXIF_DIRECTORY, _GPS_DIRECTORY = 0x8769, 0x8825
_MAX_TEXT, _MAX_DESCRIPTION = 256, 8000  # bytes


@dataclass(frozen=True, slots=True)
class Tags:
    """The fields that are looked at, by their tag; what is absent or of another type is left out."""

    texts: dict[int, bytes]
    numbers: dict[int, float]


def read(block: bytes) -> Tags:
    """Return the fields of a block; what came before a fault is as good as it would be without it."""
    tags = Tags({}, {})
    with contextlib.suppress(struct.error):
        structure = Structure(block)
        followed = False  # or each of many entries would lead to a directory of many
        for entry in structure.entries(structure.first):
            if entry.tag == _EXIF_DIRECTORY and (start := structure.whole(entry)) is not None:
                for inner in () if followed else structure.entries(start):
                    _add(tags, structure, inner)
                followed = True
            else:
                _add(tags, structure, entry)
    return tags


def _add(tags: Tags, structure: Structure, entry: Entry) -> None:
    if entry.tag in _TEXTS:
        limit = _MAX_DESCRIPTION if entry.tag == DESCRIPTION else _MAX_TEXT
        if text := structure.text(entry, limit):
            tags.texts[entry.tag] = text
    elif entry.tag in _NUMBERS and (numbers := structure.numbers(entry, 1)):
        tags.numbers[entry.tag] = numbers[0]


def location(block: bytes) -> tuple[float, float] | None:
    """Return the degrees north and east, to about a metre; None if not plausible."""
    try:
        structure = Structure(block)
        entries = {entry.tag: entry for entry in structure.entries(structure.first)}
        start = structure.whole(entries[_GPS_DIRECTORY]) if _GPS_DIRECTORY in entries else None
        if start is None:
            return None
        fields = {entry.tag: entry for entry in structure.entries(start)}
        north = _angle(structure, fields.get(1), fields.get(2), {b"N": 1, b"S": -1}, 90)
        east = _angle(structure, fields.get(3), fields.get(4), {b"E": 1, b"W": -1}, 180)
    except struct.error:
        return None
    if north is None or east is None or north == east == 0:  # what a receiver without satellites writes
        return None
    return north, east


def _angle(
    structure: Structure, hemisphere: Entry | None, value: Entry | None, signs: dict[bytes, int], most: int
) -> float | None:
    """Return degrees from a hemisphere (N, S, E, W) and three fractions: degrees, minutes and seconds."""
    if hemisphere is None or value is None or (value.kind, value.count) != (RATIONAL, 3):
        return None
    sign = signs.get(structure.data[hemisphere.at : hemisphere.at + 1].upper())
    parts = structure.numbers(value)
    if sign is None or len(parts) != 3:
        return None
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    return round(sign * degrees, 5) if degrees <= most else None
