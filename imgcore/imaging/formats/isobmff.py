"""Boxes of the ISO base media format, and their content in an item-based file (HEIF, AVIF)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from imgcore.imaging.formats.base import Damaged

MAX_BOXES = 16_384
MAX_ITEMS = 4096  # each usually stored in one piece
_MAX_LINKS = 16 * MAX_ITEMS  # references between items; properties of items

_LONGEST_NAMES = 4096  # bytes of an item's name and content type

Places = dict[bytes, tuple[int, int]]  # of boxes: name → start and end of the content
NOWHERE = (0, 0)

# Boxes of which a second one would leave open which of the two a codec heeds
_UNIQUE = frozenset({b"meta", b"moov", b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"ipco", b"ipma", b"idat"})


@dataclass(frozen=True, slots=True)
class Item:
    number: int
    kind: bytes
    kind_at: int  # where in the file the kind is written
    content_type: bytes  # of kind "mime"


class Field(NamedTuple):
    """Place in the file of a number, and its bytes."""

    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Extent:
    item: int
    method: int  # 0: the offset counts in the file, 1: in the box "idat"
    offset: int
    length: int
    base: Field  # where in the file the numbers are written whose sum is the offset
    own: Field
    length_field: Field

    def moved(self, offset: int) -> dict[int, bytes]:
        """Return what to write, by its place in the file, so that the offset is another one.

        Damaged: the file has no place for it.
        """
        if not (self.own.size or self.base.size):
            raise Damaged("a piece without a place")
        there, others = (self.own, self.base) if self.own.size else (self.base, self.own)
        return {there.at: offset.to_bytes(there.size)} | (
            {others.at: bytes(others.size)} if others.size else {}
        )

    def shortened(self) -> dict[int, bytes]:
        """Return what to write, by its place in the file, so that the length is 1."""
        field = self.length_field
        return {field.at: (1).to_bytes(field.size)} if field.size else {}

    @property
    def place(self) -> tuple[int, int, int]:
        """The bytes that it consists of: equal for pieces of different items that share them."""
        return self.method, self.offset, self.length


def top_level(data: bytes) -> tuple[Places, int]:
    """Return the file's boxes, and where the last one ends.

    Cameras leave text, makers' trailers and films behind the last box, and transfers cut the end off: the first
    bytes that are no box, and a second file, end the first one. Media data that are cut off count up to the
    end; whether the picture lies within them is for the caller to see. Damaged: a box recurs.
    """
    places: Places = {}
    position = 0
    for _ in range(MAX_BOXES):
        if position + 8 > len(data):
            return places, position
        name, head, length = _head(data, position, len(data))
        if length < head or (name == b"ftyp" and position):
            return places, position
        if position + length > len(data):
            if name != b"mdat":
                return places, position
            places[name] = (position + head, len(data))
            return places, len(data)
        _add(places, name, position + head, position + length)
        position += length
    raise Damaged("more boxes than any encoder writes")


def holds_pictures(data: bytes, position: int) -> bool:
    """Return whether a box of items behind ``position`` has the handler of pictures (ISO/IEC 23008-12, 6.2)."""
    for _ in range(16):
        if position + 8 > len(data):
            return False
        name, head, length = _head(data, position, len(data))
        if name == b"meta":
            return data[position + head + 4 : position + head + 64].find(b"pict") >= 0
        if length < head:
            return False
        position += length
    return False


def children(data: bytes, start: int, end: int) -> Places:
    """Return where each kind of box between ``start`` and ``end`` has its content. Damaged: one recurs."""
    places: Places = {}
    for name, at, to in boxes(data, start, end):
        _add(places, name, at, to)
    return places


def _add(places: Places, name: bytes, start: int, end: int) -> None:
    if name in places and name in _UNIQUE:
        raise Damaged("a box that may be there once is there twice")
    places[name] = (start, end)


def _head(data: bytes, position: int, end: int) -> tuple[bytes, int, int]:
    """Return the name of a box, the bytes of its head, and its length; a stored 0 means up to the end."""
    length, name = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
    if length == 1:
        return name, 16, int.from_bytes(data[position + 8 : position + 16])
    return name, 8, length or end - position


def boxes(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and end of the content of each box between ``position`` and ``end``."""
    for _ in range(MAX_BOXES):
        if position + 8 > end:
            return
        name, head, length = _head(data, position, end)
        if length < head:
            raise Damaged("a box shorter than its head")
        if position + length > end:
            raise Damaged("a box goes past the end", ends_early=True)
        yield name, position + head, position + length
        position += length
    raise Damaged("more boxes than any encoder writes")


