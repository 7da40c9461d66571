"""Taking files apart: what is kept for the codec, what is kept aside, and what is refused as no honest file."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imgcore.imaging import formats
from imgcore.imaging.formats import Damaged, base, gif, png
from tests import images as samples
from tests.images import chunk, exif, segment, with_segments, xmp
from tests.unit.imaging_tools import carve, damage

FILES = samples.Files(
    **{
        "image/jpeg": lambda: samples.jpeg(64, 48),
        "image/png": lambda: samples.encode(samples.corners(), "PNG"),
        "image/webp": lambda: samples.encode(samples.corners(), "WEBP"),
        "image/gif": lambda: samples.palette(form="GIF", transparent=True),
        "image/avif": lambda: samples.encode(samples.corners(), "AVIF"),
        "image/heic": lambda: samples.heic(64, 48),
    }
)


@pytest.mark.parametrize("kind", FILES)
def test_media_type_is_detected_from_the_content(kind: str) -> None:
    """The first bytes decide."""
    assert kind == formats.media_type(FILES[kind][:64])


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"mif1\0\0\0\0heic", "image/heic"),
        (b"mif1\0\0\0\0avif", "image/avif"),
        (b"mif1\0\0\0\0mif1", "image/heif"),
        (b"msf1\0\0\0\0hevc", "image/heic"),
        (b"avis\0\0\0\0avif", "image/avif"),
        (b"isom\0\0\0\0mp42", None),
    ],
)
def test_media_type_of_brands_separates_avif_heic_and_films(brands: bytes, kind: str | None) -> None:
    """Both families may call themselves by their common name first."""
    assert kind == formats.media_type(struct.pack(">L", 8 + len(brands)) + b"ftyp" + brands)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp", "image/avif"])
def test_formats_bare_file_is_handed_on_as_it_is(kind: str) -> None:
    """The data is not copied."""
    assert carve(FILES[kind]).picture is FILES[kind] or carve(FILES[kind]).picture == FILES[kind]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_formats_codec_gets_no_metadata(form: str) -> None:
    """It is kept aside instead."""
    packet, block = xmp("A cat"), exif(make="Example")
    carved = carve(samples.encode(samples.corners(), form, exif=block, xmp=packet))
    assert block.removeprefix(b"Exif\0\0") == carved.exif
    if form != "PNG":  # its encoder writes none
        assert packet == carved.xmp
    if form in ("JPEG", "PNG", "WEBP"):
        assert b"Example" not in carved.picture
        assert b"A cat" not in carved.picture


@pytest.mark.parametrize("kind", FILES)
@given(data=st.data())
def test_formats_no_change_makes_a_reader_fail_otherwise(kind: str, data: st.DataObject) -> None:
    """Damaged, or an IndexError that the wall takes for the same; nothing else, and never a hang."""
    file = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(12, len(file) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(16, len(file)))
    try:
        formats.carve(bytes(file[:end]), kind)
    except (Damaged, IndexError):
        return


# PNG


def test_formats_first_of_many_packets_of_a_png_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpacking thousands of them, each of a megabyte, would take seconds."""
    unpacked: list[bytes] = []
    real = base.inflate

    def inflate(data: bytes, limit: int) -> bytes:
        unpacked.append(data)
        return real(data, limit)

    monkeypatch.setattr(png, "inflate", inflate)
    packed = [zlib.compress(text) for text in (b"first", b"second", b"third")]
    extra = b"".join(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + text) for text in packed)
    assert carve(samples.png(1, 1, pixels=b"\0" * 4, extra=extra)).xmp == b"first"
    assert [text for text in unpacked if text] == packed[:1]


# JPEG


def test_formats_marks_that_tell_a_jpegs_colours_are_kept() -> None:
    """The codec needs Adobe's marker for the colours; Adobe's texts are no such markers."""
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\2")
    carved = carve(with_segments(FILES["image/jpeg"], adobe, segment(0xED, b"Adobe_CM secret")))
    assert [True, True, False] == [mark in carved.picture for mark in (b"JFIF\0", adobe, b"secret")]


def test_formats_what_stands_between_segments_is_skipped() -> None:
    """Padding and rubbish, as every reader does; the size is still found."""
    data = FILES["image/jpeg"]
    padded = data[:2] + b"\xff\xff" + data[2:20] + b"rubbish" + data[20:]
    assert carve(padded).size == (64, 48)


def test_formats_profile_in_several_parts_is_joined_in_their_order() -> None:
    """The order is that of the numbers."""
    pieces = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 2]) + text) for number, text in ((2, b"B"), (1, b"A"))
    ]
    assert carve(with_segments(FILES["image/jpeg"], *pieces)).icc == b"AB"


