"""Camera raw files made by hand: the structures that cameras write, around a JPEG and some raw pixels."""

from __future__ import annotations

import struct

Field = tuple[int, int, int, bytes]  # tag, type, count and value; a longer value is put behind the directory


def short(tag: int, value: int) -> Field:
    """A field of one short number."""
    return tag, 3, 1, struct.pack("<HH", value, 0)


def long(tag: int, *values: int) -> Field:
    """A field of long numbers."""
    return tag, 4, len(values), struct.pack(f"<{len(values)}L", *values)


def text(tag: int, value: str) -> Field:
    """A field of text."""
    data = value.encode() + b"\0"
    return tag, 2, len(data), data


def directory(at: int, fields: list[Field], following: int = 0) -> bytes:
    """A directory that lies at that offset of its file."""
    head, behind = struct.pack("<H", len(fields)), b""
    end = at + 2 + 12 * len(fields) + 4
    for tag, kind, count, value in sorted(fields):
        if len(value) > 4:
            head += struct.pack("<HHLL", tag, kind, count, end + len(behind))
            behind += value + b"\0" * (len(value) % 2)
        else:
            head += struct.pack("<HHL", tag, kind, count) + value.ljust(4, b"\0")
    return head + struct.pack("<L", following) + behind


def tiff_based(preview: bytes, name: str = "DNG", orientation: int = 1, maker: str = "") -> bytes:
    """A DNG, CR2, NEF or ARW: a preview, and a directory below the first one with the raw pixels."""
    pixels = b"\xff\xd8\xff\xc3" + b"\0" * 500
    at = 16
    second = at + len(preview)
    sub = second + len(pixels)
    fields = [
        short(0x0112, orientation),
        text(0x010F, maker or "Example"),
        long(0x014A, sub),
    ]
    sub_directory = directory(
        sub,
        [
            long(256, 6000),
            long(257, 4000),
            short(259, 7),
            short(262, 32803),
            long(273, second),
            long(279, len(pixels)),
        ],
    )
    if name == "DNG":
        fields.append((0xC612, 1, 4, b"\1\4\0\0"))
    if name in ("DNG", "CR2"):  # the preview is a strip of the first directory
        fields += [short(259, 7 if name == "DNG" else 6), short(262, 6), long(273, at), long(279, len(preview))]
    else:
        fields += [long(0x0201, at), long(0x0202, len(preview))]
    first = sub + len(sub_directory) + len(sub_directory) % 2
    head = b"II*\0" + struct.pack("<L", first) + (b"CR\2\0" if name == "CR2" else b"\0" * 4) + b"\0" * 4
    assert at == len(head)
    body = head + preview + pixels + sub_directory
    return body.ljust(first, b"\0") + directory(first, fields)


def raf(preview: bytes) -> bytes:
    """A file of Fujifilm's cameras."""
    head = b"FUJIFILMCCD-RAW 0201FF000000Example One".ljust(84, b"\0")
    return head + struct.pack(">LL", 160, len(preview)) + b"\0" * 68 + preview + b"\1" * 500


def _box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">L4s", 8 + len(body), name) + body


def cr3(preview: bytes, orientation: int = 1, *, before: int = 0, tracks: int = 1, notes: bytes = b"") -> bytes:
    """A file of Canon's newer cameras: boxes, with the JPEG as the only sample of a track.

    ``before``: so many empty tracks stand before it; ``tracks``: so many have the JPEG; ``notes``: behind its
    tags.
    """
    tags = b"II*\0\x08\0\0\0" + directory(8, [short(0x0112, orientation), text(0x010F, "Canon")]) + notes

    def moov(offset: int) -> bytes:
        table = _box(
            b"stbl",
            _box(b"stsz", b"\0" * 4, struct.pack(">LL", len(preview), 1)),
            _box(b"co64", b"\0" * 4, struct.pack(">LQ", 1, offset)),
        )
        track, empty = _box(b"trak", _box(b"mdia", _box(b"minf", table))), _box(b"trak")
        own = _box(b"uuid", bytes(16), _box(b"CMT1", tags))
        return _box(b"moov", own, empty * before, track * tracks, empty)

    head = _box(b"ftyp", b"crx \0\0\0\1crx isom")
    start = len(head) + len(moov(0)) + 8
    return head + moov(start) + _box(b"mdat", preview, b"\1" * 500)


def tiled(size: tuple[int, int], tile: tuple[int, int], packed: bytes) -> bytes:
    """A grey TIFF in tiles that share their pixels, packed by Deflate."""
    count = -(-size[0] // tile[0]) * -(-size[1] // tile[1])
    start = 8 + len(packed) + len(packed) % 2
    fields = [
        *(long(tag, side) for tag, side in zip((256, 257, 322, 323), (*size, *tile), strict=True)),
        *(short(tag, value) for tag, value in ((258, 8), (259, 8), (262, 1), (277, 1))),
        long(324, *[8] * count),
        long(325, *[len(packed)] * count),
    ]
    fields = [(tag, kind, number, value[:4] if number == 1 else value) for tag, kind, number, value in fields]
    head = b"II*\0" + struct.pack("<L", start)
    return (head + packed).ljust(start, b"\0") + directory(start, fields)


def all_kinds(preview: bytes) -> dict[str, bytes]:
    """One file of each kind with that JPEG inside."""
    return {
        "DNG": tiff_based(preview),
        "CR2": tiff_based(preview, "CR2"),
        "NEF": tiff_based(preview, "NEF", maker="NIKON CORPORATION"),
        "ARW": tiff_based(preview, "ARW", maker="SONY"),
        "CR3": cr3(preview),
        "RAF": raf(preview),
    }
