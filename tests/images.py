"""Sample pictures for everybody's tests, made on the spot: honest ones of every kind, and bombs."""

from __future__ import annotations

import io
import random
import struct
import zlib
from datetime import datetime
from functools import cache

from PIL import Image, ImageChops, ImageCms, ImageDraw

from imgcore.gallery.models import Picture
from imgcore.imaging.formats import isobmff, media_type

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 170, 60), (40, 70, 220), (240, 210, 40)

# Honest pictures


@cache
def photo(width: int = 640, height: int = 480, seed: int = 1) -> Image.Image:
    """An RGB picture with about the detail of a photo: light, shapes, texture and a sensor's noise."""
    chance = random.Random(seed)

    def noise(scale: int) -> Image.Image:
        small = (max(2, width // scale), max(2, height // scale))
        rough = Image.frombytes("RGB", small, chance.randbytes(3 * small[0] * small[1]))
        return rough.resize((width, height), Image.Resampling.BICUBIC)

    image = Image.blend(noise(max(1, max(width, height) // 3)), noise(max(8, max(width, height) // 40)), 0.35)
    image = Image.blend(image, noise(3), 0.08)
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, size = chance.randrange(width), chance.randrange(height), chance.randrange(8, max(9, width // 6))
        draw.ellipse((x, y, x + size, y + size), fill=tuple(chance.randbytes(3)))
    return image


def encode(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    """``image`` in that format ("HEIF" included), with Pillow's own options."""
    if form == "HEIF":
        from pillow_heif import from_pillow

        out = io.BytesIO()
        from_pillow(image).save(out, **({"quality": 60} | options))
        return out.getvalue()
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@cache
def jpeg(width: int = 640, height: int = 480, seed: int = 1, **options: object) -> bytes:
    """A JPEG of ``photo``."""
    return encode(photo(width, height, seed), "JPEG", **options)


@cache
def heic(width: int = 640, height: int = 480, seed: int = 1, **options: object) -> bytes:
    """A HEIC of ``photo``, as phones take them."""
    return encode(photo(width, height, seed), "HEIF", **options)


def corners(width: int = 96, height: int = 64) -> Image.Image:
    """Red, green, blue and yellow quarters (top left, top right, bottom left, bottom right): tells any turn."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


# EXIF's orientation → how an upright picture has to be laid to be stored under it
_LAID = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def laid(image: Image.Image, orientation: int) -> Image.Image:
    """``image`` as a camera held that way stores it."""
    return image.transpose(_LAID[orientation]) if orientation in _LAID else image


def oriented(orientation: int, form: str = "JPEG", image: Image.Image | None = None) -> bytes:
    """``corners`` (or ``image``), which looks upright only when ``orientation`` (1 to 8) is obeyed."""
    stored = laid(image or corners(), orientation)
    options = {"quality": 95} if form != "PNG" else {}
    return encode(stored, form, exif=exif(orientation=orientation), **options)


def cmyk(width: int = 64, height: int = 48, colour: tuple[int, int, int] = RED) -> bytes:
    """A JPEG in printing colours."""
    return encode(Image.new("RGB", (width, height), colour).convert("CMYK"), "JPEG", quality=95)


def sixteen_bit(width: int = 64, height: int = 48) -> bytes:
    """A grey PNG of 16 bits: black at the left, white at the right."""
    row = struct.pack(f"<{width}H", *(65535 * x // (width - 1) for x in range(width)))
    return encode(Image.frombytes("I;16", (width, height), row * height), "PNG")


def palette(width: int = 64, height: int = 48, form: str = "PNG", *, transparent: bool = False) -> bytes:
    """``corners`` with a palette; ``transparent``: the red quarter is not there."""
    image = corners(width, height).quantize(8)
    options = {"transparency": image.getpixel((0, 0))} if transparent else {}
    return encode(image, form, **options)


def alpha(width: int = 64, height: int = 48, form: str = "PNG") -> bytes:
    """Red that is opaque at the left half and absent at the right one."""
    image = Image.new("RGBA", (width, height), (*RED, 255))
    image.paste((0, 0, 0, 0), (width // 2, 0, width, height))
    return encode(image, form, **({"lossless": True} if form == "WEBP" else {}))


def grey(width: int = 64, height: int = 48, form: str = "JPEG", level: int = 128) -> bytes:
    """One grey all over."""
    return encode(Image.new("L", (width, height), level), form)


def bilevel(width: int = 64, height: int = 48) -> bytes:
    """A PNG of one bit a pixel: black at the left half, white at the right one."""
    image = Image.new("1", (width, height), 0)
    image.paste(1, (width // 2, 0, width, height))
    return encode(image, "PNG")


def animated(form: str = "GIF", frames: int = 3) -> bytes:
    """A moving GIF, WEBP, PNG or AVIF."""
    images = [Image.new("RGB", (32, 24), (80 * index % 255, 60, 90)) for index in range(frames)]
    return encode(images[0], form, save_all=True, append_images=images[1:], duration=100)


def wide_gamut(colour: tuple[int, int, int] = (200, 100, 50)) -> tuple[bytes, tuple[int, int, int]]:
    """A JPEG whose profile swaps red and blue's meaning as no real one does, and the sRGB colour that it means.

    The profile is sRGB with its first and third primaries exchanged, so a reader that ignores it shows the
    colour with red and blue exchanged.
    """
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132])
    for at in range(132, 132 + 12 * count, 12):
        name = bytes(profile[at : at + 4])
        profile[at : at + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(name, name)
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    stored = Image.new("RGB", (48, 32), colour)
    return encode(stored, "JPEG", quality=98, subsampling=0, icc_profile=bytes(profile)), colour[::-1]


# Metadata


def exif(
    *,
    orientation: int | None = None,
    taken_at: datetime | None = None,
    make: str | None = None,
    model: str | None = None,
    gps: tuple[float, float] | None = None,
) -> bytes:
    """An EXIF block; ``gps`` is latitude and longitude in whole degrees."""
    block = Image.Exif()
    for tag, value in ((0x0112, orientation), (0x010F, make), (0x0110, model)):
        if value is not None:
            block[tag] = value
    if taken_at:
        block.get_ifd(0x8769)[0x9003] = f"{taken_at:%Y:%m:%d %H:%M:%S}"
    if gps:
        block.get_ifd(0x8825).update({1: "N", 2: (gps[0], 0.0, 0.0), 3: "E", 4: (gps[1], 0.0, 0.0)})
    return block.tobytes()


def iptc(caption: str | None = None, keywords: tuple[str, ...] = (), encoding: str = "utf-8") -> bytes:
    """Photoshop's image resources with IPTC 2:120 and 2:25, as they stand in a JPEG's APP13."""

    def data_set(record: int, number: int, value: bytes) -> bytes:
        return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value

    sets = data_set(1, 90, b"\x1b%G") if encoding == "utf-8" else b""
    sets += b"".join(data_set(2, 25, word.encode(encoding)) for word in keywords)
    sets += data_set(2, 120, caption.encode(encoding)) if caption is not None else b""
    other = b"8BIM\x03\xed\x05sized\0\0\0\x03abc\0"  # a resource that has a name and an odd length comes first
    return other + b"8BIM\x04\x04\0\0" + struct.pack(">L", len(sets)) + sets + b"\0" * (len(sets) % 2)


def xmp(caption: str | None = None, keywords: tuple[str, ...] = (), prolog: str = "") -> bytes:
    """An XMP packet with dc:description (the default language second) and dc:subject."""
    words = "".join(f"<rdf:li>{word}</rdf:li>" for word in keywords)
    text = f'<rdf:li xml:lang="de-DE">Auf Deutsch</rdf:li><rdf:li xml:lang="x-default">{caption}</rdf:li>'
    described = f"<dc:description><rdf:Alt>{text}</rdf:Alt></dc:description>" if caption is not None else ""
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{prolog}<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"{described}<dc:subject><rdf:Bag>{words}</rdf:Bag></dc:subject>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """The JPEG with these segments behind its start."""
    return data[:2] + b"".join(segments) + data[2:]


def captioned(
    caption: str = "A cat on a wall",
    keywords: tuple[str, ...] = ("cat", "wall"),
    *,
    how: str = "xmp",
    encoding: str = "utf-8",
) -> bytes:
    """A JPEG with its caption inside, as XMP or as IPTC."""
    if how == "xmp":
        return with_segments(
            jpeg(64, 48), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(caption, keywords))
        )
    return with_segments(jpeg(64, 48), segment(0xED, b"Photoshop 3.0\0" + iptc(caption, keywords, encoding)))


# What has to be refused


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
        "PNG, 49 megapixels of 16 bits and alpha": png(
            7000, 7000, bits=16, colour=6, pixels=b"\0" * (7000 * (8 * 7000 + 1))
        ),
        "PNG, 49 megapixels interlaced": png(
            7000, 7000, interlaced=True, pixels=b"\0" * (7000 * 7000 * 3 + 7000 * 16)
        ),
        "GIF, 4,295 megapixels claimed": bytes(gif),
        "WEBP, 268 megapixels claimed": webp,
        "WEBP, 49 megapixels": encode(Image.new("RGB", (7000, 7000), RED), "WEBP", method=0),
        "WEBP, 49 megapixels of alpha": encode(
            Image.new("RGBA", (7000, 7000), (*RED, 99)), "WEBP", lossless=True, method=0
        ),
        "JPEG, 4,295 megapixels claimed": bytes(frame),
        "JPEG, 49 megapixels": encode(Image.new("RGB", (7000, 7000), RED)),
        "JPEG, 49 megapixels, progressive": encode(Image.new("CMYK", (7000, 7000)), "JPEG", progressive=True),
        "TIFF, 49 megapixels": encode(Image.new("RGB", (7000, 7000), RED), "TIFF", compression="tiff_lzw"),
        "TIFF, 49 megapixels in one strip": encode(
            Image.new("RGB", (7000, 7000), RED), "TIFF", compression="tiff_adobe_deflate", tiffinfo={278: 7000}
        ),
        "BMP, 48 million pixels of one bit": encode(Image.new("1", (12_000, 4000)), "BMP"),
        "AVIF, 49 megapixels": encode(Image.new("RGB", (7000, 7000), RED), "AVIF", speed=10),
    }


def repeated(form: str, times: int, side: int = 64) -> bytes:
    """An AVIF or HEIF whose only coded item holds its frame so many times; a codec decodes all of them."""
    data = encode(Image.new("RGB", (side, side), RED), form, **({"speed": 10} if form == "AVIF" else {}))
    start, end = isobmff.top_level(data)[0][b"meta"]
    (piece,) = isobmff.extents(data, *isobmff.children(data, start + 4, end)[b"iloc"])
    coded = data[piece.offset : piece.offset + piece.length] * times
    head = bytearray(data[: piece.offset])
    head[piece.length_at : piece.length_at + piece.length_size] = len(coded).to_bytes(piece.length_size)
    at = data.rindex(b"mdat") - 4
    head[at : at + 4] = (len(head) - at + len(coded)).to_bytes(4)
    return bytes(head) + coded


def cut_bombs() -> dict[str, bytes]:
    """Files of 45 megapixels or more that a codec passes over several times, whole, without end and cut off."""
    side = 7000
    ramp = Image.linear_gradient("L").resize((side, side)).convert("RGB")
    rows = b"\0" * (side * side * 3 + side * 16)
    deep = b"\0" * (side * (8 * side + 1))
    whole = {
        "JPEG, progressive": encode(ramp, "JPEG", progressive=True, quality=30),
        "JPEG, progressive CMYK": encode(Image.new("CMYK", (side, side)), "JPEG", progressive=True),
        "JPEG, baseline": encode(ramp, "JPEG", quality=30),
        "JPEG, scan repeated": _jpeg_of_scans(10, side),
        "PNG, interlaced": png(side, side, interlaced=True, pixels=rows),
        "PNG, 16 bits and alpha": png(side, side, bits=16, colour=6, pixels=deep),
        "AVIF, four layers": repeated("AVIF", 4, side),
        "AVIF, twenty layers": repeated("AVIF", 20, side),
        "HEIF, twenty pictures": repeated("HEIF", 20, side),
        "WEBP": encode(Image.new("RGB", (side, side), RED), "WEBP", method=0),
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


def is_accepted(data: bytes) -> bool:
    """Whether the first bytes are those of an accepted format."""
    return media_type(data) is not None


def difference(one: Image.Image, two: Image.Image) -> float:
    """The mean difference of two pictures of one size, 0 to 255."""
    histogram = ImageChops.difference(one.convert("RGB"), two.convert("RGB")).histogram()
    return sum(value % 256 * number for value, number in enumerate(histogram)) / sum(histogram)


def shown(picture: Picture) -> Image.Image:
    """A decoded picture as Pillow's."""
    return Image.frombytes("RGB", picture.size, picture.rgb(picture.size))
