"""Colour spaces, and transparent colours of PNGs with few or many bits."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from imgcore.imaging import colour, icc
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


@pytest.mark.parametrize("transfer", [16, 18])
def test_to_srgb_of_high_dynamic_range_is_monotonic(transfer: int) -> None:
    """Brighter stays brighter, up to the brightest."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256))).convert("RGB")
    levels = colour.to_srgb(ramp, b"", ColourCoding(9, transfer)).convert("L").tobytes()
    assert list(levels) == sorted(levels)
    assert levels[0] == 0
    assert levels[255] >= 250


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_decode_transparent_level_of_grey_counts_in_the_bits_of_the_file(bits: int) -> None:
    """The level 1 of eight pixels 0, 1, 0, 1 ..."""
    row = {1: b"\x55", 2: b"\x11\x11", 4: b"\x01\x01\x01\x01", 8: b"\0\1" * 4, 16: b"\0\0\0\1" * 4}[bits]
    key = chunk(b"tRNS", struct.pack(">H", 1))
    data = samples.png(8, 1, bits=bits, colour=0, pixels=b"\0" + row, extra=key)
    photo = decode(data, max_side=8)
    assert photo.background == (255, 255, 255)
    levels = shown(photo).convert("L").tobytes()
    assert levels == b"\0\xff" * 4


def test_decode_transparent_colour_of_sixteen_bits_is_found() -> None:
    row = b"\x12\x34\x56\x78\x9a\xbc" + b"\0" * 6
    key = chunk(b"tRNS", b"\x12\x34\x56\x78\x9a\xbc")
    photo = decode(samples.png(2, 1, bits=16, colour=2, pixels=b"\0" + row, extra=key), max_side=2)
    assert shown(photo).tobytes() == b"\xff" * 3 + b"\0" * 3
