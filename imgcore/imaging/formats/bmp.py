"""BMP: a header, a palette and rows, as Windows writes them (BITMAPCOREHEADER and its successors)."""

from __future__ import annotations

import struct

from imgcore.imaging.formats.base import MOST_MISSING, Carved, Damaged, Unsupported

_FILE_HEADER = 14  # bytes
_CORE = 12  # bytes: the header of OS/2 and of Windows 2
_HEADERS = frozenset({40, 52, 56, 64, 108, 124})  # lengths of those that have the same first fields
_COLOURS = 46  # where the number of colours in the palette is; writers claim more than a pixel can name
_PLAIN, _RUNS, _BIT_FIELDS = 0, {1: 8, 2: 4}, 3  # compression; run lengths with the bits of a pixel
_MOST_RUNS = 1 << 20  # bytes; Pillow unpacks them in Python, two at a time: half a second


def carve(data: bytes) -> Carved:
    """Return the file, which has no metadata that a codec reads, with blank rows for those that are missing."""
    if len(data) < _FILE_HEADER + _CORE:
        raise Damaged("no header", ends_early=True)
    start, header = struct.unpack_from("<LL", data, 10)
    compression = _PLAIN
    if header == _CORE:
        width, height, planes, bits = struct.unpack_from("<HHHH", data, 18)
    elif header in _HEADERS and len(data) >= _FILE_HEADER + 40:
        width, height, planes, bits, compression = struct.unpack_from("<llHHL", data, 18)
        if bits <= 8 and int.from_bytes(data[_COLOURS : _COLOURS + 4], "little") > 1 << bits:
            data = data[:_COLOURS] + (1 << bits).to_bytes(4, "little") + data[_COLOURS + 4 :]
    else:
        raise Damaged("no header")
    if planes != 1 or bits not in (1, 4, 8, 16, 24, 32):
        raise Damaged("no header")
    if _RUNS.get(compression) == bits and len(data) <= _MOST_RUNS:
        return Carved(format="BMP", picture=data, size=(width, abs(height)))
    if compression not in (_PLAIN, _BIT_FIELDS):
        raise Unsupported("packed in another way")
    rows = -(-width * bits // 32) * 4 * abs(height)
    missing = max(0, start + rows - len(data))
    if missing > rows * MOST_MISSING:
        raise Damaged("rows are missing", ends_early=True)
    return Carved(
        format="BMP", picture=data + bytes(missing), size=(width, abs(height)), incomplete=missing > 0
    )
