"""PNG (W3C, third edition): chunks of length, type, data and checksum."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable

from imgcore.gallery.models import MAX_PIXELS
from imgcore.imaging.formats.base import (
    MAX_ICC,
    MAX_METADATA,
    MOST_MISSING,
    Carved,
    ColourCoding,
    Damaged,
    bounded,
    check_length,
    inflate,
    join,
    part,
    tiff,
)

_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_READ = frozenset({b"IHDR", b"eXIf", b"iCCP", b"cICP", b"cLLI", b"mDCV", b"sRGB", b"gAMA", b"cHRM"})
_RAW = (b"Raw profile type exif\0", b"Raw profile type APP1\0")  # as ImageMagick writes them
_XMP = b"XML:com.adobe.xmp\0"
_MAX_TEXT = 4 * MAX_METADATA  # bytes: hexadecimal digits in lines, and a name
MAX_CHUNKS = 32_768  # encoders cut the pixels into pieces of 8 KiB or more


def carve(data: bytes, *, with_picture: bool = True) -> Carved:
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
            found[kind] = part(data, body, body + length, MAX_ICC)
        elif kind in (b"tEXt", b"zTXt") and b"raw" not in found and data.startswith(_RAW, body):
            found[b"raw"] = _raw_exif(kind, part(data, body, body + length, _MAX_TEXT))
        elif kind == b"iTXt" and kind not in found and data.startswith(_XMP, body):
            found[kind] = _xmp(part(data, body + len(_XMP), body + length, _MAX_TEXT))
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
    head = [span for span in kept if data[span[0] + 4 : span[0] + 8] not in (b"IDAT", b"IEND")]
    incomplete, picture = False, b""
    if with_picture:
        check_length(sum(end - start for start, end in (*head, *pixels)), (width, height))
    if with_picture and not ended and width * height <= MAX_PIXELS:
        picture, incomplete = _completed(data, head, pixels)
    elif with_picture:
        picture = join(data, kept)
    return Carved(
        format="PNG",
        picture=picture,
        repaired=(lambda: _completed(data, head, pixels)) if ended else None,
        size=(width, height),
        animated=frames > 1,
        incomplete=incomplete,
        exif=tiff(found.get(b"eXIf") or found.get(b"raw", b"")),
        xmp=found.get(b"iTXt", b""),
        icc=_profile(found.get(b"iCCP", b"")),
        coding=_coding(found),
    )


def _coding(found: dict[bytes, bytes]) -> ColourCoding | None:
    """Return the first of cICP, sRGB, and gAMA with cHRM, in the order of the standard (4.3).

    Browsers ignore a cHRM without a gAMA.
    """
    points = found.get(b"cICP", b"")
    if points[2:4] == b"\0\1":  # RGB and all levels, the only ones that a PNG may have
        coding = ColourCoding(points[0], points[1], first=True, peak=_peak(found))
        if coding.known:
            return coding
    if b"sRGB" in found:
        return None
    gamma = int.from_bytes(found.get(b"gAMA", b"")[:4]) / 100_000
    numbers = found.get(b"cHRM", b"")
    values = [int.from_bytes(numbers[at : at + 4]) / 100_000 for at in range(0, 32, 4)]
    white_first = values if len(numbers) >= 32 else []
    if not gamma:
        return None
    return ColourCoding(chromaticities=(*white_first[2:], *white_first[:2]), gamma=gamma)


def _peak(found: dict[bytes, bytes]) -> float:
    """Return the brightest light of the picture, else of the display that it was made on, in cd/m²."""
    light = found.get(b"cLLI", b"")[:4] or found.get(b"mDCV", b"")[16:20]
    return int.from_bytes(light) / 10_000


def _xmp(body: bytes) -> bytes:
    """Return the text of an international text chunk, after two flags, the language and the translated key."""
    compressed, rest = body[:1] == b"\1", body[2:]
    text = rest.split(b"\0", 2)[-1]
    return inflate(text, MAX_METADATA) if compressed else bounded(text)


def _raw_exif(kind: bytes, body: bytes) -> bytes:
    """Return the EXIF block of a text chunk: a name, a length, then hexadecimal digits in lines."""
    text = body.partition(b"\0")[2]
    plain = inflate(text[1:], 3 * MAX_METADATA) if kind == b"zTXt" else bounded(text, 3 * MAX_METADATA)
    try:
        block = bytes.fromhex(plain.split(None, 2)[2].decode("ascii"))  # whose lines are skipped
    except (ValueError, IndexError):
        return b""
    return block if block.startswith((b"Exif\0\0", b"II*\0", b"MM\0*")) else b""


def _profile(body: bytes) -> bytes:
    """Return the ICC profile, after its name and the compression method."""
    return inflate(body.partition(b"\0")[2][1:], MAX_ICC)


# Channels of each colour type (11.2.1), and the first pixel and the steps of each pass of interlacing (8.2)
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 20  # bytes
_MOST_FILLED = 64 << 20  # bytes of pixels, which are packed anew if rows are missing


def _completed(data: bytes, head: list[tuple[int, int]], pixels: list[tuple[int, int]]) -> tuple[bytes, bool]:
    """Return the file with the checksums of its pixels and with its end, and whether blank rows were added.

    ``head``: the chunks before the pixels; ``pixels``: the content of the pixels' chunks.
    Damaged: too many pixels are missing.
    """
    packed = b"".join(memoryview(data)[start:end] for start, end in pixels)
    length, interlaced = _raw_length(data[16:29]), data[28]
    end, missing, checksum = _unpack(packed, length, lambda _: None)
    if missing > (0 if interlaced or length > _MOST_FILLED else length * MOST_MISSING):
        raise Damaged("pixels are missing", ends_early=True)
    if end and not missing:
        packed = packed if packed[end:] == checksum.to_bytes(4) else packed[:end] + checksum.to_bytes(4)
    else:  # the last block of the compressed data is not closed, and cannot be without packing all anew
        packer, anew = zlib.compressobj(1), list[bytes]()
        _unpack(packed, length, lambda plain: anew.append(packer.compress(plain)))
        packed = b"".join([*anew, packer.compress(bytes(missing)), packer.flush()])
    return b"".join([join(data, head), *_chunk(b"IDAT", packed), *_chunk(b"IEND", b"")]), missing > 0


def _unpack(packed: bytes, length: int, take: Callable[[bytes], object]) -> tuple[int, int, int]:
    """Unpack ``length`` bytes of pixels and hand them to ``take``, a megabyte at a time.

    Return where the compressed data end before their checksum (0 if they do not), how many bytes are missing,
    and the checksum.
    """
    unpacker, checksum, left, end = zlib.decompressobj(-zlib.MAX_WBITS), 1, length, 0
    body = memoryview(packed)[2:]  # without zlib's head, whose checksum is lost
    with contextlib.suppress(zlib.error):  # what came before a fault counts
        for start in range(0, len(body), _PIECE):
            waiting: bytes | memoryview = body[start : start + _PIECE]
            while left and (plain := unpacker.decompress(waiting, min(left, _PIECE))):
                left -= len(plain)
                checksum = zlib.adler32(plain, checksum)
                take(plain)
                waiting = unpacker.unconsumed_tail
            if not left and (unpacker.eof or unpacker.decompress(waiting, 1) or unpacker.eof):
                break  # the end, or more pixels than a picture of that size has
        if unpacker.eof:
            end = min(len(packed), 2 + start + _PIECE) - len(unpacker.unused_data)
    return end, left, checksum


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


def _chunk(kind: bytes, body: bytes) -> tuple[bytes, ...]:
    return len(body).to_bytes(4), kind, body, zlib.crc32(body, zlib.crc32(kind)).to_bytes(4)
