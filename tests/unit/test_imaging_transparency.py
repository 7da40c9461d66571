"""Transparent pictures: kept so in derived images, laid on a contrasting background for models."""

from __future__ import annotations

import base64
import io
import struct

import pytest
from PIL import Image, ImageDraw

from imgcore.imaging.decode import decode
from imgcore.imaging.render import render
from tests import images as samples
from tests.images import shown
from tests.unit.test_imaging_field_cases import FOLDER


def logo(colour: tuple[int, int, int], form: str = "PNG") -> bytes:
    """A disc of that colour on nothing."""
    image = Image.new("RGBA", (600, 400), (*colour, 0))
    ImageDraw.Draw(image).ellipse((100, 50, 500, 350), fill=(*colour, 255))
    return samples.encode(image, form)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("form", ["PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    ("colour", "background"),
    [
        ((255, 255, 255), (0, 0, 0)),
        ((230, 230, 120), (0, 0, 0)),
        ((0, 0, 0), (255, 255, 255)),
        ((40, 70, 220), (255, 255, 255)),
        ((128, 128, 128), (255, 255, 255)),
    ],
)
def test_decode_transparent_picture_is_laid_on_what_contrasts(
    form: str, colour: tuple[int, int, int], background: tuple[int, int, int]
) -> None:
    photo = decode(logo(colour, form), max_side=600)
    assert photo.background == background
    for image in (shown(photo), opened(photo.jpeg(600)), opened(photo.jpegs(600)[0])):
        for place, expected in (((5, 5), background), ((300, 200), colour)):
            actual = image.getpixel(place)
            assert isinstance(actual, tuple)
            assert max(abs(a - b) for a, b in zip(expected, actual, strict=True)) < 16


def test_decode_white_logo_from_the_field_can_be_seen() -> None:
    low, high = (
        shown(decode((FOLDER / "logo_white_transparent.png").read_bytes(), max_side=600))
        .convert("L")
        .getextrema()
    )
    assert (low, high) == (0, 255)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("fit", ["crop", "fit"])
def test_render_keeps_the_transparency(form: str, fit: str) -> None:
    made = render(decode(samples.alpha(640, 480, form), max_side=1600), "abc", fit=fit)
    for item in made.all():
        image = opened(item.data)
        assert image.mode == "RGBA"
        assert image.getchannel("A").getextrema() == (0, 255)


def test_render_of_an_opaque_picture_with_an_alpha_channel_has_none() -> None:
    data = samples.encode(Image.new("RGBA", (64, 48), (9, 9, 9, 255)), "PNG")
    assert {"RGB"} == {
        opened(item.data).mode for item in render(decode(data, max_side=64), "x", fit="fit").all()
    }


@pytest.mark.parametrize(("colour", "light"), [((255, 255, 255), False), ((0, 0, 0), True)])
def test_render_placeholder_of_a_transparent_picture_is_a_tone_that_contrasts(
    colour: tuple[int, int, int], light: bool
) -> None:
    """The page shows the picture on it."""
    made = render(decode(logo(colour), max_side=600), "abc", fit="crop")
    head, _, body = made.placeholder.partition(",")
    tone = opened(base64.b64decode(body)).convert("L").getpixel((0, 0))
    assert head == "data:image/png;base64"
    assert isinstance(tone, int)
    assert (tone > 200) is light


def test_decode_wholly_transparent_picture_is_white() -> None:
    photo = decode(samples.encode(Image.new("RGBA", (64, 48), (255, 255, 255, 0)), "PNG"), max_side=64)
    assert photo.rgb((1, 1)) == b"\xff\xff\xff"


@pytest.mark.parametrize("background", [0, 5])
def test_decode_gif_is_transparent_around_its_frame(background: int) -> None:
    """Browsers ignore the colour of the palette that the screen names as its background."""
    data = bytearray(samples.encode(Image.new("P", (8, 6), 3), "GIF"))
    at = data.index(b",")
    data[6:10] = struct.pack("<HH", 20, 16)
    data[11] = background
    data[at + 1 : at + 5] = struct.pack("<HH", 4, 5)
    photo = decode(bytes(data), max_side=20)
    alpha = photo.image(photo.size).getchannel("A")
    assert photo.size == (20, 16)
    assert alpha.point(lambda level: 255 * (level > 0)).getbbox() == (4, 5, 12, 11)


def test_decode_avif_is_cropped_to_a_clean_aperture_at_its_corner() -> None:
    """Chromium ignores other ones; libheif crops a HEIC by itself."""
    data = samples.encode(samples.corners(), "AVIF", quality=90)
    ignored = decode(with_aperture(data, (60, 40), (0, 0)), max_side=96)
    assert ignored.size == (96, 64)
    photo = decode(with_aperture(data, (60, 40), (-36, -24)), max_side=96)
    assert (photo.size, photo.facts.width, photo.facts.height) == ((60, 40), 60, 40)
    assert samples.difference(samples.corners().crop((0, 0, 60, 40)), shown(photo)) < 8


def with_aperture(data: bytes, size: tuple[int, int], offset: tuple[int, int]) -> bytes:
    """An AVIF with a clean aperture instead of its pixels' depth; ``offset``: of the middle, doubled."""
    fractions = [size[0], 1, size[1], 1, offset[0], 2, offset[1], 2]
    aperture = struct.pack(">L4sLLLLlLlL", 40, b"clap", *fractions)
    start = data.index(b"pixi") - 4
    length = int.from_bytes(data[start : start + 4])
    grown = bytearray(data[:start] + aperture + data[start + length :])
    more = len(aperture) - length
    for name in (b"meta", b"iprp", b"ipco"):
        at = grown.index(name) - 4
        grown[at : at + 4] = (int.from_bytes(grown[at : at + 4]) + more).to_bytes(4)
    at = data.index(b"iloc")
    where = data.index(b"mdat") + 4
    place = data.index(where.to_bytes(4), at)
    grown[place : place + 4] = (where + more).to_bytes(4)
    return bytes(grown).replace(b"\x01\x02\x83\x04", b"\x01\x82\x83\x04")  # of the associations: essential
