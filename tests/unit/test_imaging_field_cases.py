"""Files as phones, cameras and transfers make them, after reports about comparable programs.

Each file of tests/field_cases was made for this purpose, and has a row in cases.json there. Six patches of
colour lie at ``POINTS``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from imgcore.imaging.decode import decode
from imgcore.imaging.render import render
from tests import images as samples

FOLDER = Path(__file__).parents[1] / "field_cases"
POINTS = ((1 / 6, 0.2), (0.5, 0.1), (5 / 6, 0.2), (1 / 6, 0.85), (0.5, 0.9), (5 / 6, 0.85))
PATCHES = ((200, 40, 40), (40, 180, 60), (50, 70, 200), (230, 200, 40), (180, 60, 170), (60, 190, 200))

# What is right of each file, and the report that it was made after
CASES = {case["file"]: case for case in json.loads((FOLDER / "cases.json").read_text())}
_SHOWN = re.compile(r"done, (\d+)×(\d+)(?:; right colours within (\d+))?")
# Width, height and the largest difference of a channel, where the patches are to be seen
SHOWN = {name: found.groups() for name, case in CASES.items() if (found := _SHOWN.match(case["right"]))}
PATCHED = [name for name, (_, _, most) in SHOWN.items() if most]


def pixels(name: str) -> tuple[tuple[int, int], list[tuple[int, ...]]]:
    """The size of a file's picture, and its colours at the points."""
    photo = decode((FOLDER / name).read_bytes(), max_side=1600)
    image = Image.frombytes("RGB", photo.size, photo.rgb(photo.size))
    places = [(int(x * image.width), int(y * image.height)) for x, y in POINTS]
    return photo.size, [tuple(image.getpixel(place)) for place in places]  # type: ignore[arg-type]


def largest_difference(expected: object, actual: list[tuple[int, ...]]) -> int:
    """The largest difference of a channel."""
    assert isinstance(expected, tuple | list)
    return max(
        abs(a - b)
        for left, right in zip(expected, actual, strict=True)
        for a, b in zip(left, right, strict=True)
    )


@pytest.mark.parametrize("name", SHOWN)
def test_decode_file_from_the_field_has_its_size(name: str) -> None:
    width, height, _ = SHOWN[name]
    facts = decode((FOLDER / name).read_bytes(), max_side=1600).facts
    assert (facts.width, facts.height) == (int(width), int(height)), CASES[name]


@pytest.mark.parametrize("name", PATCHED)
def test_decode_file_from_the_field_has_its_colours(name: str) -> None:
    _, colours = pixels(name)
    assert largest_difference(PATCHES, colours) <= int(SHOWN[name][2]), CASES[name]


def test_field_cases_each_file_has_a_row() -> None:
    """A file without one would be tried by nothing."""
    assert {path.name for path in FOLDER.iterdir()} == {*CASES, "cases.json"}
    assert len(PATCHED) == 25


def test_decode_avif_whose_encoder_stores_equal_tiles_once_is_shown() -> None:
    """libavif writes a grid of four equal tiles so."""
    greys = [(level,) * 3 for level in (76, 235, 55, 109, 98, 124)]
    size, colours = pixels("grid4_tiles.avif")
    assert size == (1024, 1024)
    assert largest_difference(greys, colours) <= 3


def test_decode_transparent_grey_of_sixteen_bits_is_laid_on_white() -> None:
    """The same kind as PngSuite's tbwn0g16.png."""
    greys = [(level,) * 3 for level in (88, 124, 255, 191, 108, 255)]
    size, colours = pixels("gray16_trns.png")
    assert size == (300, 200)
    assert largest_difference(greys, colours) <= 3


def test_decode_description_of_exif_is_the_caption() -> None:
    photo = decode((FOLDER / "desc_exif.jpg").read_bytes(), max_side=1600)
    assert photo.facts.embedded_caption


@pytest.mark.parametrize("ratio", [10, 20])
def test_render_panorama_fills_its_thumbnails(ratio: int) -> None:
    """owncloud/gallery#61, nextcloud/gallery#19: renditions were bounded by the longer side alone."""
    photo = decode(samples.jpeg(600 * ratio, 600), max_side=1600)
    derived = render(photo, "0" * 32, fit="crop")
    assert (derived.thumbnail.height, derived.thumbnail_2x.height) == (200, 400)
    assert derived.display.height >= 400
