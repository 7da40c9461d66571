"""EXIF, IPTC and XMP blocks, and the segments of a JPEG that hold them."""

from __future__ import annotations

import struct
from datetime import datetime

from PIL import Image


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
