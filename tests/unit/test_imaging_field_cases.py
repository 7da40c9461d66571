"""Files as phones, cameras and transfers make them, after reports about comparable programs.

Each file of tests/field_cases was made for this purpose. Six patches of colour lie at ``POINTS``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from imgcore.imaging.decode import decode
from imgcore.imaging.render import render
from tests import images as samples

FOLDER = Path(__file__).parents[1] / "field_cases"
POINTS = ((1 / 6, 0.2), (0.5, 0.1), (5 / 6, 0.2), (1 / 6, 0.85), (0.5, 0.9), (5 / 6, 0.85))
PATCHES = ((200, 40, 40), (40, 180, 60), (50, 70, 200), (230, 200, 40), (180, 60, 170), (60, 190, 200))

# name → largest difference of a channel, and the report
SHOWN = {
    "trailing_text.heic": (12, "exiftool#378: text behind the last box"),
    "trailing_garbage.heic": (12, "exiftool#378"),
    "mpvd_sef.heic": (12, "a film's box, then a maker's trailer"),
    "trailing_garbage.avif": (10, "exiftool#378"),
    "cut1.jpg": (10, "Pillow#2038, #123: the last byte is missing"),
    "cut2.jpg": (10, "Pillow#2038: no end mark"),
    "cut1_progressive.jpg": (10, "Pillow#2717"),
    "cut2_progressive.jpg": (10, "Pillow#2717"),
    "zero_tail.jpg": (10, "Pillow#123: zeros instead of the end mark"),
    "noiend.png": (10, "Pillow#5491, #7709"),
    "heic_named.jpg": (14, "Esri/data-collection-ios#184, seafile-iOS#358"),
    "webp_named.jpg": (14, "a WebP saved as .jpg"),
    "jpeg_named.heic": (10, "seafile-iOS#358, slate#610"),
    "jpeg_named.png": (10, "a JPEG under .png"),
    "brand_mif2.heic": (14, "the brand of HEIC among the compatible ones"),
    "brand_miaf.heic": (14, "the brand of HEIC among the compatible ones"),
    "linear_icc_named_srgb.png": (10, "a profile whose name says sRGB and whose content does not"),
    "swapped_icc_named_srgb.jpg": (10, "the same"),
    "gama_linear.png": (14, "libvips#1238, ImageGlass#377, danbooru#2870"),
    "gama_chrm_adobergb.png": (12, "danbooru#2870"),
    "cicp_p3.png": (10, "tgfx#1500, libpng#565"),
    "cicp_pq.png": (40, "tev#307, w3c/png#23"),
    "p3_nclx.avif": (12, "ImageMagick#7715, ImageGlass#2337"),
    "exif6_ztxt.png": (10, "libvips#4834, Pillow#4560: EXIF in a text chunk turns it"),
    "p3_nclx_10bit.avif": (12, "ImageMagick#7715"),
}


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
def test_decode_file_from_the_field_is_shown(name: str) -> None:
    size, colours = pixels(name)
    assert size == (600, 400)
    assert largest_difference(PATCHES, colours) <= SHOWN[name][0], SHOWN[name][1]


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
