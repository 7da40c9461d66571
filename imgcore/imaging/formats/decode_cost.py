"""Count the pixels that a codec would decode for the one picture that an AVIF or HEIF shows.

What the file says of its picture's size does not bound that. A HEIF may be laid over or tiled from others
(ISO/IEC 23008-12, 6.6.2), each of which is decoded as often as it is named. An AVIF's coded picture may be
larger than the size that the file declares for it: libavif decodes it all, then scales it down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from imgcore.imaging.formats.base import Damaged

DERIVED = frozenset({b"grid", b"iovl", b"iden", b"tmap"})
_MAX_DEPTH = 8

MAX_LAYERS = 4  # frames of one item: AVIF and HEIF have up to four layers (AVIF 1.1.0, 2.3.2.3)
MAX_DECODED = 1536  # coded HEVC items, each as often as it is decoded: each costs a millisecond, however small
MAX_ALL_UNITS = 65_536  # of all items; each has two to five, or one for each slice
MAX_CONFIGURATIONS = 1 << 19  # bytes of parameter sets, each as often as its item is decoded
_NOT_SLICES = 32  # HEVC's types of units from here on hold no pixels


def made_of(
    references: Iterable[tuple[bytes, int, list[int]]], kinds: Mapping[int, bytes]
) -> dict[int, list[int]]:
    """Return the items that each derived item is made of.

    Damaged: a derived item has two lists of them. libheif reads the first one, other readers the last one.
    """
    found: dict[int, list[int]] = {}
    for kind, item, others in references:
        if kind == b"dimg" and kinds.get(item) in DERIVED:
            if item in found:
                raise Damaged("a picture with two lists of what it is made of")
            found[item] = others
    return found


def with_auxiliary(
    parts: Mapping[int, list[int]], references: Iterable[tuple[bytes, int, list[int]]]
) -> dict[int, list[int]]:
    """Return ``parts`` and the auxiliary pictures of each item, such as its alpha.

    libheif and libavif decode the alpha of a tile each time that they decode the tile.
    """
    both = {item: [*others] for item, others in parts.items()}
    for kind, item, others in references:
        if kind == b"auxl":
            for other in others:
                both.setdefault(other, []).append(item)
    return both


def of_derived(
    primary: int,
    kinds: Mapping[int, bytes],
    parts: Mapping[int, Sequence[int]],
    area: Callable[[int], int],
) -> int:
    """Return the pixels of all coded items that are decoded for ``primary``, each as often as it is used."""
    known: dict[int, int] = {}

    def effort(item: int, depth: int) -> int:
        if depth > _MAX_DEPTH:
            raise Damaged("a picture made of itself")
        if item not in known:
            own = 0 if kinds.get(item) in DERIVED else area(item)
            known[item] = own + sum(effort(part, depth + 1) for part in parts.get(item, ()))
        return known[item]

    return effort(primary, 0)


def coded_items(primary: int, kinds: Mapping[int, bytes], parts: Mapping[int, Sequence[int]]) -> set[int]:
    """Return the coded items that are decoded for ``primary``: itself or its parts, and theirs."""
    seen: set[int] = set()
    waiting = [primary]
    while waiting:
        item = waiting.pop()
        if item not in seen:
            seen.add(item)
            waiting += parts.get(item, ())
    return {item for item in seen if kinds.get(item) not in DERIVED}


def check_pictures(items: Iterable[bytes]) -> list[int]:
    """Return the number of units of each HEVC item (ISO/IEC 14496-15, 8.3).

    Damaged: an item holds more pictures than layers, a unit without content, or more units than encoders write
    for all items.
    """
    left, counts = MAX_ALL_UNITS, list[int]()
    for units in items:
        pictures, at = 0, 0
        before = left
        while at + 7 <= len(units):
            length = int.from_bytes(units[at : at + 4])
            left -= 1
            if not length or left < 0:
                raise Damaged("more units than any encoder writes" if length else "a unit without content")
            slice_data = units[at + 4] >> 1 & 63 < _NOT_SLICES
            pictures += slice_data and units[at + 6] >> 7  # first_slice_segment_in_pic_flag (H.265, 7.3.6.1)
            if pictures > MAX_LAYERS:
                raise Damaged("more pictures than a picture has layers")
            at += 4 + length
        counts.append(before - left)
    return counts
