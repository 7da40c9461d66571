"""Camera raw files: the largest JPEG that the camera put into them is the picture.

The raw pixels are not decoded. DNG, CR2, NEF and ARW are TIFF structures, a CR3 is made of boxes (ISO/IEC
14496-12), a RAF a header with offsets.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from dataclasses import replace

from imgcore.imaging.formats import isobmff, jpeg, tiff
from imgcore.imaging.formats.base import MAX_METADATA, Carved, Damaged, Unsupported
from imgcore.imaging.formats.ifd import Entry, Structure

_RAF = b"FUJIFILMCCD-RAW "
_CR3 = b"ftypcrx "
_JPEG_START = b"\xff\xd8\xff"
_TYPES = {
    "DNG": "image/x-adobe-dng",
    "CR2": "image/x-canon-cr2",
    "CR3": "image/x-canon-cr3",
    "NEF": "image/x-nikon-nef",
    "ARW": "image/x-sony-arw",
    "RAF": "image/x-fuji-raf",
}
_MAKERS = {b"NIKON": "NEF", b"SONY": "ARW"}

_MAKE, _SUB_DIRECTORIES, _JPEG, _JPEG_LENGTH, _DNG_VERSION = 0x010F, 0x014A, 0x0201, 0x0202, 0xC612
_SENSOR = frozenset({32803, 34892})  # photometric interpretations of raw pixels: a filter array, linear
_MAX_DIRECTORIES = 24  # cameras write up to eight
_MAX_TRACKS = 16  # cameras write up to five


def media_type(data: bytes) -> str | None:
    """Return the media type of a camera raw file; None for other files, and other makers' raw files."""
    name = _name(data)
    return _TYPES[name] if name else None


def _name(data: bytes) -> str | None:
    if data.startswith(_RAF):
        return "RAF"
    if data.startswith(_CR3, 4):
        return "CR3"
    if data.startswith(b"II*\0") and data[8:10] == b"CR":
        return "CR2"
    try:
        structure = Structure(data)
        first = {entry.tag: entry for entry in structure.entries(structure.first)}
        if _DNG_VERSION in first:
            return "DNG"
        maker = structure.text(first[_MAKE], 8) if _MAKE in first else b""
        name = next((name for start, name in _MAKERS.items() if maker.upper().startswith(start)), None)
        has_sensor = any(_is_sensor(structure, fields) for fields in _directories(structure))
        return name if has_sensor else None
    except struct.error:
        return None


def carve(data: bytes) -> Carved:
    """Return the largest embedded JPEG as the picture. Damaged: there is none."""
    name = _name(data)
    places = _raf(data) if name == "RAF" else _cr3(data) if name == "CR3" else _previews(data)
    best: tuple[int, int, int] | None = None  # pixels, start and end
    left = 2 * len(data)  # bytes to look through: previews do not overlap
    for start, length in dict.fromkeys(places):
        end = start + length
        if end > len(data) or not data.startswith(_JPEG_START, start, end) or length > left:
            continue
        left -= length
        if jpeg.is_lossless(data, start, end):
            continue
        try:
            area = _area(jpeg.carve(data, with_picture=False, first=start, last=end))
        except Damaged:
            continue
        if best is None or area > best[0]:
            best = area, start, end
    if best is None:
        raise Unsupported("no preview inside")
    found = jpeg.carve(data, first=best[1], last=best[2])
    own = b"" if name == "RAF" else _camera_tags(data) if name == "CR3" else data
    return replace(found, file_format=name or "DNG", exif=own or found.exif, preview=True)


def _area(carved: Carved) -> int:
    return carved.size[0] * carved.size[1] if carved.size else 0


def _previews(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield offset and length of what may be a JPEG, of each directory of a TIFF structure."""
    try:
        structure = Structure(data)
        for fields in _directories(structure):
            for start, length in ((_JPEG, _JPEG_LENGTH), (tiff.STRIPS, tiff.STRIP_LENGTHS)):
                pair = [structure.whole(fields[tag]) for tag in (start, length) if tag in fields]
                if len(pair) == 2 and None not in pair and not _is_sensor(structure, fields):
                    yield pair[0] or 0, pair[1] or 0
    except struct.error:
        return


def _is_sensor(structure: Structure, fields: dict[int, Entry]) -> bool:
    photometric = fields.get(tiff.PHOTOMETRIC)
    return photometric is not None and structure.whole(photometric) in _SENSOR


def _directories(structure: Structure) -> Iterator[dict[int, Entry]]:
    """Yield the fields of each directory: those in a row, and those below them."""
    waiting, seen = [structure.first], set[int]()
    while waiting and len(seen) < _MAX_DIRECTORIES:
        start = waiting.pop(0)
        if start in seen or start == 0:
            continue
        seen.add(start)
        fields = {entry.tag: entry for entry in structure.entries(start)}
        yield fields
        waiting.append(structure.following(start))
        if _SUB_DIRECTORIES in fields:
            waiting += [int(number) for number in structure.numbers(fields[_SUB_DIRECTORIES])]


def _raf(data: bytes) -> list[tuple[int, int]]:
    """Return the offset and the length that the header of a RAF states at its bytes 84 and 88."""
    return [(int.from_bytes(data[84:88]), int.from_bytes(data[88:92]))]


def _cr3(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield offset and length of the first sample of each track; the camera's JPEG is one of them."""
    places, _ = isobmff.top_level(data)
    start, end = places.get(b"moov", isobmff.NOWHERE)
    tracks = ((at, to) for name, at, to in isobmff.boxes(data, start, end) if name == b"trak")
    for at, to in itertools.islice(tracks, _MAX_TRACKS):
        for inner in (b"mdia", b"minf", b"stbl"):
            at, to = isobmff.children(data, at, to).get(inner, isobmff.NOWHERE)
        table = isobmff.children(data, at, to)
        sizes, offsets = table.get(b"stsz", isobmff.NOWHERE)[0], table.get(b"co64", isobmff.NOWHERE)[0]
        if sizes and offsets:
            one_for_all, first = data[sizes + 4 : sizes + 8], data[sizes + 12 : sizes + 16]
            length = int.from_bytes(one_for_all) or int.from_bytes(first)
            yield int.from_bytes(data[offsets + 8 : offsets + 16]), length


def _camera_tags(data: bytes) -> bytes:
    """Return the TIFF structure of a CR3's box CMT1, which lies in a box of Canon's own."""
    places, _ = isobmff.top_level(data)
    start, end = places.get(b"moov", isobmff.NOWHERE)
    at, to = isobmff.children(data, start, end).get(b"uuid", isobmff.NOWHERE)
    first, last = isobmff.children(data, at + 16, to).get(b"CMT1", isobmff.NOWHERE)
    return data[first:last] if last - first <= MAX_METADATA else b""
