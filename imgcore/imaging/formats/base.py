"""Types and helpers that the readers of all containers share."""

from __future__ import annotations

import bisect
import itertools
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MAX_METADATA = 1 << 20  # bytes; EXIF, XMP or IPTC beyond that is left unread
MOST_MISSING = 0.05  # of the rows of a picture; it is shown with a note then
MAX_ICC = 4 << 20  # bytes; the largest press profiles have three million
_SMALL_PICTURE, _LONGEST_PIXEL = 8 << 20, 12  # bytes of a picture of any size, and of each of its pixels


class Damaged(Exception):
    """The file's structure is broken. ``ends_early``: it seems to be truncated."""

    def __init__(self, reason: str, *, ends_early: bool = False) -> None:
        super().__init__(reason)
        self.ends_early = ends_early


class Unsupported(Damaged):
    """The picture is packed in a way that is not handed to a codec."""


# Code points of ITU-T H.273 that name colours and a curve that browsers know
KNOWN_PRIMARIES = frozenset({1, 4, 5, 6, 7, 8, 9, 11, 12, 22})
KNOWN_TRANSFERS = frozenset({1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 16, 17, 18})
PQ, HLG = 16, 18  # the transfers of high dynamic range (ITU-R BT.2100)


@dataclass(frozen=True, slots=True)
class ColourCoding:
    """What a file says of its colours besides an ICC profile: code points (ITU-T H.273), or a PNG's numbers."""

    primaries: int = 2  # 2: not specified
    transfer: int = 2
    chromaticities: tuple[float, ...] = ()  # x and y of red, green, blue and white
    gamma: float = 0.0  # the exponent with which samples were encoded
    first: bool = False  # it wins over a profile
    peak: float = 0.0  # the brightest light of the picture in cd/m²; 0: not stated

    @property
    def known(self) -> bool:
        """Whether both code points are known."""
        return self.primaries in KNOWN_PRIMARIES and self.transfer in KNOWN_TRANSFERS


@dataclass(frozen=True, slots=True)
class Carved:
    """The parts of a file."""

    format: str  # of ``picture``: "JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "TIFF" or "BMP"
    picture: bytes  # a file of the same format without metadata: all that the codec gets to see
    size: tuple[int, int] | None = None  # width and height as stored; None where only the codec can tell
    crop: tuple[int, int] | None = None  # width and height, from the upper left, of what is shown of it
    frame: tuple[int, int, int, int] | None = (
        None  # what has pixels, where that is not all: the rest is transparent
    )
    file_format: str = ""  # of the whole file, where ``picture`` is of another one: "DNG", "CR2", …
    preview: bool = False  # ``picture`` is the JPEG inside a camera raw file
    animated: bool = False
    white_is_zero: bool = False  # levels of grey count down from white
    unended: bool = False  # the end mark is missing; ``picture`` has one, and its last rows may be missing too
    repaired: Callable[[], tuple[bytes, bool]] | None = (
        None  # returns what to decode instead where the pixels of
    )
    # ``picture`` break off, and whether rows are missing
    refining: bool = False  # all that the end of an unended one can lack is the last bit of some coefficients
    incomplete: bool = False  # rows are missing, at most MOST_MISSING of them; ``picture`` has blank ones
    exif: bytes = b""  # a TIFF structure, without the "Exif" that may stand before it
    iptc: bytes = b""  # Photoshop's image resources
    xmp: bytes = b""
    icc: bytes = b""  # empty also where the codec hands it out itself
    coding: ColourCoding | None = None


def join(data: bytes, slices: Sequence[tuple[int, int]]) -> bytes:
    """Return the slices (start, end) of ``data`` joined; ``data`` itself if that is all of it."""
    merged: list[tuple[int, int]] = []
    for start, end in slices:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    if merged == [(0, len(data))]:
        return data
    view = memoryview(data)
    return b"".join(view[start:end] for start, end in merged)


class Gathered:
    """The parts of a file that a picture needs, to be written one behind the other; some may overlap."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        """``places``: start and end of each part."""
        self._ranges: list[tuple[int, int]] = []
        for start, end in sorted(set(places)):
            if self._ranges and start <= self._ranges[-1][1]:
                self._ranges[-1] = (self._ranges[-1][0], max(end, self._ranges[-1][1]))
            else:
                self._ranges.append((start, end))
        self._starts = [start for start, _ in self._ranges]
        self._before = [0, *itertools.accumulate(end - start for start, end in self._ranges)]

    @property
    def length(self) -> int:
        """The bytes of all parts, each counted once."""
        return self._before[-1]

    def at(self, start: int) -> int:
        """Return where the part that begins at ``start`` lies among them."""
        index = bisect.bisect_right(self._starts, start) - 1
        return self._before[index] + start - self._starts[index]

    def parts(self, data: bytes) -> list[memoryview]:
        """Return the parts of ``data``, which are not copied."""
        view = memoryview(data)
        return [view[start:end] for start, end in self._ranges]


def check_length(length: int, size: tuple[int, int]) -> None:
    """Raise Damaged if the coded picture is far longer than the pixels of its size, each of 16 bits and alpha.

    Codecs skip what they do not need, but each of them copies it.
    """
    if length > _SMALL_PICTURE + _LONGEST_PIXEL * size[0] * size[1]:
        raise Damaged("far more bytes than pixels")


def inflate(data: bytes, limit: int) -> bytes:
    """Decompress ``data``; return nothing if it is broken or would exceed ``limit`` bytes."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, limit)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else plain


def bounded(data: bytes, limit: int = MAX_METADATA) -> bytes:
    """Return ``data``, or nothing if it is longer than ``limit``."""
    return data if len(data) <= limit else b""


def part(data: bytes, start: int, end: int, limit: int = MAX_METADATA) -> bytes:
    """Return a copy of a part of a file; nothing, without a copy, if it is longer than ``limit``."""
    return data[start:end] if end - start <= limit else b""


def tiff(exif: bytes) -> bytes:
    """Return the TIFF structure of an EXIF block, which some writers put after the prefix "Exif"."""
    return bounded(exif.removeprefix(b"Exif\0\0"))
