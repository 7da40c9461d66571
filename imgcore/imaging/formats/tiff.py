"""TIFF (revision 6.0): the first picture of a file, if it is packed in one of the common ways."""

from __future__ import annotations

import struct

from imgcore.imaging.formats.base import MAX_ICC, MAX_METADATA, Carved, Damaged, Unsupported
from imgcore.imaging.formats.ifd import WHOLE, Entry, Structure

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, STRIP_LENGTHS = 256, 257, 258, 259, 262, 273, 279
_SAMPLES, _COLOUR_MAP, _TILES, _TILE_LENGTHS, _FORMAT = 277, 320, 324, 325, 339
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_REFERENCES = 532  # of black and white: fractions
_KEPT = frozenset(
    {
        WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, STRIP_LENGTHS, _SAMPLES, _COLOUR_MAP,
        _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_LENGTHS, _FORMAT, _REFERENCES,
        266, 278, 284, 317, 332, 338, 530,
    }
)  # fmt: skip
_XMP, _RESOURCES, _ICC = 700, 34377, 34675

# None, LZW, Deflate (two numbers) and PackBits: what programs and scanners write for photos. JPEG, fax and
# newer codecs inside a TIFF are not handed to libtiff.
_COMPRESSIONS = frozenset({1, 5, 8, 32946, 32773})
_PHOTOMETRICS = frozenset({0, 1, 2, 3, 5, 6})  # grey, RGB, palette, CMYK, YCbCr
_MAX_PIECES = 65_536  # strips or tiles
_USUAL_TILE = 1024  # pixels a side; a small picture may lie in one tile that is larger than it


def carve(data: bytes) -> Carved:
    """Return the file with a directory that has only what the codec needs for the first picture."""
    try:
        structure = Structure(data)
        fields = {entry.tag: entry for entry in structure.entries(structure.first)}
        _check(structure, fields)
        directory = _directory(structure, fields)
        size = _number(structure, fields, WIDTH), _number(structure, fields, HEIGHT)
        limits = {_XMP: MAX_METADATA, _RESOURCES: MAX_METADATA, _ICC: MAX_ICC}
        blocks = {tag: structure.content(fields[tag], most) for tag, most in limits.items() if tag in fields}
    except struct.error as error:
        raise Damaged("a directory goes past the end", ends_early=True) from error
    at = len(data) + len(data) % 2
    head = data[:4] + struct.pack(structure.order + "L", at)
    return Carved(
        format="TIFF",
        picture=b"".join([head, memoryview(data)[8:], b"\0" * (len(data) % 2), directory]),
        size=size,
        white_is_zero=_number(structure, fields, PHOTOMETRIC, absent=0) == 0,
        exif=data,  # the same structure; its reader is bounded by the number of entries
        xmp=blocks.get(_XMP, b""),
        iptc=blocks.get(_RESOURCES, b""),
        icc=blocks.get(_ICC, b""),
    )


def _check(structure: Structure, fields: dict[int, Entry]) -> None:
    """Raise Damaged for what is no picture of 1 to 16 bits, packed in one of the common ways."""
    pieces = fields.get(STRIPS) or fields.get(_TILES)
    if pieces is None or WIDTH not in fields or HEIGHT not in fields:
        raise Damaged("no picture")
    if any(tag in _KEPT and tag != _REFERENCES and entry.kind not in WHOLE for tag, entry in fields.items()):
        raise Unsupported("numbers of a type that the codec may read in another way")
    bits = structure.numbers(fields[BITS]) if BITS in fields else [1]
    packed = (
        _number(structure, fields, COMPRESSION) in _COMPRESSIONS
        and _number(structure, fields, PHOTOMETRIC) in _PHOTOMETRICS
        and all(value in (1, 2, 4, 8, 16) for value in bits)
        and _number(structure, fields, _SAMPLES) <= 5
        and _number(structure, fields, _FORMAT) == 1  # whole numbers
    )
    if not packed:
        raise Unsupported("packed in another way")
    if pieces.count > _MAX_PIECES:
        raise Damaged("more strips than any encoder writes")
    width, height = (_number(structure, fields, tag) + 15 for tag in (WIDTH, HEIGHT))
    across, down = (_number(structure, fields, tag) for tag in (_TILE_WIDTH, _TILE_HEIGHT))
    too_long = across > max(_USUAL_TILE, width) or down > max(_USUAL_TILE, height)
    if too_long or across * down > max(_USUAL_TILE**2, width * height):
        raise Damaged("tiles larger than any encoder writes")


def _number(structure: Structure, fields: dict[int, Entry], tag: int, absent: int = 1) -> int:
    """Return the first number of a field; by default 1 where it is absent, as most fields have it."""
    numbers = structure.numbers(fields[tag], 1) if tag in fields else []
    return int(numbers[0]) if numbers else absent


def _directory(structure: Structure, fields: dict[int, Entry]) -> bytes:
    """Return a directory of the fields that are kept; their values stay where they are."""
    kept = [structure.raw(entry) for tag, entry in sorted(fields.items()) if tag in _KEPT]
    return struct.pack(structure.order + "H", len(kept)) + b"".join(kept) + b"\0\0\0\0"
