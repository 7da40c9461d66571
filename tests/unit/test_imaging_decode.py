"""A decoded image: upright, sRGB, opaque, scaled, without metadata."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys

import pytest
from PIL import Image, ImageCms, ImageFile
from pillow_heif import HeifFile

from imgcore.imaging import decode as images
from imgcore.imaging import formats
from imgcore.imaging.decode import decode
from imgcore.imaging.sizes import inside
from tests import images as samples
from tests.images import BLUE, GREEN, RED, YELLOW, shown

WHITE = (255, 255, 255)


def near(expected: tuple[int, ...], actual: object, off: int = 12) -> bool:
    assert isinstance(actual, tuple)
    return len(expected) == len(actual) and all(
        abs(a - b) <= off for a, b in zip(expected, actual, strict=True)
    )


def quarters(image: Image.Image) -> list[object]:
    """The colours in the middle of the four quarters, row by row."""
    width, height = image.size
    return [image.getpixel((x * width // 4, y * height // 4)) for y in (1, 3) for x in (1, 3)]


def assert_upright(image: Image.Image) -> None:
    for expected, actual in zip((RED, GREEN, BLUE, YELLOW), quarters(image), strict=True):
        assert near(expected, actual)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_decode_every_orientation_of_every_format_ends_upright(orientation: int, form: str) -> None:
    """All eight of EXIF's, or of the boxes that AVIF and HEIF have instead."""
    photo = decode(samples.oriented(orientation, form), max_side=1600)
    assert_upright(shown(photo))
    assert (96, 64) == photo.size == (photo.facts.width, photo.facts.height)


def test_decode_scaled_applies_the_orientation() -> None:
    """Turning comes after scaling, and the facts speak of the whole."""
    photo = decode(samples.oriented(6, image=samples.corners(1200, 800)), max_side=300)
    assert_upright(shown(photo))
    assert ((300, 200), (1200, 800)) == (photo.size, (photo.facts.width, photo.facts.height))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_decode_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    """Some writers put 0."""
    data = samples.encode(samples.corners(), exif=samples.exif(orientation=orientation))
    assert_upright(shown(decode(data, max_side=96)))


FORMATS = samples.Files(
    JPEG=samples.jpeg,
    PNG=lambda: samples.encode(samples.photo(), "PNG"),
    WEBP=lambda: samples.encode(samples.photo(), "WEBP"),
    GIF=lambda: samples.encode(samples.photo(), "GIF"),
    AVIF=lambda: samples.encode(samples.photo(), "AVIF"),
    HEIF=samples.heic,
)


@pytest.mark.parametrize("form", FORMATS)
def test_decode_every_accepted_format_shows_the_picture(form: str) -> None:
    """The facts are those of the file."""
    data = FORMATS[form]
    photo = decode(data, max_side=1600)
    assert samples.difference(samples.photo(), shown(photo)) < 12
    expected = (form, 640, 480, len(data), hashlib.sha256(data).hexdigest())
    facts = photo.facts
    assert expected == (facts.format, facts.width, facts.height, facts.size, facts.sha256)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_decode_scales_to_exactly_the_requested_side(form: str) -> None:
    """The longer side; the shorter follows."""
    photo = decode(samples.encode(samples.photo(), form), max_side=100)
    assert ((100, 75), (640, 480)) == (photo.size, (photo.facts.width, photo.facts.height))


@pytest.mark.parametrize(
    ("size", "max_side", "expected"),
    [
        ((4000, 3000), 1600, (1600, 1200)),
        ((3000, 4000), 1600, (1200, 1600)),
        ((100, 50), 1600, (100, 50)),
        ((3000, 100), 100, (100, 3)),
        ((3000, 100), 10, (10, 1)),
        ((3200, 1067), 1600, (1600, 534)),
    ],
)
def test_inside_keeps_the_proportions(size: tuple[int, int], max_side: int, expected: tuple[int, int]) -> None:
    """Rounded, never enlarged, never nothing."""
    assert expected == inside(size, max_side)


