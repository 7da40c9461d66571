"""The perceptual hash: of copies, of other pictures, and of pictures without shapes."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageOps

from imgcore.db.similar import DISTANCE
from imgcore.imaging.decode import decode
from imgcore.imaging.perceptual import PLAIN, hash_of_file, perceptual_hash
from imgcore.imaging.render import render
from tests import images as samples

SAMPLES = sorted(Path("web/static/samples").glob("*.jpg"))


def hash_of(image: Image.Image, file_format: str = "PNG", **options: int) -> int:
    return perceptual_hash(decode(samples.encode(image, file_format, **options), max_side=1600))


def distance(first: int, second: int) -> int:
    return (first ^ second).bit_count()


@pytest.fixture(params=SAMPLES, ids=lambda path: path.stem)
def photo(request: pytest.FixtureRequest) -> Image.Image:
    with Image.open(request.param) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def test_hash_of_a_copy_stays_within_the_distance(photo: Image.Image) -> None:
    """Smaller, compressed again, grey, with less contrast."""
    copies = {
        "smaller": hash_of(photo.resize((photo.width // 3, photo.height // 3))),
        "compressed": hash_of(photo, "JPEG", quality=25),
        "grey": hash_of(photo.convert("L")),
        "dull": hash_of(ImageEnhance.Contrast(photo).enhance(0.7)),
    }
    found = {name: distance(copy, hash_of(photo)) for name, copy in copies.items()}
    assert max(found.values()) <= 2, found


def test_hash_of_a_display_file_is_that_of_the_render(photo: Image.Image) -> None:
    """Photos of earlier releases are found beside later copies, and the hash fits 64 bits."""
    made = render(decode(samples.encode(photo, "PNG"), max_side=1600), "abc", fit="crop")
    assert made.perceptual_hash is not None
    assert 0 < made.perceptual_hash < 2**64
    assert distance(made.perceptual_hash, hash_of_file(made.display.data)) <= 2


def test_hashes_of_different_photos_lie_apart() -> None:
    hashes = [perceptual_hash(decode(path.read_bytes(), max_side=1600)) for path in SAMPLES]
    assert min(distance(*pair) for pair in itertools.combinations(hashes, 2)) > 2 * DISTANCE


def test_hash_of_a_transparent_display_file_is_that_of_the_render() -> None:
    shape = Image.new("RGBA", (600, 400), (0, 0, 0, 0))
    shape.paste((200, 30, 30, 255), (100, 100, 300, 350))
    made = render(decode(samples.encode(shape, "PNG"), max_side=1600), "abc", fit="crop")
    assert made.perceptual_hash not in (None, PLAIN)
    assert distance(made.perceptual_hash or 0, hash_of_file(made.display.data)) <= 2


@pytest.mark.parametrize("size", [(1, 1), (40, 3), (640, 480)])
def test_hash_of_a_plain_picture_is_that_of_all_plain_ones(size: tuple[int, int]) -> None:
    assert PLAIN == hash_of(Image.new("RGB", size, (90, 120, 200)))
