"""The index of a JPEG's further pictures: Multi-Picture Format, CIPA DC-007. Pure."""

from __future__ import annotations

import struct
from collections.abc import Callable

from imgcore.imaging.formats.ifd import Structure

NAME = b"MPF\0"
_HEADER = 8  # bytes of the segment before the index: marker, length, name
_ENTRIES, _ENTRY = 0xB002, 16  # the tag, and bytes of each entry: attributes, size, offset, two dependents


def moved(segment: bytes, start: int, move: Callable[[int], int]) -> bytes:
    """Return an MPF segment with the sizes and offsets that its pictures have in a changed file.

    start: of the segment in the file. move: returns where a place of the file is in the changed one.
    struct.error where the index cannot be read.
    """
    index, base, out = Structure(segment[_HEADER:]), start + _HEADER, bytearray(segment)
    entries = {entry.tag: entry for entry in index.entries(index.first)}.get(_ENTRIES)
    if entries is None:
        return segment
    for at in range(entries.at, entries.at + entries.count // _ENTRY * _ENTRY, _ENTRY):
        size, offset = struct.unpack_from(index.order + "4xLL", index.data, at)
        picture = base + offset if offset else 0  # 0 says that it begins with the file
        new_size = move(picture + size) - move(picture)
        new_offset = move(picture) - move(base) if offset else 0
        struct.pack_into(index.order + "LL", out, _HEADER + at + 4, new_size, new_offset)
    return bytes(out)
