"""Count the pixels that a codec would decode for the one picture that an AVIF or HEIF shows.

What the file says of its picture's size does not bound that. A HEIF may be laid over or tiled from others
(ISO/IEC 23008-12, 6.6.2), each of which is decoded as often as it is named. An AVIF's coded picture may be
larger than the size that the file declares for it: libavif decodes it all, then scales it down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from imgcore.imaging.formats.base import Damaged

DERIVED = frozenset({b"grid", b"iovl", b"iden", b"tmap"})
_MAX_DEPTH = 8

MAX_LAYERS = 4  # frames of one item: AVIF and HEIF have up to four layers (AVIF 1.1.0, 2.3.2.3)
_NOT_SLICES = 32  # HEVC's types of units from here on hold no pixels


def of_derived(
    items: Sequence[int],
    kinds: Mapping[int, bytes],
    made_of: Mapping[int, Sequence[int]],
    area: Callable[[int], int],
) -> int:
    """Return the pixels of all coded items that ``items`` are made of, each as often as it is used."""
    known: dict[int, int] = {}

    def effort(item: int, depth: int) -> int:
        if depth > _MAX_DEPTH:
            raise Damaged("a picture made of itself")
        if item not in known:
            derived = kinds.get(item) in DERIVED
            known[item] = (
                sum(effort(part, depth + 1) for part in made_of.get(item, ())) if derived else area(item)
            )
        return known[item]

    return sum(effort(item, 0) for item in items)


def coded_items(
    items: Sequence[int], kinds: Mapping[int, bytes], made_of: Mapping[int, Sequence[int]]
) -> set[int]:
    """Return the items that are decoded for ``items``: these, or what they are made of."""
    coded: set[int] = set()
    seen: set[int] = set()
    waiting = list(items)
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        if kinds.get(item) in DERIVED:
            waiting += made_of.get(item, ())
        else:
            coded.add(item)
    return coded


def check_pictures(units: bytes) -> None:
    """Raise Damaged if an HEVC item's units (ISO/IEC 14496-15, 8.3) hold more pictures than layers."""
    pictures, at = 0, 0
    while at + 7 <= len(units):
        slice_data = units[at + 4] >> 1 & 63 < _NOT_SLICES
        pictures += slice_data and units[at + 6] >> 7  # first_slice_segment_in_pic_flag (H.265, 7.3.6.1)
        if pictures > MAX_LAYERS:
            raise Damaged("more pictures than a picture has layers")
        at += 4 + int.from_bytes(units[at : at + 4])
