"""Transparent pictures: kept so in derived images, laid on a contrasting background for models."""

from __future__ import annotations

import base64
import io

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
