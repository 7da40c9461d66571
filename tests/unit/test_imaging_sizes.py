"""Long and thin pictures: large enough to be read, small enough to be sent."""

from __future__ import annotations

import io
import itertools

import pytest
from PIL import Image

from imgcore.imaging import sizes
from imgcore.imaging.decode import decode
from imgcore.imaging.render import render
from tests import images as samples
from tests.unit.test_imaging_field_cases import FOLDER


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), (1600, 1200)),
        ((4000, 1600), (1600, 640)),
        ((1080, 12_000), (600, 6667)),
        ((12_000, 600), (8944, 447)),
        ((6000, 600), (6000, 600)),
        ((30_000, 1666), (8487, 471)),
        ((30_000, 40), (16_383, 22)),
        ((300, 4000), (300, 4000)),
        ((40, 1), (40, 1)),
    ],
)
def test_display_size_is_bounded_by_area_and_the_shorter_side(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert sizes.display(size) == expected


@pytest.mark.parametrize(
    "size", [(4000, 3000), (1080, 12_000), (30_000, 1666), (30_000, 400), (500, 30_000), (30_000, 1)]
)
def test_decoded_size_fills_the_thumbnails_and_the_display(size: tuple[int, int]) -> None:
    decoded, display = sizes.decoded(size, 1600), sizes.display(size)
    assert min(decoded) >= min(400, *size)
    assert all(had >= needed for had, needed in zip(decoded, display, strict=True))
    assert decoded[0] * decoded[1] <= 12_000_000


@pytest.mark.parametrize("size", [(6000, 600), (600, 6000), (12_000, 300)])
def test_render_thumbnails_of_a_long_picture_are_filled_from_the_source(size: tuple[int, int]) -> None:
    made = render(decode(samples.encode(Image.new("RGB", size, "teal")), max_side=1600), "abc", fit="crop")
    side = min(400, *size)
    assert [(200, 200), (side, side)] == [(item.width, item.height) for item in made.all()[:2]]
    assert Image.open(io.BytesIO(made.display.data)).size == (made.display.width, made.display.height)
    assert min(made.display.width, made.display.height) >= 300


@pytest.mark.parametrize(("name", "size"), [("strip40.png", (4000, 100)), ("strip_1x40.png", (40, 1))])
def test_decode_strip_is_shown_whole(name: str, size: tuple[int, int]) -> None:
    photo = decode((FOLDER / name).read_bytes(), max_side=1600)
    made = render(photo, "abc", fit="crop")
    assert (photo.facts.width, photo.facts.height) == (made.display.width, made.display.height) == size


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        ((1600, 1200), (480, 360)),
        ((1200, 1600), (270, 360)),
        ((1600, 534), (1079, 360)),  # 3 to 1
        ((1600, 530), None),  # longer: the timeline cuts its ends and enlarges the rest
        ((640, 1601), None),
        ((480, 360), None),  # not larger than the picture for the grid would be
        ((481, 361), (480, 360)),
    ],
)
def test_grid_is_made_where_it_is_smaller_and_not_enlarged(
    display: sizes.Size, expected: sizes.Size | None
) -> None:
    assert expected == sizes.grid(display)


def test_parts_of_a_long_picture_cover_it_side_by_side() -> None:
    for size in ((12_000, 600), (600, 12_000), (1900, 600), (30_000, 1)):
        boxes = sizes.parts(size)
        along = 0 if size[0] > size[1] else 1
        assert 2 <= len(boxes) <= 6
        assert (boxes[0][along], boxes[-1][along + 2]) == (0, max(size))
        assert all(left[along + 2] == right[along] for left, right in itertools.pairwise(boxes))
    assert sizes.parts((1800, 600)) == []


def test_photo_jpegs_show_the_whole_and_the_parts() -> None:
    """Left to right, each at most as large as allowed."""
    image = Image.new("RGB", (4000, 400), samples.RED)
    image.paste(samples.BLUE, (2000, 0, 4000, 400))
    pictures = [
        Image.open(io.BytesIO(data)) for data in decode(samples.encode(image), max_side=1536).jpegs(1536)
    ]
    assert len(pictures) == 6
    assert pictures[0].size == (1536, 154)
    assert all(max(picture.size) <= 1536 and min(picture.size) >= 300 for picture in pictures[1:])
    first, last = pictures[1].getpixel((9, 9)), pictures[-1].getpixel((9, 9))
    assert isinstance(first, tuple)
    assert isinstance(last, tuple)
    assert first[0] > 150 > first[2]
    assert last[2] > 150 > last[0]
