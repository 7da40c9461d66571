"""JPEG (ITU-T T.81): a row of marked segments, then the scans."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgcore.imaging.formats.base import (
    MAX_ICC,
    MAX_METADATA,
    Carved,
    Damaged,
    bounded,
    check_length,
    join,
    tiff,
)

SOS, _EOI = 0xDA, 0xD9
END = b"\xff\xd9"
_START = b"\xff\xd8\xff"
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length: TEM, RST0-7, SOI
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
METADATA = frozenset({*range(0xE0, 0xF0), 0xFE})  # APP0-15 and comments
_COLOURS = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}  # those of them that say what the numbers mean

XMP = b"http://ns.adobe.com/xap/1.0/\0"
NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # not a stuffed zero, a restart nor padding

_FILLING = re.compile(rb"\xff+")  # any number of which may stand before a marker (T.81, B.1.1.2)

# Real files have some thirty segments and a dozen scans. Each scan costs a pass over the whole picture
# though it may be six bytes long: https://libjpeg-turbo.org/pmwiki/uploads/About/TwoIssueswiththeJPEGStandard.pdf
MAX_SEGMENTS = 4096
MAX_SCANS = 100
MAX_TABLES = 1 << 20  # bytes before the first scan; Pillow reads tables in Python
_PADDINGS = bytes(1 << 16), b"\xff" * (1 << 16)
MAX_SCANNED_PIXELS = 1_000_000_000  # scans × pixels


def carve(data: bytes, *, with_picture: bool = True, first: int = 0, last: int | None = None) -> Carved:
    """Keep the frame, the tables, JFIF's and Adobe's segments (they define the colours) and the scans.

    ``first`` and ``last``: where the JPEG starts and ends in ``data``.
    """
    last = len(data) if last is None else last
    kept: list[tuple[int, int]] = [(first, first + 2)]
    exif = xmp = b""
    icc, iptc = _Pieces(MAX_ICC), _Pieces(MAX_METADATA)
    frame: tuple[int, int, int, int] | None = None  # marker, width, height, components
    unended = refining = False
    for marker, start, end in segments(data, first, last):
        body = data[start + 4 : min(end, start + 64)]
        if marker in METADATA and not body.startswith(_COLOURS.get(marker, b"-")):
            if body.startswith(b"Exif\0\0"):
                exif = exif or data[start + 4 : end]
            elif body.startswith(XMP):
                xmp = xmp or data[start + 4 + len(XMP) : end]
            elif body.startswith(b"ICC_PROFILE\0"):
                icc.add(data, start + 16, end)
            elif body.startswith(b"Photoshop 3.0\0"):
                iptc.add(data, start + 18, end)
            continue
        if marker in _FRAMES and len(body) >= 6:
            if frame:
                raise Damaged("two frames")
            frame = (marker, int.from_bytes(body[3:5]), int.from_bytes(body[1:3]), body[5])
        if marker == SOS:
            if not frame:
                raise Damaged("a scan before its frame")
            if sum(to - at for at, to in kept) > MAX_TABLES:
                raise Damaged("more tables than any encoder writes")
            last = end_of_first(data, end, last)
            after, refining = _end(data, start, end, last, frame)
            unended = not after
            kept.append((start, after or _without_padding(data, end, last)))
            break
        kept.append((start, end))
    else:
        raise Damaged("no scan", ends_early=True)
    size = frame[1], frame[2]
    picture = b""
    if with_picture:
        check_length(kept[-1][1] - kept[-1][0], size)
        picture = join(data, kept) + (END if unended else b"")
    return Carved(
        format="JPEG",
        picture=picture,
        size=size,
        unended=unended,
        refining=refining,
        exif=tiff(exif),
        xmp=bounded(xmp),
        iptc=b"".join(iptc.found),
        icc=_profile(icc.found),
    )


class _Pieces:
    """The pieces of a block that is longer than a segment; none where they are longer than the limit."""

    def __init__(self, limit: int) -> None:
        self.found: list[bytes] = []
        self._left = limit

    def add(self, data: bytes, start: int, end: int) -> None:
        """Add the bytes from ``start`` to ``end``."""
        self._left -= end - start
        if self._left < 0:
            self.found.clear()
        else:
            self.found.append(data[start:end])


def segments(data: bytes, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, its start and the end of each segment, up to and with the first scan's header.

    Damaged: a segment goes past the end, or there are too many.
    """
    position = first + 2
    for _ in range(MAX_SEGMENTS):
        # rubbish between segments is common, and skipped by everybody
        position = data.find(b"\xff", position, last)
        if position < 0:
            return
        filled = _FILLING.match(data, position, last)
        position = filled.end() - 1 if filled else position
        marker = data[position + 1] if position + 1 < last else _EOI
        if marker == _EOI:
            return
        if marker in _ALONE or marker == 0:
            position += 2
            continue
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4])
        if end < position + 4 or end > last:
            raise Damaged("a segment goes past the end", ends_early=end > last)
        yield marker, position, end
        position = end
    raise Damaged("more segments than any camera writes")


