"""Taking files apart: what is kept for the codec, what is kept aside, and what is refused as no honest file."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imgcore.imaging import formats
from imgcore.imaging.formats import Carved, Damaged, av1, base, decode_cost, gif, isobmff
from tests import images as samples
from tests.images import chunk, exif, segment, with_segments, xmp

FILES = {
    "image/jpeg": samples.jpeg(64, 48),
    "image/png": samples.encode(samples.corners(), "PNG"),
    "image/webp": samples.encode(samples.corners(), "WEBP"),
    "image/gif": samples.palette(form="GIF", transparent=True),
    "image/avif": samples.encode(samples.corners(), "AVIF"),
    "image/heic": samples.heic(64, 48),
}


def carve(data: bytes) -> Carved:
    kind = formats.media_type(data)
    assert kind
    return formats.carve(data, kind)


def damage(data: bytes) -> str:
    with pytest.raises(Damaged) as caught:
        carve(data)
    return str(caught.value)


@pytest.mark.parametrize("kind", FILES)
def test_media_type_is_detected_from_the_content(kind: str) -> None:
    """The first bytes decide."""
    assert kind == formats.media_type(FILES[kind][:64])


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"mif1\0\0\0\0heic", "image/heic"),
        (b"mif1\0\0\0\0avif", "image/avif"),
        (b"mif1\0\0\0\0mif1", "image/heif"),
        (b"msf1\0\0\0\0hevc", "image/heic"),
        (b"avis\0\0\0\0avif", "image/avif"),
        (b"isom\0\0\0\0mp42", None),
    ],
)
def test_media_type_of_brands_separates_avif_heic_and_films(brands: bytes, kind: str | None) -> None:
    """Both families may call themselves by their common name first."""
    assert kind == formats.media_type(struct.pack(">L", 8 + len(brands)) + b"ftyp" + brands)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp", "image/avif"])
def test_formats_bare_file_is_handed_on_as_it_is(kind: str) -> None:
    """The data is not copied."""
    assert carve(FILES[kind]).picture is FILES[kind] or carve(FILES[kind]).picture == FILES[kind]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_formats_codec_gets_no_metadata(form: str) -> None:
    """It is kept aside instead."""
    packet, block = xmp("A cat"), exif(make="Example")
    carved = carve(samples.encode(samples.corners(), form, exif=block, xmp=packet))
    assert block.removeprefix(b"Exif\0\0") == carved.exif
    if form != "PNG":  # its encoder writes none
        assert packet == carved.xmp
    if form in ("JPEG", "PNG", "WEBP"):
        assert b"Example" not in carved.picture
        assert b"A cat" not in carved.picture


@pytest.mark.parametrize("kind", FILES)
@given(data=st.data())
def test_formats_no_change_makes_a_reader_fail_otherwise(kind: str, data: st.DataObject) -> None:
    """Damaged, or an IndexError that the wall takes for the same; nothing else, and never a hang."""
    file = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(12, len(file) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(16, len(file)))
    try:
        formats.carve(bytes(file[:end]), kind)
    except (Damaged, IndexError):
        return


# JPEG


def test_formats_marks_that_tell_a_jpegs_colours_are_kept() -> None:
    """The codec needs Adobe's marker for the colours; Adobe's texts are no such markers."""
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\2")
    carved = carve(with_segments(FILES["image/jpeg"], adobe, segment(0xED, b"Adobe_CM secret")))
    assert [True, True, False] == [mark in carved.picture for mark in (b"JFIF\0", adobe, b"secret")]


def test_formats_what_stands_between_segments_is_skipped() -> None:
    """Padding and rubbish, as every reader does; the size is still found."""
    data = FILES["image/jpeg"]
    padded = data[:2] + b"\xff\xff" + data[2:20] + b"rubbish" + data[20:]
    assert carve(padded).size == (64, 48)


def test_formats_profile_in_several_parts_is_joined_in_their_order() -> None:
    """The order is that of the numbers."""
    pieces = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 2]) + text) for number, text in ((2, b"B"), (1, b"A"))
    ]
    assert carve(with_segments(FILES["image/jpeg"], *pieces)).icc == b"AB"


@pytest.mark.parametrize("numbers", [(2,), (1, 1), (1, 3)])
def test_formats_profile_with_a_part_missing_is_none(numbers: tuple[int, ...]) -> None:
    """Half a profile would show wrong colours."""
    pieces = [segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 2]) + b"text") for number in numbers]
    assert carve(with_segments(FILES["image/jpeg"], *pieces)).icc == b""


def test_formats_first_of_two_blocks_of_exif_counts() -> None:
    """A second one is a mistake or an attack."""
    blocks = [segment(0xE1, b"Exif\0\0" + text) for text in (b"first", b"second")]
    assert carve(with_segments(FILES["image/jpeg"], *blocks)).exif == b"first"


def test_formats_honest_progressive_jpeg_of_any_size_has_few_enough_scans() -> None:
    """Ten as usual, even at the limit of pixels."""
    data = bytearray(samples.jpeg(64, 48, progressive=True))
    at = data.index(b"\xff\xc2") + 5
    data[at : at + 4] = struct.pack(">HH", 7000, 7000)
    assert carve(bytes(data)).size == (7000, 7000)


def test_formats_jpeg_of_single_component_scans_is_counted_too() -> None:
    """The limit holds for baseline images too: three scans are accepted, 101 are not."""
    data = FILES["image/jpeg"]
    start, end = data.index(b"\xff\xda"), len(data) - 2
    single = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\0\x34"
    assert carve(data[:start] + single * 3 + data[end:]).size == (64, 48)
    assert damage(data[:start] + single * 101 + data[end:]) == "more scans than any encoder writes"


def test_formats_tables_between_scans_are_counted() -> None:
    """They cost time as well."""
    data = samples.jpeg(64, 48, progressive=True)
    tables = segment(0xFE, b"") * 5000
    assert damage(data[:-2] + tables + data[-2:]) == "more scans than any encoder writes"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xd8\xff", "no scan"),
        (b"\xff\xd8\xff\xd9", "no scan"),
        (b"\xff\xd8\xff\x01no mark follows", "no scan"),
        (b"\xff\xd8\xff\xe0\0\1", "a segment goes past the end"),
        (b"\xff\xd8\xff\xe0\xff\xff", "a segment goes past the end"),
        (b"\xff\xd8" + segment(0xDA, b"\1\1\0\0\x3f\0"), "a scan before its frame"),
        (b"\xff\xd8" + segment(0xC0, b"\x08\0\1\0\1\1\1\x11\0") * 2, "two frames"),
        (b"\xff\xd8" + segment(0xFE, b"") * 5000, "more segments than any camera writes"),
        (
            samples.jpeg(64, 48, progressive=True)[
                : -samples.jpeg(64, 48, progressive=True)[::-1].index(b"\xda\xff") - 2
            ],
            "no end",
        ),
    ],
)
def test_formats_jpeg_that_does_not_hold_together(data: bytes, reason: str) -> None:
    """The segments show it, before any codec runs."""
    assert reason == damage(data)


# PNG


def test_formats_png_keeps_what_shows() -> None:
    """Palette, transparency and pixels; neither text nor time."""
    data = samples.palette(transparent=True)
    extra = chunk(b"tEXt", b"Comment\0secret") + chunk(b"tIME", b"\7\xe8\5\x11\0\0\0")
    picture = carve(data[:33] + extra + data[33:]).picture
    assert picture == data


def test_formats_profile_of_a_png_is_unpacked_within_bounds() -> None:
    """A profile beyond the limits, or a broken one, is left out."""
    profiles = {
        b"A" * 100: b"A" * 100,
        b"A" * (base.MAX_ICC + 1): b"",
    }
    for profile, expected in profiles.items():
        body = b"name\0\0" + zlib.compress(profile)
        assert expected == carve(samples.png(1, 1, extra=chunk(b"iCCP", body))).icc
    assert carve(samples.png(1, 1, extra=chunk(b"iCCP", b"name\0\0broken"))).icc == b""


def test_formats_apng_of_one_frame_is_a_still() -> None:
    """The control chunk shows it."""
    control = chunk(b"acTL", struct.pack(">LL", 1, 0))
    assert not carve(samples.png(1, 1, extra=control)).animated


def test_formats_png_in_too_many_pieces_is_damaged() -> None:
    """Each piece costs a turn of somebody's loop."""
    assert (
        damage(samples.png(1, 1, extra=chunk(b"IDAT", b"") * 40_000)) == "more chunks than any encoder writes"
    )


