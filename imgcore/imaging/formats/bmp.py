"""BMP: a header, a palette and rows, as Windows writes them (BITMAPINFOHEADER and its successors)."""

from __future__ import annotations

import struct

from imgcore.imaging.formats.base import Carved, Damaged, Unsupported

_FILE_HEADER = 14  # bytes
_HEADERS = frozenset({40, 52, 56, 64, 108, 124})  # lengths of those that have the same first fields
_PLAIN, _BIT_FIELDS = 0, 3  # compression; run lengths would be unpacked by Pillow's Python code, slowly


def carve(data: bytes) -> Carved:
    """Return the file as it is: it has no metadata that a codec reads."""
    if len(data) < _FILE_HEADER + 40:
        raise Damaged("no header", ends_early=True)
    start, header, width, height, planes, bits, compression = struct.unpack_from("<LLllHHL", data, 10)
    if header not in _HEADERS or planes != 1 or bits not in (1, 4, 8, 16, 24, 32):
        raise Damaged("no header")
    if compression not in (_PLAIN, _BIT_FIELDS):
        raise Unsupported("packed in another way")
    row = -(-width * bits // 32) * 4
    if start + row * abs(height) > len(data):
        raise Damaged("rows are missing", ends_early=True)
    return Carved(format="BMP", picture=data, size=(width, abs(height)))
