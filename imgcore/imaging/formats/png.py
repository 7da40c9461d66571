"""PNG (W3C, third edition): chunks of length, type, data and checksum."""

from __future__ import annotations

import contextlib
import zlib

from imgcore.gallery.models import MAX_PIXELS
from imgcore.imaging.formats.base import (
    MAX_ICC,
    MAX_METADATA,
    Carved,
    ColourCoding,
    Damaged,
    bounded,
    inflate,
    join,
    tiff,
)

_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_READ = frozenset({b"IHDR", b"eXIf", b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM"})
_RAW = (b"Raw profile type exif\0", b"Raw profile type APP1\0")  # as ImageMagick writes them
_XMP = b"XML:com.adobe.xmp\0"
MAX_CHUNKS = 32_768  # encoders cut the pixels into pieces of 8 KiB or more


def carve(data: bytes) -> Carved:
    """Keep the header, the palette, the transparency and the pixels. APNG's further frames are left out."""
    kept: list[tuple[int, int]] = [(0, 8)]
    found: dict[bytes, bytes] = {}
    pixels: list[tuple[int, int]] = []
    frames, position, ended = 1, 8, False
    for _ in range(MAX_CHUNKS):
        length, kind = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        body, end = position + 8, position + 12 + length
        if kind == b"IDAT":
            pixels.append((body, min(end - 4, len(data))))
        if end > len(data) or not kind.isalpha():
            break  # cut off, or zeros where the end was
        if kind in _KEPT:
            kept.append((position, end))
        if kind in _READ and kind not in found:
            found[kind] = bounded(data[body : body + length], MAX_ICC)
        elif kind in (b"tEXt", b"zTXt") and b"raw" not in found and data.startswith(_RAW, body):
            found[b"raw"] = _raw_exif(kind, data[body : body + length])
        elif kind == b"iTXt" and data.startswith(_XMP, body):
            found[kind] = _xmp(data[body + len(_XMP) : body + length])
        elif kind == b"acTL":
            frames = int.from_bytes(data[body : body + 4])
        elif kind == b"IEND":
            ended = True
            break
        position = end
    else:
        raise Damaged("more chunks than any encoder writes")
    header = found.get(b"IHDR", b"")
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    if not ended and not pixels:
        raise Damaged("no pixels", ends_early=True)
    if not ended and width * height <= MAX_PIXELS:
        picture = _completed(
            data, [span for span in kept if data[span[0] + 4 : span[0] + 8] != b"IDAT"], pixels
        )
    else:
        picture = join(data, kept)
    return Carved(
        format="PNG",
        picture=picture,
        size=(width, height),
        animated=frames > 1,
        exif=tiff(found.get(b"eXIf") or found.get(b"raw", b"")),
        xmp=found.get(b"iTXt", b""),
        icc=_profile(found.get(b"iCCP", b"")),
        coding=_coding(found),
    )


def _coding(found: dict[bytes, bytes]) -> ColourCoding | None:
    """Return the first of cICP, sRGB, and gAMA with cHRM, in the order of the standard (4.3)."""
    points = found.get(b"cICP", b"")
    if len(points) >= 4 and points[2] == 0:  # RGB, the only matrix that a PNG may have
        return ColourCoding(points[0], points[1], first=True)
    if b"sRGB" in found:
        return None
    gamma = int.from_bytes(found.get(b"gAMA", b"")[:4]) / 100_000
    numbers = found.get(b"cHRM", b"")
    values = [int.from_bytes(numbers[at : at + 4]) / 100_000 for at in range(0, 32, 4)]
    white_first = values if len(numbers) >= 32 else []
    if not gamma and not white_first:
        return None
    return ColourCoding(chromaticities=(*white_first[2:], *white_first[:2]), gamma=gamma)


def _xmp(body: bytes) -> bytes:
    """Return the text of an international text chunk, after two flags, the language and the translated key."""
    compressed, rest = body[:1] == b"\1", body[2:]
    text = rest.split(b"\0", 2)[-1]
    return inflate(text, MAX_METADATA) if compressed else bounded(text)


def _raw_exif(kind: bytes, body: bytes) -> bytes:
    """Return the EXIF block of a text chunk: a name, a length, then hexadecimal digits in lines."""
    text = body.partition(b"\0")[2]
    plain = inflate(text[1:], 3 * MAX_METADATA) if kind == b"zTXt" else bounded(text, 3 * MAX_METADATA)
    digits = b"".join(plain.split()[2:])
    try:
        block = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""
    return block if block.startswith((b"Exif\0\0", b"II*\0", b"MM\0*")) else b""


def _profile(body: bytes) -> bytes:
    """Return the ICC profile, after its name and the compression method."""
    return inflate(body.partition(b"\0")[2][1:], MAX_ICC)


# Channels of each colour type (11.2.1), and the first pixel and the steps of each pass of interlacing (8.2)
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 20  # bytes


def _completed(data: bytes, head: list[tuple[int, int]], pixels: list[tuple[int, int]]) -> bytes:
    """Return the file with its pixels packed anew and with its end, if all of them are there.

    Codecs refuse pixels whose checksum is missing. ``head``: the chunks before the pixels; ``pixels``: the
    content of the pixels' chunks. Damaged: pixels are missing.
    """
    left = _raw_length(data[16:29])
    unpacker, packer = zlib.decompressobj(-zlib.MAX_WBITS), zlib.compressobj(1)
    packed: list[bytes] = []
    stream = b"".join(data[start:end] for start, end in pixels)[
        2:
    ]  # without zlib's head, whose checksum is lost
    with contextlib.suppress(zlib.error):  # what came before a fault counts
        for start in range(0, len(stream), _PIECE):
            waiting = stream[start : start + _PIECE]
            while left and (plain := unpacker.decompress(waiting, min(left, _PIECE))):
                left -= len(plain)
                packed.append(packer.compress(plain))
                waiting = unpacker.unconsumed_tail
    if left:
        raise Damaged("pixels are missing", ends_early=True)
    packed.append(packer.flush())
    return join(data, head) + _chunk(b"IDAT", b"".join(packed)) + _chunk(b"IEND", b"")


def _raw_length(header: bytes) -> int:
    """Return the bytes that the pixels of a header have when they are unpacked."""
    width, height, bits, colour = int.from_bytes(header[:4]), int.from_bytes(header[4:8]), header[8], header[9]
    deep = bits * _CHANNELS.get(colour, 4)

    def rows(wide: int, high: int) -> int:
        return high * (1 + -(-wide * deep // 8)) if wide > 0 else 0

    if not header[12]:
        return rows(width, height)
    return sum(
        rows(-((left - width) // across), -((top - height) // down)) for left, top, across, down in _PASSES
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