def test_formats_png_without_a_header_has_no_area() -> None:
    """Which the check of sizes refuses."""
    assert carve(b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b"")).size == (0, 0)


# GIF


def test_formats_gif_keeps_one_image_and_its_transparency() -> None:
    """Comments before and behind are left out; what follows the image counts for nothing."""
    data = FILES["image/gif"]
    comment = b"!\xfe\6secret\0"
    head = data[:13] + data[13 : 13 + (3 << (data[10] & 7) + 1)]
    carved = carve(head + comment + data[len(head) : -1] + comment + b"\0rubbish")
    assert carved.picture == data


def test_formats_gif_without_an_end_is_whole_when_its_image_is() -> None:
    """Some writers forget the last byte."""
    assert carve(FILES["image/gif"][:-1]).picture == FILES["image/gif"]


def test_formats_image_larger_than_its_screen_counts_in_full() -> None:
    """Readers enlarge the screen for it, so the limits have to see that."""
    data = bytearray(samples.encode(Image.new("P", (8, 8)), "GIF"))
    at = data.index(b",")
    data[at + 1 : at + 9] = struct.pack("<HHHH", 60_000, 60_000, 8, 8)
    assert carve(bytes(data)).size == (60_008, 60_008)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GIF89a\1\0\1\0", "no screen"),
        (b"GIF89a\1\0\1\0\0\0\0;", "no image"),
        (b"GIF89a\1\0\1\0\0\0\0!\xfe\x09abc", "a block goes past the end"),
        (
            b"GIF89a\1\0\1\0\0\0\0!\xfe" + b"\1x" * (gif.MAX_SUB_BLOCKS + 1) + b"\0;",
            "more sub-blocks than any encoder writes",
        ),
        (b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe\0" * 5000 + b";", "no image"),
    ],
)
def test_formats_gif_that_does_not_hold_together(data: bytes, reason: str) -> None:
    """The blocks show it."""
    assert reason == damage(data)


