"""WebP (RFC 9649): RIFF chunks of type, length and data, padded to even."""

from __future__ import annotations

from imgcore.imaging.formats.base import MAX_ICC, Carved, Damaged, bounded, check_length, part, tiff

_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_METADATA = frozenset({b"EXIF", b"XMP ", b"ICCP"})
_ALPHA_AND_ANIMATION = 0x12  # of VP8X's flags, those that say nothing of metadata
_CANVAS = 10  # bytes of VP8X: flags and the size
MAX_CHUNKS = 4096


def carve(data: bytes, *, with_picture: bool = True) -> Carved:
    """Keep the pixels and their alpha, of an animation the first frame, in a new RIFF frame."""
    kept: list[bytes | memoryview] = []
    found: dict[bytes, bytes] = {}
    size: tuple[int, int] | None = None
    frames, position, view = 0, 12, memoryview(data)
    end_of_file = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for _ in range(MAX_CHUNKS):
        if position + 8 > end_of_file:
            break
        kind, length = (
            data[position : position + 4],
            int.from_bytes(data[position + 4 : position + 8], "little"),
        )
        body, end = position + 8, position + 8 + length + length % 2
        if body + length > len(data):
            if kind in _KEPT or not size:
                raise Damaged("a chunk goes past the end", ends_early=True)
            break  # metadata behind the picture, or no chunk at all
        frames += kind == b"ANMF"
        size = size or _size(kind, data[body : body + 10])
        if kind == b"VP8X":
            flags = data[body] & _ALPHA_AND_ANIMATION
            kept.append(kind + _CANVAS.to_bytes(4, "little") + bytes([flags]) + data[body + 1 : body + _CANVAS])
        elif kind in _KEPT and frames < 2:
            kept += [view[position:end], b"\0"] if end > len(data) else [view[position:end]]  # padding is lost
        elif kind in _METADATA and kind not in found:
            found[kind] = part(data, body, body + length, MAX_ICC)
        position = end
    else:
        raise Damaged("more chunks than any encoder writes")
    if size is None:
        raise Damaged("no picture", ends_early=True)
    if with_picture:
        check_length(sum(map(len, kept)), size)
    return Carved(
        format="WEBP",
        picture=_riff(kept) if with_picture else b"",
        size=size,
        animated=frames > 1,
        exif=tiff(found.get(b"EXIF", b"")),
        xmp=bounded(found.get(b"XMP ", b"")),
        icc=found.get(b"ICCP", b""),
    )


def _riff(chunks: list[bytes | memoryview]) -> bytes:
    length = 4 + sum(len(chunk) for chunk in chunks)
    return b"".join([b"RIFF", length.to_bytes(4, "little"), b"WEBP", *chunks])


def _size(kind: bytes, head: bytes) -> tuple[int, int] | None:
    """Return width and height from the first ten bytes of the first chunk that has them."""
    if len(head) < 5:
        return None
    if kind == b"VP8X":
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8 ":
        return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