@pytest.mark.parametrize("numbers", [(2,), (1, 1), (1, 3)])
def test_formats_profile_with_a_part_missing_is_none(numbers: tuple[int, ...]) -> None:
    """Half a profile would show wrong colours."""
    pieces = [segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 2]) + b"text") for number in numbers]
    assert carve(with_segments(FILES["image/jpeg"], *pieces)).icc == b""


def test_formats_profile_in_far_too_many_parts_is_none() -> None:
    parts = [
        samples.segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 80]) + bytes(60_000)) for number in range(1, 81)
    ]
    some = samples.with_segments(
        samples.jpeg(16, 16), *(part[:17] + bytes([60]) + part[18:] for part in parts[:60])
    )
    assert len(carve(some).icc) == 3_600_000
    assert carve(samples.with_segments(samples.jpeg(16, 16), *parts)).icc == b""


def test_formats_jpeg_of_many_tables_is_damaged() -> None:
    """Pillow reads them in Python: 97 MB took 6 s."""
    tables = samples.segment(0xDB, (b"\0" + b"\1" * 64) * 1000)
    data = samples.jpeg(16, 16)
    assert carve(samples.with_segments(data, *[tables] * 10)).format == "JPEG"
    assert damage(samples.with_segments(data, *[tables] * 20)) == "more tables than any encoder writes"


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP"])
def test_formats_far_more_bytes_than_pixels_are_damaged(form: str) -> None:
    """Each codec copies them, whatever it needs of them."""
    data = samples.encode(samples.photo(16, 16), form)
    filler = {
        "PNG": samples.chunk(b"IDAT", bytes(9 << 20)),
        "GIF": (b"\xff" + bytes(255)) * 40_000,
        "WEBP": b"ALPH" + (9 << 20).to_bytes(4, "little") + bytes(9 << 20),
    }[form]
    at = {"PNG": len(data) - 12, "GIF": len(data) - 2, "WEBP": len(data)}[form]
    longer = data[:at] + filler + data[at:]
    if form == "WEBP":
        longer = longer[:4] + (len(longer) - 8).to_bytes(4, "little") + longer[8:]
    assert damage(longer) == "far more bytes than pixels"


def test_formats_first_of_two_blocks_of_exif_counts() -> None:
    """A second one is a mistake or an attack."""
    blocks = [segment(0xE1, b"Exif\0\0" + text) for text in (b"first", b"second")]
    assert carve(with_segments(FILES["image/jpeg"], *blocks)).exif == b"first"


def test_formats_honest_progressive_jpeg_of_any_size_has_few_enough_scans() -> None:
    """Ten as usual, even at the limit of pixels."""
    data = bytearray(samples.jpeg(64, 48, progressive=True))
    at = data.index(b"\xff\xc2") + 5
    data[at : at + 4] = struct.pack(">HH", 7000, 7000)
    assert carve(bytes(data)).size == (7000, 7000)


def test_formats_jpeg_of_single_component_scans_is_counted_too() -> None:
    """The limit holds for baseline images too: three scans are accepted, 101 are not."""
    data = FILES["image/jpeg"]
    start, end = data.index(b"\xff\xda"), len(data) - 2
    single = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\0\x34"
    assert carve(data[:start] + single * 3 + data[end:]).size == (64, 48)
    assert damage(data[:start] + single * 101 + data[end:]) == "more scans than any encoder writes"


def test_formats_tables_between_scans_are_counted() -> None:
    """They cost time as well."""
    data = samples.jpeg(64, 48, progressive=True)
    tables = segment(0xFE, b"") * 5000
    assert damage(data[:-2] + tables + data[-2:]) == "more scans than any encoder writes"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xd8\xff", "no scan"),
        (b"\xff\xd8\xff\xd9", "no scan"),
        (b"\xff\xd8\xff\x01no mark follows", "no scan"),
        (b"\xff\xd8\xff\xe0\0\1", "a segment goes past the end"),
        (b"\xff\xd8\xff\xe0\xff\xff", "a segment goes past the end"),
        (b"\xff\xd8" + segment(0xDA, b"\1\1\0\0\x3f\0"), "a scan before its frame"),
        (b"\xff\xd8" + segment(0xC0, b"\x08\0\1\0\1\1\1\x11\0") * 2, "two frames"),
        (b"\xff\xd8" + segment(0xFE, b"") * 5000, "more segments than any camera writes"),
        (
            samples.jpeg(64, 48, progressive=True)[
                : -samples.jpeg(64, 48, progressive=True)[::-1].index(b"\xda\xff") - 2
            ],
            "no end",
        ),
    ],
)
def test_formats_jpeg_that_does_not_hold_together(data: bytes, reason: str) -> None:
    """The segments show it, before any codec runs."""
    assert reason == damage(data)


