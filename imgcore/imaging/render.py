"""Render the derived images of one decoded photo: thumbnails, grid, display size and a placeholder."""

from __future__ import annotations

import base64
import io
import itertools
from array import array

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat
from PIL import WebPImagePlugin as _  # noqa: F401 - else the first save imports all forty plugins: 0.2 s

from imgcore.errors import Invalid
from imgcore.gallery.keys import THUMBNAIL_SIDE, display_key, grid_key, thumbnail_key
from imgcore.gallery.models import Rendition, Renditions
from imgcore.imaging import sizes
from imgcore.imaging.display import display_photo
from imgcore.imaging.perceptual import perceptual_hash
from imgcore.imaging.photo import WHITE, Colour, Photo
from imgcore.imaging.sizes import Box, inside

MAX_PLACEHOLDER = 300  # characters

# WebP, measured over a photo of 1600 pixels on one core: method 1 takes three quarters of the time of method
# 2 for 5 % more bytes; method 0 saves little more, method 4 takes twice the time of method 2 for 4 % fewer.
QUALITY, METHOD = 78, 1
# A picture that is halved first takes a third less time to become a thumbnail, and differs by 51 dB from one
# that is not.
_GAP = 1.5
_MEDIA_TYPE = "image/webp"
_LIGHT_TONE, _DARK_TONE = (246, 246, 246), (38, 38, 38)  # that transparent pictures are shown on


def render(picture: Photo, public_id: str, *, fit: str) -> Renditions:
    """Return the derived images of ``picture``: WebP, none larger than the picture, the same bytes each time.

    They keep its alpha.
    ``fit``: "crop" cuts the thumbnails square, around what stands out; "fit" keeps the whole picture inside
    the square. The placeholder shows the whole picture in its own proportions. Raises Invalid for another fit.
    """
    if fit not in ("crop", "fit"):
        raise Invalid(f"A thumbnail's fit is crop or fit, not {fit!r}.")
    display = picture.image(sizes.display(picture.size))
    shown = picture if display.size == picture.size else Photo(display, picture.facts)
    box = square(picture) if fit == "crop" else None

    large = _thumbnail(picture, box, 2 * THUMBNAIL_SIDE)
    small_size = inside(_size_of(picture, box), THUMBNAIL_SIDE)
    halved = large.size == (2 * small_size[0], 2 * small_size[1])
    small = large.reduce(2) if halved else _thumbnail(picture, box, THUMBNAIL_SIDE)
    return Renditions(
        thumbnail=_rendition(thumbnail_key(public_id, THUMBNAIL_SIDE), small),
        thumbnail_2x=_rendition(thumbnail_key(public_id, 2 * THUMBNAIL_SIDE), large),
        display=_rendition(display_key(public_id), display),
        placeholder=_placeholder(shown) if picture.background is None else _tone(picture.background),
        grid=grid(shown, public_id),
        perceptual_hash=perceptual_hash(picture),
    )


def grid(display: Photo, public_id: str) -> Rendition | None:
    """Return the timeline's picture from the display image; None where that serves as well."""
    if (size := sizes.grid(display.size)) is None:
        return None
    return _rendition(grid_key(public_id), display.image(size, None, Image.Resampling.HAMMING, _GAP))


def grid_of_file(data: bytes, public_id: str) -> Rendition | None:
    """Return the timeline's picture from the file of a display image that ``render`` made. Raises Rejected."""
    return grid(display_photo(data), public_id)


def square(picture: Photo) -> Box:
    """Return the largest square (left, top, right, bottom in the picture's pixels) that keeps the subject.

    It can only slide along the longer side. Each place is worth the saliency that it covers, and a little
    less the farther it is from the middle: where nothing stands out, the middle is the photographer's choice.
    """
    width, height = picture.size
    side, room = min(width, height), abs(width - height)
    if room == 0:
        return (0, 0, width, height)
    small = inside(picture.size, _ANALYSED_SIDE)
    profile = _profile(_saliency(_opaque(picture, small)), across=width < height)
    window = max(1, round(len(profile) * side / max(width, height)))
    best = _best_start(profile, window)
    start = round(room * best / max(1, len(profile) - window))
    return (start, 0, start + side, side) if width > height else (0, start, side, start + side)


_ANALYSED_SIDE = 128  # pixels; where the subject is shows at this size
_FINE_WEIGHT = 3  # of fine detail, over broad shapes: a lamp's glow is broader than the bird beneath it
_CENTRE_PRIOR = 0.2  # how much less the same saliency is worth at the very end
_CUT_REACH = 24  # a cut through something salient costs what lies within 1/24 of the length around it


