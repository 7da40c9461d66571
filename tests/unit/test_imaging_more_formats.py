"""TIFF, BMP and camera raw files."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imgcore.errors import Rejected
from imgcore.imaging import formats
from imgcore.imaging.decode import decode
from imgcore.imaging.formats import Carved, Damaged, jpeg
from tests import images as samples
from tests import raw_files
from tests.images import shown

PREVIEW = samples.encode(samples.corners(), "JPEG", quality=95)
RAW = raw_files.all_kinds(PREVIEW)

TIFFS = {
    "plain": samples.encode(samples.corners(), "TIFF"),
    "LZW": samples.encode(samples.corners(), "TIFF", compression="tiff_lzw"),
    "Deflate": samples.encode(samples.corners(), "TIFF", compression="tiff_adobe_deflate"),
    "PackBits": samples.encode(samples.corners(), "TIFF", compression="packbits"),
    "tiled rows": samples.encode(samples.corners(), "TIFF", compression="tiff_lzw", tiffinfo={278: 5}),
    "palette": samples.encode(samples.corners().quantize(8), "TIFF"),
    "alpha": samples.encode(samples.corners().convert("RGBA"), "TIFF", compression="tiff_lzw"),
    "CMYK": samples.encode(samples.corners().convert("CMYK"), "TIFF"),
    "big-endian": samples.encode(samples.corners(), "TIFF", big_endian=True),
}
BMPS = {
    "24 bits": samples.encode(samples.corners(), "BMP"),
    "palette": samples.encode(samples.corners().quantize(8), "BMP"),
    "32 bits": samples.encode(samples.corners().convert("RGBA"), "BMP"),
}


def assert_corners(data: bytes, form: str, most: float = 8) -> None:
    photo = decode(data, max_side=96)
    assert (photo.facts.format, photo.size) == (form, (96, 64))
    assert samples.difference(samples.corners(), shown(photo)) < most


def in_strips(rows: list[bytes], gap: bytes, lengths: bool = True, packing: int = 1) -> bytes:
    """A grey TIFF with a strip for each row, the last one first; equal rows are one strip."""
    packed = {row: row if packing == 1 else zlib.compress(row) for row in rows}
    places, body = {}, b""
    for row in reversed(packed):
        places[row] = 8 + len(body)
        body += packed[row] + gap
    start = 8 + len(body) + len(body) % 2
    fields = [
        *(raw_files.short(tag, value) for tag, value in ((256, len(rows[0])), (257, len(rows)), (258, 8))),
        *(raw_files.short(tag, value) for tag, value in ((259, packing), (262, 1), (277, 1), (278, 1))),
        raw_files.long(273, *(places[row] for row in rows)),
    ]
    if lengths:
        fields.append(raw_files.long(279, *(len(packed[row]) for row in rows)))
    head = b"II*\0" + struct.pack("<L", start)
    return (head + body).ljust(start, b"\0") + raw_files.directory(start, fields)


@pytest.mark.parametrize("packing", [1, 8])
@pytest.mark.parametrize("lengths", [True, False])
def test_decode_tiff_whose_strips_lie_in_any_order_is_shown(packing: int, lengths: bool) -> None:
    rows = [bytes([20 * (number % 12)]) * 40 for number in range(30)]
    data = in_strips(rows, b"between the strips" * 5, lengths, packing)
    assert decode(data, max_side=40).rgb((40, 30)) == b"".join(bytes([row[0]] * 3) * 40 for row in rows)
    assert len(formats.carve(in_strips(rows, bytes(40_000)), "image/tiff").picture) < 2000


@pytest.mark.parametrize("packing", [1, 8])
@pytest.mark.parametrize("tags", [(324, 325), (273, 279)])
def test_decode_tiff_in_tiles_is_shown_whichever_fields_list_them(tags: tuple[int, int], packing: int) -> None:
    """Some programs list tiles in the fields of strips; the dimensions of a tile decide, as in libtiff."""
    tiles = [bytes([60 * number]) * (16 * 16) for number in range(4)]
    packed = [tile if packing == 1 else zlib.compress(tile) for tile in tiles]
    places = [8 + sum(map(len, packed[:number])) for number in range(4)]
    body = b"".join(packed)
    start = 8 + len(body) + len(body) % 2
    numbers = {256: 32, 257: 32, 258: 8, 259: packing, 262: 1, 277: 1, 322: 16, 323: 16}
    fields = [raw_files.short(tag, value) for tag, value in numbers.items()]
    fields += [raw_files.long(tags[0], *places), raw_files.long(tags[1], *map(len, packed))]
    head = b"II*\0" + struct.pack("<L", start)
    photo = decode((head + body).ljust(start, b"\0") + raw_files.directory(start, fields), max_side=32)
    above, below = (bytes([left] * 48 + [right] * 48) * 16 for left, right in ((0, 60), (120, 180)))
    assert photo.rgb((32, 32)) == above + below


@pytest.mark.parametrize("rows", [64, 5])
def test_decode_plain_tiff_that_lacks_a_twentieth_at_most_is_shown_as_incomplete(rows: int) -> None:
    """What is missing is black."""
    fields = {256: 96, 257: 64, 258: 8, 259: 1, 262: 1, 277: 1, 278: rows}
    starts = [200 + 96 * row for row in range(0, 64, rows)]
    head = [raw_files.short(tag, value) for tag, value in fields.items()] + [raw_files.long(273, *starts)]
    data = (b"II*\0" + struct.pack("<L", 8) + raw_files.directory(8, head)).ljust(200, b"\0")
    whole = data + b"\x80" * (96 * 64)
    assert not decode(whole, max_side=96).facts.details.incomplete
    photo = decode(whole[:-250], max_side=96)
    assert photo.facts.details.incomplete
    grey = photo.rgb((96, 64))
    assert (grey[3 * 96 * 30], grey[-1]) == (0x80, 0)
    with pytest.raises(Rejected, match="breaks off"):
        decode(whole[:-400], max_side=96)


@pytest.mark.parametrize("name", TIFFS)
def test_decode_tiff_is_shown(name: str) -> None:
    assert_corners(TIFFS[name], "TIFF", most=20 if name == "CMYK" else 3)


@pytest.mark.parametrize("name", BMPS)
def test_decode_bmp_is_shown(name: str) -> None:
    assert_corners(BMPS[name], "BMP", most=3)


def test_decode_bmp_from_the_top_down_is_upright() -> None:
    """A negative height says so."""
    data = samples.encode(samples.corners().transpose(Image.Transpose.FLIP_TOP_BOTTOM), "BMP")
    assert_corners(data[:22] + struct.pack("<l", -64) + data[26:], "BMP", most=3)


@pytest.mark.parametrize("big_endian", [False, True])
def test_decode_tiff_of_sixteen_bits_of_grey_keeps_its_levels(big_endian: bool) -> None:
    ramp = Image.frombytes("I;16", (256, 1), struct.pack("<256H", *range(0, 65_536, 256)))
    photo = decode(samples.encode(ramp, "TIFF", big_endian=big_endian), max_side=256)
    assert list(photo.rgb((256, 1))[::3]) == list(range(256))


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_decode_tiff_whose_white_is_zero_is_not_inverted(bits: int) -> None:
    """Pillow inverts those of up to eight bits."""
    stored = {
        1: Image.frombytes("1", (16, 1), b"\xff\0"),
        8: Image.frombytes("L", (16, 1), b"\xff" * 8 + b"\0" * 8),
        16: Image.frombytes("I;16", (16, 1), b"\xff\xff" * 8 + b"\0\0" * 8),
    }[bits]
    data = samples.encode(stored, "TIFF")
    at = data.index(struct.pack("<HHLH", 262, 3, 1, 1)) + 8  # the photometric interpretation
    white_first, black_first = (data[:at] + bytes([value]) + data[at + 1 :] for value in (1, 0))
    assert decode(white_first, max_side=16).rgb((16, 1)) == b"\xff" * 24 + b"\0" * 24
    assert decode(black_first, max_side=16).rgb((16, 1)) == b"\0" * 24 + b"\xff" * 24


def test_decode_bmp_with_the_first_header_is_shown() -> None:
    """The header of OS/2 and Windows 2 has twelve bytes, and sizes of two bytes."""
    plain = samples.encode(samples.corners(), "BMP")
    head = struct.pack("<LHHHH", 12, 96, 64, 1, 24)
    assert_corners(plain[:10] + struct.pack("<L", 14 + 12) + head + plain[54:], "BMP", most=3)


@pytest.mark.parametrize("claimed", [300, 305_402_420])
def test_decode_bmp_that_claims_more_colours_than_a_pixel_can_name_is_shown(claimed: int) -> None:
    """Like bmpsuite's pal8oversizepal.bmp and badpalettesize.bmp, which browsers show."""
    data = BMPS["palette"]
    assert_corners(data[:46] + struct.pack("<L", claimed) + data[50:], "BMP", most=3)


