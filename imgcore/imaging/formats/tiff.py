"""TIFF (revision 6.0): the first picture of a file, if it is packed in one of the common ways."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from imgcore.imaging.formats.base import (
    MAX_ICC,
    MAX_METADATA,
    MOST_MISSING,
    Carved,
    Damaged,
    Gathered,
    Unsupported,
    check_length,
)
from imgcore.imaging.formats.ifd import LONG, WHOLE, Entry, Structure

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, STRIP_LENGTHS = 256, 257, 258, 259, 262, 273, 279
_SAMPLES, _ROWS, _PLANES, _COLOUR_MAP, _TILES, _TILE_LENGTHS, _FORMAT = 277, 278, 284, 320, 324, 325, 339
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_REFERENCES = 532  # of black and white: fractions
_KEPT = frozenset(
    {
        WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, STRIP_LENGTHS, _SAMPLES, _COLOUR_MAP,
        _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_LENGTHS, _FORMAT, _REFERENCES,
        266, _ROWS, _PLANES, 317, 332, 338, 530,
    }
)  # fmt: skip
_OF_STRIPS = {STRIPS, STRIP_LENGTHS, _ROWS}
_OF_TILES = {_TILES, _TILE_LENGTHS, _TILE_WIDTH, _TILE_HEIGHT}
_XMP, _RESOURCES, _ICC = 700, 34377, 34675

# None, LZW, Deflate (two numbers) and PackBits: what programs and scanners write for photos. JPEG, fax and
# newer codecs inside a TIFF are not handed to libtiff.
_PLAIN = 1
_COMPRESSIONS = frozenset({_PLAIN, 5, 8, 32946, 32773})
_YCBCR = 6
_PHOTOMETRICS = frozenset({0, 1, 2, 3, 5, _YCBCR})  # grey, RGB, palette, CMYK, YCbCr
_MAX_PIECES = 65_536  # strips or tiles
_MAX_VALUES, _MAX_COLOURS = 16, 3 << 16  # of a field that is kept; of a palette
_USUAL_TILE = 1024  # pixels a side; a small picture may lie in one tile that is larger than it
_LARGEST_BLOCK = 4  # pixels a side that share a colour in YCbCr


def carve(data: bytes) -> Carved:
    """Return a new file of what the codec needs for the first picture: its fields, and its strips or tiles."""
    try:
        structure = Structure(data)
        fields = {entry.tag: entry for entry in structure.entries(structure.first)}
        _check(structure, fields)
        size = _number(structure, fields, WIDTH), _number(structure, fields, HEIGHT)
        pieces = _pieces(structure, fields, size)
        picture = _rewritten(structure, fields, size, pieces)
        limits = {_XMP: MAX_METADATA, _RESOURCES: MAX_METADATA, _ICC: MAX_ICC}
        blocks = {tag: structure.content(fields[tag], most) for tag, most in limits.items() if tag in fields}
    except struct.error as error:
        raise Damaged("a directory goes past the end", ends_early=True) from error
    return Carved(
        format="TIFF",
        picture=picture,
        size=size,
        white_is_zero=_number(structure, fields, PHOTOMETRIC, absent=0) == 0,
        exif=data,  # the same structure; its reader is bounded by the number of entries
        xmp=blocks.get(_XMP, b""),
        iptc=blocks.get(_RESOURCES, b""),
        icc=blocks.get(_ICC, b""),
        incomplete=pieces.missing > 0,
    )


def _check(structure: Structure, fields: dict[int, Entry]) -> None:
    """Raise Damaged for what is no picture of 1 to 16 bits, packed in one of the common ways."""
    if not (STRIPS in fields or _TILES in fields) or WIDTH not in fields or HEIGHT not in fields:
        raise Damaged("no picture")
    kept = {tag: entry for tag, entry in fields.items() if tag in _KEPT}
    if any(tag != _REFERENCES and entry.kind not in WHOLE for tag, entry in kept.items()):
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
    most = dict.fromkeys((STRIPS, STRIP_LENGTHS, _TILES, _TILE_LENGTHS), _MAX_PIECES) | {
        _COLOUR_MAP: _MAX_COLOURS
    }
    if any(entry.count > most.get(tag, _MAX_VALUES) for tag, entry in kept.items()):
        raise Damaged("more strips or values than any encoder writes")
    width, height = (_number(structure, fields, tag) + 15 for tag in (WIDTH, HEIGHT))
    across, down = (_number(structure, fields, tag) for tag in (_TILE_WIDTH, _TILE_HEIGHT))
    too_long = across > max(_USUAL_TILE, width) or down > max(_USUAL_TILE, height)
    if too_long or across * down > max(_USUAL_TILE**2, width * height):
        raise Damaged("tiles larger than any encoder writes")


def _number(structure: Structure, fields: dict[int, Entry], tag: int, absent: int = 1) -> int:
    """Return the first number of a field; by default 1 where it is absent, as most fields have it."""
    numbers = structure.numbers(fields[tag], 1) if tag in fields else []
    return int(numbers[0]) if numbers else absent


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The strips or the tiles of a picture.

    places: start and end in the file, (0, 0) for none. missing: bytes of plain pixels behind the file's end.
    """

    offsets_tag: int
    lengths_tag: int
    places: list[tuple[int, int]]
    missing: int


