"""Shape, brightness and colours of a picture, computed without a net."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imgcore.captioning.local.findings import Impression, Subject

Pixels = npt.NDArray[np.uint8]

SIDE = 48  # pixels; colours are counted on SIDE × SIDE

# Plain names of what has a hue, each with typical sRGB values: pure, pale and dark ones share a name.
_HUES = {
    "red": [(200, 30, 30), (130, 20, 25)],
    "orange": [(240, 140, 30), (225, 90, 30)],
    "brown": [(115, 75, 40), (70, 42, 25), (150, 105, 65)],
    "yellow": [(240, 220, 50), (250, 190, 30)],
    "green": [(50, 140, 50), (30, 70, 30), (120, 190, 50), (150, 200, 120)],
    "olive": [(110, 115, 50), (65, 68, 30)],
    "teal": [(30, 130, 130), (20, 75, 80)],
    "blue": [(40, 80, 190), (60, 130, 210), (70, 100, 140), (30, 40, 230)],
    "light blue": [(150, 195, 235), (170, 195, 215)],
    "navy": [(20, 30, 80), (30, 40, 65), (10, 10, 110)],
    "purple": [(115, 50, 140), (70, 30, 80), (160, 115, 190)],
    "pink": [(240, 150, 180), (225, 80, 140)],
    "beige": [(220, 200, 165), (195, 172, 138)],
}
_NAMES = (*_HUES, "black", "gray", "white")
_HUELESS = 8.0  # the chroma below which only the lightness gives a name
_BLACK, _WHITE = 18.0, 88.0  # lightness; below a third of _BLACK no hue is seen either

_NOTICED = 0.15  # the share of a picture from which on a colour is worth naming
_MOST_COLORS = 2
_MOSTLY = 0.5  # the share of the named colours from which on the picture is mostly them
_COLORLESS, _A_COLOR = 3.0, 10.0  # black-and-white: mean chroma below the one, no spot above the other
_DARK, _BRIGHT = 25.0, 75.0  # mean lightness, 0 … 100
_PLAIN = 2.0  # the spread in Lab below which there is nothing to see
_SQUARE, _PANORAMIC = 0.05, 2.2  # of width / height
_TEXTURE = 2.0  # mean step of lightness between neighbours: leaves and grass have more, a painted wall less
_GREENERY = 0.5  # the share of green and olive from which on a textured picture may be plants
_SKY_EDGE = 0.8  # the share of blue in the uppermost tenth
_SKY, _SKY_ALONE = 0.6, 0.9  # the share of blue in the uppermost third, if it is lighter than the ground or not
_SKY_TEXTURE = 3.0  # the most texture of a sky, clouds included
_FLAT = 0.5  # the share of neighbours exactly alike from which on it may be a drawing


def to_lab(rgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert sRGB 0 … 255 to CIE L*a*b* (D65), in the last axis."""
    value = np.asarray(rgb, np.float64) / 255
    linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


_LIGHTNESS_COUNTS = 0.5  # against hue, when shades are compared
_SHADES = to_lab([shade for shades in _HUES.values() for shade in shades]) * (_LIGHTNESS_COUNTS, 1, 1)
_NAME_OF_SHADE = np.repeat(np.arange(len(_HUES)), [len(shades) for shades in _HUES.values()])


def _names(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the index in _NAMES of each colour's name."""
    lightness, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    # The squared distance to each shade, without the square of the colour itself, which all have in common.
    distance = (_SHADES**2).sum(1) - 2 * (lab * (_LIGHTNESS_COUNTS, 1, 1)) @ _SHADES.T
    hue = _NAME_OF_SHADE[distance.argmin(1)]
    neutral = len(_HUES) + (lightness >= _BLACK) + (lightness > _WHITE)
    return np.where((chroma < _HUELESS) | (lightness < _BLACK / 3), neutral, hue)


def scene(small: Pixels) -> Subject | None:
    """Return the scene that colours alone may suggest: plants, or the sky. ``small``: at SIDE × SIDE."""
    lab = to_lab(small.reshape(-1, 3))
    names = _names(lab).reshape(SIDE, SIDE)
    lightness = lab[:, 0].reshape(SIDE, SIDE)
    texture = np.abs(np.diff(lightness, axis=1)).mean(1)
    if _share(names, "green", "olive") >= _GREENERY and texture.mean() > _TEXTURE:
        return Subject("plants or grass", None, sure=False, tags=("plants",))
    third, tenth, quarter = SIDE // 3, SIDE // 10 + 1, SIDE // 4
    blue = _share(names[:third], "blue", "light blue")
    lighter = lightness[:quarter].mean() > lightness[-quarter:].mean()
    edge = _share(names[:tenth], "blue", "light blue")
    if edge > _SKY_EDGE and texture[:third].mean() < _SKY_TEXTURE and blue > (_SKY if lighter else _SKY_ALONE):
        return Subject("the sky", None, sure=False, tags=("sky",))
    return None


def _share(names: npt.NDArray[np.intp], *wanted: str) -> float:
    return float(np.isin(names, [_NAMES.index(name) for name in wanted]).mean())


def _foreground(names: npt.NDArray[np.intp]) -> tuple[str, ...]:
    """Return the colours that the middle has more of than the edge, most of it first."""
    inner = np.zeros((SIDE, SIDE), bool)
    inner[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4] = True
    counts = [np.bincount(names[part], minlength=len(_NAMES)) for part in (inner.ravel(), ~inner.ravel())]
    middle, edge = (count / count.sum() for count in counts)
    order = np.argsort(-middle, kind="stable")
    named = [int(i) for i in order if middle[i] >= _NOTICED and middle[i] > edge[i]]
    return tuple(_NAMES[i] for i in named[:_MOST_COLORS])


def impression(small: Pixels, detail: Pixels, size: tuple[int, int]) -> Impression:
    """Measure a picture. ``small``: at SIDE × SIDE. ``detail``: a part of it, unscaled. ``size``: its own."""
    lab = to_lab(small.reshape(-1, 3))
    lightness, chroma = lab[:, 0].mean(), np.hypot(lab[:, 1], lab[:, 2])
    names = _names(lab)
    shares = np.bincount(names, minlength=len(_NAMES)) / len(lab)
    named = [int(i) for i in np.argsort(-shares, kind="stable")[:_MOST_COLORS] if shares[i] >= _NOTICED]
    return Impression(
        shape=_shape(*size),
        light="dark" if lightness < _DARK else "bright" if lightness > _BRIGHT else None,
        colors=tuple(_NAMES[i] for i in named),
        foreground=_foreground(names),
        mostly=bool(shares[named].sum() >= _MOSTLY),
        black_and_white=bool(chroma.mean() < _COLORLESS and chroma.max() < _A_COLOR),
        plain=bool(np.max(lab.std(axis=0)) < _PLAIN),
        drawn=_drawn(detail),
    )


def _drawn(detail: Pixels) -> bool:
    alike = (detail[:, 1:] == detail[:, :-1]).all(-1)
    return bool(alike.sum() > _FLAT * alike.size)


def _shape(width: int, height: int) -> str:
    ratio = width / height
    if abs(ratio - 1) < _SQUARE:
        return "square"
    if ratio > _PANORAMIC:
        return "panoramic"
    return "wide" if ratio > 1 else "tall"
