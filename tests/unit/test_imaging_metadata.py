"""What is read from EXIF, IPTC and XMP, and what never is."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from imgcore.gallery.models import PhotoDetails
from imgcore.imaging import exif_tags, metadata
from imgcore.imaging.decode import decode
from imgcore.imaging.formats.ifd import Entry, Structure
from tests import images as samples
from tests.images import chunk, exif, iptc, segment, with_segments, xmp
from tests.unit.imaging_tools import WHEN, exposed, facts, tiff


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_metadata_date_and_camera_are_read_from_every_container(form: str) -> None:
    """The place of the EXIF data does not matter."""
    block = exif(taken_at=WHEN, make="Example", model="One")
    found = facts(samples.encode(samples.corners(), form, exif=block))
    assert (WHEN, "Example One") == (found.taken_at, found.camera)


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("Apple", "iPhone 15", "Apple iPhone 15"),
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        (None, "One", "One"),
        ("Example", None, "Example"),
        (None, None, None),
        ("  Example \t", "One\x00Two", "Example One"),
        ("Example", "ev\x07il\x1b", "Example evil"),
        ("Example", "x" * 200, "Example " + "x" * 71 + "…"),
    ],
)
def test_metadata_camera_is_named_once_and_cleanly(
    make: str | None, model: str | None, expected: str | None
) -> None:
    """Makers repeat themselves in the model's name."""
    assert expected == metadata.read(exif=tiff(exif(make=make, model=model))).camera


def test_metadata_without_permission_has_no_location() -> None:
    """No field has it, and the directory is not followed."""
    data = samples.encode(samples.corners(), exif=exif(taken_at=WHEN, gps=(48.0, 11.0)))
    assert b"\x88\x25" in data
    assert "48" not in repr(facts(data)).replace(facts(data).sha256, "").replace(str(len(data)), "")
    tags = exif_tags.read(data[data.index(b"Exif\0\0") + 6 :])
    assert 0x8825 not in tags.texts | tags.numbers


@pytest.mark.parametrize("how", ["xmp", "iptc"])
def test_metadata_caption_and_keywords_are_read(how: str) -> None:
    """Both sources work."""
    found = facts(samples.captioned("Ein Kätzchen auf der Mauer — schön", ("Katze", "Mauer"), how=how))
    expected = ("Ein Kätzchen auf der Mauer — schön", ("Katze", "Mauer"))
    assert expected == (found.embedded_caption, found.embedded_keywords)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "AVIF", "HEIF"])
def test_metadata_xmp_is_read_from_every_container(form: str) -> None:
    """The place in the file does not matter."""
    packet = xmp("A cat", ("cat",))
    if form == "PNG":
        body = b"XML:com.adobe.xmp\0\0\0\0\0" + packet
        data = samples.png(1, 1, pixels=b"\0\0\0\0", extra=samples.chunk(b"iTXt", body))
    else:
        data = samples.encode(samples.corners(), form, xmp=packet)
    assert ("A cat", ("cat",)) == (facts(data).embedded_caption, facts(data).embedded_keywords)


def test_metadata_compressed_xmp_of_a_png_is_read() -> None:
    """The format allows it."""
    body = b"XML:com.adobe.xmp\0\1\0en\0key\0" + zlib.compress(xmp("A cat"))
    data = samples.png(1, 1, pixels=b"\0\0\0\0", extra=samples.chunk(b"iTXt", body))
    assert facts(data).embedded_caption == "A cat"


def test_metadata_xmp_wins_over_iptc_and_keywords_are_joined() -> None:
    """XMP's text cannot be in a wrong encoding; a keyword in both counts once."""
    found = metadata.read(xmp=xmp("From XMP", ("cat", "Wall")), iptc=iptc("From IPTC", ("Cat", "roof")))
    assert ("From XMP", ("cat", "Wall", "roof")) == (found.caption, found.keywords)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_metadata_iptc_of_old_programs_is_read(encoding: str) -> None:
    """The file does not declare the encoding."""
    assert metadata.read(iptc=iptc("Kätzchen", encoding=encoding)).caption == "Kätzchen"


def test_metadata_iptc_in_unnamed_utf8_is_read() -> None:
    """What most write today."""
    data_set = b"\x1c\x02\x78" + struct.pack(">H", 9) + "Kätzchen".encode()
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">L", len(data_set)) + data_set
    assert metadata.read(iptc=resource).caption == "Kätzchen"


def test_metadata_iptc_in_named_utf8_that_is_none_is_read_as_far_as_it_goes() -> None:
    """Undecodable bytes become replacement characters."""
    broken = iptc("Katzchen").replace(b"Katzchen", b"K\xe4tzchen")
    assert metadata.read(iptc=broken).caption == "K�tzchen"


def test_metadata_extended_length_ends_iptc() -> None:
    """A text of such a length is no caption."""
    long = b"\x1c\x02\x78\x80\x04\0\0\0\x03abc"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">L", len(long)) + long
    assert metadata.read(iptc=resource).caption is None