def test_decode_large_jpeg_is_decoded_at_a_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """libjpeg decodes an eighth of each side where an eighth suffices."""
    asked: list[tuple[int, int]] = []
    original = Image.Image.resize

    def resize(self: Image.Image, *args: object, **options: object) -> Image.Image:
        asked.append(self.size)
        return original(self, *args, **options)  # type: ignore[arg-type]

    data = samples.jpeg(1600, 1200)
    monkeypatch.setattr(Image.Image, "resize", resize)
    decode(data, max_side=190)
    assert [(200, 150)] == asked


def test_decode_scaled_decode_shows_the_same_picture() -> None:
    """The result equals a full decode with a resize."""
    data = samples.jpeg(1600, 1200)
    whole = Image.open(io.BytesIO(data)).resize((190, 142), Image.Resampling.LANCZOS)
    assert samples.difference(whole, shown(decode(data, max_side=190))) < 3


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_decode_alpha_is_laid_on_white(form: str) -> None:
    """What is not there becomes paper."""
    image = shown(decode(samples.alpha(form=form), max_side=64))
    assert near(RED, image.getpixel((8, 24)))
    assert near(WHITE, image.getpixel((56, 24)))


def test_decode_half_transparent_grey_is_laid_on_white() -> None:
    """Grey with alpha stays a mode of its own until the end."""
    data = samples.encode(Image.new("LA", (32, 32), (0, 128)), "PNG")
    assert near((127, 127, 127), shown(decode(data, max_side=16)).getpixel((8, 8)), off=2)


def test_decode_one_transparent_colour_is_laid_on_white() -> None:
    """PNG can name a colour that is not to be seen, without an alpha channel."""
    image = samples.corners(64, 48)
    data = samples.encode(image, "PNG", transparency=RED)
    assert [WHITE, GREEN, BLUE, YELLOW] == quarters(shown(decode(data, max_side=64)))


@pytest.mark.parametrize("form", ["PNG", "GIF"])
@pytest.mark.parametrize("max_side", [64, 32])
def test_decode_palette_becomes_colours(form: str, max_side: int) -> None:
    """Scaled as colours, not as numbers of a palette."""
    assert_upright(shown(decode(samples.palette(form=form), max_side=max_side)))


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_decode_transparent_place_of_the_palette_becomes_white(form: str) -> None:
    """GIF knows no other transparency."""
    image = shown(decode(samples.palette(form=form, transparent=True), max_side=64))
    assert near(WHITE, image.getpixel((16, 12)), off=0)
    assert near(GREEN, image.getpixel((48, 12)))


