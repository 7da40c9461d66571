"""AVIF and HEIF: boxes of the ISO base media format (ISO/IEC 14496-12) with items (23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imgcore.containers.parts import MAX_METADATA, Carved, Damaged, tiff

_AVIF = frozenset({b"avif", b"avis"})
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF = frozenset({b"mif1", b"msf1"})
MAX_ITEMS = 4096
MAX_BOXES = 16_384


@dataclass(frozen=True, slots=True)
class _Item:
    number: int
    kind: bytes
    kind_at: int  # where in the file the kind is written


def media_type(data: bytes) -> str | None:
    """By the brands that the file itself names; AVIF may call itself by HEIF's general name first."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4]), len(data), 512)
    major = data[8:12]
    brands = {data[at : at + 4] for at in (8, *range(16, end - 3, 4))}
    if major in _AVIF or (major in _HEIF and brands & _AVIF):
        return "image/avif"
    if major in _HEIC or (major in _HEIF and brands & _HEIC):
        return "image/heic"
    return "image/heif" if major in _HEIF else None


def carve(data: bytes) -> Carved:
    """The same file with its metadata marked as free space: nothing can be cut out without moving the rest."""
    kind = media_type(data)
    boxes = {name: (start, end) for name, start, end in _boxes(data, 0, len(data))}
    if b"meta" not in boxes:
        raise Damaged("no items", ends_early=True)
    start, end = boxes[b"meta"]
    inner = {name: (at, to) for name, at, to in _boxes(data, start + 4, end)}
    items = list(_items(data, *inner.get(b"iinf", (0, 0))))
    if any(item.kind == b"iovl" for item in items):
        raise Damaged("a picture laid over others, each of which is to be decoded")
    hidden = [item for item in items if item.kind in (b"Exif", b"mime")]
    places = dict(_places(data, *inner.get(b"iloc", (0, 0)))) if hidden else {}
    texts = {
        item.kind: _content(data, places.get(item.number), inner.get(b"idat")) for item in reversed(hidden)
    }
    exif = texts.get(b"Exif", b"")
    return Carved(
        format="AVIF" if kind == "image/avif" else "HEIF",
        picture=_without(data, hidden),
        animated=kind == "image/avif" and data[8:12] == b"avis",
        exif=tiff(exif[4 + int.from_bytes(exif[:4]) :]),
        xmp=texts.get(b"mime", b""),
    )


def _boxes(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each box between ``position`` and ``end``."""
    for _ in range(MAX_BOXES):
        if position + 8 > end:
            return
        length, name, head = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[position + 8 : position + 16]), 16
        elif length == 0:
            length = end - position
        if length < head:
            raise Damaged("a box shorter than its head")
        if position + length > end:
            raise Damaged("a box goes past the end", ends_early=True)
        yield name, position + head, position + length
        position += length
    raise Damaged("more boxes than any encoder writes")


def _items(data: bytes, start: int, end: int) -> Iterator[_Item]:
    """The entries of the item information box; older ones without a kind are left out."""
    if end - start < 6:
        return
    at = start + (6 if data[start] == 0 else 8)
    for count, (name, body, _) in enumerate(_boxes(data, at, end)):
        if count >= MAX_ITEMS:
            raise Damaged("more items than any encoder writes")
        if name != b"infe" or data[body] < 2:
            continue
        wide = 2 if data[body] == 2 else 4
        kind_at = body + 4 + wide + 2
        yield _Item(int.from_bytes(data[body + 4 : body + 4 + wide]), data[kind_at : kind_at + 4], kind_at)


def _places(data: bytes, start: int, end: int) -> Iterator[tuple[int, tuple[int, int, int]]]:
    """Of each item in one piece: its number, how its place is meant (0: file, 1: idat), offset and length."""
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

    for _ in range(min(number(wide), MAX_ITEMS)):
        item = number(wide)
        method = number(2) & 15 if version else 0
        number(2)  # which data file: always this one
        base, extents = number(base_size), number(2)
        first = at
        number(index_size)
        offset, length = number(offset_size), number(length_size)
        at = first + extents * (index_size + offset_size + length_size)
        if extents == 1:
            yield item, (method, base + offset, length)


def _content(data: bytes, place: tuple[int, int, int] | None, idat: tuple[int, int] | None) -> bytes:
    if place is None:
        return b""
    method, offset, length = place
    offset += idat[0] if method == 1 and idat else 0
    return data[offset : offset + length] if length <= MAX_METADATA else b""


def _without(data: bytes, items: list[_Item]) -> bytes:
    """``data`` with another kind written over that of ``items``, so that no codec looks into them."""
    if not items:
        return data
    view, position = memoryview(data), 0
    pieces: list[bytes | memoryview] = []
    for item in items:
        pieces += [view[position : item.kind_at], b"free"]
        position = item.kind_at + 4
    return b"".join([*pieces, view[position:]])