def test_metadata_plain_description_is_read_too() -> None:
    """Some writers leave out the list of languages."""
    packet = b"<a><dc:description> A  cat </dc:description><dc:description>Another</dc:description></a>"
    assert metadata.read(xmp=packet).caption == "A cat"


def test_metadata_of_several_languages_the_default_one_is_taken() -> None:
    """Though it may come second."""
    assert metadata.read(xmp=xmp("In English")).caption == "In English"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"Anna at the lake", "Anna at the lake"),
        ("Zoë am See".encode(), "Zoë am See"),
        ("Zoë am See".encode("cp1252"), "Zoë am See"),
        (b"OLYMPUS DIGITAL CAMERA         ", None),
        (b"   ", None),
    ],
)
def test_metadata_exif_description_is_a_caption(written: bytes, read: str | None) -> None:
    """A camera's boilerplate is none; IPTC and XMP win."""
    block = Image.Exif()
    block[0x010E] = written
    described = tiff(block.tobytes())

    assert read == metadata.read(exif=described).caption
    assert "A lake" == metadata.read(exif=described, xmp=xmp("A lake")).caption


@pytest.mark.parametrize(
    "text", ["OLYMPUS DIGITAL CAMERA", "SONY DSC", "  dcim ", "Untitled", "", " \t", "\x07\u202e"]
)
def test_metadata_what_cameras_write_on_every_picture_is_no_caption(text: str) -> None:
    """An empty text is no caption."""
    assert metadata.read(iptc=iptc(text)).caption is None


def test_metadata_caption_is_one_bounded_line_without_controls() -> None:
    """The kind of the error does not matter."""
    found = metadata.read(iptc=iptc("One\r\ntwo\0\x1b[31m\u2028three\u202e" + "x" * 5000))
    assert found.caption is not None
    assert (metadata.MAX_CAPTION, "One two[31m threexx") == (len(found.caption), found.caption[:19])


def test_metadata_keywords_are_bounded_in_number_and_length() -> None:
    """Stock libraries put hundreds."""
    found = metadata.read(xmp=xmp(None, tuple(f"word {number} " + "x" * 100 for number in range(500))))
    assert (metadata.MAX_KEYWORDS, metadata.MAX_KEYWORD) == (len(found.keywords), len(found.keywords[0]))


def test_metadata_entities_are_not_expanded() -> None:
    """A document type ends the reading."""
    prolog = '<!DOCTYPE x [<!ENTITY a "secret"><!ENTITY b "&a;&a;&a;">]>'
    assert metadata.Metadata() == metadata.read(xmp=xmp("&b;", prolog=prolog))


def test_metadata_files_are_not_fetched_by_entities() -> None:
    """Entities read no file and no network address."""
    prolog = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    assert metadata.read(xmp=xmp("&a;", prolog=prolog)).caption is None


@pytest.mark.parametrize(
    "packet",
    [b"", b"<", b"not XML", b"<a>" * 100, b'<?xml version="1.0" encoding="nonsense"?><a/>', b"\xff\xfe<\0"],
)
def test_metadata_broken_packet_is_empty(packet: bytes) -> None:
    """It cannot reject the picture."""
    assert metadata.Metadata() == metadata.read(xmp=packet)


def test_metadata_what_stands_before_a_fault_is_read() -> None:
    """Programs cut packets short."""
    assert metadata.read(xmp=xmp("A cat")[:-60]).caption == "A cat"


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\0",
        b"XX*\0\x08\0\0\0",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff" + b"\0" * 40,
        b"MM\0*\0\0\0\x08\0\1\x01\x12\0\x02\0\0\0\x01AB\0\0",
        b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\xff\xff\xff\xff",
    ],
    ids=["nothing", "head only", "no order", "offset", "count", "text for a number", "directory"],
)
def test_metadata_broken_exif_block_is_empty(block: bytes) -> None:
    """It cannot reject the picture either."""
    assert metadata.Metadata() == metadata.read(exif=block)


def test_metadata_orientation_in_another_number_type_is_read() -> None:
    """Written as a byte or as a long integer by some."""
    byte = b"II*\0\x08\0\0\0\1\0\x12\x01\1\0\1\0\0\0\6\0\0\0"
    long = b"II*\0\x08\0\0\0\1\0\x12\x01\4\0\1\0\0\0\6\0\0\0"
    assert [6, 6] == [metadata.read(exif=block).orientation for block in (byte, long)]


@given(st.binary(max_size=400), st.binary(max_size=400), st.binary(max_size=400))
def test_metadata_no_bytes_make_reading_fail(one: bytes, two: bytes, three: bytes) -> None:
    """Raw profiles and marked ones are both ignored."""
    metadata.read(exif=b"MM\0*\0\0\0\x08" + one, iptc=b"8BIM\x04\x04\0\0\0\0\1\0" + two, xmp=b"<a>" + three)
    metadata.read(exif=one, iptc=b"8BIM" + two, xmp=three)


