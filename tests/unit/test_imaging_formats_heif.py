"""Taking AVIF and HEIF files apart: their boxes, items and coded pictures."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from imgcore.imaging.decode import decode
from imgcore.imaging.formats import Damaged, av1, base, decode_cost, isobmff
from tests import images as samples
from tests.heif_files import box, file, full, sequence
from tests.images.heif_attacks import coded
from tests.unit.imaging_tools import carve, damage


def test_formats_items_in_a_box_of_their_own_are_found() -> None:
    """Small metadata may lie there instead of behind."""
    data = file({1: b"hvc1", 2: b"Exif", 3: b"mime"}, contents={2: b"\0\0\0\0MM\0*", 3: b"<a/>"})
    assert (b"MM\0*", b"<a/>") == (carve(data).exif, carve(data).xmp)


def test_formats_exif_of_a_heic_may_begin_later() -> None:
    """The first number is the offset."""
    data = file({1: b"hvc1", 2: b"Exif"}, contents={2: b"\0\0\0\6Exif\0\0MM\0*"})
    assert carve(data).exif == b"MM\0*"


def test_formats_hidden_metadata_is_one_byte_of_another_kind() -> None:
    """A codec does not read or copy it."""
    data = file({1: b"hvc1", 2: b"Exif"}, contents={1: b"picture", 2: b"\0\0\0\0MM\0*" + b"x" * 100})
    hidden = carve(data).picture
    start, end = isobmff.children(hidden, 0, len(hidden))[b"meta"]
    inner = isobmff.children(hidden, start + 4, end)
    assert [b"hvc1", b"free"] == [item.kind for item in isobmff.items(hidden, *inner[b"iinf"])]
    assert [7, 1] == [extent.length for extent in isobmff.extents(hidden, *inner[b"iloc"])]


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_formats_picture_has_the_bytes_of_what_is_shown(form: str) -> None:
    """A codec gets no metadata and nothing else that lies in the media data."""
    exif = samples.exif(make="A maker of cameras")
    data = samples.encode(samples.corners(), form, exif=exif)
    at = data.rindex(b"mdat") - 4
    length = len(data) - at + 9
    moved = data[:at] + struct.pack(">L", length) + data[at + 4 :] + b"leftovers" + box(b"uuid", b"a film")
    picture = carve(moved).picture
    assert picture == carve(data).picture
    assert b"A maker" not in picture
    assert decode(moved, max_side=96).rgb((96, 64)) == decode(data, max_side=96).rgb((96, 64))
    coded = isobmff.top_level(picture)[0][b"mdat"]
    assert coded[1] == len(picture)


def test_decode_heic_whose_primary_picture_is_a_thumbnail_of_another_shows_the_primary_one() -> None:
    """Writers turn the reference round; what is not checked before is not decoded in its place."""
    pictures = {number: coded("HEIF", side, side) for number, side in ((1, 64), (2, 128))}
    data = file(
        {1: b"hvc1", 2: b"hvc1"},
        contents={number: content for number, (_, content) in pictures.items()},
        sizes={1: (64, 64), 2: (128, 128)},
        references=[(b"thmb", 1, [2])],
        properties={number: [own] for number, (own, _) in pictures.items()},
    )
    assert decode(data, max_side=200).size == (64, 64)


@pytest.mark.parametrize("sizes", [(0, 4), (0, 8), (4, 0), (4, 4), (8, 8)], ids=str)
def test_formats_offsets_of_any_layout_are_moved(sizes: tuple[int, int]) -> None:
    """The offset of an item is the sum of two numbers, either of which may have no bytes."""
    own, base = sizes

    def place(item: int, offset: int, length: int) -> bytes:
        first = offset if not own else offset // 2 if base else 0
        numbers = first.to_bytes(base) + b"\0\1" + (offset - first).to_bytes(own)
        return struct.pack(">HHH", item, 0, 0) + numbers + struct.pack(">L", length)

    location = bytes([1, 0, 0, 0, own << 4 | 4, base << 4]) + struct.pack(">H", 1) + place(1, 500, 7)
    data = bytes(8) + location
    (piece,) = isobmff.extents(data, 8, len(data))
    assert (piece.offset, piece.length) == (500, 7)
    changed = bytearray(data)
    for at, new in piece.moved(40).items():
        changed[at : at + len(new)] = new
    (moved,) = isobmff.extents(bytes(changed), 8, len(changed))
    assert (moved.offset, moved.length) == (40, 7)


def test_formats_item_without_a_place_is_damaged() -> None:
    location = bytes([1, 0, 0, 0, 4, 0]) + struct.pack(">HHHHHL", 1, 1, 0, 0, 1, 7)
    data = bytes(8) + location
    (piece,) = isobmff.extents(data, 8, len(data))
    with pytest.raises(Damaged):
        piece.moved(40)


@pytest.mark.parametrize("kind", [b"grid", b"iovl", b"iden"])
def test_formats_picture_made_of_too_many_others_is_damaged(kind: bytes) -> None:
    """Each of them would be decoded as often as it is named."""
    sizes = {1: (4000, 3000), 2: (4000, 3000)}

    def made_of(times: int) -> bytes:
        return file({1: kind, 2: b"hvc1"}, sizes=sizes, references=[(b"dimg", 1, [2] * times)])

    assert carve(made_of(4)).format == "HEIF"
    assert damage(made_of(5)) == "far more pixels to decode than to show"


def test_formats_pictures_made_of_pictures_add_up() -> None:
    """Ten times ten times ten."""
    references = [(b"dimg", number, [number + 1] * 10) for number in (1, 2, 3)]
    kinds = {1: b"iden", 2: b"grid", 3: b"grid", 4: b"hvc1"}
    data = file(kinds, sizes={1: (100, 100), 4: (100, 100)}, references=references)
    assert damage(data) == "far more pixels to decode than to show"


def test_formats_picture_made_of_itself_is_damaged() -> None:
    """Instead of an endless descent."""
    data = file({1: b"iden"}, sizes={1: (10, 10)}, references=[(b"dimg", 1, [1])])
    assert damage(data) == "a picture made of itself"


def test_formats_alpha_counts_as_a_picture_to_decode() -> None:
    """It is one."""
    sizes = {1: (100, 100), 2: (9000, 9000)}
    data = file({1: b"hvc1", 2: b"hvc1"}, sizes=sizes, references=[(b"auxl", 2, [1])])
    assert damage(data) == "far more pixels to decode than to show"


def test_formats_pictures_that_are_not_shown_do_not_count() -> None:
    """A burst holds many."""
    kinds = dict.fromkeys(range(1, 30), b"hvc1")
    assert carve(file(kinds, sizes=dict.fromkeys(kinds, (4000, 3000)))).format == "HEIF"


@pytest.mark.parametrize("short", [True, False])
def test_formats_avif_whose_coded_picture_is_larger_than_declared_is_damaged(short: bool) -> None:
    """libavif would decode all of it and scale it down then."""
    honest = file(
        {1: b"av01"}, brand=b"avif", contents={1: sequence(4000, 3000, short=short)}, sizes={1: (4000, 3000)}
    )
    lying = file(
        {1: b"av01"}, brand=b"avif", contents={1: sequence(16384, 16384, short=short)}, sizes={1: (64, 64)}
    )
    assert carve(honest).format == "AVIF"
    assert damage(lying) == "far more pixels to decode than to show"


def test_formats_avif_whose_coded_picture_has_no_length_is_damaged() -> None:
    """Zero means the rest of the file to some, and nothing to others."""
    data = file({1: b"av01"}, brand=b"avif", contents={1: b""}, sizes={1: (64, 64)})
    assert damage(data) == "a coded picture without an end"


def test_formats_real_size_of_a_coded_picture_is_found() -> None:
    """Return the file as an encoder writes it."""
    data = samples.encode(Image.new("RGB", (320, 200), samples.RED), "AVIF")
    assert av1.Reader().read(data[data.index(b"mdat") + 4 :]).pixels == 320 * 200


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        (b"\x12\0" * 5000, "more units than any encoder writes"),
        (b"\x0a" + b"\xff" * 9, "a length that does not end"),
        (b"\x0a\x02\x04\0", "a still picture that states its frame rate"),
        (b"\x0a\x04\x03" + b"\xff" * 3, "a sequence header goes past its end"),
    ],
)
def test_formats_units_that_do_not_hold_together(units: bytes, reason: str) -> None:
    """The headers show it."""
    with pytest.raises(Damaged, match=reason):
        av1.Reader().read(units)


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_formats_item_with_more_frames_than_layers_is_damaged(form: str) -> None:
    """A codec decodes each of them; eighteen thousand fit into twenty megabytes."""
    assert form == carve(samples.repeated(form, decode_cost.MAX_LAYERS)).format
    assert "a picture has layers" in damage(samples.repeated(form, decode_cost.MAX_LAYERS + 1))


def test_formats_unit_without_a_length_reaches_to_the_end() -> None:
    """The last box may have size 0."""
    unit = sequence(300, 200)
    assert av1.Reader().read(bytes([1 << 3]) + unit[2:]).pixels == 60_000
    assert av1.Reader().read(bytes([1 << 3 | 4, 0]) + unit[2:]).pixels == 60_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (box(b"ftyp", b"heic", b"\0\0\0\0"), "no items"),
        (file({1: b"hvc1"})[:-9], "no items"),
        (file({1: b"hvc1"}) + file({1: b"hvc1"})[20:], "a box that may be there once is there twice"),
        (file({1: b"hvc1"}, extra=box(b"pitm", b"\0" * 6)), "a box that may be there once is there twice"),
        (file({1: b"hvc1"}, extra=b"\0\0\0\4abcd"), "a box shorter than its head"),
        (file({1: b"hvc1"}, extra=box(b"free") * 20_000), "more boxes than any encoder writes"),
        (file(dict.fromkeys(range(1, 5000), b"hvc1")), "more items than any encoder writes"),
        (
            file({1: b"hvc1"}, contents=dict.fromkeys(range(1, 9000), b"x")),
            "more pieces than any encoder writes",
        ),
    ],
    ids=["empty", "cut", "two metas", "two primaries", "short box", "boxes", "items", "pieces"],
)
def test_formats_heif_that_does_not_hold_together(data: bytes, reason: str) -> None:
    """The boxes show it."""
    assert reason == damage(data)


def test_formats_items_that_share_the_same_bytes_are_damaged() -> None:
    """A thousand items of the whole file would be read a thousand times."""
    data = file({1: b"hvc1", 2: b"Exif"}, contents={2: b"x" * 40})
    claimed = struct.pack(">HHHHLL", 2, 1, 0, 1, 0, 40)
    assert damage(data.replace(claimed, claimed[:-4] + struct.pack(">L", 1 << 30))) == (
        "items that share what they are made of"
    )


def test_formats_tiles_that_share_bytes_count_as_often_as_they_are_shown() -> None:
    """Encoders store equal tiles once; a bomb names one large tile a thousand times."""

    def tiled(count: int, side: int) -> bytes:
        tiles = range(2, 2 + count)
        kinds = {1: b"grid"} | dict.fromkeys(tiles, b"hvc1")
        declared = {1: (2000, 2000)} | dict.fromkeys(tiles, (side, side))
        data = file(
            kinds, contents=dict.fromkeys(tiles, b"x" * 40), sizes=declared, references=[(b"dimg", 1, [*tiles])]
        )
        places = [struct.pack(">HHHHLL", tile, 1, 0, 1, 40 * at, 40) for at, tile in enumerate(tiles)]
        for place in places:
            data = data.replace(place, place[:8] + b"\0\0\0\0" + place[12:])
        return data

    assert carve(tiled(16, 500)).format == "HEIF"
    assert damage(tiled(100, 500)) == "far more pixels to decode than to show"


def wide(data: bytes) -> bytes:
    """The first box's length written in eight bytes."""
    length = int.from_bytes(data[:4])
    return struct.pack(">L4sQ", 1, data[4:8], length + 8) + data[8:]