# PNG


def test_formats_png_keeps_what_shows() -> None:
    """Palette, transparency and pixels; neither text nor time."""
    data = samples.palette(transparent=True)
    extra = chunk(b"tEXt", b"Comment\0secret") + chunk(b"tIME", b"\7\xe8\5\x11\0\0\0")
    picture = carve(data[:33] + extra + data[33:]).picture
    assert picture == data


def test_formats_profile_of_a_png_is_unpacked_within_bounds() -> None:
    """A profile beyond the limits, or a broken one, is left out."""
    profiles = {
        b"A" * 100: b"A" * 100,
        b"A" * (base.MAX_ICC + 1): b"",
    }
    for profile, expected in profiles.items():
        body = b"name\0\0" + zlib.compress(profile)
        assert expected == carve(samples.png(1, 1, extra=chunk(b"iCCP", body))).icc
    assert carve(samples.png(1, 1, extra=chunk(b"iCCP", b"name\0\0broken"))).icc == b""


def test_formats_apng_of_one_frame_is_a_still() -> None:
    """The control chunk shows it."""
    control = chunk(b"acTL", struct.pack(">LL", 1, 0))
    assert not carve(samples.png(1, 1, extra=control)).animated


def test_formats_png_in_too_many_pieces_is_damaged() -> None:
    """Each piece costs a turn of somebody's loop."""
    assert (
        damage(samples.png(1, 1, extra=chunk(b"IDAT", b"") * 40_000)) == "more chunks than any encoder writes"
    )


def test_formats_png_without_a_header_has_no_area() -> None:
    """Which the check of sizes refuses."""
    assert carve(b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b"")).size == (0, 0)


# GIF


def test_formats_gif_keeps_one_image_and_its_transparency() -> None:
    """Comments before and behind are left out; what follows the image counts for nothing."""
    data = FILES["image/gif"]
    comment = b"!\xfe\6secret\0"
    head = data[:13] + data[13 : 13 + (3 << (data[10] & 7) + 1)]
    carved = carve(head + comment + data[len(head) : -1] + comment + b"\0rubbish")
    assert carved.picture == data


def test_formats_gif_without_an_end_is_whole_when_its_image_is() -> None:
    """Some writers forget the last byte."""
    assert carve(FILES["image/gif"][:-1]).picture == FILES["image/gif"]


def test_formats_image_larger_than_its_screen_counts_in_full() -> None:
    """Readers enlarge the screen for it, so the limits have to see that."""
    data = bytearray(samples.encode(Image.new("P", (8, 8)), "GIF"))
    at = data.index(b",")
    data[at + 1 : at + 9] = struct.pack("<HHHH", 60_000, 60_000, 8, 8)
    assert carve(bytes(data)).size == (60_008, 60_008)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GIF89a\1\0\1\0", "no screen"),
        (b"GIF89a\1\0\1\0\0\0\0;", "no image"),
        (b"GIF89a\1\0\1\0\0\0\0!\xfe\x09abc", "a block goes past the end"),
        (
            b"GIF89a\1\0\1\0\0\0\0!\xfe" + b"\1x" * (gif.MAX_SUB_BLOCKS + 1) + b"\0;",
            "more sub-blocks than any encoder writes",
        ),
        (b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe\0" * 5000 + b";", "no image"),
    ],
)
def test_formats_gif_that_does_not_hold_together(data: bytes, reason: str) -> None:
    """The blocks show it."""
    assert reason == damage(data)


# WebP


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<L", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<L", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_formats_size_of_a_webp_is_read_from_each_kind(lossless: bool, mode: str) -> None:
    """Lossy, lossless, and with alpha in a box around."""
    data = samples.encode(Image.new(mode, (300, 200), (1, 2, 3)), "WEBP", lossless=lossless)
    assert carve(data).size == (300, 200)


def test_formats_what_follows_a_webp_is_cut_off() -> None:
    """It is no part of the picture."""
    assert carve(FILES["image/webp"] + b"rubbish" * 9).picture == FILES["image/webp"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"RIFF\4\0\0\0WEBP", "no picture"),
        (riff((b"VP8 ", b"abc")), "no picture"),
        (riff((b"VP8 ", b"x" * 99))[:60], "a chunk goes past the end"),
        (riff(*[(b"none", b"")] * 5000), "more chunks than any encoder writes"),
    ],
)
def test_formats_webp_that_does_not_hold_together(data: bytes, reason: str) -> None:
    """The chunks show it."""
    assert reason == damage(data)