@pytest.mark.parametrize("max_side", [64, 32])
def test_decode_sixteen_bits_become_eight(max_side: int) -> None:
    """The upper byte is used: white stays white and the middle the middle."""
    image = shown(decode(samples.sixteen_bit(), max_side=max_side))
    last = max_side - 1
    assert near((0, 0, 0), image.getpixel((0, 5)))
    assert near((128, 128, 128), image.getpixel((max_side // 2, 5)))
    assert near(WHITE, image.getpixel((last, 5)))


def test_decode_single_bits_become_grey() -> None:
    """The result is resized smoothly."""
    image = shown(decode(samples.bilevel(), max_side=32))
    assert [(0, 0, 0), WHITE] == [image.getpixel((4, 12)), image.getpixel((28, 12))]


def test_decode_grey_becomes_rgb() -> None:
    """Three equal channels."""
    assert near((128, 128, 128), shown(decode(samples.grey(), max_side=64)).getpixel((5, 5)), off=2)


def test_decode_printing_colours_become_rgb() -> None:
    """Adobe writes inverted values."""
    assert near(RED, shown(decode(samples.cmyk(), max_side=64)).getpixel((5, 5)), off=20)


def test_decode_embedded_profile_is_obeyed() -> None:
    """One that swaps red and blue, so that nobody can get it right by ignoring it."""
    data, expected = samples.wide_gamut()
    assert near(expected, shown(decode(data, max_side=48)).getpixel((5, 5)))


def test_decode_profile_of_a_png_and_of_a_webp_is_obeyed() -> None:
    """The place in the container does not matter."""
    data, expected = samples.wide_gamut()
    profile = Image.open(io.BytesIO(data)).info["icc_profile"]
    image = Image.new("RGB", (16, 16), expected[::-1])
    for form, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("AVIF", {"quality": 100})):
        again = samples.encode(image, form, icc_profile=profile, **options)
        assert near(expected, shown(decode(again, max_side=16)).getpixel((5, 5))), form


def test_decode_profile_for_colours_is_obeyed_by_a_grey_picture() -> None:
    """Common, though no standard allows it; grey stays grey under it."""
    data, _ = samples.wide_gamut()
    profile = Image.open(io.BytesIO(data)).info["icc_profile"]
    again = samples.encode(Image.new("L", (16, 16), 128), "PNG", icc_profile=profile)
    assert near((128, 128, 128), shown(decode(again, max_side=16)).getpixel((5, 5)), off=3)


@pytest.mark.parametrize(
    "profile",
    [b"no profile at all", b"\0" * 200, b"\0\0\0\x80" + b"lcms" + b"\4\0\0\0mntrRGB XYZ " + b"\xff" * 120],
    ids=["text", "zeros", "header only"],
)
def test_decode_broken_profile_is_ignored(profile: bytes) -> None:
    """The picture is shown as if it had none."""
    data = samples.encode(Image.new("RGB", (16, 16), GREEN), "PNG", icc_profile=profile)
    assert shown(decode(data, max_side=16)).getpixel((5, 5)) == GREEN


def test_decode_profile_for_another_kind_of_picture_is_ignored() -> None:
    """Photos do not use the Lab colour space."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = samples.encode(Image.new("RGB", (16, 16), GREEN), "PNG", icc_profile=profile)
    assert shown(decode(data, max_side=16)).getpixel((5, 5)) == GREEN


def test_photo_jpeg_has_no_metadata() -> None:
    """Location, time, camera and comments are removed."""
    block = samples.exif(orientation=6, make="Example", gps=(48.0, 11.0))
    data = samples.with_segments(
        samples.encode(samples.corners(), exif=block, comment=b"secret"),
        samples.segment(0xED, b"Photoshop 3.0\0" + samples.iptc("secret caption")),
    )
    again = decode(data, max_side=64).jpeg(64)
    assert [] == [
        mark for mark in (b"Exif", b"Example", b"secret", b"Photoshop", b"ICC_PROFILE") if mark in again
    ]


def test_photo_jpeg_is_scaled_and_never_enlarged() -> None:
    """The side is the requested one, or that of the file."""
    photo = decode(samples.jpeg(), max_side=320)
    sizes = [Image.open(io.BytesIO(photo.jpeg(side))).size for side in (160, 320, 1536)]
    assert [(160, 120), (320, 240), (320, 240)] == sizes


def test_photo_jpeg_has_the_requested_quality() -> None:
    """Less of it is smaller."""
    photo = decode(samples.jpeg(), max_side=320)
    assert len(photo.jpeg(320, quality=30)) < len(photo.jpeg(320, quality=95))


def test_photo_rgb_returns_a_part_in_another_size() -> None:
    """The upper half, as rows of three bytes a pixel."""
    photo = decode(samples.encode(samples.corners(), "PNG"), max_side=96)
    part = Image.frombytes("RGB", (4, 2), photo.rgb((4, 2), box=(0, 0, 96, 32)))
    assert near(RED, part.getpixel((0, 0)))
    assert near(GREEN, part.getpixel((3, 0)))


def test_photo_rgb_of_a_part_outside_the_picture_fails() -> None:
    """Instead of inventing pixels."""
    photo = decode(samples.encode(samples.corners(), "PNG"), max_side=96)
    with pytest.raises(ValueError, match=r"[Bb]ox"):
        photo.rgb((4, 4), box=(90, 0, 120, 20))


def test_decode_phones_extra_pictures_leave_a_jpeg_a_still() -> None:
    """MPO: further JPEGs behind the first one, announced in APP2."""
    data = samples.encode(samples.corners(), "MPO", save_all=True, append_images=[Image.new("RGB", (96, 64))])
    photo = decode(data, max_side=96, declared="image/jpeg")
    assert_upright(shown(photo))
    assert photo.facts.format == "JPEG"


def test_decode_of_a_heic_with_several_pictures_the_primary_one_is_shown() -> None:
    """Bursts and stereo pairs are still images."""
    file = HeifFile()
    for image in (Image.new("RGB", (96, 64), BLUE), samples.corners()):
        file.add_from_pillow(image)
    out = io.BytesIO()
    file.save(out, quality=90, primary_index=1)
    assert_upright(shown(decode(out.getvalue(), max_side=96)))


@pytest.mark.parametrize("frames", [2, 3])
@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_decode_animation_shows_its_first_frame(form: str, frames: int) -> None:
    photo = decode(samples.animated(form, frames), max_side=32)
    assert (photo.size, photo.facts.details.animated) == ((32, 24), True)
    assert samples.difference(shown(photo), Image.new("RGB", (32, 24), (0, 60, 90))) < 3


@pytest.mark.parametrize("form", ["WEBP", "AVIF"])
def test_decode_animation_hands_one_frame_to_the_codec(form: str) -> None:
    """Thousands more would only cost time."""
    carved = formats.carve(samples.animated(form, 5), f"image/{form.lower()}")
    assert (1, 0) == (carved.picture.count(b"ANMF") or 1, carved.picture.count(b"moov"))


def test_decode_avif_that_holds_a_film_too_is_no_animation() -> None:
    """The first brand decides between the two."""
    film = samples.animated("AVIF")
    photo = decode(film[:8] + b"avif" + film[12:], max_side=32)
    assert (photo.size, photo.facts.details.animated) == ((32, 24), False)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "AVIF", "GIF"])
def test_decode_one_frame_is_no_animation(form: str) -> None:
    """A still picture in an animated format's clothes."""
    data = samples.encode(samples.corners(), form, save_all=True)
    assert_upright(shown(decode(data, max_side=96)))


def test_decode_with_load_truncated_images_set_still_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other code in the process may want half pictures; a gallery does not."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    gif, png = (samples.encode(samples.photo(), form) for form in ("GIF", "PNG"))
    for data in (samples.jpeg(), samples.jpeg(progressive=True), gif, png):
        with pytest.raises(images.Rejected) as refusal:
            decode(samples.truncated(data), max_side=100)
        assert refusal.value.code == "damaged"


def test_decode_neither_uses_nor_changes_pillow_limits_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's own settings stay the same for the host."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert decode(samples.jpeg(), max_side=100).size == (100, 75)
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_decode_loads_pillow_heif_only_for_heif() -> None:
    """The import is most of the thumbnail function's cold start."""
    script = (
        "import sys; from imgcore.imaging import decode as images; from tests import images as samples\n"
        "images.decode(samples.jpeg(64, 48), max_side=64); print('pillow_heif' in sys.modules)\n"
        "images.decode(samples.heic(64, 48), max_side=64); print('pillow_heif' in sys.modules)"
    )
    reported = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert ["False", "True"] == reported.split()


def test_decode_without_the_codec_raises_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that lacks one is to be mended; the image is not rejected for it."""
    monkeypatch.setitem(sys.modules, "PIL.PngImagePlugin", None)
    with pytest.raises(ImportError):
        decode(samples.palette(), max_side=64)
