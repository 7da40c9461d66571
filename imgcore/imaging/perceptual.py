"""The perceptual hash of a photo: 64 bits that stay nearly the same when it is resized or compressed again."""

from __future__ import annotations

import math
from statistics import median

from PIL import Image

from imgcore.gallery.models import PhotoFacts
from imgcore.imaging.display import display_image
from imgcore.imaging.photo import Photo

PLAIN = 0  # the hash of a picture without shapes, which resembles every other of its kind; no other has it

_SIDE = 32  # pixels of the square that is transformed
_KEPT = 8  # lowest frequencies of each axis
_LEAST_CONTRAST = 12  # grey levels between the darkest and the lightest pixel
_COSINES = [
    [math.cos(math.pi * frequency * (2 * place + 1) / (2 * _SIDE)) for place in range(_SIDE)]
    for frequency in range(_KEPT)
]


def perceptual_hash(picture: Photo) -> int:
    """Return the DCT hash ("pHash", Zauner 2010) of a picture as 64 bits; PLAIN where it shows no shapes.

    Each bit says whether one of the 8 × 8 lowest frequencies of the grey picture is above their median. It is
    computed without numpy, which the thumbnail function does not have: about a millisecond.
    """
    grey = Image.frombytes("RGB", (_SIDE, _SIDE), picture.rgb((_SIDE, _SIDE))).convert("L")
    pixels = grey.tobytes()
    if max(pixels) - min(pixels) < _LEAST_CONTRAST:
        return PLAIN
    rows = [pixels[first : first + _SIDE] for first in range(0, len(pixels), _SIDE)]
    across = [[_dot(row, cosines) for row in rows] for cosines in _COSINES]
    strengths = [_dot(column, cosines) for column in across for cosines in _COSINES]
    middle = median(strengths[1:])  # the first is the brightness, which is far above all others
    return sum(1 << bit for bit, strength in enumerate(strengths) if strength > middle)


def hash_of_file(data: bytes) -> int:
    """Return the hash of a display image, as ``render`` has made it, from its file. Raises Rejected."""
    display = display_image(data)
    return perceptual_hash(Photo(display, PhotoFacts("WEBP", *display.size, len(data), "")))


def _dot(values: bytes | list[float], cosines: list[float]) -> float:
    return sum(value * cosine for value, cosine in zip(values, cosines, strict=True))