def _pieces(structure: Structure, fields: dict[int, Entry], size: tuple[int, int]) -> _Pieces:
    """Return what the picture is made of, no longer than its pixels can be.

    Codecs read plain pixels whatever length is stated, so that is not looked at. Damaged: a piece lies beyond
    the end of the file, or more than MOST_MISSING of plain pixels do.
    """
    strips, tiles = (STRIPS, STRIP_LENGTHS), (_TILES, _TILE_LENGTHS)
    # The dimensions of a tile decide, as in libtiff: some programs list tiles in the fields of strips.
    if {_TILE_WIDTH, _TILE_HEIGHT} <= fields.keys():
        across, down = (max(1, _number(structure, fields, tag)) for tag in (_TILE_WIDTH, _TILE_HEIGHT))
        tags, others = tiles, strips
    else:
        across, down = size[0], max(1, min(size[1], _number(structure, fields, _ROWS, absent=size[1])))
        tags, others = strips, tiles
    listed = tags if tags[0] in fields else others
    samples, planes = _number(structure, fields, _SAMPLES), _number(structure, fields, _PLANES)
    count = -(-size[0] // max(1, across)) * -(-size[1] // down) * (samples if planes == 2 else 1)
    bits = max(structure.numbers(fields[BITS], 5), default=1) if BITS in fields else 1
    beyond = _LARGEST_BLOCK - 1 if _number(structure, fields, PHOTOMETRIC) == _YCBCR else 0
    longest = (down + beyond) * -(-(across + beyond) * samples * int(bits) // 8)
    plain = _number(structure, fields, COMPRESSION) == _PLAIN
    offsets, lengths = (
        [*map(int, structure.numbers(fields[tag], count))] if tag in fields else [] for tag in listed
    )
    lengths += [0] * (len(offsets) - len(lengths))
    places, whole, missing = [], len(structure.data), 0
    rows, row = -(-size[1] // down), -(-across * (1 if planes == 2 else samples) * int(bits) // 8)
    for number, (start, length) in enumerate(zip(offsets, lengths, strict=False)):
        if start == length == 0 and not plain:
            places.append((0, 0))  # a tile that was never written
            continue
        # LZW, the worst of the packings, may take one and a half times the bytes of the pixels
        most = longest if plain else min(length or whole, 2 * longest + 4096)
        if start >= whole or (length and not plain and start + most > whole):
            raise Damaged("a strip goes past the end", ends_early=True)
        if plain and not beyond:
            left = min(down, size[1] - number % rows * down) if tags == strips else down
            missing = max(missing, start + row * left - whole)
        places.append((start, min(start + most, whole)))
    if missing > MOST_MISSING * min(whole, longest * count):  # what is claimed may be any number
        raise Damaged("rows are missing", ends_early=True)
    return _Pieces(*tags, places, missing)


def _rewritten(structure: Structure, fields: dict[int, Entry], size: tuple[int, int], pieces: _Pieces) -> bytes:
    """Return a file of the picture alone, with zeros for what is missing.

    Damaged: its strips have far more bytes than its pixels.
    """
    gathered = Gathered(place for place in pieces.places if place[1])
    check_length(gathered.length, size)
    unused = _OF_TILES if pieces.offsets_tag == STRIPS else _OF_STRIPS
    values = {
        tag: (entry.kind, entry.count, structure.raw(entry))
        for tag, entry in fields.items()
        if tag in _KEPT - unused
    }
    count, order = len(pieces.places), structure.order
    lengths = struct.pack(f"{order}{count}L", *(end - start for start, end in pieces.places))
    values |= dict.fromkeys((pieces.offsets_tag, pieces.lengths_tag), (LONG, count, lengths))
    behind = 8 + 2 + 12 * len(values) + 4  # what is longer than four bytes, then the pixels
    pixels = behind + sum(len(value) for _, _, value in values.values() if len(value) > 4)
    moved = (pixels + gathered.at(start) if end else 0 for start, end in pieces.places)
    values[pieces.offsets_tag] = (LONG, count, struct.pack(f"{order}{count}L", *moved))
    head, long = structure.data[:4] + struct.pack(order + "LH", 8, len(values)), b""
    for tag, (kind, number, value) in sorted(values.items()):
        head += struct.pack(order + "HHL", tag, kind, number)
        if len(value) > 4:
            head += struct.pack(order + "L", behind + len(long))
            long += value
        else:
            head += value.ljust(4, b"\0")
    return b"".join([head, bytes(4), long, *gathered.parts(structure.data), bytes(pieces.missing)])
