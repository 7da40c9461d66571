"""Convert pictures to sRGB from what their file says of its colours: an ICC profile, code points or numbers."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import math

from PIL import Image, ImageFilter

from imgcore.imaging import icc
from imgcore.imaging.formats import ColourCoding

# Colour space of an ICC profile → the mode that a picture must have for it
_PROFILE_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_SAME = 2  # of 255: a profile that changes no colour by more is sRGB, whatever its name

# Code points (ITU-T H.273): chromaticities of red, green, blue and white
_D65 = (0.3127, 0.3290)
_BT709 = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65)
_PRIMARIES = {
    1: _BT709,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CURVES: dict[int, icc.Curve] = {4: (2.2,), 5: (2.8,), 8: (1.0,)}
# Those of television. Chromium shows a PNG of them as on a television's display (ITU-R BT.1886), and an AVIF or
# HEIC, whose encoders write them for sRGB as well, as sRGB.
_OF_TELEVISION = frozenset({1, 6, 7, 14, 15})
_BT1886_CURVE = (2.4,)
_PQ, _HLG = 16, 18


def to_srgb(image: Image.Image, profile: bytes, coding: ColourCoding | None) -> Image.Image:
    """Return the picture, which has no alpha, as RGB in sRGB.

    A broken profile, or one for another mode, counts as none. Code points of a PNG win over its profile, those
    of other files do not (PNG third edition, 4.3; ISO/IEC 23000-22, 7.3.6.4).
    """
    if coding is not None and (coding.first or not profile):
        if coding.transfer in (_PQ, _HLG):
            return image.convert("RGB").filter(_tone_map(coding.primaries, coding.transfer))
        profile = _profile_of(coding)
    if profile:
        from PIL import ImageCms

        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            return _converted(image, profile)
    return image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    from PIL import ImageCms

    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = _PROFILE_MODES.get(opened.profile.xcolor_space)
    if not mode or not (image.mode == mode or (image.mode == "L" and mode == "RGB")):
        return image.convert("RGB")
    transform = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    if mode == "RGB":
        probe = _probe()
        shown = ImageCms.applyTransform(probe, transform)
        assert shown is not None
        if all(abs(a - b) <= _SAME for a, b in zip(probe.tobytes(), shown.tobytes(), strict=True)):
            return image.convert("RGB")
    return ImageCms.applyTransform(image.convert(mode), transform) or image.convert("RGB")


@functools.cache
def _probe() -> Image.Image:
    """Return a picture of 125 colours, from all corners to the middle."""
    colours = itertools.product((0, 40, 128, 200, 255), repeat=3)
    return Image.frombytes("RGB", (125, 1), b"".join(bytes(colour) for colour in colours))


def _profile_of(coding: ColourCoding) -> bytes:
    """Return an ICC profile that means the same; nothing for sRGB."""
    primaries = coding.chromaticities or _PRIMARIES.get(coding.primaries, _BT709)
    curve = _curve(coding)
    if primaries == _BT709 and curve == _SRGB_CURVE:
        return b""
    try:
        return icc.matrix_profile(primaries, curve)
    except (ZeroDivisionError, ValueError, OverflowError):  # chromaticities that make no colour space
        return b""


def _curve(coding: ColourCoding) -> icc.Curve:
    if coding.gamma:
        return (1 / coding.gamma,)
    if coding.first and coding.transfer in _OF_TELEVISION:
        return _BT1886_CURVE
    return _CURVES.get(coding.transfer, _SRGB_CURVE)


# High dynamic range: 1.0 is the white of a page, 203 cd/m² (ITU-R BT.2408)

_WHITE = 203.0
_SHADE = 0.7  # of what is as bright as a page, so that brighter things are brighter than it
_STEPS = 25  # of each channel


@functools.lru_cache(maxsize=4)
def _tone_map(primaries: int, transfer: int) -> ImageFilter.Color3DLUT:
    to_linear = _pq if transfer == _PQ else _hlg
    matrix = icc.multiply(
        icc.inverse(icc.rgb_to_xyz(_BT709)), icc.rgb_to_xyz(_PRIMARIES.get(primaries, _PRIMARIES[9]))
    )
    levels = [to_linear(step / (_STEPS - 1)) for step in range(_STEPS)]
    position = functools.partial(_level, levels)

    def shown(red: float, green: float, blue: float) -> tuple[float, float, float]:
        light = [position(value) for value in (red, green, blue)]
        if transfer == _HLG:
            luminance = 0.2627 * light[0] + 0.6780 * light[1] + 0.0593 * light[2]
            light = [_SHADE * 1000 / _WHITE * value * luminance**0.2 for value in light]
        mixed = [max(0.0, sum(a * b for a, b in zip(row, light, strict=True))) for row in matrix]
        red, green, blue = (_encoded(_compressed(value)) for value in mixed)
        return red, green, blue

    return ImageFilter.Color3DLUT.generate(_STEPS, shown)


def _level(levels: list[float], value: float) -> float:
    return levels[round(value * (_STEPS - 1))]


def _compressed(light: float) -> float:
    """Return 0 to 1 for any light: in proportion up to white, then slower and slower."""
    if light <= 1:
        return _SHADE * light
    return 1 - (1 - _SHADE) * math.exp(-(light - 1) * _SHADE / (1 - _SHADE))


def _encoded(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * math.pow(min(1.0, value), 1 / 2.4) - 0.055


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
