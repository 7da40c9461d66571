"""What needs no net: the shape, the light and the colours of a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imgcore.describing.layers import Array
from imgcore.describing.seen import Impression

SIDE = 48  # pixels; colours are counted on SIDE × SIDE

# Plain colour names with one typical sRGB value each.
_PALETTE = {
    "black": (12, 12, 12),
    "white": (245, 245, 245),
    "gray": (128, 128, 128),
    "red": (200, 30, 30),
    "orange": (240, 140, 30),
    "brown": (115, 75, 40),
    "yellow": (240, 220, 50),
    "green": (50, 140, 50),
    "olive": (110, 115, 50),
    "teal": (30, 130, 130),
    "blue": (40, 80, 190),
    "light blue": (150, 195, 235),
    "navy": (20, 30, 80),
    "purple": (115, 50, 140),
    "pink": (240, 150, 180),
    "beige": (220, 200, 165),
}
_NAMES = tuple(_PALETTE)

_NOTICED = 0.15  # the share of a picture from which on a colour is worth naming
_MOST_COLORS = 2
_MOSTLY = 0.5  # the share of the named colours from which on the picture is mostly them
_COLORLESS = 3.0  # the mean chroma below which a picture is black-and-white
_DARK, _BRIGHT = 25.0, 75.0  # mean lightness, 0 … 100
_PLAIN = 2.0  # the spread in Lab below which there is nothing to see
_SQUARE, _PANORAMIC = 0.05, 2.2  # of width / height
_FLAT = 0.5  # the share of neighbours exactly alike from which on it may be a drawing


def to_lab(rgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """sRGB 0 … 255 → CIE L*a*b* (D65), in the last axis."""
    value = np.asarray(rgb, np.float64) / 255
    linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


_PALETTE_LAB = to_lab(list(_PALETTE.values()))


def impression(small: Array, detail: Array, size: tuple[int, int]) -> Impression:
    """``small``: the picture on SIDE × SIDE; ``detail``: pixels of it as they are; ``size``: its own."""
    lab = to_lab(small.reshape(-1, 3))
    lightness, chroma = lab[:, 0].mean(), np.hypot(lab[:, 1], lab[:, 2]).mean()
    nearest = ((lab[:, None] - _PALETTE_LAB) ** 2).sum(-1).argmin(1)
    shares = np.bincount(nearest, minlength=len(_NAMES)) / len(nearest)
    named = [int(i) for i in np.argsort(-shares, kind="stable")[:_MOST_COLORS] if shares[i] >= _NOTICED]
    return Impression(
        shape=_shape(*size),
        light="dark" if lightness < _DARK else "bright" if lightness > _BRIGHT else None,
        colors=tuple(_NAMES[i] for i in named),
        mostly=bool(shares[named].sum() >= _MOSTLY),
        black_and_white=bool(chroma < _COLORLESS),
        plain=bool(lab.std(0).max() < _PLAIN),
        drawn=bool((detail[:, 1:] == detail[:, :-1]).all(-1).mean() > _FLAT),
    )


def _shape(width: int, height: int) -> str:
    ratio = width / height
    if abs(ratio - 1) < _SQUARE:
        return "square"
    if ratio > _PANORAMIC:
        return "panoramic"
    return "wide" if ratio > 1 else "tall"
