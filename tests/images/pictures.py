"""Honest pictures of every kind, made on the spot, and how far two of them differ."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from PIL import Image, ImageChops, ImageCms, ImageDraw

from imgcore.gallery.models import Picture
from imgcore.imaging.formats import media_type
from tests.images.metadata import exif, iptc, segment, with_segments, xmp

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 170, 60), (40, 70, 220), (240, 210, 40)


@cache
def photo(width: int = 640, height: int = 480, seed: int = 1) -> Image.Image:
    """An RGB picture with about the detail of a photo: light, shapes, texture and a sensor's noise."""
    chance = random.Random(seed)

    def noise(scale: int) -> Image.Image:
        small = (max(2, width // scale), max(2, height // scale))
        rough = Image.frombytes("RGB", small, chance.randbytes(3 * small[0] * small[1]))
        return rough.resize((width, height), Image.Resampling.BICUBIC)

    image = Image.blend(noise(max(1, max(width, height) // 3)), noise(max(8, max(width, height) // 40)), 0.35)
    image = Image.blend(image, noise(3), 0.08)
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, size = chance.randrange(width), chance.randrange(height), chance.randrange(8, max(9, width // 6))
        draw.ellipse((x, y, x + size, y + size), fill=tuple(chance.randbytes(3)))
    return image


def encode(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    """``image`` in that format ("HEIF" included), with Pillow's own options."""
    if form == "HEIF":
        from pillow_heif import from_pillow

        out = io.BytesIO()
        from_pillow(image).save(out, **({"quality": 60} | options))
        return out.getvalue()
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@cache
def jpeg(width: int = 640, height: int = 480, seed: int = 1, **options: object) -> bytes:
    """A JPEG of ``photo``."""
    return encode(photo(width, height, seed), "JPEG", **options)


@cache
def heic(width: int = 640, height: int = 480, seed: int = 1, **options: object) -> bytes:
    """A HEIC of ``photo``, as phones take them."""
    return encode(photo(width, height, seed), "HEIF", **options)


class Files(Mapping[str, bytes]):
    """Files by their names. Each is made when it is first read: AVIF and HEIC take long to encode."""

    def __init__(self, **makers: Callable[[], bytes]) -> None:
        self._makers = makers
        self._made: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def corners(width: int = 96, height: int = 64) -> Image.Image:
    """Red, green, blue and yellow quarters (top left, top right, bottom left, bottom right): tells any turn."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


# EXIF's orientation → how an upright picture has to be laid to be stored under it
_LAID = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def laid(image: Image.Image, orientation: int) -> Image.Image:
    """``image`` as a camera held that way stores it."""
    return image.transpose(_LAID[orientation]) if orientation in _LAID else image


def oriented(orientation: int, form: str = "JPEG", image: Image.Image | None = None) -> bytes:
    """``corners`` (or ``image``), which looks upright only when ``orientation`` (1 to 8) is obeyed."""
    stored = laid(image or corners(), orientation)
    options = {"quality": 95} if form != "PNG" else {}
    return encode(stored, form, exif=exif(orientation=orientation), **options)


def cmyk(width: int = 64, height: int = 48, colour: tuple[int, int, int] = RED) -> bytes:
    """A JPEG in printing colours."""
    return encode(Image.new("RGB", (width, height), colour).convert("CMYK"), "JPEG", quality=95)


def sixteen_bit(width: int = 64, height: int = 48) -> bytes:
    """A grey PNG of 16 bits: black at the left, white at the right."""
    row = struct.pack(f"<{width}H", *(65535 * x // (width - 1) for x in range(width)))
    return encode(Image.frombytes("I;16", (width, height), row * height), "PNG")


def palette(width: int = 64, height: int = 48, form: str = "PNG", *, transparent: bool = False) -> bytes:
    """``corners`` with a palette; ``transparent``: the red quarter is not there."""
    image = corners(width, height).quantize(8)
    options = {"transparency": image.getpixel((0, 0))} if transparent else {}
    return encode(image, form, **options)


def alpha(width: int = 64, height: int = 48, form: str = "PNG") -> bytes:
    """Red that is opaque at the left half and absent at the right one."""
    image = Image.new("RGBA", (width, height), (*RED, 255))
    image.paste((0, 0, 0, 0), (width // 2, 0, width, height))
    return encode(image, form, **({"lossless": True} if form == "WEBP" else {}))


def grey(width: int = 64, height: int = 48, form: str = "JPEG", level: int = 128) -> bytes:
    """One grey all over."""
    return encode(Image.new("L", (width, height), level), form)


def bilevel(width: int = 64, height: int = 48) -> bytes:
    """A PNG of one bit a pixel: black at the left half, white at the right one."""
    image = Image.new("1", (width, height), 0)
    image.paste(1, (width // 2, 0, width, height))
    return encode(image, "PNG")


def animated(form: str = "GIF", frames: int = 3) -> bytes:
    """A moving GIF, WEBP, PNG or AVIF."""
    images = [Image.new("RGB", (32, 24), (80 * index % 255, 60, 90)) for index in range(frames)]
    return encode(images[0], form, save_all=True, append_images=images[1:], duration=100)


def wide_gamut(colour: tuple[int, int, int] = (200, 100, 50)) -> tuple[bytes, tuple[int, int, int]]:
    """A JPEG whose profile swaps red and blue's meaning as no real one does, and the sRGB colour that it means.

    The profile is sRGB with its first and third primaries exchanged, so a reader that ignores it shows the
    colour with red and blue exchanged.
    """
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132])
    for at in range(132, 132 + 12 * count, 12):
        name = bytes(profile[at : at + 4])
        profile[at : at + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(name, name)
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    stored = Image.new("RGB", (48, 32), colour)
    return encode(stored, "JPEG", quality=98, subsampling=0, icc_profile=bytes(profile)), colour[::-1]


def captioned(
    caption: str = "A cat on a wall",
    keywords: tuple[str, ...] = ("cat", "wall"),
    *,
    how: str = "xmp",
    encoding: str = "utf-8",
) -> bytes:
    """A JPEG with its caption inside, as XMP or as IPTC."""
    if how == "xmp":
        return with_segments(
            jpeg(64, 48), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(caption, keywords))
        )
    return with_segments(jpeg(64, 48), segment(0xED, b"Photoshop 3.0\0" + iptc(caption, keywords, encoding)))


def is_accepted(data: bytes) -> bool:
    """Whether the first bytes are those of an accepted format."""
    return media_type(data) is not None


def difference(one: Image.Image, two: Image.Image) -> float:
    """The mean difference of two pictures of one size, 0 to 255."""
    histogram = ImageChops.difference(one.convert("RGB"), two.convert("RGB")).histogram()
    return sum(value % 256 * number for value, number in enumerate(histogram)) / sum(histogram)


def shown(picture: Picture) -> Image.Image:
    """A decoded picture as Pillow's."""
    return Image.frombytes("RGB", picture.size, picture.rgb(picture.size))
