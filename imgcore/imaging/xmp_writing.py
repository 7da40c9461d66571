"""XMP packets with a caption, an alt text and tags: made, merged into a file's own, and put into files.

Pixels are never encoded again: only the container's metadata part is replaced (XMP specification part 3).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from xml.etree import ElementTree

from imgcore.errors import Conflict, Invalid
from imgcore.imaging import mpf
from imgcore.imaging.formats import Damaged, jpeg
from imgcore.text import xml_text

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
IPTC = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_META, _XML = "adobe:ns:meta/", "http://www.w3.org/XML/1998/namespace"
_CAPTION, _TAGS, _ALT = f"{{{DC}}}description", f"{{{DC}}}subject", f"{{{IPTC}}}AltTextAccessibility"
_BEGIN = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = b'\n<?xpacket end="w"?>'
_PNG_NAME = b"XML:com.adobe.xmp"
UNREADABLE = "The file's XMP cannot be read, so it is left as it is."
NOT_EMBEDDABLE = "Words can be embedded into JPEG and PNG files only; write sidecars instead."
UNREADABLE_INDEX = (
    "The file's index of further pictures (MPF) cannot be read, so the file is left as it is; use sidecars."
)
_MOST = 1024 * 1024  # bytes of a packet, after decompression
_JPEG_LIMIT = 65_533 - len(jpeg.XMP)
_LEADING = b"JFIF\0", b"Exif\0\0"  # what stands before XMP

_Segment = tuple[int, int, int]  # marker, start, end
_Edit = tuple[int, int, bytes]  # start and end in the file, and what comes there


@dataclass(frozen=True, slots=True)
class FileWords:
    """What is written into a file. caption: None leaves the file's own."""

    caption: str | None
    alt_text: str
    tags: tuple[str, ...]


def packet(words: FileWords, known: bytes = b"") -> bytes:
    """Return an XMP packet with the words, and with the other properties of the packet ``known``.

    Invalid where ``known`` cannot be read: it would be lost.
    """
    root = _parsed(known) if known.strip() else ElementTree.Element(f"{{{_META}}}xmpmeta")
    for prefix, uri in {"x": _META, "rdf": RDF, "dc": DC, "Iptc4xmpCore": IPTC}.items():
        ElementTree.register_namespace(prefix, uri)
    rdf = root if root.tag == f"{{{RDF}}}RDF" else root.find(f"{{{RDF}}}RDF")
    if rdf is None:
        rdf = ElementTree.SubElement(root, f"{{{RDF}}}RDF")
    described = rdf.findall(f"{{{RDF}}}Description")
    names = {_ALT, _TAGS, *({_CAPTION} if words.caption is not None else ())}
    for element in described:
        for name in names:
            element.attrib.pop(name, None)
            for old in element.findall(name):
                element.remove(old)
    target = described[0] if described else ElementTree.SubElement(rdf, f"{{{RDF}}}Description")
    if words.caption is not None:
        _add(target, _CAPTION, "Alt", [words.caption])
    _add(target, _ALT, "Alt", [words.alt_text])
    _add(target, _TAGS, "Bag", words.tags)
    xml: bytes = ElementTree.tostring(root, encoding="utf-8")
    return _BEGIN + xml + _END


