"""Files without their end mark, with bytes behind it, and with brands that stand elsewhere."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from imgcore.errors import Rejected
from imgcore.imaging import formats
from imgcore.imaging.decode import decode
from tests import images as samples
from tests.images import shown

JPEGS = {
    "baseline": samples.jpeg(),
    "progressive": samples.jpeg(progressive=True),
    "grey": samples.encode(samples.photo().convert("L"), "JPEG"),
    "restarts": samples.encode(samples.photo(), "JPEG", restart_marker_blocks=8),
    "flat": samples.encode(Image.new("RGB", (640, 480), "navy"), "JPEG"),
}
GAIN_MAP = samples.encode(
    samples.photo(160, 120).convert("L"), "JPEG"
)  # of ISO 21496-1: a second, smaller picture
TAILS = {
    "without the last byte": (1, b""),
    "without an end mark": (2, b""),
    "zeroed": (2, b"\0" * 4096),
    "another picture": (2, GAIN_MAP),
}


def with_tail(data: bytes, name: str) -> bytes:
    cut, tail = TAILS[name]
    return data[:-cut] + tail


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", JPEGS)
def test_decode_jpeg_without_an_end_mark_is_shown_whole(name: str, tail: str) -> None:
    photo = decode(with_tail(JPEGS[name], tail), max_side=640)
    assert samples.difference(shown(decode(JPEGS[name], max_side=640)), shown(photo)) < 0.01
    assert not photo.facts.details.incomplete


@pytest.mark.parametrize("lost", [0.1, 0.5])
@pytest.mark.parametrize("tail", ["without an end mark", "zeroed", "another picture"])
@pytest.mark.parametrize("name", [name for name in JPEGS if name not in ("flat", "progressive")])
def test_decode_jpeg_cut_in_the_picture_is_rejected(name: str, tail: str, lost: float) -> None:
    """The codec would fill the rest with grey."""
    data = JPEGS[name]
    with pytest.raises(Rejected) as caught:
        decode(with_tail(data[: int(len(data) * (1 - lost))], tail), max_side=640)
    assert "breaks off before its end" in caught.value.message


@pytest.mark.parametrize("lost", [0.003, 0.03])
@pytest.mark.parametrize("tail", ["without an end mark", "zeroed", "another picture"])
@pytest.mark.parametrize("name", [name for name in JPEGS if name != "flat"])
def test_decode_jpeg_that_lacks_a_twentieth_at_most_is_shown_as_incomplete(
    name: str, tail: str, lost: float
) -> None:
    """The last rows are grey; a progressive one lacks the last bit of some coefficients."""
    data = JPEGS[name]
    photo = decode(with_tail(data[: int(len(data) * (1 - lost))], tail), max_side=640)
    assert (photo.size, photo.facts.details.incomplete) == ((640, 480), True)
    upper = (0, 0, 640, 440)
    assert samples.difference(shown(decode(data, max_side=640)).crop(upper), shown(photo).crop(upper)) < 0.5


def test_decode_progressive_jpeg_cut_in_a_first_pass_is_rejected() -> None:
    """Half of a scan that sends something for the first time is not the whole picture's."""
    data = JPEGS["progressive"]
    with pytest.raises(Rejected, match="breaks off"):
        decode(data[: len(data) // 2], max_side=640)


def test_decode_jpeg_cut_at_a_restart_mark_is_incomplete() -> None:
    """A codec looks for the next mark there, and finds the end."""
    data = JPEGS["restarts"]
    assert decode(data[: data.rindex(b"\xff\xd0")], max_side=640).facts.details.incomplete


def test_decode_progressive_jpeg_without_its_last_scan_is_rejected() -> None:
    """It looks whole, and is coarse all over."""
    data = JPEGS["progressive"]
    with pytest.raises(Rejected, match="breaks off"):
        decode(data[: data.rindex(b"\xff\xda")], max_side=640)


def interlaced() -> bytes:
    rows = b"".join(
        b"\0" + bytes(3 * wide)
        for wide, high in ((3, 2), (2, 2), (5, 1), (5, 3), (9, 3), (9, 6), (18, 5))
        for _ in range(high)
    )
    return samples.png(18, 11, pixels=rows, interlaced=True)


PNGS = {
    "RGB": samples.encode(samples.photo(), "PNG"),
    "palette": samples.palette(transparent=True),
    "single bits": samples.bilevel(),
    "16 bits": samples.sixteen_bit(),
    "interlaced": interlaced(),
}


@pytest.mark.parametrize("cut", [1, 4, 12, 16, 20])
@pytest.mark.parametrize("tail", [b"", b"\0" * 512])
@pytest.mark.parametrize("name", PNGS)
def test_decode_png_without_its_end_or_checksum_is_shown_whole(name: str, cut: int, tail: bytes) -> None:
    """Twelve bytes of the end, four of the pixels' chunk and four of the compressed data."""
    data = PNGS[name]
    photo, whole = decode(data[:-cut] + tail, max_side=640), decode(data, max_side=640)
    assert photo.rgb(photo.size) == whole.rgb(whole.size)


@pytest.mark.parametrize("name", ["RGB", "16 bits", "interlaced"])
def test_decode_png_cut_in_the_picture_is_rejected(name: str) -> None:
    data = PNGS[name]
    with pytest.raises(Rejected, match="breaks off"):
        decode(data[: len(data) - 24 - len(data) // 10], max_side=640)


def test_decode_png_that_lacks_a_twentieth_at_most_is_shown_as_incomplete() -> None:
    data = PNGS["RGB"]
    photo, whole = decode(data[: len(data) - 24 - len(data) // 50], max_side=640), decode(data, max_side=640)
    assert photo.facts.details.incomplete
    assert not whole.facts.details.incomplete
    upper = (0, 0, 640, 450)
    assert shown(photo).crop(upper).tobytes() == shown(whole).crop(upper).tobytes()
    assert shown(photo).getpixel((0, 479)) == (0, 0, 0)


@pytest.mark.parametrize("name", PNGS)
def test_decode_png_with_a_wrong_checksum_of_its_pixels_is_shown_whole(name: str) -> None:
    """Browsers do not compare it."""
    data = PNGS[name]
    photo, whole = decode(data[:-20] + b"\0\0\0\0" + data[-16:], max_side=640), decode(data, max_side=640)
    assert photo.rgb(photo.size) == whole.rgb(whole.size)
    assert not photo.facts.details.incomplete


def test_decode_png_whose_pixels_break_off_before_its_end_is_judged_by_its_rows() -> None:
    data = PNGS["RGB"]
    assert decode(data[: len(data) - 24 - len(data) // 50] + data[-12:], max_side=640).facts.details.incomplete
    with pytest.raises(Rejected, match="breaks off"):
        decode(data[: len(data) - 24 - len(data) // 10] + data[-12:], max_side=640)


def test_formats_png_bomb_without_an_end_is_not_unpacked() -> None:
    """The check of its size comes first."""
    assert formats.carve(samples.bomb()[:-12], "image/png").size == (60_000, 60_000)


def test_decode_gif_without_its_last_two_bytes_is_shown_whole() -> None:
    data = samples.encode(samples.photo(), "GIF")
    photo = decode(data[:-2], max_side=640)
    assert photo.rgb(photo.size) == decode(data, max_side=640).rgb(photo.size)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("zeros", [0, 12])
def test_decode_gif_that_lacks_a_twentieth_at_most_is_shown_as_incomplete(zeros: int, interlaced: bool) -> None:
    data = samples.encode(samples.photo(), "GIF", interlace=interlaced)
    photo, whole = decode(data[: -len(data) // 50] + bytes(zeros), max_side=640), decode(data, max_side=640)
    assert photo.facts.details.incomplete
    assert not whole.facts.details.incomplete
    upper = (0, 0, 640, 240)
    if not interlaced:
        assert shown(photo).crop(upper).tobytes() == shown(whole).crop(upper).tobytes()


def test_decode_gif_cut_in_the_picture_is_rejected() -> None:
    data = samples.encode(samples.photo(), "GIF")
    with pytest.raises(Rejected, match="breaks off"):
        decode(data[: -len(data) // 5], max_side=640)


def test_decode_webp_whose_metadata_are_cut_off_is_shown_whole() -> None:
    data = samples.encode(samples.corners(), "WEBP", exif=samples.exif(make="Example"))
    assert decode(data[:-20], max_side=96).size == (96, 64)


def test_decode_webp_without_its_padding_is_shown_whole() -> None:
    """A chunk of an odd length is padded by a byte."""
    odd = next(
        data
        for side in range(40, 80)
        if (data := samples.encode(samples.photo(side, side), "WEBP", lossless=True))[16] % 2
    )
    photo, whole = decode(odd[:-1], max_side=80), decode(odd, max_side=80)
    assert photo.rgb(photo.size) == whole.rgb(whole.size)


ISO = samples.Files(
    AVIF=lambda: samples.encode(samples.corners(), "AVIF"),
    HEIF=lambda: samples.encode(samples.corners(), "HEIF"),
)
BEHIND = {
    "text": b"<x:xmpmeta/> and more of it",
    "zeros": b"\0" * 100,
    "a film": b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov" + b"\0\0\0\x08meta",
    "a maker's trailer": b"\0\0\0\x0cmpvdabcdSEFH\x6b\0\0\0\x01\0\0\0SEFT",
    "half a box": b"\0\0\1\0uuid",
    "ones": b"\xff" * 33,
}


GAIN_MAP = samples.encode(
    samples.photo(160, 120).convert("L"), "JPEG"
)  # of ISO 21496-1: a second, smaller picture
FILM = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\0\0\1\0mdat" + bytes(248)
SECOND_PICTURE = samples.segment(0xE2, b"MPF\0" + bytes(84))
MOTION_PHOTO = samples.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + samples.xmp("A cat"))


@pytest.mark.parametrize(
    ("stated", "behind"),
    [(SECOND_PICTURE, GAIN_MAP), (MOTION_PHOTO, FILM), (MOTION_PHOTO + SECOND_PICTURE, GAIN_MAP + FILM)],
    ids=["gain map", "motion photo", "both"],
)
@pytest.mark.parametrize("name", JPEGS)
def test_decode_jpeg_with_a_gain_map_or_a_film_behind_shows_the_still(
    name: str, stated: bytes, behind: bytes
) -> None:
    data = JPEGS[name]
    photo, plain = (
        decode(samples.with_segments(data, stated) + behind, max_side=640),
        decode(data, max_side=640),
    )
    assert (photo.size, photo.facts.details.incomplete) == ((640, 480), False)
    assert photo.rgb(photo.size) == plain.rgb(plain.size)


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("form", ISO)
def test_decode_bytes_behind_the_last_box_change_nothing(form: str, behind: str) -> None:
    photo, whole = decode(ISO[form] + BEHIND[behind], max_side=96), decode(ISO[form], max_side=96)
    assert photo.rgb(photo.size) == whole.rgb(whole.size)


@pytest.mark.parametrize("form", ISO)
def test_decode_media_data_cut_behind_the_picture_are_enough(form: str) -> None:
    """What follows the picture in the same box may be lost; what it consists of may not."""
    data = ISO[form]
    at = data.rindex(b"mdat") - 4
    longer = struct.pack(">L", int.from_bytes(data[at : at + 4]) + 5000)
    assert decode(data[:at] + longer + data[at + 4 :] + b"film", max_side=96).size == (96, 64)
    with pytest.raises(Rejected, match="breaks off"):
        decode(data[:-3], max_side=96)


@pytest.mark.parametrize("major", [b"mif1", b"mif2", b"miaf", b"MiHE", b"isom", b"1pic"])
@pytest.mark.parametrize("form", ISO)
def test_decode_brand_may_be_any_of_the_compatible_ones(form: str, major: bytes) -> None:
    data = ISO[form]
    length = int.from_bytes(data[:4])
    own = {"AVIF": b"avif", "HEIF": b"heic"}[form]
    head = major + b"\0\0\0\0" + (b"miaf" + own + b"mif1").ljust(length - 16, b"\0")[: length - 16]
    photo = decode(data[:8] + head + data[length:], max_side=96)
    assert (photo.facts.format, photo.size) == (form, (96, 64))


@pytest.mark.parametrize("form", ISO)
def test_decode_handler_of_pictures_suffices_without_a_known_brand(form: str) -> None:
    data = ISO[form]
    length = int.from_bytes(data[:4])
    head = b"\0\0\0\x14ftypabcd\0\0\0\0xyza" + struct.pack(">L4s", length - 20, b"free").ljust(
        length - 20, b"\0"
    )
    photo = decode(head + data[length:], max_side=96)
    assert (photo.facts.format, photo.size) == (form, (96, 64))


@pytest.mark.parametrize(("form", "other"), [("AVIF", b"heic"), ("HEIF", b"avif")])
def test_decode_kind_of_the_item_decides_between_avif_and_heic(form: str, other: bytes) -> None:
    data = ISO[form].replace({"AVIF": b"avif", "HEIF": b"heic"}[form], other)
    assert decode(data, max_side=96).facts.format == form