def items(data: bytes, start: int, end: int) -> Iterator[Item]:
    """Yield the entries of the item information box; older ones without a kind are left out.

    Damaged: two entries have the same number, of which codecs read different ones.
    """
    if end - start < 6:
        return
    numbers: set[int] = set()
    at = start + (6 if data[start] == 0 else 8)
    for count, (name, body, to) in enumerate(boxes(data, at, end)):
        if count >= MAX_ITEMS:
            raise Damaged("more items than any encoder writes")
        if name != b"infe" or data[body] < 2:
            continue
        wide = 2 if data[body] == 2 else 4
        kind_at = body + 4 + wide + 2
        number = int.from_bytes(data[body + 4 : body + 4 + wide])
        if number in numbers:
            raise Damaged("two items of the same number")
        numbers.add(number)
        kind = data[kind_at : kind_at + 4]
        texts = (
            data[kind_at + 4 : min(to, kind_at + _LONGEST_NAMES)].split(b"\0", 2) if kind == b"mime" else []
        )  # name and content type
        yield Item(number, kind, kind_at, texts[1] if len(texts) > 1 else b"")


def extents(data: bytes, start: int, end: int) -> Iterator[Extent]:
    """Yield the pieces of the items, in the order of the item location box."""
    if end - start < 8:
        return
    version, sizes = data[start], data[start + 4 : start + 6]
    offset_size, length_size, base_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_size = sizes[1] & 15 if version else 0
    wide = 2 if version < 2 else 4
    at = start + 6

    def number(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at])

    left = 2 * MAX_ITEMS
    for _ in range(number(wide)):
        left -= 1
        if left < 0 or at > end:
            raise Damaged("more pieces than any encoder writes")
        item = number(wide)
        method = number(2) & 15 if version else 0
        number(2)  # which data file: always this one
        base, base_field = number(base_size), Field(at - base_size, base_size)
        count = number(2)
        for _ in range(count):
            left -= 1
            if left < 0 or at > end:
                raise Damaged("more pieces than any encoder writes")
            number(index_size)
            offset, own = base + number(offset_size), Field(at - offset_size, offset_size)
            length = number(length_size)
            yield Extent(item, method, offset, length, base_field, own, Field(at - length_size, length_size))


def references(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, list[int]]]:
    """Yield the kind ("dimg": made of), the item that refers, and the items that it refers to, by number."""
    wide = 4 if end > start and data[start] else 2
    left = _MAX_LINKS
    for kind, at, to in boxes(data, start + 4, end):
        first = at + wide + 2
        count = int.from_bytes(data[first - 2 : first])
        left -= count
        if left < 0:
            raise Damaged("more references than any encoder writes")
        spots = range(first, min(to - wide + 1, first + count * wide), wide)
        yield kind, int.from_bytes(data[at : at + wide]), [int.from_bytes(data[n : n + wide]) for n in spots]


def thumbnail_kinds(data: bytes, start: int, end: int, item: int) -> Iterator[int]:
    """Yield where the kind of each reference is written that makes ``item`` a thumbnail of another one."""
    wide = 4 if end > start and data[start] else 2
    for kind, at, _ in boxes(data, start + 4, end):
        if kind == b"thmb" and int.from_bytes(data[at : at + wide]) == item:
            yield at - 4  # no reference is so long that its box has a head of 16 bytes


def sizes(data: bytes, start: int, end: int) -> dict[int, int]:
    """Return the pixels of each property that declares any, by the property's index (from 1)."""
    numbered = enumerate(boxes(data, start, end), start=1)
    return {
        index: int.from_bytes(data[at + 4 : at + 8]) * int.from_bytes(data[at + 8 : at + 12])
        for index, (name, at, _) in numbered
        if name == b"ispe"
    }


def properties(data: bytes, start: int, end: int) -> dict[int, tuple[bytes, int, int]]:
    """Return the name and the start and end of the content of each property, by its index (from 1).

    Colour information ("colr") has the name of its kind: an item may have both code points and a profile.
    """
    numbered = enumerate(boxes(data, start, end), start=1)
    return {
        index: (data[at : at + 4] if name == b"colr" else name, at, to) for index, (name, at, to) in numbered
    }


def associations(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the item and the property's index for each property of each item."""
    if end - start < 8:
        return
    wide, long = (4 if data[start] else 2), data[start + 3] & 1
    at, left = start + 8, _MAX_LINKS
    while at + wide < end:
        item, count = int.from_bytes(data[at : at + wide]), data[at + wide]
        left -= 1 + count
        if left < 0:
            raise Damaged("more properties than any encoder writes")
        at += wide + 1
        for _ in range(count):
            index = int.from_bytes(data[at : at + 1 + long])
            yield item, index & (0x7FFF if long else 0x7F)
            at += 1 + long
