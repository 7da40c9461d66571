"""The perceptual hash of a photo: 64 bits that stay nearly the same when it is resized or compressed again."""

from __future__ import annotations

import math

from PIL import Image

from imgcore.imaging.display import display_photo
from imgcore.imaging.photo import Photo

PLAIN = 0  # the hash of a picture without shapes, which resembles every other of its kind; no other has it

_SIDE = 32  # pixels of the square that is transformed
_KEPT = 8  # lowest frequencies of each axis
_LEAST_CONTRAST = 12  # grey levels between the darkest and the lightest pixel
# Of the orthonormal transform; weaker frequencies are noise of resizing and compression. The least is 0.7 grey
# levels for most; the share is what an edge leaves that is not exactly between two pixels.
_LEAST_STRENGTH = 11.2
_LEAST_SHARE = 0.006  # of the strongest
_COSINES = [
    [math.cos(math.pi * frequency * (2 * place + 1) / (2 * _SIDE)) for place in range(_SIDE)]
    for frequency in range(_KEPT)
]


def _scale(across: int, down: int) -> float:
    """Return what makes of a sum of cosines the strength of a frequency, positive where its bit is set.

    The directions are mixed: a gradient, whose frequencies all have one sign, and an edge, whose signs
    alternate, set some of their bits whether they begin dark or light.
    """
    norm = math.sqrt((_SIDE if across == 0 else _SIDE / 2) * (_SIDE if down == 0 else _SIDE / 2))
    return (-1 if (2 <= across <= 5) != (2 <= down <= 5) else 1) / norm


_SCALES = [_scale(across, down) for across in range(_KEPT) for down in range(_KEPT)]
# Low and high frequencies are put into each quarter of the hash, by which it is looked up
_PLACES = [16 * (number % 4) + number // 4 for number in range(_KEPT * _KEPT)]


def perceptual_hash(picture: Photo) -> int:
    """Return a DCT hash (after "pHash", Zauner 2010) of a picture as 64 bits; PLAIN where it shows no shapes.

    Each bit says whether one of the 8 × 8 lowest frequencies of the grey picture, but for its brightness, is
    clearly positive or, of half of them, clearly negative. Zauner compares with their median, which is noise
    like most of the frequencies where a picture is a gradient or symmetric. It is computed without numpy, which
    the thumbnail function does not have: about a millisecond.
    """
    grey = Image.frombytes("RGB", (_SIDE, _SIDE), picture.rgb((_SIDE, _SIDE))).convert("L")
    pixels = grey.tobytes()
    if max(pixels) - min(pixels) < _LEAST_CONTRAST:
        return PLAIN
    rows = [pixels[first : first + _SIDE] for first in range(0, len(pixels), _SIDE)]
    across = [[_dot(row, cosines) for row in rows] for cosines in _COSINES]
    sums = [_dot(column, cosines) for column in across for cosines in _COSINES]
    strengths = [total * scale for total, scale in zip(sums, _SCALES, strict=True)]
    strengths[0] = 0  # the brightness
    least = max(_LEAST_STRENGTH, _LEAST_SHARE * max(map(abs, strengths)))
    return sum(1 << place for place, strength in zip(_PLACES, strengths, strict=True) if strength > least)


def hash_of_file(data: bytes) -> int:
    """Return the hash of a display image, as ``render`` has made it, from its file. Raises Rejected."""
    return perceptual_hash(display_photo(data))


def _dot(values: bytes | list[float], cosines: list[float]) -> float:
    return sum(value * cosine for value, cosine in zip(values, cosines, strict=True))
