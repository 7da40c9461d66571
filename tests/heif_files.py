"""AVIF and HEIF files made of single boxes and items."""

from __future__ import annotations

import struct


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">L", 8 + len(body)) + name + body


def full(name: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">L", version << 24 | flags), *content)


def entry(number: int, kind: bytes, content_type: bytes = b"application/rdf+xml") -> bytes:
    named = b"name\0" + content_type + b"\0" if kind == b"mime" else b"\0"
    return full(b"infe", struct.pack(">HH", number, 0), kind, named, version=2)


def file(
    kinds: dict[int, bytes],
    *,
    brand: bytes = b"heic",
    contents: dict[int, bytes] | None = None,
    sizes: dict[int, tuple[int, int]] | None = None,
    references: list[tuple[bytes, int, list[int]]] | None = None,
    properties: dict[int, list[bytes]] | None = None,
    associations: bytes = b"",
    extra: bytes = b"",
) -> bytes:
    """A file of these items, 1 the primary one; its contents lie in the box idat.

    ``properties``: of each item, besides its size; the same one is stored once. ``associations``: behind these.
    """
    contents, sizes, references = contents or {}, sizes or {}, references or []
    owners = {number: [full(b"ispe", struct.pack(">LL", *size))] for number, size in sizes.items()}
    for number, boxes in (properties or {}).items():
        owners[number] = owners.get(number, []) + boxes
    distinct = list(dict.fromkeys(each for boxes in owners.values() for each in boxes))
    places, stored = b"", b""
    for number, content in contents.items():
        places += struct.pack(">HHHHLL", number, 1, 0, 1, len(stored), len(content))
        stored += content
    owned = b"".join(
        struct.pack(">HB", number, len(boxes)) + bytes(0x81 + distinct.index(each) for each in boxes)
        for number, boxes in owners.items()
    )
    named = b"".join(
        box(kind, struct.pack(f">HH{len(others)}H", item, len(others), *others))
        for kind, item, others in references
    )
    meta = full(
        b"meta",
        full(b"hdlr", bytes(4), b"pict", bytes(13)),
        full(b"pitm", struct.pack(">H", 1)),
        full(b"iinf", struct.pack(">H", len(kinds)), *(entry(number, kind) for number, kind in kinds.items())),
        full(b"iloc", b"\x44\0", struct.pack(">H", len(contents)), places, version=1),
        box(
            b"iprp",
            box(b"ipco", *distinct),
            full(b"ipma", struct.pack(">L", len(owners)), owned, associations),
        ),
        full(b"iref", named),
        box(b"idat", stored),
        extra,
    )
    return box(b"ftyp", brand, b"\0\0\0\0", b"mif1") + meta


def sequence(width: int, height: int, *, short: bool = True) -> bytes:
    """An AV1 sequence header as an open bitstream unit with its length."""
    head = (
        "000"
        + "1"
        + ("1" + "00000" if short else "0" + "0" + "1" + "00000" + "0" * 12 + "01000" + "0" + "1" + "0000")
    )
    bits = head + "1111" + "1111" + f"{width - 1:016b}{height - 1:016b}" + "0" * 40
    body = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
    return bytes([1 << 3 | 2, len(body)]) + body
