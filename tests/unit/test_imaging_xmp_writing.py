"""Words written into files: read back, other metadata kept, pixels untouched."""

from __future__ import annotations

import io
import tracemalloc
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from imgcore.errors import Conflict, Invalid
from imgcore.imaging.decode import decode
from imgcore.imaging.xmp_writing import FileWords, alt_text_in, embed, embedded_packet, packet, words_in
from tests import images as samples
from tests.images import exif, xmp

WORDS = FileWords("A cat & <a> dog.", "A grey cat.", ("cat", "dög"))
RATED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_embedded_words_are_read_back_and_pixels_are_the_same(form: str) -> None:
    data = samples.encode(samples.corners(), form, exif=exif(make="Example", model="One"))

    written = embed(data, packet(WORDS))

    facts = decode(written, max_side=64).facts
    assert (WORDS.caption, WORDS.tags) == (facts.embedded_caption, facts.embedded_keywords)
    assert "Example One" == facts.camera
    assert pixels(data) == pixels(written)
    assert WORDS.alt_text == alt_text_in(embedded_packet(written))


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_words_written_again_replace_the_first_and_keep_other_properties(form: str) -> None:
    data = embed(samples.encode(samples.corners(), form), packet(WORDS, RATED))

    again = embed(data, packet(FileWords("New.", "New alt.", ("new",)), embedded_packet(data)))

    text = embedded_packet(again).decode()
    assert ("New.", ("new",)) == (
        decode(again, max_side=64).facts.embedded_caption,
        decode(again, max_side=64).facts.embedded_keywords,
    )
    assert 'xmp:Rating="4"' in text
    assert "A grey cat." not in text
    assert 1 == text.count("<x:xmpmeta")


@given(st.text(st.characters(codec=None), max_size=40))
@example("\ufffe\uffff\x0b\ud800")
def test_packet_of_any_stored_text_can_be_read_and_merged(text: str) -> None:
    """Texts of earlier releases may have characters that XML forbids."""
    first = packet(FileWords(f"a{text}b", f"a{text}b", (f"a{text}b", text)))

    caption, tags = words_in(first)
    assert ("a", "b") == (caption[0], caption[-1])
    assert caption == tags[0]
    assert ("New.", ("new",)) == words_in(packet(FileWords("New.", "New alt.", ("new",)), first))


def test_caption_of_the_photographer_stays() -> None:
    text = packet(FileWords(None, "Alt.", ("cat",)), xmp("Anna at the lake"))

    assert b"Anna at the lake" in text
    assert b"Auf Deutsch" in text  # its other language, too
    assert alt_text_in(text)


def test_compressed_packet_of_a_png_is_merged() -> None:
    plain = embed(samples.encode(samples.corners(), "PNG"), RATED)
    known = embedded_packet(plain)
    body = b"iTXtXML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(known)
    chunk = (len(body) - 4).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    at = plain.index(b"iTXt") - 4
    length = 12 + int.from_bytes(plain[at : at + 4])
    compressed = plain[:at] + chunk + plain[at + length :]

    assert known == embedded_packet(compressed)
    assert b"iTXt" in embed(compressed, packet(WORDS, embedded_packet(compressed)))


ALT_TEXTS = {
    '<rdf:Description Iptc4xmpCore:AltTextAccessibility=""/>': False,
    '<rdf:Description Iptc4xmpCore:AltTextAccessibility="A cat."/>': True,
    "<rdf:Description><Iptc4xmpCore:AltTextAccessibility/></rdf:Description>": False,
    "<rdf:Description><Iptc4xmpCore:AltTextAccessibility><rdf:Alt><rdf:li> </rdf:li></rdf:Alt>"
    "</Iptc4xmpCore:AltTextAccessibility></rdf:Description>": False,
    "<rdf:Description><Iptc4xmpCore:AltTextAccessibility>A cat.</Iptc4xmpCore:AltTextAccessibility>"
    "</rdf:Description>": True,
    '<rdf:Description Iptc4xmpCore:Location="AltTextAccessibility"/>': False,
}


@pytest.mark.parametrize(("description", "expected"), ALT_TEXTS.items())
def test_alt_text_that_is_empty_is_none(description: str, *, expected: bool) -> None:
    """Programs write the property of an empty field, too; words that are written replace it."""
    known = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/">'
        f"{description}</rdf:RDF></x:xmpmeta>"
    ).encode()

    assert expected is bool(alt_text_in(known))
    assert WORDS.alt_text == alt_text_in(packet(WORDS, known))


def test_packet_that_is_empty_has_no_alt_text() -> None:
    assert "" == alt_text_in(b"")


@pytest.mark.parametrize(
    "known", [b"<x", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"<x/>" + b" " * 2**21 + b"<"]
)
def test_packet_that_cannot_be_read_is_left(known: bytes) -> None:
    with pytest.raises(Conflict):
        packet(WORDS, known)


def png_with(*packets: bytes) -> bytes:
    """A PNG with compressed packets."""
    chunks = [samples.chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(one, 9)) for one in packets]
    return samples.png(1, 1, pixels=b"\0" * 4, extra=b"".join(chunks))


def test_one_of_several_packets_is_not_lost() -> None:
    """Two are unpacked at most: two hundred of a megabyte each are a small file."""
    segment = samples.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + RATED)
    spaces = b" " * 2**20
    for data in (
        samples.with_segments(samples.jpeg(16, 16), segment, segment),
        png_with(RATED, RATED),
        png_with(*[spaces] * 200),
    ):
        tracemalloc.start()
        try:
            with pytest.raises(Conflict):
                embedded_packet(data)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 8 * 2**20


def test_packet_of_a_png_that_is_too_long_is_left() -> None:
    chunk = samples.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + RATED + b" " * 2**20)
    with pytest.raises(Conflict):
        embedded_packet(samples.png(1, 1, pixels=b"\0" * 4, extra=chunk))


def test_words_are_not_embedded_into_other_formats_or_beyond_the_limit() -> None:
    with pytest.raises(Invalid):
        embed(samples.encode(samples.corners(), "WEBP"), packet(WORDS))
    with pytest.raises(Invalid):
        embed(samples.encode(samples.corners(), "JPEG"), packet(FileWords("x" * 70_000, "y", ())))
