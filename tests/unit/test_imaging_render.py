"""The rendered images: sizes, keys, bytes, placeholder."""

from __future__ import annotations

import base64
import io
import random

import pytest
from PIL import Image, ImageChops, ImageStat

from imgcore.errors import Invalid
from imgcore.gallery.models import Rendition, Renditions
from imgcore.imaging.decode import decode
from imgcore.imaging.render import MAX_PLACEHOLDER, grid_of_file, render
from tests import images as samples


def rendered(width: int = 2000, height: int = 1500, fit: str = "crop") -> Renditions:
    return render(decode(samples.jpeg(width, height), max_side=1600), "abc", fit=fit)


def picture(rendition: Rendition) -> Image.Image:
    image = Image.open(io.BytesIO(rendition.data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("fit", "sizes"),
    [
        ("crop", [(200, 200), (400, 400), (480, 360), (1600, 1200)]),
        ("fit", [(200, 150), (400, 300), (480, 360), (1600, 1200)]),
    ],
)
def test_render_each_rendition_has_its_size(fit: str, sizes: list[tuple[int, int]]) -> None:
    """The declared size is that of the bytes."""
    made = rendered(fit=fit).all()
    assert sizes == [(item.width, item.height) for item in made]
    assert sizes == [picture(item).size for item in made]


def test_grid_of_a_display_file_is_that_of_the_render() -> None:
    """What is made later is about what is made at once; the display image has been compressed once more."""
    for mode in ("RGB", "RGBA"):
        whole = Image.linear_gradient("L").resize((1200, 800)).convert(mode)
        made = render(decode(samples.encode(whole, "PNG"), max_side=1600), "abc", fit="crop")
        later = grid_of_file(made.display.data, "abc")
        assert made.grid is not None
        assert later is not None
        assert (made.grid.key, made.grid.width, made.grid.height) == (later.key, later.width, later.height)
        pictures = [picture(item).convert("RGB") for item in (made.grid, later)]
        assert (540, 360) == pictures[0].size == pictures[1].size
        assert max(ImageStat.Stat(ImageChops.difference(*pictures)).mean) < 2


@pytest.mark.parametrize(
    ("size", "fit", "sizes"),
    [
        ((120, 80), "crop", [(80, 80), (80, 80), (120, 80)]),
        ((120, 80), "fit", [(120, 80), (120, 80), (120, 80)]),
        ((300, 300), "crop", [(200, 200), (300, 300), (300, 300)]),
        ((1, 1), "crop", [(1, 1), (1, 1), (1, 1)]),
        ((30, 1), "fit", [(30, 1), (30, 1), (30, 1)]),
    ],
)
def test_render_small_picture_is_never_enlarged(
    size: tuple[int, int], fit: str, sizes: list[tuple[int, int]]
) -> None:
    """Browsers do that better, and need no bytes for it."""
    made = render(decode(samples.encode(Image.new("RGB", size), "PNG"), max_side=1600), "abc", fit=fit)
    assert sizes == [(item.width, item.height) for item in made.all()]


def test_render_each_rendition_has_its_key_and_its_type() -> None:
    """Deterministic, so that writing twice is harmless."""
    made = rendered(640, 480)
    thumbnails = [f"thumbnails/abc/{name}.webp" for name in ("200", "400", "grid")]
    expected = [*thumbnails, "display/abc/1600.webp"]
    assert expected == [item.key for item in made.all()]
    assert {("image/webp", "WEBP")} == {(item.media_type, picture(item).format) for item in made.all()}


@pytest.mark.parametrize("fit", ["crop", "fit"])
def test_render_same_image_gives_the_same_bytes(fit: str) -> None:
    """An event that is delivered twice changes nothing."""
    assert rendered(fit=fit) == rendered(fit=fit)


def test_render_another_fit_is_refused() -> None:
    with pytest.raises(Invalid, match="stretch"):
        rendered(64, 48, fit="stretch")


def test_render_renditions_carry_no_metadata() -> None:
    """The output has no profile, EXIF or XMP."""
    block = samples.exif(orientation=6, make="Example", gps=(48.0, 11.0))
    data = samples.encode(samples.corners(), "JPEG", exif=block, icc_profile=b"profile")
    for item in render(decode(data, max_side=1600), "abc", fit="crop").all():
        assert [] == [mark for mark in (b"EXIF", b"Exif", b"ICCP", b"XMP ", b"Example") if mark in item.data]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_render_renditions_are_upright(orientation: int) -> None:
    """The orientation of the camera does not matter."""
    made = render(decode(samples.oriented(orientation), max_side=1600), "abc", fit="fit")
    for item in made.all():
        assert samples.difference(samples.corners(), picture(item)) < 12


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [(400, 300), (300, 400), (600, 30)])
def test_render_placeholder_is_a_tiny_picture_in_the_pages_own_text(size: tuple[int, int], seed: int) -> None:
    """A data: URI of the whole picture that is short enough for every row of a page."""
    data = samples.encode(samples.photo(*size, seed), "JPEG")
    made = render(decode(data, max_side=1600), "abc", fit="crop")
    head, _, body = made.placeholder.partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(body)))
    assert head == "data:image/webp;base64"
    assert len(made.placeholder) <= MAX_PLACEHOLDER
    assert max(image.size) <= 20
    assert abs(image.width / image.height - size[0] / size[1]) / (size[0] / size[1]) < 0.2 or 1 in image.size


def test_render_placeholder_of_the_noisiest_picture_is_short_too() -> None:
    """It is coarsened until it fits."""
    noise = Image.frombytes("RGB", (20, 20), random.Random(7).randbytes(1200))
    made = render(decode(samples.encode(noise, "PNG"), max_side=1600), "abc", fit="crop")
    assert len(made.placeholder) <= MAX_PLACEHOLDER


def test_render_placeholder_has_the_colours_of_the_picture() -> None:
    """Which is all that it is for."""
    made = render(decode(samples.encode(samples.corners(960, 640), "PNG"), max_side=1600), "abc", fit="crop")
    image = Image.open(io.BytesIO(base64.b64decode(made.placeholder.partition(",")[2])))
    assert samples.difference(samples.corners(), image.resize((96, 64))) < 30


def test_render_thumbnails_look_like_the_picture() -> None:
    """The limit holds at the chosen quality."""
    whole = samples.photo(1600, 1200)
    made = render(decode(samples.encode(whole, "PNG"), max_side=1600), "abc", fit="fit")
    for item in made.all():
        expected = whole.resize((item.width, item.height), Image.Resampling.LANCZOS)
        assert samples.difference(expected, picture(item)) < 8


def test_render_every_rendition_is_to_be_written() -> None:
    """The placeholder is not: it goes into the row."""
    made = rendered(64, 48)
    assert (made.thumbnail, made.thumbnail_2x, made.display) == made.all()
