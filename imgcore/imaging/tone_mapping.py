"""Map pictures of high dynamic range (ITU-R BT.2100: PQ and HLG) to sRGB, nearly as Chromium shows them.

One factor for all three channels of a pixel keeps its hue. It depends on the brightest of them in BT.2020, by
the "reference white" tone mapping of SMPTE ST 2094-50, which Skia applies to a file without one of its own: in
proportion up to a page's white, then by a quadratic Bézier curve up to the brightest light of the picture. A
page's white is shown less dark than in Chromium, so that a picture without brighter things looks as it does in
sRGB; the difference is at most 35 of 255.

A table of the three channels together would need far more steps than can be computed in each process. So each
pixel is computed, in strips that bound the memory: 0.05 s of CPU a megapixel of what is shown.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

from PIL import Image, ImageMath

from imgcore.imaging.formats.base import HLG, PQ
from imgcore.imaging.icc import Matrix

_WHITE = 203.0  # cd/m², of a page (ITU-R BT.2408)
_USUAL_PEAK = 1000.0  # cd/m², of a picture that states none
_SHADE = 0.3  # of a page's white, so that brighter things are brighter than it; 0.5 in Chromium
_BEND = 0.65  # where the middle point of the Bézier curve lies between knee and peak
_STRIP = 1 << 15  # pixels; the images of a strip stay in the processor's cache
_NOTHING = 1e-6  # of light; between BT.2020 and itself, two channels of three have so little in the third
_FINE = 65_535  # steps of linear light, for which a table gives the steps of sRGB


def to_sdr(
    image: Image.Image, *, transfer: int, to_bt2020: Matrix, to_srgb: Matrix, peak: float
) -> Image.Image:
    """Return an RGB picture as one of sRGB.

    ``to_bt2020`` and ``to_srgb`` are matrices of linear light from the primaries of the picture; ``peak``: its
    brightest light in cd/m², 0 where it is not known.
    """
    peak = _USUAL_PEAK if transfer == HLG or not peak else peak
    shown = Image.new("RGB", image.size)
    height = max(1, _STRIP // image.width)
    for top in range(0, image.height, height):
        box = (0, top, image.width, min(image.height, top + height))
        strip = _light(image.crop(box), transfer, to_bt2020)
        shown.paste(_strip(strip, _curve(peak), to_bt2020, to_srgb), box)
    return shown


def _light(image: Image.Image, transfer: int, to_bt2020: Matrix) -> dict[str, Image.Image]:
    """Return the linear light of each channel on a display, 1.0 for the white of a page."""
    table = _table(transfer)
    light = {name: image.getchannel(name.upper()).point(table, "F") for name in "rgb"}
    if transfer == PQ:
        return light
    # The system gamma of a display of 1,000 cd/m² (BT.2100, table 5, note 5f)
    luminance = [sum(column) for column in zip(*_scaled_rows(to_bt2020), strict=True)]
    factor = ImageMath.lambda_eval(
        lambda args: _mixed(args, luminance) ** 0.2 * (_USUAL_PEAK / _WHITE), **light
    )
    return {
        name: ImageMath.lambda_eval(lambda args: args["light"] * args["factor"], light=channel, factor=factor)
        for name, channel in light.items()
    }


def _scaled_rows(to_bt2020: Matrix) -> Matrix:
    """Return the rows of the matrix, each times the luminance of its primary of BT.2020."""
    weights = (0.2627, 0.6780, 0.0593)
    return [[weight * value for value in row] for weight, row in zip(weights, to_bt2020, strict=True)]


def _strip(
    light: dict[str, Image.Image], curve: tuple[float, ...], to_bt2020: Matrix, to_srgb: Matrix
) -> Image.Image:
    factor = ImageMath.lambda_eval(lambda args: _factor(args, curve, to_bt2020), **light)

    def steps(args: dict[str, Any], row: list[float]) -> Any:
        return args["convert"](_mixed(args, row) * args["factor"], "I")

    channels = [
        ImageMath.lambda_eval(
            functools.partial(steps, row=[_FINE * value for value in row]), **light, factor=factor
        )
        for row in to_srgb
    ]
    return Image.merge("RGB", _encoded(channels))


def _encoded(channels: list[Image.Image]) -> list[Image.Image]:
    """Return the channels in steps of sRGB; steps of linear light below 0 and above _FINE count as these."""
    width, height = channels[0].size
    tall = Image.new("I", (width, height * len(channels)))
    for number, channel in enumerate(channels):
        tall.paste(channel, (0, number * height))
    shown = tall._new(tall.im.point(_encoding(), "L"))  # Image.point would copy and round all entries each time
    return [shown.crop((0, number * height, width, (number + 1) * height)) for number in range(len(channels))]


def _mixed(args: dict[str, Any], row: list[float]) -> Any:
    """Return the sum of the channels, each times its number of the row; without those that add nothing."""
    parts = [args[name] * value for name, value in zip("rgb", row, strict=True) if abs(value) > _NOTHING]
    return functools.reduce(operator.add, parts)


def _curve(peak: float) -> tuple[float, ...]:
    """Return the coefficients of the Bézier curve: of x, at², and of y; and x and y of its ends."""
    brightest = max(1.05, peak / _WHITE)
    knee = 1 - _SHADE * min(1.0, math.log2(brightest) / math.log2(_USUAL_PEAK / _WHITE))
    middle_x, middle_y = 1 + _BEND * (1 / knee - 1), knee + _BEND * (1 - knee)
    return brightest, knee, 1 - 2 * middle_x + brightest, middle_x - 1, knee - 2 * middle_y + 1, middle_y - knee


def _factor(args: dict[str, Any], curve: tuple[float, ...], to_bt2020: Matrix) -> Any:
    """Return what all channels are multiplied by."""
    brightest, knee, square_x, half_x, square_y, half_y = curve
    red, green, blue = (_mixed(args, row) for row in to_bt2020)
    most = args["max"](args["max"](args["max"](red, green), blue), 1.0)
    turn = half_x / square_x
    root = ((args["min"](most, brightest) - 1.0) / square_x + turn * turn) ** 0.5
    at = root - turn
    return (at * at * square_y + at * (2 * half_y) + knee) / most


@functools.cache
def _encoding() -> list[int]:
    """Return the steps of sRGB for linear light."""

    def encoded(value: float) -> float:
        return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055

    return [round(255 * encoded(value / _FINE)) for value in range(_FINE + 1)]


@functools.cache
def _table(transfer: int) -> list[float]:
    return [(_pq if transfer == PQ else _hlg)(value / 255) for value in range(256)]


def _pq(value: float) -> float:
    """Return the light of a value in SMPTE ST 2084, 1.0 for the white of a page."""
    root = math.pow(value, 1 / 78.84375)
    light = max(0.0, root - 0.8359375) / (18.8515625 - 18.6875 * root)
    return 10_000 / _WHITE * math.pow(light, 1 / 0.1593017578125)


def _hlg(value: float) -> float:
    """Return the light of the scene of a value in ARIB STD-B67, 0 to 1 (ITU-R BT.2100)."""
    if value <= 0.5:
        return value * value / 3
    return (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
