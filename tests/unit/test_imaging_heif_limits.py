"""AVIF and HEIF files that would cost a codec far more than their size and their picture do."""

from __future__ import annotations

import pytest

from tests.unit.heif_files import file
from tests.unit.imaging_tools import carve, damage

FAR_MORE = "far more pixels to decode than to show"


@pytest.mark.parametrize("others", [([2] * 100, [2]), ([2], [2] * 100)], ids=["long first", "short first"])
def test_heif_derived_item_with_two_lists_of_parts_is_damaged(others: tuple[list[int], list[int]]) -> None:
    """libheif reads the first list only, so that the second one does not show what it decodes."""
    sizes = {1: (500, 500), 2: (500, 500)}

    def grid(*lists: list[int]) -> bytes:
        return file({1: b"grid", 2: b"hvc1"}, sizes=sizes, references=[(b"dimg", 1, one) for one in lists])

    assert carve(grid([2])).format == "HEIF"
    assert damage(grid(*others)) == "a picture with two lists of what it is made of"


def test_heif_alpha_of_a_tile_counts_as_often_as_the_tile() -> None:
    """Codecs decode it each time."""

    def tiled(count: int) -> bytes:
        kinds = {1: b"grid", 2: b"hvc1", 3: b"hvc1"}
        sizes = {1: (500, 500), 2: (64, 64), 3: (800, 800)}
        return file(kinds, sizes=sizes, references=[(b"dimg", 1, [2] * count), (b"auxl", 3, [2])])

    assert carve(tiled(2)).format == "HEIF"
    assert damage(tiled(64)) == FAR_MORE


def test_heif_alpha_of_alpha_counts_too() -> None:
    sizes = {1: (100, 100), 2: (100, 100), 3: (9000, 9000)}
    kinds = dict.fromkeys(sizes, b"hvc1")
    assert damage(file(kinds, sizes=sizes, references=[(b"auxl", 2, [1]), (b"auxl", 3, [2])])) == FAR_MORE


def test_heif_auxiliary_pictures_of_items_that_are_not_shown_do_not_count() -> None:
    sizes = {1: (100, 100), 2: (100, 100), 3: (9000, 9000)}
    kinds = dict.fromkeys(sizes, b"hvc1")
    assert carve(file(kinds, sizes=sizes, references=[(b"auxl", 3, [2])])).format == "HEIF"
