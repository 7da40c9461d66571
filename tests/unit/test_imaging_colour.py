"""Colour spaces, and transparent colours of PNGs with few or many bits."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from imgcore.imaging import colour, formats, icc
from imgcore.imaging.decode import decode
from imgcore.imaging.formats import ColourCoding
from tests import images as samples
from tests.images import chunk, shown

BT709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)


def test_matrix_profile_of_srgb_changes_nothing() -> None:
    """It is recognised by what it does."""
    curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    image = samples.photo(64, 48)
    assert colour.to_srgb(image, icc.matrix_profile(BT709, curve), None).tobytes() == image.tobytes()


@pytest.mark.parametrize("numbers", [(0.0,) * 8, (0.3,) * 8, (1e9,) * 8])
def test_to_srgb_of_impossible_chromaticities_changes_nothing(numbers: tuple[float, ...]) -> None:
    image = samples.photo(64, 48)
    assert colour.to_srgb(image, b"", ColourCoding(chromaticities=numbers, gamma=0.45)).size == (64, 48)


@pytest.mark.parametrize("transfer", range(20))
@pytest.mark.parametrize("primaries", [0, 1, 2, 9, 12, 200])
def test_to_srgb_white_stays_neutral_under_all_code_points(primaries: int, transfer: int) -> None:
    image = Image.new("RGB", (2, 2), "white")
    pixel = colour.to_srgb(image, b"", ColourCoding(primaries, transfer)).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert max(pixel) - min(pixel) <= 3
    assert min(pixel) >= 215


def code_points(data: bytes, points: tuple[int, int], full: int = 1) -> bytes:
    """A PNG with these code points, for all levels or for those of television."""
    return data[:33] + chunk(b"cICP", bytes([*points, 0, full])) + data[33:]


@pytest.mark.parametrize("points", [(12, 2), (2, 13), (12, 0), (12, 10), (200, 13)])
def test_decode_code_points_of_a_png_that_nobody_knows_leave_the_profile_to_count(
    points: tuple[int, int],
) -> None:
    profile = icc.matrix_profile(BT709, (1.0,))
    data = samples.encode(samples.photo(64, 48), "PNG", icc_profile=profile)
    expected = shown(decode(data, max_side=64)).tobytes()
    assert shown(decode(code_points(data, points), max_side=64)).tobytes() == expected


def test_decode_code_points_of_a_png_with_the_levels_of_television_are_ignored() -> None:
    data = samples.encode(samples.photo(64, 48), "PNG")
    ignored = shown(decode(code_points(data, (12, 13), full=0), max_side=64))
    assert ignored.tobytes() == samples.photo(64, 48).tobytes()
    obeyed = shown(decode(code_points(data, (12, 13)), max_side=64))
    assert obeyed.tobytes() != samples.photo(64, 48).tobytes()


def test_decode_chromaticities_of_a_png_without_a_gamma_are_ignored() -> None:
    numbers = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
    chromaticities = chunk(b"cHRM", b"".join(struct.pack(">L", round(value * 100_000)) for value in numbers))
    gamma = chunk(b"gAMA", struct.pack(">L", 45_455))
    data = samples.encode(samples.photo(64, 48), "PNG")
    plain = samples.photo(64, 48).tobytes()
    assert shown(decode(data[:33] + chromaticities + data[33:], max_side=64)).tobytes() == plain
    assert shown(decode(data[:33] + gamma + chromaticities + data[33:], max_side=64)).tobytes() != plain


# The curves of SMPTE ST 240 and ST 428-1 at half of the range, as Chromium shows them
@pytest.mark.parametrize(("transfer", "level"), [(7, 142), (17, 120), (11, 121), (1, 121), (4, 127), (8, 188)])
def test_to_srgb_of_other_curves_is_as_in_chromium(transfer: int, level: int) -> None:
    grey = Image.new("RGB", (1, 1), (128, 128, 128))
    pixel = colour.to_srgb(grey, b"", ColourCoding(1, transfer, first=True)).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert all(abs(value - level) <= 2 for value in pixel)


# Code points inside a profile


def profile_with(points: tuple[int, int]) -> bytes:
    """A linear profile with the tag cicp, which says something else."""
    plain = icc.matrix_profile(BT709, (1.0,))
    count = int.from_bytes(plain[128:132])
    entries = [struct.unpack_from(">4sLL", plain, 132 + 12 * index) for index in range(count)]
    moved = [struct.pack(">4sLL", name, start + 12, length) for name, start, length in entries]
    table = b"".join([*moved, struct.pack(">4sLL", b"cicp", len(plain) + 12, 12)])
    body = table + plain[132 + 12 * count :] + b"cicp\0\0\0\0" + bytes([*points, 0, 1])
    head = plain[4:128] + (count + 1).to_bytes(4)
    return (4 + len(head) + len(body)).to_bytes(4) + head + body


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("points", [(9, 16), (9, 18), (12, 13)])
def test_decode_code_points_in_a_profile_win_over_its_curves(form: str, points: tuple[int, int]) -> None:
    image = samples.corners(64, 48)
    options = {"lossless": True} if form == "WEBP" else {} if form == "PNG" else {"quality": 100}
    data = samples.encode(image, form, icc_profile=profile_with(points), **options)
    expected = colour.to_srgb(image, b"", ColourCoding(*points))
    assert samples.difference(expected, shown(decode(data, max_side=64))) < 6
    assert samples.difference(image, expected) > 7


def test_to_srgb_of_unknown_code_points_in_a_profile_obeys_its_curves() -> None:
    image = samples.photo(64, 48)
    expected = colour.to_srgb(image, icc.matrix_profile(BT709, (1.0,)), None)
    assert colour.to_srgb(image, profile_with((2, 2)), None).tobytes() == expected.tobytes()


# AVIF


def avif(points: tuple[int, int]) -> bytes:
    """An AVIF with these code points in its property and in its sequence header."""
    data = samples.encode(samples.photo(64, 48), "AVIF", quality=100, subsampling="4:4:4")
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", *points) + data[at + 4 :]


def test_formats_code_points_of_an_avif_without_the_property_are_those_of_its_sequence_header() -> None:
    with_property = avif((12, 13))
    assert formats.carve(with_property, "image/avif").coding == ColourCoding(12, 13)
    without = formats.carve(with_property.replace(b"colrnclx", b"freenclx"), "image/avif").coding
    assert without == ColourCoding(1, 13)  # as Pillow writes them


@pytest.mark.parametrize("points", [(2, 16), (3, 16), (2, 13)])
def test_to_srgb_of_unknown_primaries_takes_those_of_srgb(points: tuple[int, int]) -> None:
    image = samples.photo(64, 48)
    known = colour.to_srgb(image, b"", ColourCoding(1, points[1]))
    assert colour.to_srgb(image, b"", ColourCoding(*points)).tobytes() == known.tobytes()


def level_of_grey(bits: int, level: int, key: int) -> bytes:
    """A PNG of eight pixels 0, ``level``, 0, ``level`` …, of which those of ``key`` are transparent."""
    row = sum(level << bits * place for place in (0, 2, 4, 6)).to_bytes(bits)
    extra = chunk(b"tRNS", struct.pack(">H", key))
    return samples.png(8, 1, bits=bits, colour=0, pixels=b"\0" + row, extra=extra)


@pytest.mark.parametrize(
    ("bits", "level"), [(1, 1), (2, 1), (2, 3), (4, 1), (4, 15), (8, 1), (8, 255), (16, 1), (16, 65_535)]
)
def test_decode_transparent_level_of_grey_counts_in_the_bits_of_the_file(bits: int, level: int) -> None:
    photo = decode(level_of_grey(bits, level, level), max_side=8)
    assert photo.background == (255, 255, 255)
    levels = shown(photo).convert("L").tobytes()
    assert levels == b"\0\xff" * 4


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_decode_bits_of_a_transparent_level_that_the_file_lacks_are_ignored(bits: int) -> None:
    photo = decode(level_of_grey(bits, 1, 0x0101), max_side=8)
    assert shown(photo).convert("L").tobytes() == b"\0\xff" * 4


def test_decode_transparent_colour_of_sixteen_bits_is_found() -> None:
    row = b"\x12\x34\x56\x78\x9a\xbc" + b"\0" * 6
    key = chunk(b"tRNS", b"\x12\x34\x56\x78\x9a\xbc")
    photo = decode(samples.png(2, 1, bits=16, colour=2, pixels=b"\0" + row, extra=key), max_side=2)
    assert shown(photo).tobytes() == b"\xff" * 3 + b"\0" * 3


@pytest.mark.parametrize("name", [b"D2B0", b"D2B3"])
def test_to_srgb_pipelines_of_a_profile_are_not_computed(name: bytes) -> None:
    """Browsers ignore them. Here they would swap red and blue; 20,000 matrices took 12 s."""
    swapped = struct.pack(">12f", 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0)
    stages = samples.pipeline(1)
    profile = samples.profile_with((name, stages[: stages.index(b"matf") + 12] + swapped))
    image = samples.photo(16, 16)
    assert colour.to_srgb(image, profile, None).tobytes() == image.tobytes()
    assert icc.without_pipelines(profile).count(name) == 0
    assert icc.without_pipelines(samples.profile_with()) == samples.profile_with()
