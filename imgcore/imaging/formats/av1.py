"""AV1 as AVIF has it: open bitstream units (AV1 bitstream specification, 5.3) with a sequence header."""

from __future__ import annotations

from dataclasses import dataclass

from imgcore.imaging.formats.base import Damaged
from imgcore.imaging.formats.decode_cost import MAX_ALL_UNITS, MAX_LAYERS

_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6
_HEADER = 64  # bytes; what is read of a sequence header is within them
_MAX_UNITS = 4096  # of one item


@dataclass(frozen=True, slots=True)
class SequenceHeader:
    """What the pictures of an item have in common."""

    pixels: int  # of the largest frame
    primaries: int  # code points (ITU-T H.273); 2: not specified
    transfer: int


class Reader:
    """Reads the sequence headers of open bitstream units, of as many items as an encoder writes."""

    def __init__(self) -> None:
        self.left = MAX_ALL_UNITS

    def read(self, units: bytes) -> SequenceHeader:
        """Return the sequence header that allows the largest frame. Damaged: too many frames."""
        largest, frames, at = SequenceHeader(0, 2, 2), 0, 0
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
                found = _header(_Bits(units[at : at + min(length, _HEADER)]))
                largest = max(largest, found, key=lambda header: header.pixels)
            at += length
        raise Damaged("more units than any encoder writes")


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


def _header(bits: _Bits) -> SequenceHeader:
    """Return what a sequence header says (5.5.1), up to the code points of its colours (5.5.2)."""
    profile = bits.read(3)
    bits.read(1)
    still = bits.read(1)  # the short header of still pictures
    if still:
        bits.read(5)
    else:
        _skip_operating_points(bits)
    wide, high = bits.read(4) + 1, bits.read(4) + 1
    pixels = (bits.read(wide) + 1) * (bits.read(high) + 1)
    if not still and bits.read(1):
        bits.read(7)
    bits.read(3)
    if not still:
        _skip_tools(bits)
    bits.read(3)
    deep = bits.read(1)
    if profile == 2 and deep:
        bits.read(1)
    if profile != 1:
        bits.read(1)  # monochrome
    described = bits.read(1)
    return SequenceHeader(pixels, bits.read(8) if described else 2, bits.read(8) if described else 2)


def _skip_operating_points(bits: _Bits) -> None:
    if bits.read(1):
        raise Damaged("a still picture that states its frame rate")
    delays = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:
            bits.read(1)
        if delays and bits.read(1):
            bits.read(4)


def _skip_tools(bits: _Bits) -> None:
    """Skip the coding tools of a sequence with several frames."""
    bits.read(4)
    ordered = bits.read(1)
    if ordered:
        bits.read(2)
    screen = 2 if bits.read(1) else bits.read(1)
    if screen and not bits.read(1):
        bits.read(1)
    if ordered:
        bits.read(3)


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Return a number stored in groups of seven bits, the lowest first, and where it ends."""
    value = 0
    for index, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    raise Damaged("a length that does not end", ends_early=True)
