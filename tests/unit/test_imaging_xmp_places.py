"""Find and write XMP in a JPEG, and keep the pictures behind the first one where its index says."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from imgcore.errors import Conflict, Invalid
from imgcore.imaging.decode import decode
from imgcore.imaging.formats import jpeg
from imgcore.imaging.xmp_writing import FileWords, embed, embedded_packet, packet
from tests import images as samples
from tests.images import segment, with_segments, xmp

OWN = segment(0xE1, jpeg.XMP + xmp("Grandmother at the lake"))
FIRST, SECOND = samples.jpeg(64, 48), samples.jpeg(32, 24)
ENTRIES = 8 + 2 + 3 * 12 + 4  # where the entries of ``index`` begin, from its header
MPF = 4 + 4 + ENTRIES + 32  # bytes of the segment that ``index`` makes
SHORT = FileWords(None, "Alt.", ())
LONG = FileWords(None, "A" * 5000, ("cat",))


def index(order: str, size: int, offset: int, second: int) -> bytes:
    """An MPF segment of two pictures. offset: of the second one, from the header of the index."""
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8)
    directory = struct.pack(f"{order}HHHL4s", 3, 0xB000, 7, 4, b"0100")
    directory += struct.pack(f"{order}HHLLHHLLL", 0xB001, 4, 1, 2, 0xB002, 7, 32, ENTRIES, 0)
    entries = struct.pack(f"{order}LLLHHLLLHH", 0x30000, size, 0, 0, 0, 0, second, offset, 0, 0)
    return segment(0xE2, b"MPF\0" + header + directory + entries)


def two_pictures(order: str, before: bytes = b"", behind: bytes = b"") -> bytes:
    """A JPEG with a second one behind it. before, behind: segments around those of the index."""
    size = len(FIRST) + len(before) + MPF + len(behind)
    offset = size - (2 + len(before) + 8)
    return with_segments(FIRST, before, index(order, size, offset, len(SECOND)), behind) + SECOND


def indexed(data: bytes) -> list[bytes]:
    """The pictures as the index says."""
    base = data.index(b"MPF\0") + 4
    order = "<" if data[base : base + 2] == b"II" else ">"
    entries = struct.unpack_from(f"{order}4xLL4x4xLL4x", data, base + ENTRIES)
    places = [(0, entries[0]), (base + entries[3], entries[2])]
    return [data[start : start + size] for start, size in places]


def embedded(data: bytes, words: FileWords) -> bytes:
    return embed(data, packet(words, embedded_packet(data)))


@pytest.mark.parametrize("between", [b"\xff", b"\xff" * 9, b"\0", b"rubbish", b"\xff\0", b"\xff\xd0"])
def test_packet_behind_fill_bytes_or_rubbish_is_merged(between: bytes) -> None:
    comment = segment(0xFE, b"A comment")
    data = with_segments(FIRST, comment, between, OWN, between)

    written = embedded(data, FileWords(None, "Alt.", ("cat",)))

    facts = decode(written, max_side=64).facts
    assert ("Grandmother at the lake", ("cat",)) == (facts.embedded_caption, facts.embedded_keywords)
    assert 1 == written.count(jpeg.XMP)
    head = 2 + len(comment) + len(between)
    assert data[:head] == written[:head]
    assert written.endswith(data[head + len(OWN) :])


def test_packet_keeps_its_place_and_a_new_one_comes_behind_jfif_and_exif() -> None:
    leading = segment(0xE0, b"JFIF\0" + bytes(9)) + segment(0xE1, b"Exif\0\0" + samples.exif(model="One"))
    comment, extension = segment(0xFE, b"A comment"), segment(0xE0, b"JFXX\0\x10")
    bare = FIRST[:2] + FIRST[20:]  # without JFIF

    new = embed(with_segments(bare, leading, comment, extension), b"<x/>")
    assert new.startswith(bare[:2] + leading + segment(0xE1, jpeg.XMP + b"<x/>") + comment + extension)
    old = embed(with_segments(bare, leading, comment, OWN, extension), b"<x/>")
    assert old.startswith(bare[:2] + leading + comment + segment(0xE1, jpeg.XMP + b"<x/>") + extension)


@pytest.mark.parametrize("words", [SHORT, LONG])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("before", "behind"), [(b"", b""), (OWN, b""), (b"", OWN)], ids=["none", "before the index", "behind it"]
)
def test_embedding_keeps_a_second_picture_where_its_index_says(
    before: bytes, behind: bytes, order: str, words: FileWords
) -> None:
    data = two_pictures(order, before, behind)
    assert [data.removesuffix(SECOND), SECOND] == indexed(data)

    written = embedded(data, words)

    assert [written.removesuffix(SECOND), SECOND] == indexed(written)
    opened = Image.open(io.BytesIO(written))
    opened.seek(1)
    assert (32, 24) == opened.size


def test_second_picture_whose_index_cannot_be_read_is_not_moved() -> None:
    unreadable = segment(0xE2, b"MPF\0" + bytes(84))

    with pytest.raises(Conflict) as caught:
        embed(with_segments(FIRST, unreadable, OWN) + SECOND, packet(SHORT))
    assert "mpf" == caught.value.code
    assert embed(with_segments(FIRST, OWN, unreadable) + SECOND, packet(SHORT)).endswith(SECOND)


def test_words_are_not_embedded_into_a_jpeg_that_breaks_off() -> None:
    for action in (embedded_packet, lambda data: embed(data, packet(SHORT))):
        with pytest.raises(Invalid):
            action(with_segments(FIRST, OWN)[:100])
