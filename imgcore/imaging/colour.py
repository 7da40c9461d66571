"""Convert pictures to sRGB from what their file says of its colours: an ICC profile, code points or numbers."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools

from PIL import Image

from imgcore.imaging import icc
from imgcore.imaging.formats import ColourCoding
from imgcore.imaging.formats.base import HLG, PQ

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
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.310, 0.316),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CURVES: dict[int, icc.Curve] = {
    4: (2.2,),
    5: (2.8,),
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0912),  # SMPTE ST 240
    8: (1.0,),
    17: (2.6, (52.37 / 48) ** (1 / 2.6), 0.0, 0.0, 0.0),  # SMPTE ST 428-1
}
# Those of television. Chromium shows a PNG of them as on a television's display (ITU-R BT.1886), and an AVIF or
# HEIC, whose encoders write them for sRGB as well, as sRGB.
_OF_TELEVISION = frozenset({1, 6, 11, 14, 15})
_BT1886_CURVE = (2.4,)


def to_srgb(image: Image.Image, profile: bytes, coding: ColourCoding | None) -> Image.Image:
    """Return the picture, which has no alpha, as RGB in sRGB.

    A broken profile, or one for another mode, counts as none. Code points of a PNG win over its profile, those
    of other files do not (PNG third edition, 4.3; ISO/IEC 23000-22, 7.3.6.4). Those that a profile has itself
    win over its curves (ICC.1:2022, 9.2.17).
    """
    if profile and not (coding is not None and coding.first):
        primaries, transfer = icc.code_points(profile)
        inner = ColourCoding(primaries, transfer, first=transfer != 1)  # Chromium shows 1 as sRGB then
        coding = inner if inner.known else coding
        profile = b"" if inner.known else profile
    if coding is not None and (coding.first or not profile):
        if coding.transfer in (PQ, HLG):
            return _tone_mapped(image, coding)
        profile = _profile_of(coding)
    if profile:
        from PIL import ImageCms

        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            return _converted(image, profile)
    return image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    from PIL import ImageCms

    opened = ImageCms.ImageCmsProfile(io.BytesIO(icc.without_pipelines(profile)))
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


def _tone_mapped(image: Image.Image, coding: ColourCoding) -> Image.Image:
    from imgcore.imaging import tone_mapping  # a library of 140 kB, for few pictures

    own = icc.rgb_to_d50(_PRIMARIES.get(coding.primaries, _BT709))
    to_bt2020, to_srgb = (
        icc.multiply(icc.inverse(icc.rgb_to_d50(_PRIMARIES[primaries])), own) for primaries in (9, 1)
    )
    return tone_mapping.to_sdr(
        image if image.mode == "RGB" else image.convert("RGB"),
        transfer=coding.transfer,
        to_bt2020=to_bt2020,
        to_srgb=to_srgb,
        peak=coding.peak,
    )