def test_decode_bmp_that_lacks_a_twentieth_at_most_is_shown_as_incomplete() -> None:
    """The upper rows come last."""
    data = BMPS["24 bits"]
    photo = decode(data[: -3 * 96 * 3], max_side=96)
    assert photo.facts.details.incomplete
    assert not decode(data, max_side=96).facts.details.incomplete
    lower = (0, 3, 96, 64)
    assert shown(photo).crop(lower).tobytes() == samples.corners().crop(lower).tobytes()
    with pytest.raises(Rejected, match="breaks off"):
        decode(data[: -4 * 96 * 3], max_side=96)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_decode_tiff_and_raw_are_upright(orientation: int) -> None:
    laid = samples.laid(samples.corners(), orientation)
    tiff = samples.encode(laid, "TIFF", tiffinfo={274: orientation})
    assert_corners(tiff, "TIFF", most=3)
    preview = samples.encode(laid, "JPEG", quality=95)
    assert_corners(raw_files.tiff_based(preview, orientation=orientation), "DNG")
    assert_corners(raw_files.cr3(preview, orientation), "CR3")
    assert_corners(raw_files.raf(samples.oriented(orientation)), "RAF")


@pytest.mark.parametrize("name", RAW)
def test_decode_camera_raw_shows_its_preview(name: str) -> None:
    assert_corners(RAW[name], name)
    facts = decode(RAW[name], max_side=96).facts
    assert facts.details.preview
    assert (facts.camera or "").startswith({"CR3": "Canon", "NEF": "NIKON", "ARW": "SONY"}.get(name, ""))