# WebP


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<L", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<L", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_formats_size_of_a_webp_is_read_from_each_kind(lossless: bool, mode: str) -> None:
    """Lossy, lossless, and with alpha in a box around."""
    data = samples.encode(Image.new(mode, (300, 200), (1, 2, 3)), "WEBP", lossless=lossless)
    assert carve(data).size == (300, 200)


def test_formats_what_follows_a_webp_is_cut_off() -> None:
    """It is no part of the picture."""
    assert carve(FILES["image/webp"] + b"rubbish" * 9).picture == FILES["image/webp"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"RIFF\4\0\0\0WEBP", "no picture"),
        (riff((b"VP8 ", b"abc")), "no picture"),
        (riff((b"VP8 ", b"x" * 99))[:60], "a chunk goes past the end"),
        (riff(*[(b"none", b"")] * 5000), "more chunks than any encoder writes"),
    ],
)
def test_formats_webp_that_does_not_hold_together(data: bytes, reason: str) -> None:
    """The chunks show it."""
    assert reason == damage(data)


# AVIF and HEIF


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">L", 8 + len(body)) + name + body


def full(name: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">L", version << 24 | flags), *content)


def entry(number: int, kind: bytes) -> bytes:
    return full(b"infe", struct.pack(">HH", number, 0), kind, b"\0", version=2)