def test_formats_last_box_may_leave_its_length_open() -> None:
    """It reaches to the end of the file then."""
    assert carve(file({1: b"hvc1"}) + b"\0\0\0\0mdatx").format == "HEIF"


def test_formats_box_may_have_a_long_length() -> None:
    """The size has eight bytes."""
    data = file({1: b"hvc1"})
    at = int.from_bytes(data[:4])
    assert carve(data[:at] + wide(data[at:])).format == "HEIF"


def test_formats_larger_numbers_of_items_are_read() -> None:
    """Later versions of the boxes have them."""
    infe = full(b"infe", struct.pack(">LH", 70_000, 0), b"Exif\0", version=3)
    old = full(b"infe", struct.pack(">HH", 5, 0), b"name\0", version=0)
    info = full(b"iinf", struct.pack(">L", 2), infe, old, version=1)
    assert [(70_000, b"Exif")] == [(item.number, item.kind) for item in isobmff.items(info, 8, len(info))]
    location = full(
        b"iloc", b"\x48\x41", struct.pack(">LLHHLHBLQ", 1, 70_000, 0, 0, 1000, 1, 9, 24, 5), version=2
    )
    found = [
        (extent.item, extent.offset, extent.length) for extent in isobmff.extents(location, 8, len(location))
    ]
    assert [(70_000, 1024, 5)] == found
    owned = full(b"ipma", struct.pack(">LLBH", 1, 70_000, 1, 0x8003), version=1, flags=1)
    assert [(70_000, 3)] == list(isobmff.associations(owned, 8, len(owned)))
    named = full(b"iref", box(b"dimg", struct.pack(">LHLL", 70_000, 2, 7, 8)), version=1)
    assert [(b"dimg", 70_000, [7, 8])] == list(isobmff.references(named, 8, len(named)))


def test_formats_boxes_too_short_for_what_they_should_say_say_nothing() -> None:
    """The reader ignores them."""
    short = b"\0" * 4
    assert [[], [], []] == [
        list(read(short, 0, 4)) for read in (isobmff.items, isobmff.extents, isobmff.associations)
    ]


def test_formats_metadata_beyond_a_megabyte_is_left_unread() -> None:
    """The codec does not see them either."""
    carved = carve(file({1: b"hvc1", 2: b"Exif"}, contents={2: b"\0\0\0\0MM\0*" + b"x" * base.MAX_METADATA}))
    assert (b"", 1) == (carved.exif, carved.picture.count(b"free"))


def test_formats_item_in_thousands_of_pieces_is_damaged() -> None:
    """Thousands of items are rejected too."""
    location = full(b"iloc", b"\x44\0", struct.pack(">HHHH", 1, 1, 0, 60_000), b"\0" * 480_000)
    with pytest.raises(Damaged, match="more pieces than any encoder writes"):
        list(isobmff.extents(location, 8, len(location)))
