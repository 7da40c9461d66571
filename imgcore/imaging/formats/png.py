"""PNG (W3C, third edition): chunks of length, type, data and checksum."""

from __future__ import annotations

from imgcore.imaging.formats.base import MAX_ICC, MAX_METADATA, Carved, Damaged, bounded, inflate, join, tiff

_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_XMP = b"XML:com.adobe.xmp\0"
MAX_CHUNKS = 32_768  # encoders cut the pixels into pieces of 8 KiB or more


def carve(data: bytes) -> Carved:
    """Keep the header, the palette, the transparency and the pixels. APNG's further frames are left out."""
    kept: list[tuple[int, int]] = [(0, 8)]
    found: dict[bytes, bytes] = {}
    frames, position = 1, 8
    for _ in range(MAX_CHUNKS):
        length, kind = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        body, end = position + 8, position + 12 + length
        if end > len(data):
            raise Damaged("a chunk goes past the end", ends_early=True)
        if kind in _KEPT:
            kept.append((position, end))
        if kind == b"IHDR" or (kind in (b"eXIf", b"iCCP") and kind not in found):
            found[kind] = bounded(data[body : body + length], MAX_ICC)
        elif kind == b"iTXt" and data.startswith(_XMP, body):
            found[kind] = _xmp(data[body + len(_XMP) : body + length])
        elif kind == b"acTL":
            frames = int.from_bytes(data[body : body + 4])
        elif kind == b"IEND":
            break
        position = end
    else:
        raise Damaged("more chunks than any encoder writes")
    header = found.get(b"IHDR", b"")
    return Carved(
        format="PNG",
        picture=join(data, kept),
        size=(int.from_bytes(header[:4]), int.from_bytes(header[4:8])),
        animated=frames > 1,
        exif=tiff(found.get(b"eXIf", b"")),
        xmp=found.get(b"iTXt", b""),
        icc=_profile(found.get(b"iCCP", b"")),
    )


def _xmp(body: bytes) -> bytes:
    """Return the text of an international text chunk, after two flags, the language and the translated key."""
    compressed, rest = body[:1] == b"\1", body[2:]
    text = rest.split(b"\0", 2)[-1]
    return inflate(text, MAX_METADATA) if compressed else bounded(text)


def _profile(body: bytes) -> bytes:
    """Return the ICC profile, after its name and the compression method."""
    return inflate(body.partition(b"\0")[2][1:], MAX_ICC)
