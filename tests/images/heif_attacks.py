"""AVIF and HEIF files that make codecs and readers work far more than the picture that they show."""

from __future__ import annotations

import functools
import struct

from imgcore.imaging.formats import isobmff
from tests.heif_files import box, entry, file, full
from tests.images.pictures import encode, photo

_SIDE = 64  # pixels of a tile
_CODECS = {"HEIF": (b"hvc1", b"hvcC", b"heic"), "AVIF": (b"av01", b"av1C", b"avif")}
_CHANNELS = full(b"pixi", b"\3\x08\x08\x08")
_ALPHA = full(b"auxC", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
_PICTURE_PARAMETERS, _REMARK = 34, b"\0\0\0\5\x4e\1\x80\0\x80"  # a type of HEVC's units; a whole unit


@functools.cache
def coded(form: str, width: int = _SIDE, height: int = _SIDE) -> tuple[bytes, bytes]:
    """The box of the codec's configuration, and the coded picture."""
    data = encode(photo(width, height), form, **({"speed": 10} if form == "AVIF" else {}))
    start, end = isobmff.top_level(data)[0][b"meta"]
    inner = isobmff.children(data, start + 4, end)
    piece = next(isobmff.extents(data, *inner[b"iloc"]))
    properties = isobmff.children(data, *isobmff.children(data, *inner[b"iprp"])[b"ipco"])
    name = _CODECS[form][1]
    at, to = properties[name]
    return box(name, data[at:to]), data[piece.offset : piece.offset + piece.length]


def _grid(rows: int, *, side: int = _SIDE) -> bytes:
    return bytes([0, 1, rows - 1, rows - 1]) + struct.pack(">LL", rows * side, rows * side)


def grid(
    rows: int,
    *,
    side: int = _SIDE,
    shown: int = 0,
    configuration: bytes = b"",
    before: bytes = b"",
    references: list[tuple[bytes, int, list[int]]] | None = None,
) -> bytes:
    """A HEIC of equal tiles in a square, which are one item.

    ``shown``: pixels a side that it claims; ``configuration``: in the place of the tile's own; ``before``:
    units that stand before the tile's picture; ``references``: in the place of those to the tiles.
    """
    own, picture = coded("HEIF", side, side)
    shown = shown or rows * side
    return file(
        {1: b"grid", 2: b"hvc1", 3: b"hvc1"},
        contents={1: _grid(rows, side=side), 2: before + picture, 3: picture},
        sizes={1: (shown, shown), 2: (side, side), 3: (side, side)},
        references=references or [(b"dimg", 1, [2] * rows**2)],
        properties={1: [_CHANNELS], 2: [configuration or own, _CHANNELS], 3: [own, _CHANNELS, _ALPHA]},
    )


def separate_tiles(rows: int, filler: bytes = b"") -> bytes:
    """An AVIF of tiles that are items of their own; ``filler`` is in the configuration of each."""
    own, picture = coded("AVIF")
    tiles = range(2, 2 + rows**2)
    configuration = box(b"av1C", own[8:12] + filler)
    side = rows * _SIDE
    return file(
        {1: b"grid"} | dict.fromkeys(tiles, b"av01"),
        brand=b"avif",
        contents={1: _grid(rows)} | dict.fromkeys(tiles, picture),
        sizes={1: (side, side)} | dict.fromkeys(tiles, (_SIDE, _SIDE)),
        references=[(b"dimg", 1, list(tiles))],
        properties={1: [_CHANNELS]} | {tile: [configuration, _CHANNELS] for tile in tiles},
    )


def turned(times: int, side: int = 2048) -> bytes:
    """A HEIC that is turned so many times."""
    own, picture = coded("HEIF", side, side)
    return file(
        {1: b"hvc1"},
        contents={1: picture},
        sizes={1: (side, side)},
        properties={1: [own, _CHANNELS] + [box(b"irot", b"\1")] * times},
    )


def parameters(times: int, kind: int = _PICTURE_PARAMETERS) -> bytes:
    """The configuration of a tile, with its sets of parameters of that type so many times."""
    body = coded("HEIF")[0][8:]
    arrays, at = body[:23], 23
    for _ in range(body[22]):
        head, count = body[at], int.from_bytes(body[at + 1 : at + 3])
        start = at = at + 3
        for _ in range(count):
            at += 2 + int.from_bytes(body[at : at + 2])
        repeat = times if head & 63 == kind else 1
        arrays += bytes([head]) + struct.pack(">H", repeat * count) + body[start:at] * repeat
    return box(b"hvcC", arrays)


def overlay(layers: int, side: int) -> bytes:
    """A HEIC of a picture that is laid over an empty one so many times."""
    own, picture = coded("HEIF")
    offsets = struct.pack(">ll", 0, 0) * layers
    return file(
        {1: b"iovl", 2: b"hvc1"},
        contents={1: b"\0\1" + bytes(8) + struct.pack(">LL", side, side) + offsets, 2: picture},
        sizes={1: (side, side), 2: (_SIDE, _SIDE)},
        references=[(b"dimg", 1, [2] * layers)],
        properties={2: [own, _CHANNELS]},
    )


def _doubled(kinds: dict[int, bytes]) -> bytes:
    """A HEIC whose second item has the number of the first."""
    return file(kinds).replace(entry(2, kinds[2]), entry(1, kinds[2]))


def heif_attacks() -> dict[str, bytes]:
    """Files whose boxes cost a codec, or a reader, seconds or hundreds of megabytes. Name → file."""
    kinds = {1: b"hvc1", 2: b"hvc1"}
    own, picture = coded("HEIF")
    film = box(b"moov", box(b"mvhd", bytes(100)), box(b"trak", box(b"mdia", bytes(1 << 20))))
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b" " * 1_000_000
    texts = range(3, 23)
    still = {
        "contents": {1: picture},
        "sizes": {1: (_SIDE, _SIDE)},
        "properties": {1: [own, _CHANNELS]},
    }
    many = [2] * 60_000
    lists: list[tuple[bytes, int, list[int]]] = [(b"dimg", 1, [2] * 144), (b"dimg", 1, [2])]
    alpha: list[tuple[bytes, int, list[int]]] = [(b"dimg", 1, [2] * 900), (b"auxl", 3, [2])]
    return {
        "HEIF, two lists of tiles": grid(12, side=512, shown=512, references=lists),
        "HEIF, two lists of tiles, short first": grid(12, side=512, shown=512, references=lists[::-1]),
        "HEIF, 900 tiles": grid(30),
        "HEIF, 900 tiles of alpha": grid(30, references=alpha),
        "HEIF, tiles beyond the picture": grid(16, side=512, shown=512),
        "HEIF, parameters of a tile": grid(16, configuration=parameters(7000)),
        "HEIF, parameters of a few tiles": grid(4, configuration=parameters(60_000)),
        "HEIF, remarks in a tile": grid(30, before=_REMARK * 60_000),
        "HEIF, long unit in a tile": grid(30, before=struct.pack(">L", 1 << 20) + b"\x4e\1" + bytes(2**20 - 2)),
        "HEIF, empty units": grid(30, before=bytes(200_000)),
        "HEIF, turned": turned(1),
        "HEIF, turned 200 times": turned(200),
        "HEIF, layers": overlay(900, 6000),
        "HEIF, chain of pictures": file(
            dict.fromkeys(range(1, 8), b"iden") | {8: b"hvc1"},
            contents={8: picture},
            sizes=dict.fromkeys(range(1, 9), (_SIDE, _SIDE)),
            references=[(b"dimg", item, [item + 1]) for item in range(1, 8)],
            properties={8: [own, _CHANNELS]},
        ),
        "HEIF, items of the same number": _doubled({1: b"grid", 2: b"hvc1"}),
        "HEIF, references": file(kinds, references=[(b"cdsc", 2, many)] * 80, **still),
        "HEIF, properties": file({1: b"hvc1"}, associations=(b"\0\1\xff" + b"\1" * 255) * 40_000, **still),
        "HEIF, two films": file({1: b"hvc1"}, **still) + film * 2,
        "HEIF, film": file({1: b"hvc1"}, **still) + film * 1 + box(b"mdat", bytes(1 << 20)),
        "HEIF, XMP of other items": file(
            {1: b"hvc1", 2: b"hvc1"} | dict.fromkeys(texts, b"mime"),
            contents={1: picture, 2: picture} | dict.fromkeys(texts, packet),
            sizes={1: (_SIDE, _SIDE)},
            references=[(b"cdsc", item, [2]) for item in texts],
            properties={1: [own, _CHANNELS]},
        ),
        "AVIF, 961 tiles": separate_tiles(31),
        "AVIF, 256 tiles with fillers": separate_tiles(16, (b"\x7a\x7f" + bytes(127)) * 8000),
    }
