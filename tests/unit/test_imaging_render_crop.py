"""The square cut keeps what stands out."""

from __future__ import annotations

import random

import pytest
from PIL import Image, ImageDraw, ImageFilter

from imgcore.imaging.decode import decode
from imgcore.imaging.render import square
from tests import images as samples


def cut(image: Image.Image) -> tuple[float, float, float, float]:
    return square(decode(samples.encode(image, "PNG"), max_side=1600))


def backdrop(width: int, height: int, seed: int, kind: str) -> Image.Image:
    """A sky, a blur of colours, or grass: fine texture everywhere."""
    if kind == "sky":
        return Image.linear_gradient("L").resize((width, height)).convert("RGB")
    if kind == "blur":
        return samples.photo(width, height, seed).filter(ImageFilter.GaussianBlur(height / 5))
    chance = random.Random(seed)
    blades = Image.frombytes("L", (width // 2, height // 2), chance.randbytes((width // 2) * (height // 2)))
    green = blades.resize((width, height)).point(lambda value: 60 + value // 4)
    return Image.merge("RGB", (green.point(lambda v: v // 2), green, green.point(lambda v: v // 3)))


def with_subject(image: Image.Image, at: float) -> tuple[Image.Image, tuple[int, int]]:
    """The picture with a bird in it, whose middle lies at that part of the longer side; and where it lies."""
    image = image.copy()
    along = max(image.size)
    size = min(image.size) // 4
    middle = int(along * at)
    x, y = (middle, image.height // 2) if image.width > image.height else (image.width // 2, middle)
    draw = ImageDraw.Draw(image)
    draw.ellipse((x - size / 2, y - size / 2, x + size / 2, y + size / 2), fill=(190, 90, 40))
    draw.ellipse((x - size / 8, y - size / 4, x + size / 8, y), fill=(250, 240, 220))
    draw.polygon([(x, y), (x + size / 2, y + size / 3), (x + size / 6, y + size / 2)], fill=(40, 30, 60))
    return image, (middle - size // 2, middle + size // 2)


@pytest.mark.parametrize("kind", ["sky", "blur", "grass"])
@pytest.mark.parametrize("at", [0.12, 0.3, 0.5, 0.7, 0.88])
@pytest.mark.parametrize("size", [(800, 450), (450, 800), (1600, 400)])
def test_crop_subject_is_kept_wherever_it_is(size: tuple[int, int], at: float, kind: str) -> None:
    """All of it, before a plain, a blurred and a textured background."""
    image, (start, end) = with_subject(backdrop(*size, 3, kind), at)
    left, top, right, bottom = cut(image)
    first, last = (left, right) if size[0] > size[1] else (top, bottom)
    assert first <= start
    assert end <= last


@pytest.mark.parametrize("size", [(800, 450), (450, 800)])
@pytest.mark.parametrize("colour", ["white", "black", "#7799bb"])
def test_crop_where_nothing_stands_out_the_middle_is_kept(size: tuple[int, int], colour: str) -> None:
    """It is what the photographer chose."""
    assert cut(Image.new("RGB", size, colour)) == (
        (175, 0, 625, 450) if size[0] > size[1] else (0, 175, 450, 625)
    )


@pytest.mark.parametrize("size", [(300, 300), (1, 1)])
def test_crop_square_is_kept_whole(size: tuple[int, int]) -> None:
    """There is nothing to choose."""
    assert cut(samples.photo(*size)) == (0, 0, *size)


@pytest.mark.parametrize("size", [(800, 450), (450, 800), (30, 1), (1, 30), (3, 2), (400, 399), (399, 400)])
def test_crop_cut_is_the_largest_square_in_the_picture(size: tuple[int, int]) -> None:
    """The crop has whole pixels and lies inside the image."""
    left, top, right, bottom = cut(samples.photo(*size))
    assert min(size) == right - left == bottom - top
    assert left >= 0
    assert top >= 0
    assert right <= size[0]
    assert bottom <= size[1]
    assert all(value == int(value) for value in (left, top, right, bottom))


def test_crop_upright_picture_is_cut() -> None:
    """The embedded thumbnail of the file is not used."""
    image, (start, end) = with_subject(backdrop(800, 450, 3, "blur"), 0.88)
    upright = decode(samples.oriented(6, image=image), max_side=1600)
    left, _, right, _ = square(upright)
    assert left <= start
    assert end <= right
