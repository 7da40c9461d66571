"""Directories of TIFF structures (TIFF 6.0, section 2), as EXIF blocks and camera raw files have them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAX_ENTRIES = 512  # of one directory; cameras write some sixty
_ORDERS = {b"II": "<", b"MM": ">"}
_BYTE, _ASCII, _SHORT, LONG, RATIONAL, _SIGNED_RATIONAL, _UTF8 = 1, 2, 3, 4, 5, 10, 129
_DIRECTORY = 13
WHOLE = frozenset({_BYTE, _SHORT, LONG, _DIRECTORY})  # types of whole numbers, without a sign
_LAYOUTS = {_BYTE: "B", _SHORT: "H", LONG: "L", RATIONAL: "LL", _SIGNED_RATIONAL: "ll", _DIRECTORY: "L"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a directory."""

    tag: int
    kind: int  # type of the value
    count: int  # of values
    at: int  # where the first value lies in the structure


def _size(kind: int, count: int) -> int:
    return struct.calcsize("<" + _LAYOUTS.get(kind, "B")) * count


class Structure:
    """A TIFF structure; all offsets count from its start. struct.error where they lead out of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        order = _ORDERS.get(data[:2])
        if order is None:
            raise struct.error("no byte order")
        self.order = order

    @property
    def first(self) -> int:
        """The offset of the first directory."""
        return int(self._unpack("L", 4)[0])

    def entries(self, start: int) -> Iterator[Entry]:
        """Yield the entries of a directory."""
        (count,) = self._unpack("H", start)
        for index in range(min(count, MAX_ENTRIES)):
            at = start + 2 + 12 * index
            tag, kind, length = self._unpack("HHL", at)
            inside = _size(kind, length) <= 4
            yield Entry(tag, kind, length, at + 8 if inside else self._unpack("L", at + 8)[0])

    def following(self, start: int) -> int:
        """Return the offset of the directory behind the one at ``start``; 0 behind the last one."""
        (count,) = self._unpack("H", start)
        return int(self._unpack("L", start + 2 + 12 * count)[0])

    def text(self, entry: Entry, limit: int) -> bytes:
        """Return the text of an entry up to its NUL; nothing where it is none."""
        if entry.kind not in (_ASCII, _UTF8):
            return b""
        return self.data[entry.at : entry.at + min(entry.count, limit)].partition(b"\0")[0]

    def content(self, entry: Entry, limit: int) -> bytes:
        """Return the bytes of an entry; nothing where they are more than ``limit``."""
        return self.data[entry.at : entry.at + entry.count] if entry.count <= limit else b""

    def raw(self, entry: Entry) -> bytes:
        """Return the bytes of all values of an entry, which is as long as its type and count say.

        struct.error where they lead out of the structure.
        """
        end = entry.at + _size(entry.kind, entry.count)
        if end > len(self.data):
            raise struct.error("a value goes past the end")
        return self.data[entry.at : end]

    def numbers(self, entry: Entry, most: int = 8) -> list[float]:
        """Return the numbers of an entry, at most ``most``; nothing where it has none."""
        layout = _LAYOUTS.get(entry.kind)
        if layout is None:
            return []
        values = self._unpack(layout[0] * (len(layout) * min(entry.count, most)), entry.at)
        if len(layout) == 1:
            return list(values)
        return [above / below for above, below in zip(values[::2], values[1::2], strict=True) if below]

    def whole(self, entry: Entry) -> int | None:
        """Return the only whole number of an entry."""
        whole = entry.count == 1 and entry.kind in WHOLE
        return int(self.numbers(entry)[0]) if whole else None

    def _unpack(self, layout: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + layout, self.data, at)
