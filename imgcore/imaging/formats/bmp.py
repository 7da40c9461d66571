"""BMP: a header, a palette and rows, as Windows writes them (BITMAPCOREHEADER and its successors)."""

from __future__ import annotations

import struct

from imgcore.imaging.formats.base import MOST_MISSING, Carved, Damaged, Unsupported

_FILE_HEADER = 14  # bytes
_CORE = 12  # bytes: the header of OS/2 and of Windows 2
_HEADERS = frozenset({40, 52, 56, 64, 108, 124})  # lengths of those that have the same first fields
_COLOURS = 46  # where the number of colours in the palette is; writers claim more than a pixel can name
_LONGEST_HEAD = _FILE_HEADER + 124 + 4 * 256  # bytes: both headers and a palette, or fewer with masks
_PLAIN, _RUNS, _BIT_FIELDS = 0, {1: 8, 2: 4}, 3  # compression; run lengths with the bits of a pixel
_MOST_RUNS = 1 << 20  # bytes; Pillow unpacks them in Python, two at a time: half a second


def carve(data: bytes) -> Carved:
    """Return the file, which has no metadata that a codec reads, with blank rows for those that are missing.

    Where that or the number of colours changes, it is a new file of what the codec needs.
    """
    if len(data) < _FILE_HEADER + _CORE:
        raise Damaged("no header", ends_early=True)
    start, header = struct.unpack_from("<LL", data, 10)
    compression, too_many = _PLAIN, False
    if header == _CORE:
        width, height, planes, bits = struct.unpack_from("<HHHH", data, 18)
    elif header in _HEADERS and len(data) >= _FILE_HEADER + 40:
        width, height, planes, bits, compression = struct.unpack_from("<llHHL", data, 18)
        too_many = bits <= 8 and int.from_bytes(data[_COLOURS : _COLOURS + 4], "little") > 1 << bits
    else:
        raise Damaged("no header")
    if planes != 1 or bits not in (1, 4, 8, 16, 24, 32):
        raise Damaged("no header")
    if _RUNS.get(compression) == bits and len(data) <= _MOST_RUNS:
        picture = _with_colours(data, bits) if too_many else data
        return Carved(format="BMP", picture=picture, size=(width, abs(height)))
    if compression not in (_PLAIN, _BIT_FIELDS):
        raise Unsupported("packed in another way")
    rows = -(-width * bits // 32) * 4 * abs(height)
    missing = max(0, start + rows - len(data))
    if missing > rows * MOST_MISSING:
        raise Damaged("rows are missing", ends_early=True)
    picture = data
    if missing or too_many:
        head = data[: min(start, _LONGEST_HEAD)]
        head = _with_colours(head, bits) if too_many else head
        head = head[:10] + len(head).to_bytes(4, "little") + head[14:]
        picture = b"".join([head, memoryview(data)[start : start + rows], bytes(missing)])
    return Carved(format="BMP", picture=picture, size=(width, abs(height)), incomplete=missing > 0)


def _with_colours(data: bytes, bits: int) -> bytes:
    """Return the file with as many colours in its header as a pixel of so many bits can name."""
    return data[:_COLOURS] + (1 << bits).to_bytes(4, "little") + data[_COLOURS + 4 :]
