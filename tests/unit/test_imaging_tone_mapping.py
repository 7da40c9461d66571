"""High dynamic range in sRGB: near Chromium, near what it would be without brighter things, and monotonic."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from imgcore.imaging import colour
from imgcore.imaging.decode import decode
from imgcore.imaging.formats import ColourCoding
from tests import images as samples
from tests.images import chunk, shown

Colour = tuple[int, int, int]
MOST = 40  # of 255

# Primaries and transfer, a colour of the file, and what Chromium 156 shows of it
CHROMIUM: list[tuple[tuple[int, int], Colour, Colour]] = [
    ((9, 16), (255, 0, 170), (255, 0, 51)),
    ((9, 16), (136, 0, 0), (192, 0, 0)),
    ((9, 16), (153, 0, 238), (9, 0, 255)),
    ((9, 16), (128, 128, 128), (132, 132, 132)),
    ((9, 16), (160, 160, 160), (213, 213, 213)),
    ((9, 16), (200, 200, 200), (255, 255, 255)),
    ((12, 16), (221, 170, 255), (159, 53, 255)),
    ((12, 16), (153, 102, 0), (220, 68, 0)),
    ((1, 16), (170, 255, 255), (61, 255, 255)),
    ((1, 16), (153, 0, 0), (204, 0, 0)),
    ((9, 18), (255, 255, 204), (255, 255, 140)),
    ((9, 18), (187, 0, 136), (199, 0, 107)),
    ((12, 18), (221, 255, 255), (163, 255, 255)),
    ((1, 18), (255, 255, 204), (255, 255, 158)),
    ((9, 18), (128, 128, 128), (99, 99, 99)),
    ((9, 18), (192, 192, 192), (189, 189, 189)),
]


def mapped(source: Colour, coding: ColourCoding) -> Colour:
    pixel = colour.to_srgb(Image.new("RGB", (1, 1), source), b"", coding).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    red, green, blue = (int(value) for value in pixel)
    return red, green, blue


@pytest.mark.parametrize(("points", "source", "chromium"), CHROMIUM)
def test_to_srgb_of_high_dynamic_range_is_near_chromium(
    points: tuple[int, int], source: Colour, chromium: Colour
) -> None:
    actual = mapped(source, ColourCoding(*points))
    assert max(abs(a - b) for a, b in zip(chromium, actual, strict=True)) <= MOST


@pytest.mark.parametrize("peak", [0, 100, 203, 400, 1000, 4000, 10_000])
@pytest.mark.parametrize("transfer", [16, 18])
def test_to_srgb_of_high_dynamic_range_is_monotonic(transfer: int, peak: int) -> None:
    """Brighter stays brighter, up to the brightest; grey stays grey."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256))).convert("RGB")
    image = colour.to_srgb(ramp, b"", ColourCoding(9, transfer, peak=peak))
    red, green, blue = (list(channel.tobytes()) for channel in image.split())
    assert red == sorted(red)
    assert max(abs(a - b) for a, b in (*zip(red, green, strict=True), *zip(red, blue, strict=True))) <= 1
    assert red[0] == 0
    assert red[255] >= 250


def test_to_srgb_of_a_picture_without_bright_things_is_not_darkened() -> None:
    """A peak of 203 cd/m² is a page's white, 0.58 of PQ."""
    assert min(mapped((148, 148, 148), ColourCoding(9, 16, peak=203))) >= 250
    assert max(mapped((148, 148, 148), ColourCoding(9, 16))) <= 225


def test_to_srgb_of_high_dynamic_range_in_strips_is_the_same_as_in_one() -> None:
    """A strip has 32,768 pixels."""
    image = samples.photo(600, 500)
    whole = colour.to_srgb(image, b"", ColourCoding(9, 16))
    lower = colour.to_srgb(image.crop((0, 300, 600, 500)), b"", ColourCoding(9, 16))
    assert whole.crop((0, 300, 600, 500)).tobytes() == lower.tobytes()


def test_decode_long_picture_of_high_dynamic_range_is_mapped_at_its_size() -> None:
    """It is decoded larger than others, up to its own size; nothing is scaled for the mapping."""
    ramp = Image.linear_gradient("L").resize((20, 2000)).convert("RGB")
    data = samples.encode(ramp, "PNG")
    photo = decode(data[:33] + chunk(b"cICP", bytes([9, 16, 0, 1])) + data[33:], max_side=100)
    assert photo.size == (20, 2000)
    assert shown(photo).tobytes() == colour.to_srgb(ramp, b"", ColourCoding(9, 16)).tobytes()


@pytest.mark.parametrize(
    "light",
    [
        chunk(b"cLLI", struct.pack(">LL", 4_000_000, 1_000_000)),
        chunk(b"mDCV", bytes(16) + struct.pack(">LL", 4_000_000, 50)),
    ],
)
def test_decode_brightest_light_of_a_png_counts(light: bytes) -> None:
    """400 cd/m²; by default it would be 1,000."""
    points = chunk(b"cICP", bytes([9, 16, 0, 1]))
    data = samples.encode(samples.photo(64, 48), "PNG")
    photo = decode(data[:33] + points + light + data[33:], max_side=64)
    expected = colour.to_srgb(samples.photo(64, 48), b"", ColourCoding(9, 16, peak=400))
    assert shown(photo).tobytes() == expected.tobytes()