def is_lossless(data: bytes, first: int, last: int) -> bool:
    """Return whether the frame is of a lossless process, as raw pixels are packed (T.81, annex H)."""
    for marker, _, _ in segments(data, first, last):
        if marker in _LOSSLESS:
            return True
        if marker == SOS:
            break
    return False


def end_of_first(data: bytes, scan: int, last: int) -> int:
    """Return where a second picture stands in the place of the first one's end mark; else ``last``."""
    second = data.find(_START, scan, last)  # no bytes of a scan
    return last if second < 0 or data.find(END, scan, second) >= 0 else second


def _without_padding(data: bytes, first: int, last: int) -> int:
    """Return where the bytes from ``first`` to ``last`` end without zeros, and half a mark before these."""
    for padding in _PADDINGS:
        while data.endswith(padding, first, last):
            last -= len(padding)
        tail = data[max(first, last - len(padding)) : last]
        last -= len(tail) - len(tail.rstrip(padding[:1]))
    return last


def _end(data: bytes, start: int, end: int, last: int, frame: tuple[int, int, int, int]) -> tuple[int, bool]:
    """Return where the end mark ends, 0 where it is missing, and whether the last scan then only refines.

    Raises Damaged if the scans of a picture that has several would keep the codec busy for long, or if the
    file ends before each coefficient has been sent in full.
    """
    marker, width, height, components = frame
    if marker not in _PROGRESSIVE and data[start + 4] >= components:
        found = data.find(END, end, last)  # one scan holds everything; the codec stops after it
        return (0 if found < 0 else found + len(END)), False
    allowed = min(MAX_SCANS, max(12, MAX_SCANNED_PIXELS // max(1, width * height)))
    scans, others, position = [(start, end)], 0, end
    while marked := NEXT_MARKER.search(data, position, last):
        kind = data[marked.start() + 1]
        if kind == _EOI:
            return marked.end(), False
        position = marked.end() + int.from_bytes(data[marked.end() : marked.end() + 2])
        if kind == SOS:
            scans.append((marked.start(), position))
        others += kind != SOS
        if len(scans) > allowed or others > MAX_SEGMENTS:
            raise Damaged("more scans than any encoder writes")
    if not _is_sent_in_full([data[start + 4 : end] for start, end in scans], components):
        raise Damaged("no end", ends_early=True)
    bits = data[scans[-1][1] - 1]  # of which the upper half says what was sent before (T.81, G.1.2)
    return 0, marker in _PROGRESSIVE and bits >> 4 > 0


def _is_sent_in_full(scans: list[bytes], components: int) -> bool:
    """Return whether the headers of these scans announce the last bit of each coefficient (T.81, G.1.1.1)."""
    sent: set[tuple[int, int]] = set()
    for body in scans:
        count = body[0] if body else 0
        if len(body) < 4 + 2 * count:
            return False
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        if bits & 15 == 0:
            sent |= {
                (name, at) for name in body[1 : 1 + 2 * count : 2] for at in range(first, min(last, 63) + 1)
            }
    return len(sent) >= 64 * components


def _profile(parts: list[bytes]) -> bytes:
    """Return the ICC profile from its numbered parts (ICC.1:2022, B.4); nothing if one is missing."""
    numbered = sorted(((part[0], part[2:]) for part in parts if len(part) > 2), key=lambda item: item[0])
    complete = [number for number, _ in numbered] == list(range(1, len(parts) + 1))
    return b"".join(part for _, part in numbered) if complete else b""
