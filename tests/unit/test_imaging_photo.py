"""How a decoded photo is made smaller."""

from __future__ import annotations

import pytest
from PIL import Image

from imgcore.gallery.models import PhotoFacts
from imgcore.imaging.photo import Photo
from tests import images

SIZE = (448, 336)


@pytest.fixture(scope="module")
def image() -> Image.Image:
    return images.photo(*SIZE).convert("RGB")


@pytest.fixture(scope="module")
def photo(image: Image.Image) -> Photo:
    return Photo(image, PhotoFacts("JPEG", *SIZE, 1, ""))


@pytest.mark.parametrize("side", [224, 48, 32])
def test_rgb_is_resized_from_the_whole_picture(photo: Photo, image: Image.Image, side: int) -> None:
    """The pixels stay those on which the describer's thresholds were chosen, and stored hashes computed."""
    expected = image.resize((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    assert photo.rgb((side, side)) == expected.tobytes()


@pytest.mark.parametrize("box", [None, (100, 36, 400, 336), (33, 0, 369, 336)])
def test_image_from_half_the_size_shows_the_same(
    photo: Photo, image: Image.Image, box: tuple[int, int, int, int] | None
) -> None:
    expected = image.resize((60, 45), Image.Resampling.HAMMING, box=box)

    found = photo.image((60, 45), box, Image.Resampling.HAMMING, 1.5)

    assert images.difference(expected, found) < 2