@given(st.text(max_size=300))
def test_metadata_cleaned_text_is_one_line_that_any_database_takes(text: str) -> None:
    """Encodable, bounded, without controls."""
    clean = metadata.clean_text(text, 80)
    assert len(clean) <= 80
    assert clean == " ".join(clean.split())
    assert clean.encode().decode() == clean
    assert not [char for char in clean if ord(char) < 32 or 0x7F <= ord(char) < 0xA0]


def test_metadata_that_is_too_large_is_left_unread() -> None:
    """A megabyte is more than any writer needs; the picture is taken all the same."""
    packet = b"<a><dc:description>A cat</dc:description>" + b" " * (1 << 20) + b"</a>"
    data = samples.encode(samples.corners(), "WEBP", xmp=packet)
    assert facts(data).embedded_caption is None


def test_metadata_in_the_segments_of_two_kinds_is_read_together() -> None:
    """The way cameras and programs leave it."""
    data = with_segments(
        samples.encode(samples.corners(), exif=exif(taken_at=WHEN, model="One")),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("A cat")),
        segment(0xED, b"Photoshop 3.0\0" + iptc(None, ("roof",))),
    )
    found = facts(data)
    expected = (WHEN, "One", "A cat", ("roof",))
    assert expected == (found.taken_at, found.camera, found.embedded_caption, found.embedded_keywords)


def test_metadata_caption_beyond_all_bounds_is_cut() -> None:
    """The keywords are not collected first."""
    long = metadata.read(xmp=xmp("word &amp; " * 20_000)).caption
    assert long is not None
    assert (metadata.MAX_CAPTION, "word & word &") == (len(long), long[:13])


def test_metadata_other_fields_of_iptc_are_passed_over() -> None:
    """A title and a city are neither caption nor keyword."""
    other = b"\x1c\x02\x05\0\5Title" + b"\x1c\x02\x5a\0\4City"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">L", len(other)) + other
    assert metadata.Metadata() == metadata.read(iptc=resource)


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt"])
@pytest.mark.parametrize("name", [b"exif", b"APP1"])
def test_metadata_exif_in_a_text_chunk_of_a_png_is_read(kind: bytes, name: bytes) -> None:
    """The older way of ImageMagick: hexadecimal digits in lines of 72."""
    block = exif(orientation=6, taken_at=WHEN)
    digits = block.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = b"\n" + name + f"\n{len(block):8}\n{lines}\n".encode()
    body = b"\0" + zlib.compress(text) if kind == b"zTXt" else text
    data = samples.encode(samples.corners(), "PNG")
    found = facts(data[:33] + chunk(kind, b"Raw profile type " + name + b"\0" + body) + data[33:])
    assert (WHEN, 64, 96) == (found.taken_at, found.width, found.height)


@pytest.mark.parametrize("text", [b"", b"\nexif\n 4\nzz", b"\nexif\n 2\n00ff", b"x"])
def test_metadata_text_chunk_that_is_no_exif_is_ignored(text: bytes) -> None:
    data = samples.encode(samples.corners(), "PNG")
    found = facts(data[:33] + chunk(b"tEXt", b"Raw profile type exif\0" + text) + data[33:])
    assert (96, 64) == (found.width, found.height)


def test_metadata_exposure_and_lens_are_read() -> None:
    block = exposed(
        x829A=IFDRational(1, 250), x829D=IFDRational(18, 10), x8827=400, x920A=IFDRational(425, 100),
        xA405=26, xA433="Example", xA434="Example 24mm f/1.8",
    )  # fmt: skip
    expected = PhotoDetails(
        exposure_time=0.004, f_number=1.8, iso=400, focal_length=4.25, focal_length_35mm=26,
        lens="Example 24mm f/1.8",
    )  # fmt: skip
    assert expected == metadata.read(exif=block).details


@pytest.mark.parametrize("value", [IFDRational(0, 1), IFDRational(1, 0), IFDRational(4_000_000_000, 1)])
def test_metadata_numbers_that_no_camera_has_are_absent(value: IFDRational) -> None:
    block = exposed(x829A=value, x829D=value, x920A=value, x8827=65_535)
    assert metadata.read(exif=block).details == PhotoDetails()


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_metadata_orientation_of_exif_alone_does_not_turn_an_avif_or_heic(form: str) -> None:
    """The boxes do (ISO/IEC 23008-12); phones repeat what they say in EXIF."""
    other, turned = exposed(x100=6), exposed(x112=6)  # an encoder would write boxes for the second one
    data = samples.encode(samples.corners(), form, exif=b"Exif\0\0" + other)
    assert (1, 0) == (data.count(other), data.count(b"irot"))
    assert (96, 64) == decode(data.replace(other, turned), max_side=96).size


def test_exif_directory_that_is_named_often_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """512 entries that lead to 512 descriptions took a second."""
    read: list[int] = []
    real = Structure.text

    def text(structure: Structure, entry: Entry, limit: int) -> bytes:
        read.append(entry.tag)
        return real(structure, entry, limit)

    monkeypatch.setattr(Structure, "text", text)
    assert metadata.read(exif=samples.exif_named_often()).caption
    assert len(read) == 512
