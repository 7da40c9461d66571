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

_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6
MAX_LAYERS = 4  # frames of one item: AVIF and HEIF have up to four layers (AVIF 1.1.0, 2.3.2.3)
_NOT_SLICES = 32  # HEVC's types of units from here on hold no pixels
_MAX_UNITS = 4096  # of one item
_MAX_ALL_UNITS = 65_536  # of all items; each has two to five


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


class Av1Reader:
    """Reads the sequence headers of open bitstream units, of as many items as an encoder writes."""

    def __init__(self) -> None:
        self.left = _MAX_ALL_UNITS

    def largest_frame(self, units: bytes) -> int:
        """Return the pixels of the largest frame that the sequence headers allow. Damaged: too many frames."""
        largest, frames, at = 0, 0, 0
        for _ in range(min(_MAX_UNITS, self.left)):
            if at >= len(units):
                return largest
            self.left -= 1
            head, at = units[at], at + (2 if units[at] & 4 else 1)
            length = len(units) - at
            if head & 2:
                length, at = _leb128(units, at)
            kind = head >> 3 & 15
            frames += kind in (_FRAME_HEADER, _FRAME)
            if frames > MAX_LAYERS:
                raise Damaged("more frames than a picture has layers")
            if kind == _SEQUENCE_HEADER:
                largest = max(largest, _largest_frame(_Bits(units[at : at + min(length, 64)])))
            at += length
        raise Damaged("more units than any encoder writes")


def check_pictures(units: bytes) -> None:
    """Raise Damaged if an HEVC item's units (ISO/IEC 14496-15, 8.3) hold more pictures than layers."""
    pictures, at = 0, 0
    while at + 7 <= len(units):
        slice_data = units[at + 4] >> 1 & 63 < _NOT_SLICES
        pictures += slice_data and units[at + 6] >> 7  # first_slice_segment_in_pic_flag (H.265, 7.3.6.1)
        if pictures > MAX_LAYERS:
            raise Damaged("more pictures than a picture has layers")
        at += 4 + int.from_bytes(units[at : at + 4])


class _Bits:
    """Reads numbers of so many bits, the highest first; zeros after the end."""

    def __init__(self, data: bytes) -> None:
        self.value = int.from_bytes(data) << 512
        self.left = 8 * len(data) + 512

    def read(self, count: int) -> int:
        self.left -= count
        if self.left < 0:
            raise Damaged("a sequence header goes past its end")
        return self.value >> self.left & (1 << count) - 1


def _largest_frame(bits: _Bits) -> int:
    """Return width × height of an AV1 sequence header (AV1 specification, 5.5.1)."""
    bits.read(4)  # profile, still picture
    if bits.read(1):  # the short header of still pictures
        bits.read(5)
    else:
        if bits.read(1):
            raise Damaged("a still picture that states its frame rate")
        delays = bits.read(1)
        for _ in range(bits.read(5) + 1):
            bits.read(12)
            if bits.read(5) > 7:
                bits.read(1)
            if delays and bits.read(1):
                bits.read(4)
    wide, high = bits.read(4) + 1, bits.read(4) + 1
    return (bits.read(wide) + 1) * (bits.read(high) + 1)


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Return a number stored in groups of seven bits, the lowest first, and where it ends."""
    value = 0
    for index, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    raise Damaged("a length that does not end", ends_early=True)
