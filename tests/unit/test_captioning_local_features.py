"""Shape, light and colors of small made-up pictures."""

from __future__ import annotations

import numpy as np
import pytest

from imgcore.captioning.local.features import Pixels, impression, scene
from imgcore.captioning.local.findings import Impression


def halves(left: tuple[int, int, int], right: tuple[int, int, int], share: float = 0.5) -> Pixels:
    """48 × 48: ``share`` of it ``left``, the rest ``right``."""
    out = np.empty((48, 48, 3), np.uint8)
    out[:], out[:, : round(48 * share)] = right, left
    return out


def look(small: Pixels, detail: Pixels | None = None, size: tuple[int, int] = (300, 200)) -> Impression:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    return impression(small, noise if detail is None else detail, size)


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((300, 200), "wide"),
        ((200, 300), "tall"),
        ((204, 200), "square"),
        ((196, 200), "square"),
        ((440, 200), "wide"),
        ((450, 200), "panoramic"),
    ],
)
def test_features_shape_follows_the_proportions(size: tuple[int, int], shape: str) -> None:
    """A twentieth more or less is still square; beyond 2.2 : 1 it is a panorama."""
    assert shape == look(halves((0, 0, 0), (255, 255, 255)), size=size).shape


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 0, 0), "red"),
        ((139, 0, 0), "red"),
        ((255, 140, 0), "orange"),
        ((255, 215, 0), "yellow"),
        ((101, 67, 33), "brown"),
        ((0, 128, 0), "green"),
        ((124, 200, 60), "green"),
        ((20, 60, 20), "green"),
        ((0, 128, 128), "teal"),
        ((30, 80, 220), "blue"),
        ((0, 0, 255), "blue"),
        ((135, 206, 235), "light blue"),
        ((0, 0, 90), "navy"),
        ((128, 0, 128), "purple"),
        ((255, 170, 190), "pink"),
        ((222, 202, 170), "beige"),
        ((0, 0, 0), "black"),
        ((128, 128, 128), "gray"),
        ((250, 250, 250), "white"),
    ],
)
def test_features_colors_have_everyday_names(rgb: tuple[int, int, int], name: str) -> None:
    """Pure, pale and dark ones alike."""
    assert name == look(halves(rgb, rgb)).colors[0]


def test_features_two_colors_at_most_the_larger_first() -> None:
    """A third one goes unnamed."""
    three = halves((0, 128, 0), (255, 0, 0), share=0.3)
    three[:10] = (30, 80, 220)
    assert ("red", "green") == look(three).colors


def test_features_little_of_a_color_is_not_named() -> None:
    """Less than 15 % is not worth it."""
    assert ("red",) == look(halves((0, 128, 0), (255, 0, 0), share=0.1)).colors


def test_features_named_colors_may_be_the_smaller_part() -> None:
    """Several colours share the picture, so none is named as the main one."""
    stripes = np.empty((48, 48, 3), np.uint8)
    hues = [(255, 0, 0), (255, 140, 0), (255, 215, 0), (0, 128, 0), (0, 128, 128), (30, 80, 220)]
    for index, hue in enumerate(hues):
        stripes[:, index * 8 : index * 8 + 8] = hue
    assert not look(stripes).mostly


@pytest.mark.parametrize(("level", "light"), [(30, "dark"), (120, None), (230, "bright")])
def test_features_light_follows_the_mean_brightness(level: int, light: str | None) -> None:
    """Dark and bright are said, the middle is not."""
    assert light == look(halves((level, level, level), (level, level, level))).light


def test_features_grays_are_black_and_white() -> None:
    """No color anywhere."""
    assert look(halves((20, 20, 20), (200, 200, 200))).black_and_white


def test_features_spot_of_color_is_not_black_and_white() -> None:
    """One red pixel in 2,304 is a color all the same."""
    small = halves((20, 20, 20), (200, 200, 200))
    small[5, 5] = (200, 30, 30)
    assert not look(small).black_and_white


def test_features_one_surface_is_plain() -> None:
    """The picture is uniform."""
    assert [True, False] == [look(halves((90, 90, 90), right)).plain for right in ((91, 90, 90), (160, 90, 90))]


def test_features_flat_patches_look_drawn() -> None:
    """Neighbours that are exactly alike do not come from a camera."""
    flat = np.zeros((64, 64, 3), np.uint8)
    assert [True, False] == [look(halves((0, 0, 0), (9, 90, 9)), detail).drawn for detail in (flat, None)]


def noisy(color: tuple[int, int, int], rows: slice, out: Pixels, spread: int) -> None:
    """Fill some rows with shades of a colour."""
    shade = np.random.default_rng(3).integers(-spread, spread + 1, (48, 48, 1))
    out[rows] = (np.array(color) + shade).clip(0, 255)[rows]


def landscape(top: tuple[int, int, int], bottom: tuple[int, int, int], clouds: int = 2) -> Pixels:
    """Half of one colour over half of another, which is rough."""
    out = np.empty((48, 48, 3), np.uint8)
    noisy(top, slice(0, 24), out, clouds)
    noisy(bottom, slice(24, 48), out, 40)
    return out


def test_scene_of_green_texture_is_plants() -> None:
    """Leaves and grass are rough; a painted wall is not."""
    found = scene(landscape((60, 140, 60), (50, 120, 40), clouds=30))
    assert found
    assert ("plants or grass", False) == (found.phrase, found.sure)
    assert scene(halves((60, 140, 60), (60, 140, 60))) is None


def test_scene_with_a_smooth_blue_top_is_the_sky() -> None:
    """A rough blue is no sky, nor one that is darker than what lies below it."""
    found = scene(landscape((120, 170, 230), (110, 90, 60)))
    assert found
    assert "the sky" == found.phrase
    assert scene(landscape((120, 170, 230), (110, 90, 60), clouds=60)) is None
    framed = landscape((40, 80, 190), (230, 220, 200))
    framed[5:16, :12] = (30, 30, 30)
    assert scene(framed) is None


def test_features_foreground_is_what_the_middle_has_more_of() -> None:
    """Red on green: the red is the foreground."""
    small = halves((0, 128, 0), (0, 128, 0))
    small[14:34, 14:34] = (255, 0, 0)
    assert ("red",) == look(small).foreground