def file(
    kinds: dict[int, bytes],
    *,
    brand: bytes = b"heic",
    contents: dict[int, bytes] | None = None,
    sizes: dict[int, tuple[int, int]] | None = None,
    references: list[tuple[bytes, int, list[int]]] | None = None,
    extra: bytes = b"",
) -> bytes:
    """A file of these items, 1 the primary one; its contents lie in the box idat."""
    contents, sizes, references = contents or {}, sizes or {}, references or []
    places, stored = b"", b""
    for number, content in contents.items():
        places += struct.pack(">HHHHLL", number, 1, 0, 1, len(stored), len(content))
        stored += content
    properties = b"".join(full(b"ispe", struct.pack(">LL", *size)) for size in sizes.values())
    owned = b"".join(struct.pack(">HBB", number, 1, 0x80 | at) for at, number in enumerate(sizes, start=1))
    named = b"".join(
        box(kind, struct.pack(f">HH{len(others)}H", item, len(others), *others))
        for kind, item, others in references
    )
    meta = full(
        b"meta",
        full(b"pitm", struct.pack(">H", 1)),
        full(b"iinf", struct.pack(">H", len(kinds)), *(entry(number, kind) for number, kind in kinds.items())),
        full(b"iloc", b"\x44\0", struct.pack(">H", len(contents)), places, version=1),
        box(
            b"iprp",
            box(b"ipco", properties),
            full(b"ipma", struct.pack(">L", len(sizes)), owned),
        ),
        full(b"iref", named),
        box(b"idat", stored),
        extra,
    )
    return box(b"ftyp", brand, b"\0\0\0\0", b"mif1") + meta


def sequence(width: int, height: int, *, short: bool = True) -> bytes:
    """An AV1 sequence header as an open bitstream unit with its length."""
    head = (
        "000"
        + "1"
        + ("1" + "00000" if short else "0" + "0" + "1" + "00000" + "0" * 12 + "01000" + "0" + "1" + "0000")
    )
    bits = head + "1111" + "1111" + f"{width - 1:016b}{height - 1:016b}" + "0" * 40
    body = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
    return bytes([1 << 3 | 2, len(body)]) + body


def test_formats_items_in_a_box_of_their_own_are_found() -> None:
    """Small metadata may lie there instead of behind."""
    data = file({1: b"hvc1", 2: b"Exif", 3: b"mime"}, contents={2: b"\0\0\0\0MM\0*", 3: b"<a/>"})
    assert (b"MM\0*", b"<a/>") == (carve(data).exif, carve(data).xmp)


def test_formats_exif_of_a_heic_may_begin_later() -> None:
    """The first number is the offset."""
    data = file({1: b"hvc1", 2: b"Exif"}, contents={2: b"\0\0\0\6Exif\0\0MM\0*"})
    assert carve(data).exif == b"MM\0*"


def test_formats_hidden_metadata_is_one_byte_of_another_kind() -> None:
    """A codec does not read or copy it; the file keeps its length."""
    data = file({1: b"hvc1", 2: b"Exif"}, contents={1: b"picture", 2: b"\0\0\0\0MM\0*" + b"x" * 100})
    hidden = carve(data).picture
    start, end = isobmff.children(hidden, 0, len(hidden))[b"meta"]
    inner = isobmff.children(hidden, start + 4, end)
    assert len(data) == len(hidden)
    assert [b"hvc1", b"free"] == [item.kind for item in isobmff.items(hidden, *inner[b"iinf"])]
    assert [7, 1] == [extent.length for extent in isobmff.extents(hidden, *inner[b"iloc"])]


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
