"""Files that have to be refused or cost no more than an honest one: texts, bombs, mutants."""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache

from PIL import Image

from imgcore.imaging.formats import isobmff
from tests.images.metadata import segment, with_segments, xmp
from tests.images.pictures import RED, encode, jpeg, photo


def not_an_image() -> bytes:
    """Text, whatever its name may end in."""
    return b"Dear gallery,\nthis is only text that somebody named holiday.jpg.\n" * 20


def truncated(data: bytes, part: float = 0.6) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * part)]


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def png(
    width: int,
    height: int,
    *,
    extra: bytes = b"",
    pixels: bytes | None = None,
    bits: int = 8,
    colour: int = 2,
    interlaced: bool = False,
) -> bytes:
    """A PNG made by hand; without ``pixels`` its data is far too short for the size that it claims."""
    header = struct.pack(">LLBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    body = zlib.compress(b"\0" * 1000) if pixels is None else zlib.compress(pixels, 9)
    chunks = (chunk(b"IHDR", header), extra, chunk(b"IDAT", body), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bomb() -> bytes:
    """A PNG of a kilobyte that claims 3,600 megapixels."""
    return png(60_000, 60_000)


def strip() -> bytes:
    """A whole and honest PNG of 30,001 × 1 pixels, one more than a side may have."""
    return encode(Image.new("RGB", (30_001, 1), "white"), "PNG")


def huge(side: int = 7000) -> bytes:
    """A PNG of 49 megapixels in a hundred kilobytes, within the limits: small to send, large to hold."""
    return png(side, side, pixels=b"\0" * ((3 * side + 1) * side))


@cache
def huge_deep(side: int = 7000) -> bytes:
    """A PNG of as many pixels with 16 bits a channel and alpha."""
    return png(side, side, bits=16, colour=6, pixels=b"\0" * (side * (8 * side + 1)))


@cache
def huge_interlaced(side: int = 7000) -> bytes:
    """A PNG of as many pixels in seven passes."""
    return png(side, side, interlaced=True, pixels=b"\0" * (side * side * 3 + side * 16))


@cache
def huge_progressive(side: int = 7000) -> bytes:
    """A progressive JPEG of as many pixels in CMYK."""
    return encode(Image.new("CMYK", (side, side)), "JPEG", progressive=True)


@cache
def uniform(form: str, side: int) -> bytes:
    """A square of one colour, encoded by the fastest method of its format: x265's usual one takes 15 s."""
    fastest: dict[str, dict[str, object]] = {
        "AVIF": {"speed": 10},
        "HEIF": {"enc_params": {"preset": "ultrafast"}},
        "WEBP": {"method": 0},
    }
    return encode(Image.new("RGB", (side, side), RED), form, **fastest[form])


def _exif_bomb(size: int) -> bytes:
    """A directory of thousands of entries, each of which claims all the bytes of the block."""
    count = 30_000
    entries = b"".join(struct.pack(">HHLL", index, 7, size // 2, 8) for index in range(count))
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", count) + entries + b"\0\0\0\0"
    return block + b"\0" * (size - len(block))


def _riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        kind + struct.pack("<L", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body


def _webp_with(kind: bytes, body: bytes) -> bytes:
    plain = encode(Image.new("RGB", (16, 16), RED), "WEBP")
    header = b"\x2c\0\0\0" + (15).to_bytes(3, "little") * 2
    return _riff((b"VP8X", header), (b"VP8 ", plain[20:]), (kind, body))


def _jpeg_of_scans(scans: int, side: int = 2000) -> bytes:
    """A progressive JPEG whose last scan, a few bytes long, is repeated."""
    data = encode(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def metadata_bombs(size: int = 4 << 20) -> dict[str, bytes]:
    """Small or middling files whose metadata keeps a careless reader busy, or fills its memory. Name → file."""
    tiny, block = jpeg(16, 16), _exif_bomb(size)
    pieces = [segment(0xE1, b"Exif\0\0" + block[at : at + 65_000]) for at in range(0, size, 65_000)]
    harmless = b"MM\0*\0\0\0\x08" + b"\0" * (size - 8)  # encoders read what they are given
    flat = Image.new("RGB", (64, 64), RED)
    gif = encode(Image.new("P", (4, 4)), "GIF")
    comment = b"!\xfe" + (b"\xff" + b"x" * 255) * (size // 256) + b"\0"
    text = b"".join(chunk(b"zTXt", b"key%d\0\0" % n + zlib.compress(b"A" * 1_000_000, 9)) for n in range(100))
    line = b"\0\0\0\0"
    laughs = "<!DOCTYPE lolz [" + "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12)
    )
    return {
        "JPEG, EXIF in pieces": with_segments(tiny, *pieces),
        "JPEG, empty segments": with_segments(tiny, segment(0xEB, b"") * (size // 4)),
        "JPEG, rubbish between segments": tiny[:2] + b"\1" * size + tiny[2:],
        "JPEG, rubbish and stuffed zeros": tiny[:2] + b"\xff\0" * (size // 2) + tiny[2:],
        "JPEG, comments": with_segments(tiny, segment(0xFE, b"x" * 65_000) * (size // 65_000)),
        "JPEG, a thousand scans": _jpeg_of_scans(1000),
        "JPEG, entities": with_segments(
            tiny, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("&l11;", prolog=laughs + "]>"))
        ),
        "JPEG, deep XMP": with_segments(
            tiny, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<a>" * 20_000)
        ),
        "JPEG, names in XMP": with_segments(
            tiny,
            segment(
                0xE1,
                b"http://ns.adobe.com/xap/1.0/\0<a:a xmlns:a='" + b"u" * 30_000 + b"'>" + b"<a:b/>" * 5_000,
            ),
        ),
        "PNG, text": png(1, 1, pixels=line, extra=text),
        "PNG, profile": png(
            1, 1, pixels=line, extra=chunk(b"iCCP", b"x\0\0" + zlib.compress(b"A" * 200_000_000, 9))
        ),
        "PNG, EXIF": png(1, 1, pixels=line, extra=chunk(b"eXIf", block)),
        "PNG, XMP": png(
            1,
            1,
            pixels=line,
            extra=chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b" " * 200_000_000, 9)),
        ),
        "PNG, empty chunks": png(1, 1, pixels=line, extra=chunk(b"IDAT", b"") * (size // 12)),
        "GIF, comment": gif[:-1] + comment + b";",
        "GIF, comment first": gif[:13] + gif[13 : 13 + 3 * (2 << (gif[10] & 7))] + comment + gif[-40:],
        "GIF, tiny blocks": gif[:-1] + b"!\xfe" + b"\1x" * (size // 2) + b"\0;",
        "WEBP, EXIF": _webp_with(b"EXIF", block),
        "WEBP, XMP": _webp_with(b"XMP ", b"x" * size),
        "WEBP, chunks": _webp_with(b"    ", b"") + b"\0" * size,
        "AVIF, EXIF": encode(flat, "AVIF", exif=harmless).replace(harmless, block),
        "HEIF, EXIF": encode(flat, "HEIF", exif=harmless).replace(harmless, block),
    }


def size_bombs() -> dict[str, bytes]:
    """Files that claim, or hold, more pixels than is good. Name → file."""
    gif = bytearray(encode(Image.new("P", (4, 4)), "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    webp = _riff((b"VP8X", b"\0\0\0\0" + b"\xff\x3f\0" * 2), (b"VP8 ", encode(photo(16, 16), "WEBP")[20:]))
    frame = bytearray(jpeg(16, 16))
    at = frame.index(b"\xff\xc0") + 5
    frame[at : at + 4] = b"\xff\xff\xff\xff"
    return {
        "PNG, 3,600 megapixels claimed": bomb(),
        "PNG, 49 million pixels in a column": png(1, 49_000_000),
        "PNG, 30,000 × 1": encode(Image.new("RGB", (30_000, 1), "white"), "PNG"),
        "PNG, 30,000 × 1,600": encode(Image.new("RGB", (30_000, 1600), "white"), "PNG"),
        "PNG, 49 megapixels": huge(),
        "PNG, 49 megapixels of 16 bits and alpha": huge_deep(),
        "PNG, 49 megapixels interlaced": huge_interlaced(),
        "GIF, 4,295 megapixels claimed": bytes(gif),
        "WEBP, 268 megapixels claimed": webp,
        "WEBP, 49 megapixels": uniform("WEBP", 7000),
        "WEBP, 49 megapixels of alpha": encode(
            Image.new("RGBA", (7000, 7000), (*RED, 99)), "WEBP", lossless=True, method=0
        ),
        "JPEG, 4,295 megapixels claimed": bytes(frame),
        "JPEG, 49 megapixels": encode(Image.new("RGB", (7000, 7000), RED)),
        "JPEG, 49 megapixels, progressive": huge_progressive(),
        "TIFF, 49 megapixels": encode(Image.new("RGB", (7000, 7000), RED), "TIFF", compression="tiff_lzw"),
        "TIFF, 49 megapixels in one strip": encode(
            Image.new("RGB", (7000, 7000), RED), "TIFF", compression="tiff_adobe_deflate", tiffinfo={278: 7000}
        ),
        "BMP, 48 million pixels of one bit": encode(Image.new("1", (12_000, 4000)), "BMP"),
        "AVIF, 49 megapixels": uniform("AVIF", 7000),
    }


def repeated(form: str, times: int, side: int = 64) -> bytes:
    """An AVIF or HEIF whose only coded item holds its frame so many times; a codec decodes all of them."""
    data = uniform(form, side)
    start, end = isobmff.top_level(data)[0][b"meta"]
    (piece,) = isobmff.extents(data, *isobmff.children(data, start + 4, end)[b"iloc"])
    coded = data[piece.offset : piece.offset + piece.length] * times
    head = bytearray(data[: piece.offset])
    field = piece.length_field
    head[field.at : field.at + field.size] = len(coded).to_bytes(field.size)
    at = data.rindex(b"mdat") - 4
    head[at : at + 4] = (len(head) - at + len(coded)).to_bytes(4)
    return bytes(head) + coded


def cut_bombs() -> dict[str, bytes]:
    """Files of 45 megapixels or more that a codec passes over several times, whole, without end and cut off."""
    side = 7000
    ramp = Image.linear_gradient("L").resize((side, side)).convert("RGB")
    whole = {
        "JPEG, progressive": encode(ramp, "JPEG", progressive=True, quality=30),
        "JPEG, progressive CMYK": huge_progressive(side),
        "JPEG, baseline": encode(ramp, "JPEG", quality=30),
        "JPEG, scan repeated": _jpeg_of_scans(10, side),
        "PNG, interlaced": huge_interlaced(side),
        "PNG, 16 bits and alpha": huge_deep(side),
        "AVIF, four layers": repeated("AVIF", 4, side),
        "AVIF, twenty layers": repeated("AVIF", 20, side),
        "HEIF, twenty pictures": repeated("HEIF", 20, side),
        "WEBP": uniform("WEBP", side),
    }
    ends = {"PNG": 17, "JPEG": 2}  # of PNG: the end, and a checksum with its chunk's
    files = {}
    for name, data in whole.items():
        files |= {name: data, f"{name}, cut": data[: int(len(data) * 0.97)]}
        if (end := ends.get(name.partition(",")[0])) is not None:
            files[f"{name}, without end"] = data[:-end]
        if name.startswith("PNG"):
            files[f"{name}, wrong checksum"] = data[:-20] + bytes(4) + data[-16:]
    return files


# Mutants


def mutants(seeds: list[bytes], count: int, seed: int = 1) -> list[bytes]:
    """``count`` files made by cutting, inserting, splicing and overwriting ``seeds``; the same each time."""
    chance = random.Random(seed)
    return [_mutant(chance.choice(seeds), chance.choice(seeds), chance) for _ in range(count)]


def _mutant(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    match chance.choice(("cut", "insert", "splice", "overwrite", "overwrite", "head")):
        case "cut":
            return data[: max(1, at)]
        case "insert":
            return data[:at] + chance.randbytes(chance.randrange(1, 64)) + data[at:]
        case "splice":
            return data[:at] + other[chance.randrange(len(other)) :]
        case "overwrite":
            reach = len(data)
        case _:
            reach = min(len(data), 512)
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 4, 16, 64))):
        changed[chance.randrange(reach)] = chance.randrange(256)
    return bytes(changed)
