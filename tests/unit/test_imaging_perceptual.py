"""The perceptual hash: of copies, of other pictures, and of pictures without shapes."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from imgcore.db.similar import DISTANCE, alike
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


def circle(size: int) -> Image.Image:
    picture = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(picture).ellipse((size // 4, size // 4, size * 3 // 4, size * 3 // 4), fill="navy")
    return picture


def edge(size: int, *, down: int = 0) -> Image.Image:
    """Black and white halves, side by side or one above the other."""
    picture = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(picture).rectangle((0, 0, size if down else size // 2, size // 2 if down else size), "black")
    return picture


def sky(size: int) -> Image.Image:
    picture = Image.new("RGB", (size, size * 2 // 3), (120, 170, 230))
    ImageDraw.Draw(picture).rectangle((0, size // 3, size, size), fill=(40, 90, 40))
    return picture


GRAPHICS = {
    "circle": circle(1200),
    "edge": edge(1200),
    "edge_down": edge(1200, down=1),
    "sky": sky(1500),
    "gradient": Image.linear_gradient("L").resize((1600, 1200)).convert("RGB"),
    "gradient_across": Image.linear_gradient("L").rotate(90).resize((1600, 1200)).convert("RGB"),
    "radial": Image.radial_gradient("L").resize((1200, 1200)).convert("RGB"),
}
GRAPHICS |= {f"{name}_inverted": ImageOps.invert(picture) for name, picture in GRAPHICS.items()}


@pytest.mark.parametrize("name", GRAPHICS)
def test_copies_of_graphics_skies_and_gradients_are_alike(name: str) -> None:
    """Most frequencies of these are 0 and noise, which must set no bit, and the others set some."""
    picture = GRAPHICS[name]
    third = picture.resize((picture.width // 3, picture.height // 3), Image.Resampling.LANCZOS)
    odd = picture.resize((picture.width * 5 // 7, picture.height * 5 // 7), Image.Resampling.LANCZOS)
    copies = {
        "smaller": hash_of(third, "JPEG", quality=75),
        "odd": hash_of(odd),
        "compressed": hash_of(picture, "JPEG", quality=25),
        "grey": hash_of(picture.convert("L")),
        "dull": hash_of(ImageEnhance.Contrast(picture).enhance(0.9)),
    }
    own = hash_of(picture)
    assert PLAIN != own
    assert [] == [copy for copy, value in copies.items() if not alike(value, own)]


def test_graphics_are_not_alike() -> None:
    """A sky over a field, which is an edge in grey, is left out."""
    hashes = {name: hash_of(picture) for name, picture in GRAPHICS.items() if "sky" not in name}
    pairs = itertools.combinations(hashes, 2)
    assert [] == [(one, other) for one, other in pairs if alike(hashes[one], hashes[other])]


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