def _saliency(image: Image.Image) -> Image.Image:
    """Return how much each pixel stands out from its surroundings, in light and colour, at two scales (grey).

    Centre against surround after Itti, Koch and Niebur, "A model of saliency-based visual attention" (1998),
    their promotion of the map with few strong peaks included: else grass would outweigh the dog on it.
    """
    side = max(image.size)
    channels = Image.merge("RGB", image.convert("YCbCr").split())  # under a name that the filters know
    fine, fine_weight = _promoted(_contrast(channels, side / 100, side / 25))
    broad, broad_weight = _promoted(_contrast(channels, side / 25, side / 6))
    fine_weight *= _FINE_WEIGHT
    return Image.blend(fine, broad, broad_weight / (fine_weight + broad_weight))


def _contrast(image: Image.Image, centre: float, surround: float) -> Image.Image:
    """Return the difference of two blurs (radii in pixels), the largest channel; colour counts double."""
    blurred = (image.filter(ImageFilter.GaussianBlur(radius)) for radius in (centre, surround))
    light, blue, red = ImageChops.difference(*blurred).split()
    colour = ImageChops.lighter(blue, red)
    return ImageChops.lighter(light, ImageChops.add(colour, colour))


def _promoted(saliency: Image.Image) -> tuple[Image.Image, float]:
    """Return it stretched to the full range, and its weight: near 1 for few peaks, near 0 for texture."""
    stretched = ImageOps.autocontrast(saliency)
    mean = ImageStat.Stat(stretched).mean[0] / 255
    return stretched, (1 - mean) ** 2 + 1e-9


def _profile(saliency: Image.Image, *, across: bool) -> list[float]:
    """Return the saliency squared and summed over the shorter side, less the minimum of all places."""
    size = (1, saliency.height) if across else (saliency.width, 1)
    strong = ImageChops.multiply(saliency, saliency)
    sums = array("f", strong.convert("F").resize(size, Image.Resampling.BOX).tobytes())
    floor = min(sums)
    return [value - floor for value in sums]


def _best_start(profile: list[float], window: int) -> int:
    """Return where a window of that length covers most and cuts through least."""
    sums = [0.0, *itertools.accumulate(profile)]
    length, last = len(profile), len(profile) - window
    middle, reach = last / 2, max(1, len(profile) // _CUT_REACH)

    def cut(at: int) -> float:
        return sums[min(length, at + reach)] - sums[max(0, at - reach)] if 0 < at < length else 0.0

    def worth(start: int) -> tuple[float, float]:
        off = abs(start - middle) / middle if middle else 0.0
        covered = (sums[start + window] - sums[start]) * (1 - _CENTRE_PRIOR * off * off)
        return covered - cut(start) - cut(start + window), -off

    return max(range(last + 1), key=worth)


def _thumbnail(picture: Photo, box: Box | None, side: int) -> Image.Image:
    """Return the thumbnail, by a filter that takes 40 % of the time of LANCZOS and shows no difference."""
    return picture.image(inside(_size_of(picture, box), side), box, Image.Resampling.HAMMING, _GAP)


def _size_of(picture: Photo, box: Box | None) -> tuple[int, int]:
    return (round(box[2] - box[0]), round(box[3] - box[1])) if box else picture.size


def _opaque(picture: Photo, size: tuple[int, int]) -> Image.Image:
    return Image.frombytes("RGB", size, picture.rgb(size))


def _rendition(key: str, image: Image.Image) -> Rendition:
    return Rendition(key, _webp(image), _MEDIA_TYPE, image.width, image.height)


def _webp(image: Image.Image, *, quality: int = QUALITY, method: int = METHOD) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=method)
    return out.getvalue()


def _placeholder(picture: Photo) -> str:
    """Return a data: URI of the whole picture, about twenty pixels wide, shown blurred while the rest loads.

    The coarser ones are for noise; of eight pixels there are never more than 200 characters.
    """
    return next(
        uri
        for side, quality in ((20, 30), (16, 20), (12, 10), (8, 1))
        if len(uri := _data_uri(picture, side, quality)) <= MAX_PLACEHOLDER
    )


def _tone(background: Colour) -> str:
    """Return a data: URI of one tone, a PNG, that a transparent picture is shown on: it contrasts with it."""
    out = io.BytesIO()
    Image.new("RGB", (1, 1), _LIGHT_TONE if background == WHITE else _DARK_TONE).save(out, "PNG")
    return _uri("image/png", out.getvalue())


def _data_uri(picture: Photo, side: int, quality: int) -> str:
    small = picture.image(inside(picture.size, side), None, Image.Resampling.BOX)
    return _uri(_MEDIA_TYPE, _webp(small, quality=quality, method=6))


def _uri(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