def test_decode_camera_raw_shows_the_largest_of_its_previews() -> None:
    """A thumbnail, a preview and the full size are usual; the raw pixels are a JPEG too, a lossless one."""
    small = samples.encode(samples.corners(24, 16), "JPEG")
    data = raw_files.tiff_based(PREVIEW)
    start = len(data)
    data += small
    first = struct.unpack_from("<L", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    second = len(data) + len(data) % 2
    data = data.ljust(second, b"\0") + raw_files.directory(
        second, [raw_files.long(0x0201, start), raw_files.long(0x0202, len(small))]
    )
    at = first + 2 + 12 * count
    assert_corners(data[:at] + struct.pack("<L", second) + data[at + 4 :], "DNG")


@pytest.mark.parametrize("name", ["plain", "LZW", "Deflate", "palette"])
def test_decode_tiff_cut_off_is_damaged(name: str) -> None:
    for part in (0.2, 0.6, 0.95):
        with pytest.raises(Rejected) as caught:
            decode(samples.truncated(TIFFS[name], part), max_side=96)
        assert (caught.value.code, "TIFF breaks off" in caught.value.message) == ("damaged", True)


@pytest.mark.parametrize("name", RAW)
def test_decode_camera_raw_without_its_preview_says_so(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        decode(RAW[name].replace(b"\xff\xd8\xff\xe0", b"\0" * 4), max_side=96)
    assert caught.value.code == "unsupported_type"
    assert caught.value.message.startswith(f"The {name} has no preview inside;")


@pytest.mark.parametrize("compression", ["jpeg", "group4", "zstd", "lzma"])
def test_decode_tiff_in_other_packings_is_refused_by_name(compression: str) -> None:
    """Each of them is a codec more that strangers' files would reach."""
    image = samples.corners().convert("1") if compression == "group4" else samples.corners()
    with pytest.raises(Rejected) as caught:
        decode(samples.encode(image, "TIFF", compression=compression), max_side=96)
    assert caught.value.code == "unsupported_type"
    assert caught.value.message.startswith("The TIFF is packed in a way that cannot be shown here;")


def retyped(data: bytes, tag: int, kind: int) -> bytes:
    """A little-endian TIFF whose first directory gives a field another type."""
    (first,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    places = [first + 2 + 12 * number for number in range(count)]
    (at,) = [place for place in places if struct.unpack_from("<H", data, place) == (tag,)]
    return data[: at + 2] + struct.pack("<H", kind) + data[at + 4 :]


@pytest.mark.parametrize("kind", [6, 8, 9, 16], ids=["SBYTE", "SSHORT", "SLONG", "LONG8"])
@pytest.mark.parametrize("compression", ["group4", "zstd", "lzma"])
def test_decode_tiff_whose_packing_has_another_type_is_refused(compression: str, kind: int) -> None:
    """libtiff reads such a number, and would open any of its codecs."""
    image = samples.corners().convert("1") if compression == "group4" else samples.corners()
    with pytest.raises(Rejected) as caught:
        decode(retyped(samples.encode(image, "TIFF", compression=compression), 259, kind), max_side=96)
    assert caught.value.code == "unsupported_type"


@pytest.mark.parametrize("tag", [256, 257, 258, 262, 273, 277, 278, 279, 284])
def test_decode_tiff_with_a_signed_number_is_refused(tag: int) -> None:
    with pytest.raises(Rejected) as caught:
        decode(retyped(TIFFS["LZW"], tag, 9), max_side=96)
    assert caught.value.code == "unsupported_type"


def test_decode_tiff_with_long_numbers_is_shown() -> None:
    data = TIFFS["LZW"]
    for tag in (259, 262, 277, 278, 284):
        data = retyped(data, tag, 4)
    assert_corners(data, "TIFF", most=3)


def tiled(size: tuple[int, int], tile: tuple[int, int]) -> bytes:
    """A white TIFF in tiles."""
    return raw_files.tiled(size, tile, zlib.compress(b"\xff" * (tile[0] * tile[1]), 9))


@pytest.mark.parametrize(
    ("size", "tile"), [((100, 80), (16, 16)), ((100, 80), (256, 256)), ((1500, 20), (1504, 32))]
)
def test_decode_tiff_in_tiles_is_shown(size: tuple[int, int], tile: tuple[int, int]) -> None:
    """Those of maps and microscopes often have 256 pixels a side, whatever the size of the picture."""
    photo = decode(tiled(size, tile), max_side=100)
    assert (photo.facts.width, photo.facts.height) == size
    assert set(photo.rgb((10, 1))) == {255}


@pytest.mark.parametrize("tile", [(4096, 4096), (1 << 20, 16), (16, 1 << 20), (1024, 1040)])
def test_decode_tiff_in_a_tile_far_larger_than_the_picture_is_refused(tile: tuple[int, int]) -> None:
    """A tile is unpacked as a whole."""
    with pytest.raises(Rejected) as caught:
        decode(tiled((16, 16), tile), max_side=96)
    assert caught.value.code == "damaged"


def test_formats_tiff_hands_the_codec_nothing_but_the_picture() -> None:
    data = samples.encode(
        samples.corners(), "TIFF", tiffinfo={270: "A secret caption", 305: "A program", 65_000: "Private"}
    )
    carved = formats.carve(data, "image/tiff")
    (offset,) = struct.unpack_from("<L", carved.picture, 4)
    (count,) = struct.unpack_from("<H", carved.picture, offset)
    tags = {struct.unpack_from("<H", carved.picture, offset + 2 + 12 * number)[0] for number in range(count)}
    assert tags.isdisjoint({270, 305, 65_000, 0x8769, 274})
    assert decode(data, max_side=96).facts.embedded_caption == "A secret caption"


def test_formats_tiff_with_many_directories_is_read_once() -> None:
    """A loop of directories does not keep the reader of raw files busy."""
    data = raw_files.tiff_based(PREVIEW)
    (first,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    at = first + 2 + 12 * count
    assert_corners(data[:at] + struct.pack("<L", first) + data[at + 4 :], "DNG")


def scanned(monkeypatch: pytest.MonkeyPatch, data: bytes) -> list[int]:
    """The lengths of the previews that are looked through for the largest one."""
    lengths: list[int] = []
    real = jpeg.carve

    def carve(piece: bytes, *, first: int, last: int, with_picture: bool = True) -> Carved:
        lengths.extend([] if with_picture else [last - first])
        return real(piece, first=first, last=last, with_picture=with_picture)

    monkeypatch.setattr(jpeg, "carve", carve)
    formats.carve(data, formats.media_type(data) or "")
    return lengths


def with_directories(lengths: list[int]) -> bytes:
    """A DNG with further directories, each of which names the preview at that length."""
    data = raw_files.tiff_based(PREVIEW)
    (first,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    at = first + 2 + 12 * count
    start = len(data) + len(data) % 2
    data = (data[:at] + struct.pack("<L", start) + data[at + 4 :]).ljust(start, b"\0")
    for number, length in enumerate(lengths, 1):
        fields = [raw_files.long(0x0201, 16), raw_files.long(0x0202, length)]
        following = len(data) + len(raw_files.directory(0, fields)) if number < len(lengths) else 0
        data += raw_files.directory(len(data), fields, following)
    return data


def test_formats_preview_that_many_directories_or_tracks_name_is_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert scanned(monkeypatch, with_directories([len(PREVIEW)] * 20)) == [len(PREVIEW)]
    assert scanned(monkeypatch, raw_files.cr3(PREVIEW, tracks=10)) == [len(PREVIEW)]


def test_formats_previews_that_overlap_are_read_within_twice_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_directories([len(PREVIEW) - cut for cut in range(20)])
    lengths = scanned(monkeypatch, data)
    assert lengths[0] == len(PREVIEW)
    assert sum(lengths) <= 2 * len(data)


def test_decode_cr3_is_read_up_to_its_sixteenth_track() -> None:
    assert_corners(raw_files.cr3(PREVIEW, before=15), "CR3")
    with pytest.raises(Rejected, match="no preview inside"):
        decode(raw_files.cr3(PREVIEW, before=16), max_side=96)


def runs(image: Image.Image) -> bytes:
    """A BMP of the palette's bits whose rows are packed as runs of one pixel."""
    plain = samples.encode(image, "BMP")
    start = int.from_bytes(plain[10:14], "little")
    rows = [plain[at : at + image.width] for at in range(start, len(plain), -(-image.width // 4) * 4)]
    packed = b"".join(b"".join(bytes([1, value]) for value in row) + b"\0\0" for row in rows) + b"\0\1"
    return plain[:30] + struct.pack("<LL", 1, len(packed)) + plain[38:start] + packed


def test_decode_bmp_of_run_lengths_is_shown() -> None:
    assert_corners(runs(samples.corners().quantize(8)), "BMP", most=3)


def test_formats_bmp_of_a_megabyte_of_run_lengths_is_refused() -> None:
    """Pillow unpacks them in Python, slowly."""
    with pytest.raises(Rejected) as caught:
        decode(runs(samples.corners().quantize(8)) + bytes(1 << 20), max_side=96)
    assert caught.value.code == "unsupported_type"


@pytest.mark.parametrize("name", ["TIFF", "BMP", *RAW])
@given(data=st.data())
@settings(max_examples=60)
def test_formats_no_change_makes_a_new_reader_fail_otherwise(name: str, data: st.DataObject) -> None:
    """Damaged, or an IndexError that counts as the same; nothing else, and never a hang."""
    seed = {"TIFF": TIFFS["LZW"], "BMP": BMPS["24 bits"], **RAW}[name]
    file = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(4, len(file) - 1))] = data.draw(st.integers(0, 255))
    kind = formats.media_type(bytes(file))
    try:
        if kind:
            formats.carve(bytes(file[: data.draw(st.integers(16, len(file)))]), kind)
    except (Damaged, IndexError):
        return
