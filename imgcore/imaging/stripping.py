"""Files without their metadata, for people who may not see it. Pure: no pixel is encoded again.

What a picture needs is copied and all else left out, known or not: EXIF and its maker notes, XMP, IPTC,
comments, previews, and what stands behind the picture, such as the film of a motion photo. Orientation and
colours stay.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from imgcore.errors import Invalid
from imgcore.imaging import formats, metadata
from imgcore.imaging.formats import Carved, Damaged, jpeg, png, webp

Part = bytes | memoryview
_SOS, _EOI = 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
# Frames, tables and scans; neither what applications add nor reserved markers
_PICTURE = frozenset({*range(0xC0, 0xD0), _SOS, 0xDB, 0xDC, 0xDD}) - {0xC8}
_JFIF = 0xE0
_COLOURS = {_JFIF: b"JFIF\0", 0xEE: b"Adobe"}  # whose first twelve bytes say what the numbers mean
_ICC = b"ICC_PROFILE\0"
_ICC_PIECE = 65_519  # bytes of a profile in one segment
_PNG_KEPT = frozenset(
    {
        b"IHDR",
        b"PLTE",
        b"tRNS",
        b"IDAT",
        b"IEND",
        b"iCCP",
        b"cICP",
        b"sRGB",
        b"gAMA",
        b"cHRM",
        b"sBIT",
        b"bKGD",
        b"cLLI",
        b"mDCV",
    }
)
_WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"})
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04  # flags of VP8X


def without_metadata(data: bytes) -> list[Part]:
    """Return the parts of a JPEG, PNG or WebP without metadata; what is kept of ``data`` is not copied.

    Invalid (``not_strippable``) for other files and broken ones.
    """
    kind = formats.media_type(data) or ""
    try:
        if kind in _STRIPPERS:
            carve, strip = _STRIPPERS[kind]
            carved = carve(data, with_picture=False)
            if not carved.animated:
                return list(strip(data, carved))
    except Damaged:
        pass
    raise Invalid("Metadata cannot be removed from this file.", code="not_strippable")


def _exif(carved: Carved) -> bytes:
    """Return a TIFF structure with the orientation alone; nothing where the picture is upright."""
    orientation = metadata.read(exif=carved.exif, xmp=carved.xmp).orientation
    if orientation == 1:
        return b""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def _jpeg(data: bytes, carved: Carved) -> Iterator[Part]:
    view = memoryview(data)
    yield view[:2]
    yield from _jpeg_extras(carved)
    for start, end, marker in _parts(data):
        if marker in _PICTURE:
            yield view[start:end]
        elif data.startswith(_COLOURS.get(marker, b"-"), start + 4):  # without JFIF's preview
            yield _segment(marker, data[start + 4 : start + 16] + (b"\0\0" if marker == _JFIF else b""))
    yield b"\xff\xd9"


def _jpeg_extras(carved: Carved) -> Iterator[bytes]:
    if exif := _exif(carved):
        yield _segment(0xE1, b"Exif\0\0" + exif)
    pieces = [carved.icc[at : at + _ICC_PIECE] for at in range(0, len(carved.icc), _ICC_PIECE)]
    for number, piece in enumerate(pieces, 1):
        yield _segment(0xE2, _ICC + bytes([number, len(pieces)]) + piece)


def _parts(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and marker of each segment of the first picture; of a scan with its samples.

    Damaged: no end mark nor a second picture in its place, or more segments than any camera writes.
    """
    at, limit, scanned = 2, len(data), False
    for _ in range(jpeg.MAX_SEGMENTS):
        if not (found := jpeg.NEXT_MARKER.search(data, at, limit)):
            if limit < len(data):
                return
            break
        at, marker = found.start(), data[found.start() + 1]
        if marker == _EOI:
            return
        end = at + 2 if marker in _ALONE else at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == _SOS:
            limit, scanned = limit if scanned else jpeg.end_of_first(data, end, limit), True
            following = jpeg.NEXT_MARKER.search(data, end, limit)
            end = following.start() if following else limit
        yield at, min(end, limit), marker
        at = end
    raise Damaged("no end", ends_early=True)


def _segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def _png(data: bytes, carved: Carved) -> Iterator[Part]:
    view, at = memoryview(data), 8
    yield view[:8]
    while at + 12 <= len(data):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4])
        if kind in _PNG_KEPT:
            yield view[at:end]
        if kind == b"IHDR" and (exif := _exif(carved)):
            yield struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
        if kind == b"IEND":
            return
        at = end
    raise Damaged("no end", ends_early=True)


def _webp(data: bytes, carved: Carved) -> Iterator[Part]:
    view, exif, chunks, at = memoryview(data), _exif(carved), list[Part](), 12
    end_of_file = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end_of_file:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if kind == b"VP8X":
            flags = data[at + 8] & ~(_WEBP_EXIF | _WEBP_XMP) | (_WEBP_EXIF if exif else 0)
            chunks.append(data[at : at + 8] + bytes([flags]) + data[at + 9 : end])
        elif kind == b"ANMF":
            raise Damaged("the picture is a frame of an animation")
        elif kind in _WEBP_KEPT:
            chunks.append(view[at:end])
        at = end
    if exif:
        chunks.append(b"EXIF" + len(exif).to_bytes(4, "little") + exif)
    yield b"RIFF" + (4 + sum(map(len, chunks))).to_bytes(4, "little") + b"WEBP"
    yield from chunks


_STRIPPERS: dict[str, tuple[Callable[..., Carved], Callable[[bytes, Carved], Iterator[Part]]]] = {
    "image/jpeg": (jpeg.carve, _jpeg),
    "image/png": (png.carve, _png),
    "image/webp": (webp.carve, _webp),
}
