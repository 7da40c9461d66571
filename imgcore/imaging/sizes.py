"""The sizes of decoded and derived pictures. Pure. All sizes are width and height in pixels."""

from __future__ import annotations

import itertools
import math

from imgcore.gallery.keys import DISPLAY_SIDE, GRID_ASPECTS, GRID_HEIGHT, THUMBNAIL_SIDE

Size = tuple[int, int]
Box = tuple[float, float, float, float]  # left, top, right, bottom

# A picture longer than 2.5 to 1 would be unreadable inside a square of the longer side: a screenshot of
# 1080 × 12,000 pixels would be 144 pixels wide. So the shorter side counts too, within an area.
READABLE = 0.4  # of the longer side
READABLE_AREA = 1.5625  # of the square: 4 megapixels for 1600 pixels
_MAX_WEBP = 16_383  # pixels a side

_LONG = 3  # beyond this ratio, the model gets parts besides the whole
_MAX_PARTS = 6


def inside(size: Size, max_side: int) -> Size:
    """Return the size in the same proportions whose longer side is at most ``max_side``; never larger."""
    return _scaled(size, max_side / max(size))


def readable(size: Size, max_side: int) -> Size:
    """Return the size that fits ``max_side``; that of a long picture is larger, so that it can be read.

    Its shorter side is then READABLE of ``max_side``, within READABLE_AREA of the square. Never larger than
    ``size``.
    """
    return _scaled(size, _readable_scale(size, max_side))


def decoded(size: Size, max_side: int) -> Size:
    """Return the size to decode a picture to: ``readable``, and enough pixels to fill the thumbnails."""
    fills = 2 * THUMBNAIL_SIDE / DISPLAY_SIDE * max_side
    return _scaled(size, max(_readable_scale(size, max_side), fills / min(size)))


def display(size: Size) -> Size:
    """Return the size of the display image of a picture of that size."""
    scale = min(_readable_scale(size, DISPLAY_SIDE), _MAX_WEBP / max(size))
    return _scaled(size, scale)


def grid(display: Size) -> Size | None:
    """Return the size of the picture in the timeline; None where the display image serves as well.

    That is one as small, and a long one: the timeline cuts what is beyond GRID_ASPECTS and enlarges the rest.
    """
    width, height = display
    if height <= GRID_HEIGHT or not GRID_ASPECTS[0] <= width / height <= GRID_ASPECTS[1]:
        return None
    return _scaled(display, GRID_HEIGHT / height)


def parts(size: Size) -> list[Box]:
    """Return the parts, side by side, that show a long picture to the model; none for others."""
    longer, shorter = max(size), min(size)
    if longer <= _LONG * shorter:
        return []
    count = min(_MAX_PARTS, math.ceil(longer / shorter / 2))
    edges = [longer * at / count for at in range(count + 1)]
    spans = list(itertools.pairwise(edges))
    if size[0] == longer:
        return [(start, 0, end, shorter) for start, end in spans]
    return [(0, start, shorter, end) for start, end in spans]


def _readable_scale(size: Size, max_side: int) -> float:
    area = math.sqrt(READABLE_AREA / (size[0] * size[1])) * max_side
    return max(max_side / max(size), min(READABLE * max_side / min(size), area))


def _scaled(size: Size, scale: float) -> Size:
    scale = min(1.0, scale)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
