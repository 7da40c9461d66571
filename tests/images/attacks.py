"""Files that make codecs and readers work far more than their picture needs; AVIF and HEIF have a module."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from PIL import Image, ImageCms

from tests import raw_files
from tests.images.hostile import chunk, png
from tests.images.metadata import segment, with_segments, xmp
from tests.images.pictures import RED, encode, jpeg, photo

_LONG = 30_000  # pixels of the longest side
_PIXEL = bytes(4)  # of a PNG of one pixel
_SAID = b"XML:com.adobe.xmp\0"


def profile_with(*tags: tuple[bytes, bytes]) -> bytes:
    """Pillow's profile of sRGB with further tags."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = []
    for at in range(132, 132 + 12 * int.from_bytes(plain[128:132]), 12):
        start, length = struct.unpack(">LL", plain[at + 4 : at + 12])
        found.append((plain[at : at + 4], plain[start : start + length]))
    table, body = struct.pack(">L", len(found) + len(tags)), b""
    for name, content in (*found, *tags):
        table += name + struct.pack(">LL", 132 + 12 * (len(found) + len(tags)) + len(body), len(content))
        body += content.ljust(-(-len(content) // 4) * 4, b"\0")
    head = struct.pack(">L", 128 + len(table) + len(body)) + plain[4:8] + struct.pack(">L", 0x04400000)
    return head + plain[12:128] + table + body


def pipeline(stages: int) -> bytes:
    """The content of a tag of an ICC profile with so many matrices one after the other (ICC.1:2022, 10.16)."""
    matrix = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    head = b"mpet" + bytes(4) + struct.pack(">HHL", 3, 3, stages)
    return head + struct.pack(">LL", len(head) + 8 * stages, len(matrix)) * stages + matrix


def _profile_of_many_tags(count: int) -> bytes:
    """A profile that claims so many tags, each of which is a curve."""
    plain = profile_with()
    return plain[:128] + struct.pack(">L", count) + b"rTRC\0\0\0\x80\0\0\0\x0e" * min(count, 100_000)


def exif_named_often() -> bytes:
    """A block of 30 kB whose 512 entries all lead to a directory of 512 descriptions."""
    behind = 8 + 2 + 512 * 12 + 4
    first = struct.pack("<H", 512) + struct.pack("<HHLL", 0x8769, 4, 1, behind) * 512 + bytes(4)
    inner = struct.pack("<H", 512) + struct.pack("<HHLL", 0x010E, 2, 8000, 20_000) * 512
    return (b"II*\0\x08\0\0\0" + first + inner).ljust(30_000, b"a")


def _exif_in_circles() -> bytes:
    """A block whose directory for EXIF, and the one behind it, are the first one."""
    entries = struct.pack("<HHLL", 0x8769, 4, 1, 8) + struct.pack("<HHLL", 0x8825, 4, 1, 8)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + struct.pack("<L", 8)


def _high_range(width: int, height: int, transfer: int, mode: str = "RGB") -> bytes:
    """A PNG of high dynamic range: code points of BT.2020 with PQ (16) or HLG (18)."""
    ramp = Image.linear_gradient("L").resize((width, height))
    image = ramp.convert("RGB")
    if mode == "RGBA":
        image.putalpha(ramp)
    data = encode(image, "PNG", compress_level=1)
    return data[:33] + chunk(b"cICP", bytes([9, transfer, 0, 1])) + data[33:]


def _high_range_avif(width: int, height: int) -> bytes:
    data = encode(Image.linear_gradient("L").resize((width, height)).convert("RGB"), "AVIF", speed=10)
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", 9, 18) + data[at + 4 :]


def high_range_attacks() -> dict[str, bytes]:
    """Pictures of high dynamic range in the shapes that are decoded largest. Name → file."""
    wide = png(_LONG, 400, bits=16, colour=6, pixels=(b"\0" + bytes(range(240)) * _LONG)[: 8 * _LONG + 1] * 400)
    return {
        "PQ, 400 × 30,000": _high_range(400, _LONG, 16),
        "PQ, 30,000 × 1,666": _high_range(_LONG, 1666, 16),
        "PQ, 49 megapixels": _high_range(7000, 7000, 16),
        "HLG, 30,000 × 64": _high_range(_LONG, 64, 18),
        "HLG, 400 × 30,000 with alpha": _high_range(400, _LONG, 18, "RGBA"),
        "HLG, 30,000 × 400 of 16 bits with alpha": wide[:33] + chunk(b"cICP", b"\x09\x12\0\1") + wide[33:],
        "HLG, 49 megapixels with alpha": _high_range(7000, 7000, 18, "RGBA"),
        "HLG, AVIF of 400 × 30,000": _high_range_avif(400, _LONG),
    }


def _text(name: bytes, plain: bytes) -> bytes:
    return chunk(b"zTXt", name + b"\0\0" + zlib.compress(plain, 9))


def _packets(element: bytes) -> bytes:
    """A megabyte of one element in the place of a caption."""
    return xmp("@").replace(
        b'<rdf:li xml:lang="x-default">@</rdf:li>', element * ((1 << 20) // len(element) - 60)
    )


def png_attacks() -> dict[str, bytes]:
    """PNG files with far more chunks, text or pixels than they need. Name → file."""
    packed = chunk(b"iTXt", _SAID + b"\1\0\0\0" + zlib.compress(b" " * 1_000_000, 9))
    raw = b"\nexif\n9\n"
    frames = chunk(b"acTL", b"\xff" * 4 + bytes(4)) + chunk(b"fcTL", bytes(26)) * 32_000
    extras = {
        "4,000 packets of XMP": packed * 4000,
        "spaces in EXIF": _text(b"Raw profile type exif", raw + b"a " * 1_500_000),
        "30,000 texts of EXIF": _text(b"Raw profile type exif", raw + b"a" * 3_000_000) * 8000,
        "32,000 frames": frames,
        "32,000 palettes": chunk(b"PLTE", bytes(768)) * 32_000,
        "32,000 transparent colours": chunk(b"tRNS", bytes(6)) * 32_000,
        "EXIF named often": chunk(b"eXIf", exif_named_often()),
        "EXIF in circles": chunk(b"eXIf", _exif_in_circles()),
        **{
            f"XMP of {name}": chunk(b"iTXt", _SAID + bytes(4) + _packets(element))
            for name, element in {
                "captions": b'<rdf:li xml:lang="x-default">photo</rdf:li>',
                "comments": b"<!-- -->",
                "instructions": b"<?a b?>",
            }.items()
        },
    }
    rest = zlib.compressobj(9)
    beyond = b"".join([*(rest.compress(bytes(1 << 24)) for _ in range(60)), rest.flush()])
    whole = png(1, 1, pixels=_PIXEL)
    at = whole.index(b"IDAT") - 4
    return {f"PNG, {name}": png(1, 1, pixels=_PIXEL, extra=extra) for name, extra in extras.items()} | {
        "PNG, a gigabyte of pixels beyond the picture": whole[:at] + chunk(b"IDAT", beyond) + whole[-12:],
        "PNG, 48 MB beyond the pixels": whole[:-12] + chunk(b"IDAT", bytes(48 << 20)) + whole[-12:],
    }


def profile_attacks() -> dict[str, bytes]:
    """Pictures whose ICC profiles keep a colour management busy. Name → file."""
    profiles = {
        "20,000 stages": profile_with((b"D2B0", pipeline(20_000))),
        "50,000 stages of another intent": profile_with((b"D2B1", pipeline(50_000)), (b"D2B0", pipeline(2))),
        "four thousand million tags": _profile_of_many_tags((1 << 32) - 1),
        "a hundred thousand tags": _profile_of_many_tags(100_000),
    }
    return {
        f"{form}, profile of {name}": encode(photo(640, 480), form, icc_profile=profile)
        for name, profile in profiles.items()
        for form in ("PNG", "WEBP")
    } | {
        "JPEG, 40 MB of a profile": with_segments(
            jpeg(64, 48),
            *(segment(0xE2, b"ICC_PROFILE\0" + bytes([n % 255 + 1, 255]) + bytes(60_000)) for n in range(700)),
        )
    }


def jpeg_attacks() -> dict[str, bytes]:
    """JPEG files with many tables or marks. Name → file."""
    tiny = jpeg(64, 48)
    tables = segment(0xDB, (b"\0" + b"\1" * 64) * 1000)
    return {
        "JPEG, 40 MB of tables": tiny[:2] + tables * 620 + tiny[2:],
        "JPEG, a restart after each block": encode(
            Image.new("RGB", (7000, 7000), RED), "JPEG", restart_marker_blocks=1
        ),
        "JPEG, 80,000 resources": with_segments(
            tiny, *[segment(0xED, b"Photoshop 3.0\0" + b"8BIM\0\0\0\0\0\0\0\0" * 5000)] * 16
        ),
        "JPEG, EXIF named often": with_segments(tiny, segment(0xE1, b"Exif\0\0" + exif_named_often())),
        "JPEG, second pictures": tiny[:-2] + tiny * 5000,
        "JPEG, reserved segments": with_segments(tiny, *[segment(0xF0, bytes(60_000))] * 300),
    }


def _clears(count: int) -> bytes:
    """A GIF whose codes clear the table and show nothing, so many blocks of them."""
    bits = "000000001" * (8 * 255)  # the code 256 in nine bits, the lowest first
    codes = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))[:255]
    head = b"GIF89a" + struct.pack("<HH", 100, 100) + b"\x80\0\0" + bytes(6)
    return head + b"," + struct.pack("<4H", 0, 0, 100, 100) + b"\0\x08" + (b"\xff" + codes) * count + b"\0;"


def _riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<L", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body


def _canvas(side: int) -> bytes:
    return (side - 1).to_bytes(3, "little") * 2


def animation_attacks() -> dict[str, bytes]:
    """GIF and WebP files with floods of frames and blocks. Name → file."""
    gif = encode(Image.new("P", (4, 4)), "GIF")
    screen = gif[:6] + struct.pack("<HH", 7000, 7000) + gif[10:]
    tiny = encode(Image.new("RGB", (16, 16), RED), "WEBP")[12:]
    frame = (b"ANMF", bytes(6) + _canvas(16) + b"\x10\0\0\0" + tiny)
    moving, start = b"\x12\0\0\0", (b"ANIM", bytes(6))
    return {
        "GIF, 40 MB of codes that show nothing": _clears(160_000),
        "GIF, 100,000 frames": gif[:-1] + gif[-30:-1] * 100_000 + b";",
        "GIF, a small frame on 49 megapixels": screen,
        "GIF, 49 megapixels with a transparent colour": encode(
            Image.new("P", (7000, 7000)), "GIF", transparency=0
        ),
        "WEBP, 4,000 frames": _riff((b"VP8X", moving + _canvas(100)), start, *[frame] * 4000),
        "WEBP, a small frame on 49 megapixels": _riff((b"VP8X", moving + _canvas(7000)), start, frame),
        "WEBP, 40 MB of alpha": _riff(
            (b"VP8X", b"\x10\0\0\0" + _canvas(16)), *[(b"ALPH", bytes(20_000))] * 2000, (b"VP8 ", tiny[8:])
        ),
    }


def run_lengths(width: int, height: int, codes: bytes) -> bytes:
    """A BMP of eight bits whose rows are packed so."""
    head = struct.pack("<LllHHLLllLL", 40, width, height, 1, 8, 1, len(codes), 0, 0, 256, 0)
    return b"BM" + struct.pack("<LLL", 0, 0, 54 + 1024) + head + bytes(1024) + codes


def _in_circles() -> bytes:
    """A DNG whose last directory is followed by the first one, and whose lower directory is itself."""
    data = raw_files.tiff_based(jpeg(64, 48))
    (first,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    at = first + 2 + 12 * count
    return data[:at] + struct.pack("<L", first) + data[at + 4 :]


def _with_directories(change: Callable[[int], int], count: int = 60) -> bytes:
    """A NEF with further directories, each of which names a preview; ``change`` makes its length."""
    preview = jpeg(640, 480)
    data = raw_files.tiff_based(preview, "NEF", maker="NIKON")
    (first,) = struct.unpack_from("<L", data, 4)
    (fields,) = struct.unpack_from("<H", data, first)
    at, start = first + 2 + 12 * fields, len(data) + len(data) % 2
    data = (data[:at] + struct.pack("<L", start) + data[at + 4 :]).ljust(start, b"\0")
    for number in range(count):
        named = [raw_files.long(0x0201, 16), raw_files.long(0x0202, change(len(preview) - number))]
        data += raw_files.directory(len(data), named, len(data) + 30)
    return data


def container_attacks() -> dict[str, bytes]:
    """BMP, TIFF and camera raw files with offsets, run lengths and tiles of their own. Name → file."""
    wide = raw_files.raf(jpeg(640, 480))
    rows = b"\xff" * (4096 * 4096)
    packed = zlib.compress(rows, 9)
    return {
        "BMP, runs beyond the picture": run_lengths(1, 1, b"\xff\1" * 500_000),
        "BMP, 49 megapixels in lines without an end": run_lengths(7000, 7000, b"\0\0" * 500_000),
        "BMP, 49 megapixels in jumps": run_lengths(_LONG, 1600, b"\0\2\xff\xff" * 250_000),
        "TIFF, a tile of 16 megapixels": raw_files.tiled((16, 16), (4096, 4096), packed),
        "TIFF, tiles that share their pixels": raw_files.tiled(
            (7000, 7000), (256, 256), zlib.compress(b"\xff" * 65_536, 9)
        ),
        "TIFF, a tile of text": raw_files.tiled((16, 16), (16, 16), bytes(1 << 20)),
        "DNG, directories in circles": _in_circles(),
        "NEF, the same preview often": _with_directories(lambda _: len(jpeg(640, 480))),
        "NEF, previews that overlap": _with_directories(lambda length: length),
        "CR3, the same track often": raw_files.cr3(jpeg(640, 480), tracks=2000),
        "RAF, a preview that is the file": wide[:84] + struct.pack(">LL", 0, len(wide)) + wide[92:],
        "RAF, a preview behind the end": wide[:84] + struct.pack(">LL", 1 << 31, 1 << 31) + wide[92:],
    }
