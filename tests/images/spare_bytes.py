"""Files whose small picture lies among bytes that it does not need, in each place of each format."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from tests import raw_files
from tests.heif_files import box, file, full
from tests.images.heif_attacks import coded
from tests.images.hostile import chunk, png
from tests.images.metadata import exif, segment, with_segments
from tests.images.pictures import encode, jpeg, photo

_SIZE = (300, 200)
_ROW = b"\0" + bytes(3) * _SIZE[0]


def heif(
    form: str = "HEIF",
    *,
    before: bytes = b"",
    properties: tuple[bytes, ...] = (),
    texts: dict[int, tuple[bytes, bytes]] | None = None,
    extra: bytes = b"",
) -> bytes:
    """A HEIC or AVIF of one picture.

    ``before``: units before it; ``texts``: further items, by number, their kinds and contents; ``extra``: boxes
    behind those of the items.
    """
    own, picture = coded(form, *_SIZE)
    texts = texts or {}
    kind, brand = (b"hvc1", b"heic") if form == "HEIF" else (b"av01", b"avif")
    return file(
        {1: kind} | {number: name for number, (name, _) in texts.items()},
        brand=brand,
        contents={1: before + picture} | {number: content for number, (_, content) in texts.items()},
        sizes={1: _SIZE},
        properties={1: [own, full(b"pixi", b"\3\x08\x08\x08"), *properties]},
        extra=extra,
    )


def _tiff(
    strips: list[tuple[int, int]], *, body: bytes, more: list[raw_files.Field], packing: int = 1
) -> bytes:
    """A grey TIFF of 300 × 200 pixels whose ``body`` follows the header."""
    rows = -(-_SIZE[1] // len(strips))
    fields = [
        raw_files.short(256, _SIZE[0]),
        raw_files.short(257, _SIZE[1]),
        raw_files.short(258, 8),
        raw_files.short(259, packing),
        raw_files.short(262, 1),
        raw_files.long(273, *(start for start, _ in strips)),
        raw_files.short(277, 1),
        raw_files.long(278, rows),
        raw_files.long(279, *(length for _, length in strips)),
    ]
    own = {tag for tag, *_ in more}
    start = 8 + len(body) + len(body) % 2
    head = b"II*\0" + struct.pack("<L", start)
    return (head + body).ljust(start, b"\0") + raw_files.directory(
        start, [field for field in fields if field[0] not in own] + more
    )


def _tiffs(spare: bytes) -> Iterator[tuple[str, bytes]]:
    pixels = _SIZE[0] * _SIZE[1]
    plain, half = bytes(pixels), pixels // 2
    one = [(8, pixels)]
    yield "behind the pixels", encode(photo(*_SIZE), "TIFF") + spare
    yield "packed, behind the pixels", encode(photo(*_SIZE), "TIFF", compression="tiff_lzw") + spare
    yield "before the pixels", _tiff([(8 + len(spare), pixels)], body=spare + plain, more=[])
    yield (
        "a hole between the strips",
        _tiff([(8, half), (8 + half + len(spare), half)], body=plain[:half] + spare + plain[half:], more=[]),
    )
    yield "a strip of all", _tiff([(8, len(spare))], body=spare, more=[])
    packed = zlib.compress(plain)
    yield "a packed strip of all", _tiff([(8, len(spare))], body=packed + spare, more=[], packing=8)
    row = zlib.compress(bytes(_SIZE[0]))
    yield (
        "a size beyond all pixels that are there",
        _tiff(
            [(8, 100)] * 20,
            body=plain,
            more=[raw_files.long(256, 1_000_000), raw_files.long(257, 1_000_000), raw_files.long(278, 50_000)],
        ),
    )
    yield "strips that overlap", _tiff([(8, len(spare))] * _SIZE[1], body=row + spare, more=[], packing=8)
    yield (
        "strips that begin in each other",
        _tiff(
            [(8 + 1000 * at, len(spare) // 2) for at in range(_SIZE[1])],
            body=row + spare,
            more=[],
            packing=32773,
        ),
    )
    yield (
        "strips far from each other",
        _tiff([(8 + len(spare) // _SIZE[1] * at, 400) for at in range(_SIZE[1])], body=spare, more=[]),
    )
    yield (
        "strips in the directory",
        _tiff([(len(spare) + 8 + at, _SIZE[0]) for at in range(_SIZE[1])], body=spare + plain, more=[]),
    )
    for tag, name in ((266, "orders of bits"), (339, "sample formats"), (258, "bits"), (279, "lengths")):
        yield (
            f"many {name}",
            _tiff(one, body=plain, more=[(tag, 3, len(spare) // 2, b"\1\0" * (len(spare) // 2))]),
        )
    for tag, name in ((320, "colours"), (700, "XMP"), (34675, "ICC"), (34377, "resources"), (37500, "notes")):
        kind, width = (3, 2) if tag == 320 else (7, 1)
        yield name, _tiff(one, body=plain, more=[(tag, kind, len(spare) // width, spare)])
    big = b"II+\0\x08\0\0\0" + struct.pack("<Q", 16 + len(spare)) + spare
    yield "with long offsets", big + struct.pack("<Q", 1) + struct.pack("<HHQQ", 256, 3, 1, 300) + bytes(8)


def _heifs(spare: bytes) -> Iterator[tuple[str, bytes]]:
    length = len(spare)
    hevc = struct.pack(">L", length) + b"\x4e\1" + spare[2:]
    size = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14 & 127 | 128, length >> 21])
    unit = b"\x7a" + size + spare  # padding (AV1, 5.3)
    text = {2: (b"Exif", bytes(4) + exif(model="One"))}
    for form, units in (("HEIF", hevc), ("AVIF", unit)):
        yield f"{form}, a long unit", heif(form, before=units)
        data = encode(photo(*_SIZE), form, exif=exif(orientation=1))
        at = data.rindex(b"mdat") - 4
        yield f"{form}, behind the pictures", data + box(b"free", spare)
        yield f"{form}, no box behind the pictures", data + b"\1\2\3\4" + spare
        yield f"{form}, in the media", data[:at] + box(b"mdat", data[at + 8 :], spare)
        yield f"{form}, cut off", data[:at] + struct.pack(">L", 3 * length) + data[at + 4 :] + spare
        yield f"{form}, a film", data + box(b"moov", spare)
        yield f"{form}, with its items", heif(form, texts=text, extra=box(b"free", spare))
        yield f"{form}, EXIF", heif(form, texts={2: (b"Exif", spare)})
        yield f"{form}, XMP", heif(form, texts={2: (b"mime", spare)})
        yield f"{form}, an unknown item", heif(form, texts={2: (b"abcd", spare)})
        yield f"{form}, another picture", heif(form, texts={2: (b"hvc1", spare)})
        yield f"{form}, a profile", heif(form, properties=(box(b"colr", b"prof", spare),))
        inside = heif(form)  # its offsets do not count from the start of the file
        brands = inside[: int.from_bytes(inside[:4])]
        yield f"{form}, brands", box(b"ftyp", brands[8:], spare) + inside[len(brands) :]


def _jpegs(spare: bytes) -> Iterator[tuple[str, bytes]]:
    whole = with_segments(jpeg(*_SIZE), segment(0xE1, b"Exif\0\0" + exif(model="One")))
    scan = whole.rindex(b"\xff\xda") + 14
    several = encode(photo(*_SIZE), "JPEG", progressive=True, comment=b"One")
    last = several.rindex(b"\xff\xda")
    ones = b"\xff" * len(spare)
    yield "behind the end", whole + spare
    yield "behind several scans", several + spare
    yield "a second picture for an end", whole[:-2] + jpeg(64, 48) + spare
    yield "no end", whole[:-2] + spare
    yield "no end of several scans", several[:-2] + spare
    yield "in the scan", whole[: scan + 50] + spare + whole[scan + 50 :]
    yield "between scans", several[:last] + spare + several[last:]
    yield "filling in the scan", whole[: scan + 50] + ones + whole[scan + 50 :]
    yield "filling behind the scan", whole[:-2] + ones + whole[-2:]
    yield "filling between segments", whole[:2] + ones + whole[2:]
    yield "between segments", whole[:2] + spare + whole[2:]


def _pngs(spare: bytes) -> Iterator[tuple[str, bytes]]:
    rows = _ROW * _SIZE[1]
    plain = png(*_SIZE, pixels=rows, extra=chunk(b"eXIf", exif(model="One")))
    for name in (b"abCd", b"PLTE", b"tRNS", b"eXIf", b"iCCP", b"cICP", b"acTL"):
        yield name.decode(), png(*_SIZE, pixels=rows, extra=chunk(name, spare))
    for name in (b"tEXt", b"zTXt"):
        yield (
            f"EXIF in {name.decode()}",
            png(*_SIZE, pixels=rows, extra=chunk(name, b"Raw profile type exif\0" + spare)),
        )
    yield "XMP", png(*_SIZE, pixels=rows, extra=chunk(b"iTXt", b"XML:com.adobe.xmp\0" + spare))
    yield "IDAT", plain[:-12] + chunk(b"IDAT", spare) + plain[-12:]
    yield "IHDR", plain[:8] + chunk(b"IHDR", plain[16:29] + spare) + plain[33:]
    yield "behind the end", plain + spare
    yield "no end", plain[:-12] + spare
    yield "no end of the pixels", plain[:-12] + struct.pack(">L", 2 * len(spare)) + b"IDAT" + spare


def _gifs(spare: bytes) -> Iterator[tuple[str, bytes]]:
    plain = encode(photo(*_SIZE).quantize(16), "GIF", transparency=3)
    blocks = (b"\xff" + bytes(255)) * (len(spare) // 256)
    image = plain.index(b",", 13 + 48)
    control = plain.index(b"!\xf9")
    yield "remarks", plain[:control] + b"!\xfe" + blocks + b"\0" + plain[control:]
    yield "a long control", plain[:control] + b"!\xf9" + blocks + b"\0" + plain[image:]
    yield "codes behind the picture", plain[:-2] + blocks + plain[-2:]
    yield "behind the end", plain + spare
    yield "no end", plain[:-1] + spare


def _riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<L", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body


def _webps(spare: bytes) -> Iterator[tuple[str, bytes]]:
    still = encode(photo(*_SIZE), "WEBP")[12:]
    pixels = (b"VP8 ", still[8:])
    sides = b"".join((side - 1).to_bytes(3, "little") for side in _SIZE)
    for name, flag in ((b"EXIF", 8), (b"XMP ", 4), (b"ICCP", 32), (b"abcd", 0), (b"ALPH", 16)):
        extended = (b"VP8X", bytes([flag, 0, 0, 0]) + sides)
        parts = (pixels, (name, spare)) if flag in (4, 8) else ((name, spare), pixels)
        yield name.decode().strip(), _riff(extended, *parts)
    yield "VP8X", _riff((b"VP8X", bytes(4) + sides + spare), pixels)
    frame = bytes(6) + sides + bytes(4)
    moving = (b"VP8X", b"\2\0\0\0" + sides), (b"ANIM", bytes(6))
    yield "ANIM", _riff(moving[0], (b"ANIM", bytes(6) + spare), (b"ANMF", frame + still))
    yield (
        "in a frame",
        _riff(*moving, (b"ANMF", frame + still + b"abcd" + struct.pack("<L", len(spare)) + spare)),
    )
    yield "pixels", _riff((b"VP8 ", still[8:] + spare))
    yield "behind the end", encode(photo(*_SIZE), "WEBP") + spare


def _bitmaps(spare: bytes) -> Iterator[tuple[str, bytes]]:
    plain = encode(photo(*_SIZE), "BMP")
    palette = encode(photo(*_SIZE).quantize(256), "BMP")

    def apart(data: bytes) -> bytes:
        start = int.from_bytes(data[10:14], "little")
        return data[:10] + struct.pack("<L", start + len(spare)) + data[14:start] + spare + data[start:]

    def with_colours(data: bytes) -> bytes:
        return data[:46] + struct.pack("<L", 1 << 20) + data[50:]

    yield "before the pixels", apart(plain)
    yield "before pixels that break off", apart(plain)[:-1500]
    yield "behind the pixels", plain + spare
    yield "many colours", with_colours(apart(palette))
    yield "many colours, behind the pixels", with_colours(palette + spare)


def _raws(spare: bytes) -> Iterator[tuple[str, bytes]]:
    preview = jpeg(*_SIZE)
    scan = preview.rindex(b"\xff\xda") + 14
    previews = {
        "behind the preview": preview + spare,
        "in the preview": preview[: scan + 50] + spare + preview[scan + 50 :],
        "a preview without an end": preview[:-2] + spare,
    }
    for place, inner in previews.items():
        for kind, data in raw_files.all_kinds(inner).items():
            if kind in ("DNG", "CR3", "RAF"):  # NEF and ARW differ from DNG in the tags, CR2 in the start
                yield f"{kind}, {place}", data
    for kind, data in raw_files.all_kinds(preview).items():
        yield f"{kind}, behind all", data + spare
    yield "CR3, tags", raw_files.cr3(preview, notes=spare)


_KINDS = {"TIFF": _tiffs, "JPEG": _jpegs, "PNG": _pngs, "GIF": _gifs, "WEBP": _webps, "BMP": _bitmaps}


def spare_byte_attacks(size: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of files of about ``size`` bytes, which show 300 × 200 pixels."""
    spare = bytes(size)
    for form, files in _KINDS.items():
        yield from ((f"{form}, {name}", data) for name, data in files(spare))
    yield from _heifs(spare)
    yield from _raws(spare)
