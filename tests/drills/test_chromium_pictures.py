"""Pictures as Chromium shows them and as decode does: profiles, code points and numbers, by formats."""

from __future__ import annotations

import struct

import pytest
from PIL import Image, ImageCms

from imgcore.imaging import icc
from tests import images as samples
from tests.browser.chromium import Browser
from tests.drills.pictures import decoded, difference, in_chromium
from tests.unit.test_imaging_colour import profile_with
from tests.unit.test_imaging_field_cases import FOLDER


def limit_of(transfer: int) -> int:
    """The largest difference from Chromium: of high dynamic range, and of other pictures."""
    return 40 if transfer in (16, 18) else 12


_D65 = (0.3127, 0.3290)
_SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT709 = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
PROFILES = {
    "sRGB": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    "Display P3": icc.matrix_profile((0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65), _SRGB),
    "Adobe RGB": icc.matrix_profile((0.64, 0.33, 0.21, 0.71, 0.15, 0.06, *_D65), (2.19921875,)),
    "BT.2020": icc.matrix_profile((0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65), _BT709),
    "ProPhoto": icc.matrix_profile((0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001, 0.3457, 0.3585), (1.8,)),
    "linear": icc.matrix_profile((0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65), (1.0,)),
}
CODE_POINTS = {
    "P3": (12, 13),
    "BT.2020": (9, 14),
    "BT.2020 PQ": (9, 16),
    "BT.2020 HLG": (9, 18),
    "P3 PQ": (12, 16),
    "P3 HLG": (12, 18),
    "sRGB PQ": (1, 16),
}
CHUNKS = {
    **{
        f"cICP {primaries} {transfer}": (
            limit_of(transfer),
            samples.chunk(b"cICP", bytes([primaries, transfer, 0, 1])),
        )
        for primaries in (1, 2, 8, 9, 11, 12)
        for transfer in range(1, 19)
    },
    "cICP with the levels of television": (12, samples.chunk(b"cICP", bytes([9, 16, 0, 0]))),
    "cICP PQ of 400 cd/m²": (
        40,
        samples.chunk(b"cICP", bytes([9, 16, 0, 1])) + samples.chunk(b"cLLI", struct.pack(">LL", 4_000_000, 0)),
    ),
    "cHRM alone": (12, samples.chunk(b"cHRM", struct.pack(">8L", *(31_270, 32_900, 68_000, 32_000) * 2))),
    "gAMA 1.0": (12, samples.chunk(b"gAMA", struct.pack(">L", 100_000))),
    "gAMA 1/1.8": (12, samples.chunk(b"gAMA", struct.pack(">L", 55_556))),
    "sRGB": (12, samples.chunk(b"sRGB", b"\0")),
}


def patches() -> Image.Image:
    """Six by six colours, each large enough for a codec."""
    small = Image.frombytes(
        "RGB",
        (6, 6),
        bytes(v for n in range(36) for v in (n * 83 % 256, n * 47 % 256, n * 29 % 256)),
    )
    return small.resize((192, 192), Image.Resampling.NEAREST)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("profile", PROFILES)
def test_colours_of_a_profile_are_those_of_chromium(chromium: Browser, profile: str, form: str) -> None:
    data = samples.encode(
        patches(), form, icc_profile=PROFILES[profile], **({} if form == "PNG" else {"quality": 95})
    )
    background, ours = decoded(data)
    shown = in_chromium(chromium, data, background)
    assert shown is not None
    assert difference(shown[2], ours[2]) <= 12


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("name", CODE_POINTS)
def test_colours_of_code_points_in_a_profile_are_those_of_chromium(
    chromium: Browser, name: str, form: str
) -> None:
    points = CODE_POINTS[name]
    data = samples.encode(
        patches(), form, icc_profile=profile_with(points), **({} if form == "PNG" else {"quality": 95})
    )
    background, ours = decoded(data)
    shown = in_chromium(chromium, data, background)
    assert shown is not None
    assert difference(shown[2], ours[2]) <= limit_of(points[1])


@pytest.mark.parametrize("name", CHUNKS)
def test_colours_of_a_png_are_those_of_chromium(chromium: Browser, name: str) -> None:
    limit, chunk = CHUNKS[name]
    plain = samples.encode(patches(), "PNG")
    data = plain[:33] + chunk + plain[33:]
    background, ours = decoded(data)
    shown = in_chromium(chromium, data, background)
    assert shown is not None
    assert difference(shown[2], ours[2]) <= limit


@pytest.mark.parametrize("transfer", [1, 2, 4, 7, 8, 13, 14, 16, 17, 18])
@pytest.mark.parametrize("primaries", [1, 2, 9, 12])
def test_colours_of_code_points_of_an_avif_are_those_of_chromium(
    chromium: Browser, primaries: int, transfer: int
) -> None:
    plain = samples.encode(patches(), "AVIF", quality=95)
    at = plain.index(b"nclx") + 4
    data = plain[:at] + struct.pack(">HH", primaries, transfer) + plain[at + 4 :]
    background, ours = decoded(data)
    shown = in_chromium(chromium, data, background)
    assert shown is not None
    assert difference(shown[2], ours[2]) <= limit_of(transfer)


@pytest.mark.parametrize(
    ("name", "limit"), [("p3_nclx.avif", 12), ("p3_nclx_10bit.avif", 12), ("cicp_pq.png", 40)]
)
def test_colours_of_code_points_are_those_of_chromium(chromium: Browser, name: str, limit: int) -> None:
    data = (FOLDER / name).read_bytes()
    background, ours = decoded(data)
    shown = in_chromium(chromium, data, background)
    assert shown is not None
    assert difference(shown[2], ours[2]) <= limit
