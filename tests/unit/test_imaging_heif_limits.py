"""AVIF and HEIF files that would cost a codec far more than their size and their picture do."""

from __future__ import annotations

import struct

import pytest

from imgcore.imaging.formats import Damaged, decode_cost, isobmff
from tests.heif_files import box, entry, file, full
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


def test_heif_items_of_the_same_number_are_damaged() -> None:
    """libheif reads the first one, a grid; the other would not be counted as one."""
    data = file({1: b"grid", 2: b"hvc1"}).replace(entry(2, b"hvc1"), entry(1, b"hvc1"))
    assert damage(data) == "two items of the same number"


def test_heif_references_beyond_their_count_are_not_read() -> None:
    named = full(b"iref", box(b"dimg", struct.pack(">HHHHH", 1, 2, 7, 8, 9)))
    assert [(b"dimg", 1, [7, 8])] == list(isobmff.references(named, 8, len(named)))


def test_heif_more_references_than_encoders_write_are_damaged() -> None:
    kinds = {1: b"hvc1", 2: b"hvc1"}
    many = [2] * 60_000
    assert carve(file(kinds, references=[(b"cdsc", 2, many)])).format == "HEIF"
    assert damage(file(kinds, references=[(b"cdsc", 2, many), (b"thmb", 2, many)])) == (
        "more references than any encoder writes"
    )


@pytest.mark.parametrize("owned", [b"\0\1\xff" + b"\1" * 255, b"\0\1\0"], ids=["many each", "none each"])
def test_heif_more_properties_than_encoders_write_are_damaged(owned: bytes) -> None:
    """A million of them are found several times over."""

    def associated(times: int) -> bytes:
        return full(b"ipma", struct.pack(">L", times), owned * times)

    fits = 65_536 // (1 + owned[2])
    some, more = associated(fits), associated(fits + 1)
    assert len(list(isobmff.associations(some, 8, len(some)))) == fits * owned[2]
    with pytest.raises(Damaged, match="more properties than any encoder writes"):
        list(isobmff.associations(more, 8, len(more)))


UNIT = b"\0\0\0\3\x40\1\0"  # parameters


def test_heif_unit_without_content_is_damaged() -> None:
    """Zeros could be read as a million of them."""
    assert carve(file({1: b"hvc1"}, contents={1: UNIT * 2})).format == "HEIF"
    assert damage(file({1: b"hvc1"}, contents={1: UNIT + bytes(8)})) == "a unit without content"


def test_heif_more_units_than_encoders_write_are_damaged() -> None:
    """They are counted over all items, which may share their bytes."""
    half = UNIT * (decode_cost.MAX_ALL_UNITS // 2)
    decode_cost.check_pictures([half, half])
    with pytest.raises(Damaged, match="more units than any encoder writes"):
        decode_cost.check_pictures([half, half, UNIT])


FAR_MORE_UNITS = "more units than any encoder writes"


def tiles(count: int, units: bytes = UNIT, configuration: bytes = b"") -> bytes:
    """A grid of one tile that is used so often."""
    return file(
        {1: b"grid", 2: b"hvc1"},
        contents={2: units},
        sizes={1: (500, 500), 2: (16, 16)},
        references=[(b"dimg", 1, [2] * count)],
        properties={2: [box(b"hvcC", configuration)]},
    )


def test_heif_units_of_a_tile_count_as_often_as_the_tile() -> None:
    """libheif parses them each time: 900 tiles of one item of 0.5 MB took 13 s."""
    assert carve(tiles(100, UNIT * 600)).format == "HEIF"
    assert damage(tiles(900, UNIT * 600)) == FAR_MORE_UNITS


def test_heif_parameters_of_a_tile_count_as_often_as_the_tile() -> None:
    """16 tiles with 60,000 picture parameter sets took 10 s."""
    assert carve(tiles(100, configuration=bytes(5000))).format == "HEIF"
    assert damage(tiles(900, configuration=bytes(5000))) == FAR_MORE_UNITS


def test_heif_bytes_of_a_tile_count_as_often_as_the_tile() -> None:
    """900 tiles of one item with a unit of a megabyte took 5 s."""
    long = (1 << 20).to_bytes(4) + UNIT[4:].ljust(1 << 20, b"\0")
    assert carve(tiles(60, long)).format == "HEIF"
    assert damage(tiles(900, long)) == FAR_MORE_UNITS


@pytest.mark.parametrize("name", [b"irot", b"imir", b"clap"])
def test_heif_picture_that_is_turned_or_cropped_twice_is_damaged(name: bytes) -> None:
    """240 turns of 16 megapixels took more than 20 s."""
    once = [box(each, b"\0" * 32) for each in (b"clap", b"irot", b"imir")]
    assert carve(file({1: b"hvc1"}, properties={1: once})).format == "HEIF"
    twice = file({1: b"hvc1"}, properties={1: [*once, box(name, b"\1" * 32)]})
    assert damage(twice) == "a picture that is turned or cropped twice"


def test_heif_units_of_pictures_that_are_not_decoded_are_not_counted() -> None:
    """Uncompressed pixels are no units."""
    kinds, references = {1: b"hvc1", 2: b"unci"}, [(b"auxl", 2, [1])]
    assert carve(file(kinds, contents={1: UNIT, 2: bytes(100)}, references=references)).format == "HEIF"


def test_heif_with_two_films_is_damaged() -> None:
    """Only one of them would be hidden from the codec."""
    data, film = file({1: b"hvc1"}), box(b"moov", box(b"mvhd", b"\0" * 100))
    assert carve(data + film).picture.count(b"moov") == 0
    assert damage(data + film + film) == "a box that may be there once is there twice"