def words_in(known: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the caption and the keywords of a packet, empty where it has none. Conflict: it is unreadable."""
    root = _parsed(known) if known.strip() else ElementTree.Element(f"{{{_META}}}xmpmeta")
    captions, keywords = _texts(root, _CAPTION), _texts(root, _TAGS)
    return next(iter(captions), ""), tuple(dict.fromkeys(keywords))


def alt_text_in(known: bytes) -> str:
    """Return the alt text of a packet, empty where it has none. Conflict: it is unreadable."""
    return next(iter(_texts(_parsed(known), _ALT)), "") if known.strip() else ""


def embedded_packet(data: bytes) -> bytes:
    """Return the XMP packet of a JPEG or PNG; empty where there is none. Invalid for other formats.

    Conflict: it is too long, or not the only one, of which one would be lost.
    """
    packets = _packets(data)
    first = next(packets, b"")
    if next(packets, None) is not None:
        raise Conflict(UNREADABLE, code="xmp")
    return first


def embed(data: bytes, xmp: bytes) -> bytes:
    """Return what ``embedded_parts`` returns, joined."""
    return b"".join(embedded_parts(data, xmp))


def embedded_parts(data: bytes, xmp: bytes) -> list[bytes | memoryview]:
    """Return the parts of the file with ``xmp`` as its only XMP packet; what is kept of ``data`` is not copied.

    Invalid for a format or size that cannot hold it. Conflict: it would move other pictures of a JPEG whose
    index (MPF) cannot be read.
    """
    if data[:2] == b"\xff\xd8":
        return _into_jpeg(data, xmp)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _into_png(data, xmp)
    raise Invalid(NOT_EMBEDDABLE, code="not_embeddable")


def _add(target: ElementTree.Element, name: str, kind: str, texts: Iterable[str]) -> None:
    values = [value for text in texts if (value := xml_text(text))]
    if not values:
        return
    container = ElementTree.SubElement(ElementTree.SubElement(target, name), f"{{{RDF}}}{kind}")
    for text in values:
        attributes = {f"{{{_XML}}}lang": "x-default"} if kind == "Alt" else {}
        ElementTree.SubElement(container, f"{{{RDF}}}li", attributes).text = text


def _texts(root: ElementTree.Element, name: str) -> list[str]:
    """Return the texts of a property, the default language first."""
    items = [item for found in root.iter(name) for item in [*found.iter(f"{{{RDF}}}li")] or [found]]
    items.sort(key=lambda item: item.get(f"{{{_XML}}}lang") != "x-default")
    texts = [item.text or "" for item in items]
    texts += [found.get(name, "") for found in root.iter(f"{{{RDF}}}Description")]
    return [text.strip() for text in texts if text.strip()]


def _parsed(known: bytes) -> ElementTree.Element:
    text = known.strip(b"\0 \r\n\t")
    declared = text.replace(b"\0", b"")  # UTF-16, too
    if (
        len(text) > _MOST or b"<!DOCTYPE" in declared or b"<!ENTITY" in declared
    ):  # entities could expand without bound
        raise Conflict("The file's XMP is too long or has a document type, which is not read.", code="xmp")
    try:
        for _, (prefix, uri) in ElementTree.iterparse(BytesIO(text), ["start-ns"]):  # noqa: S314 - no document type
            if prefix and not re.fullmatch(r"ns\d+", prefix):
                ElementTree.register_namespace(prefix, uri)
        return ElementTree.fromstring(text)  # noqa: S314 - no document type
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # also of an unknown encoding
        raise Conflict(UNREADABLE, code="xmp") from error


def _packets(data: bytes) -> Iterator[bytes]:
    if data[:2] == b"\xff\xd8":
        for start, end in _named(data, _segments(data), jpeg.XMP):
            yield data[start + 4 + len(jpeg.XMP) : end]
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        for kind, start, end in _chunks(data):
            if kind == b"iTXt" and data.startswith(_PNG_NAME + b"\0", start + 8):
                if end - start > _MOST:
                    raise Conflict(UNREADABLE, code="xmp")
                yield _itxt(data[start + 8 + len(_PNG_NAME) + 1 : end - 4])
    else:
        raise Invalid(
            "Words can be embedded into JPEG and PNG files only; use sidecars.", code="not_embeddable"
        )


def _itxt(body: bytes) -> bytes:
    """Return the text behind the compression flag and method, the language and the translated keyword."""
    text = body[2:].partition(b"\0")[2].partition(b"\0")[2]
    if body[:1] != b"\1":
        return text
    try:
        return zlib.decompressobj().decompress(text, _MOST)
    except zlib.error as error:
        raise Conflict(UNREADABLE, code="xmp") from error


def _segments(data: bytes) -> list[_Segment]:
    """Return marker, start and end of the segments before the first scan. Invalid: the JPEG is damaged."""
    try:
        return [found for found in jpeg.segments(data, 0, len(data)) if found[0] != jpeg.SOS]
    except Damaged as error:
        raise Invalid("The JPEG is damaged; write sidecars instead.", code="not_embeddable") from error


def _named(data: bytes, segments: list[_Segment], *names: bytes) -> list[tuple[int, int]]:
    """Return start and end of the segments of applications that begin with one of the names."""
    return [
        (start, end)
        for marker, start, end in segments
        if marker in jpeg.METADATA and data.startswith(names, start + 4, end)
    ]


def _into_jpeg(data: bytes, xmp: bytes) -> list[bytes | memoryview]:
    """Replace the XMP segments by one in the place of the first; without any, put it behind JFIF and EXIF."""
    if len(xmp) > _JPEG_LIMIT:
        raise Invalid("The words and the file's XMP are too long for a JPEG; use sidecars.", code="too_large")
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(jpeg.XMP) + len(xmp)) + jpeg.XMP + xmp
    segments = _segments(data)
    place = max((end for _, end in _named(data, segments, *_LEADING)), default=2)
    (first, behind), *others = _named(data, segments, jpeg.XMP) or [(place, place)]
    edits = [(first, behind, segment), *((start, end, b"") for start, end in others)]
    edits += _moved_indexes(data, segments, edits)
    view, at = memoryview(data), 0
    out: list[bytes | memoryview] = []
    for start, end, new in sorted(edits):
        out += [view[at:start], new]
        at = end
    return [*out, view[at:]]


def _moved_indexes(data: bytes, segments: list[_Segment], edits: list[_Edit]) -> list[_Edit]:
    """Return the indexes of further pictures (MPF), such as a gain map, as the edits move these."""

    def move(place: int) -> int:
        return place + sum(len(new) - (end - start) for start, end, new in edits if end <= place)

    moved = []
    for start, end in _named(data, segments, mpf.NAME)[:1]:  # a file has one; more would cost time
        try:
            moved.append((start, end, mpf.moved(data[start:end], start, move)))
        except struct.error as error:
            if any(start < changed for changed, _, _ in edits):
                raise Conflict(UNREADABLE_INDEX, code="mpf") from error
    return moved


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], at, end
        at = end


def _into_png(data: bytes, xmp: bytes) -> list[bytes | memoryview]:
    body = b"iTXt" + _PNG_NAME + b"\0\0\0\0\0" + xmp
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    view, at = memoryview(data), 8
    out: list[bytes | memoryview] = [view[:8]]
    for kind, start, end in _chunks(data):
        at = end
        if kind == b"iTXt" and data.startswith(_PNG_NAME + b"\0", start + 8):
            continue
        out.append(view[start:end])
        if kind == b"IHDR":
            out.append(chunk)
    return [*out, view[at:]]
