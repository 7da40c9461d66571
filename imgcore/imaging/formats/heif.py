"""AVIF and HEIF: boxes of the ISO base media format (ISO/IEC 14496-12) with items (23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from imgcore.imaging.formats import av1, decode_cost, isobmff
from imgcore.imaging.formats.base import (
    MAX_METADATA,
    Carved,
    ColourCoding,
    Damaged,
    Gathered,
    check_length,
    tiff,
)
from imgcore.imaging.formats.isobmff import NOWHERE, Extent, Item, Places

_AVIF = frozenset({b"avif", b"avis"})
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF = frozenset({b"mif1", b"msf1", b"mif2", b"miaf"})
_SEQUENCES = frozenset({b"avis", b"msf1", b"heis", b"hevc", b"hevm", b"hevs"})
_PICTURES = frozenset({b"hvc1", b"hev1", b"lhv1", b"av01", *decode_cost.DERIVED})  # kinds of items
_CHANGES = frozenset({b"clap", b"irot", b"imir"})  # properties that make another picture of the decoded one
Owned = dict[int, list[tuple[bytes, int, int]]]  # name, start and end of the properties of each item
Pieces = dict[int, list[Extent]]  # by the number of their item

_SMALL, _LAYERS = 1_000_000, 4  # pixels that every file may have decoded, and how often those that it declares
_MAX_BRANDS = 2048  # bytes; libheif reads up to a thousand brands
_LONGEST_PROPERTY = 32  # bytes, of those that are read here
# Encoders store equal tiles once, so that items may claim more bytes than the file has
_MAX_CLAIMED = 64 << 20


def media_type(data: bytes) -> str | None:
    """Return the media type by the file's brands, wherever they stand, else by its handler of pictures."""
    if data[4:8] != b"ftyp":
        return None
    length = int.from_bytes(data[:4])
    end = min(length, len(data), _MAX_BRANDS)
    brands = {data[at : at + 4] for at in (8, *range(16, end - 3, 4))}
    if brands & _HEIC and data[8:12] not in _AVIF:
        return "image/heic"
    if brands & _AVIF:
        return "image/avif"
    return "image/heif" if brands & _HEIF or isobmff.holds_pictures(data, length) else None


def carve(data: bytes) -> Carved:
    """Return a new file of what the codec needs: the brands, the items, and the bytes of those that are shown.

    Metadata is marked as free, and has no bytes. The kind of the primary item decides between AVIF and HEIF.
    """
    places, whole = isobmff.top_level(data)
    start, end = places.get(b"meta", NOWHERE)
    if not end:
        raise Damaged("no items", ends_early=True)
    inner = isobmff.children(data, start + 4, end)
    items = list(isobmff.items(data, *inner.get(b"iinf", NOWHERE)))
    extents = _by_item(data, isobmff.extents(data, *inner.get(b"iloc", NOWHERE)))
    avif, needed = _check_effort(data, whole, items, extents, inner)
    hidden = {item.number: item for item in items if item.kind not in _PICTURES}
    changes = {item.kind_at: b"free" for item in hidden.values()}
    # pillow-heif shows what a picture is the thumbnail of, even in the place of the primary one
    references = inner.get(b"iref", NOWHERE)
    changes |= dict.fromkeys(isobmff.thumbnail_kinds(data, *references, _primary(data, inner)), b"free")
    film = places.get(b"moov", NOWHERE)  # the primary item is its first frame; no codec gets to see the others
    end_of_brands = min(places[b"ftyp"][1], _MAX_BRANDS)
    if film != NOWHERE:
        changes |= {at: b"avif" for at in range(8, end_of_brands - 3, 4) if data[at : at + 4] == b"avis"}
    if data[8:12] not in ((b"avif",) if avif else _HEIC):
        brand = b"avif" if avif else b"heic"  # libavif looks at the first one, libheif at the compatible ones
        changes |= {8: brand, 16: brand} if end_of_brands >= 20 else {8: brand}
    gathered = Gathered(_in_media(whole, needed, extents))
    shift = end_of_brands + 8 + end - start + 8
    for item, pieces in extents.items():
        for piece in pieces:
            if item not in needed:
                changes |= piece.shortened() | (piece.moved(0) if piece.method == 0 else {})
            elif piece.method == 0 and piece.offset < whole:
                changes |= piece.moved(shift + gathered.at(piece.offset))
    texts = {
        kind: _content(data, extents, number, inner, MAX_METADATA)
        for kind, number in _descriptions(data, items, inner).items()
    }
    exif = texts.get(b"Exif", b"")
    return Carved(
        format="AVIF" if avif else "HEIF",
        picture=b"".join(
            [
                _box(b"ftyp", end_of_brands - 8),
                *_changed(data, 8, end_of_brands, changes),
                _box(b"meta", end - start),
                *_changed(data, start, end, changes),
                _box(b"mdat", gathered.length),
                *gathered.parts(data),
            ]
        ),
        crop=_crop(data, inner) if avif else None,  # libheif crops by itself, libavif does not
        animated=film != NOWHERE and data[8:12] in _SEQUENCES,
        exif=tiff(exif[4 + int.from_bytes(exif[:4]) :]),
        xmp=texts.get(b"mime", b""),
        coding=_coding(data, items, extents, inner),
    )


def _primary(data: bytes, inner: Places) -> int:
    start, end = inner.get(b"pitm", NOWHERE)
    return int.from_bytes(data[start + 4 : min(end, start + (6 if data[start] == 0 else 8))])


def _descriptions(data: bytes, items: list[Item], inner: Places) -> dict[bytes, int]:
    """Return the items that hold the primary picture's EXIF and XMP, by kind.

    One that describes ("cdsc") other pictures alone, such as a gain map, is none of them. One without a
    reference describes all, and one for the first picture that the primary one is made of describes that too.
    """
    shown = {_primary(data, inner)}
    described: dict[int, list[int]] = {}
    for kind, number, others in isobmff.references(data, *inner.get(b"iref", NOWHERE)):
        if kind == b"dimg" and number in shown:
            shown |= set(others[:1])
        elif kind == b"cdsc":
            described.setdefault(number, []).extend(others)
    found: dict[bytes, int] = {}
    for item in items:
        text = item.kind == b"Exif" or (item.kind, item.content_type) == (b"mime", b"application/rdf+xml")
        if text and not shown.isdisjoint(described.get(item.number, shown)):
            found.setdefault(item.kind, item.number)
    return found


def _owned(data: bytes, inner: Places, items: Iterable[int]) -> Owned:
    """Return the names and places of the properties of these items.

    Damaged: an item is turned, mirrored or cropped twice. Each time costs a pass over all of its pixels, and
    once is enough (ISO/IEC 23000-22, 7.3.6.7).
    """
    boxes = isobmff.children(data, *inner.get(b"iprp", NOWHERE))
    places = isobmff.properties(data, *boxes.get(b"ipco", NOWHERE))
    found: Owned = {item: [] for item in items}
    for item, index in isobmff.associations(data, *boxes.get(b"ipma", NOWHERE)):
        if item in found and index in places:
            found[item].append(places[index])
    for owned in found.values():
        changes = [name for name, _, _ in owned if name in _CHANGES]
        if len(changes) > len(set(changes)):
            raise Damaged("a picture that is turned or cropped twice")
    return found


def _properties(data: bytes, inner: Places, items: Iterable[int]) -> dict[int, dict[bytes, bytes]]:
    """Return the first bytes of the properties of these items, by item and name."""
    return {
        item: {name: data[start : min(end, start + _LONGEST_PROPERTY)] for name, start, end in reversed(owned)}
        for item, owned in _owned(data, inner, items).items()
    }


def _coding(data: bytes, items: list[Item], extents: Pieces, inner: Places) -> ColourCoding | None:
    """Return the code points of the primary picture, else of the first picture that it is made of.

    An AV1 picture without a property for them has them in its sequence header.
    """
    shown = [_primary(data, inner)]
    for kind, item, others in isobmff.references(data, *inner.get(b"iref", NOWHERE)):
        if kind == b"dimg" and item == shown[0]:
            shown += others[:1]
    properties = _properties(data, inner, shown).values()
    light = next((found[b"clli"] for found in properties if b"clli" in found), b"")
    peak = float(int.from_bytes(light[:2]))
    for found in properties:
        points = found.get(b"nclx", b"")
        if len(points) >= 8:
            return ColourCoding(int.from_bytes(points[4:6]), int.from_bytes(points[6:8]), peak=peak)
    if any(item.number == shown[-1] and item.kind == b"av01" for item in items):
        header = av1.Reader().read(_content(data, extents, shown[-1], inner))
        return ColourCoding(header.primaries, header.transfer, peak=peak)
    return None


def _crop(data: bytes, inner: Places) -> tuple[int, int] | None:
    """Return the width and height of a clean aperture that begins at the upper left; Chromium ignores others.

    ISO/IEC 14496-12, 12.1.4: eight numbers, two of each fraction: width, height, and the offset of the middle.
    """
    found = _properties(data, inner, [_primary(data, inner)]).popitem()[1]
    if len(found.get(b"clap", b"")) < 32 or len(found.get(b"ispe", b"")) < 12:
        return None
    wide, wide_by, high, high_by, right, right_by, down, down_by = struct.unpack(
        ">LLLLlLlL", found[b"clap"][:32]
    )
    if 0 in (wide_by, high_by) or wide % wide_by or high % high_by:
        return None
    width, height = struct.unpack(">LL", found[b"ispe"][4:12])
    shown = wide // wide_by, high // high_by
    at_corner = (2 * right, 2 * down) == ((shown[0] - width) * right_by, (shown[1] - height) * down_by)
    return shown if at_corner and 0 < shown[0] <= width and 0 < shown[1] <= height else None


def _check_effort(
    data: bytes, whole: int, items: list[Item], extents: Pieces, inner: Places
) -> tuple[bool, set[int]]:
    """Return whether the primary picture is AV1's, and the items whose bytes the codec needs.

    Raises Damaged if far more pixels or bytes are to be decoded than the primary item declares to show, or if
    the file ends, at ``whole``, before what the picture is made of.
    """
    primary = _primary(data, inner)
    kinds = {item.number: item.kind for item in items}
    properties = isobmff.children(data, *inner.get(b"iprp", NOWHERE))
    sizes = isobmff.sizes(data, *properties.get(b"ipco", NOWHERE))
    declared: dict[int, list[int]] = {}
    for item, index in isobmff.associations(data, *properties.get(b"ipma", NOWHERE)):
        if index in sizes:
            declared.setdefault(item, []).append(sizes[index])
    areas = {item: max(pixels) for item, pixels in declared.items()}
    references = list(isobmff.references(data, *inner.get(b"iref", NOWHERE)))
    made_of = decode_cost.made_of(references, kinds)
    parts = decode_cost.with_auxiliary(made_of, references)
    coded = decode_cost.coded_items(primary, kinds, parts)
    _check_complete(whole, coded, extents, inner)
    needed = coded | {item for item, kind in kinds.items() if kind in decode_cost.DERIVED}
    shown = min(declared.get(primary, [0]))
    boxes = sum(end - start for start, end in inner.values())
    check_length(boxes + Gathered(_in_media(whole, needed, extents)).length, (shown, 1))
    coded_av1 = {item for item in coded if kinds.get(item) == b"av01"}
    coded_hevc = {item for item in coded - coded_av1 if kinds.get(item) in _PICTURES}
    owned = _owned(data, inner, kinds)

    def uses(numbers: dict[int, int]) -> int:
        return decode_cost.of_derived(primary, kinds, parts, lambda item: numbers.get(item, 0))

    _check_parsing(data, {item: owned[item] for item in coded_hevc}, extents, inner, uses)
    # libheif refuses a coded picture larger than declared by itself, libavif does not
    for item, pixels in _av1_areas(data, coded_av1, extents, inner).items():
        areas[item] = max(areas.get(item, 0), pixels)
    if (
        decode_cost.of_derived(primary, kinds, parts, lambda item: areas.get(item, 0))
        > _SMALL + _LAYERS * shown
    ):
        raise Damaged("far more pixels to decode than to show")
    return not decode_cost.coded_items(primary, kinds, made_of).isdisjoint(coded_av1), needed


def _check_complete(whole: int, coded: Iterable[int], extents: Pieces, inner: Places) -> None:
    """Raise Damaged if one of the coded items has a piece beyond the end of the file."""
    base = inner.get(b"idat", NOWHERE)[0]
    for item in coded:
        for extent in extents.get(item, ()):
            if extent.offset + (base if extent.method == 1 else 0) + extent.length > whole:
                raise Damaged("the picture goes past the end", ends_early=True)


def _av1_areas(data: bytes, coded: Iterable[int], extents: Pieces, inner: Places) -> dict[int, int]:
    """Return the pixels of the largest frame of each of these items; items that share bytes are read once."""
    known: dict[tuple[tuple[int, int, int], ...], int] = {}
    areas, reader = {}, av1.Reader()
    for item in coded:
        stored = tuple(extent.place for extent in extents.get(item, ()))
        if stored not in known:
            units = _content(data, extents, item, inner)
            if not units:
                raise Damaged("a coded picture without an end")
            known[stored] = reader.read(units).pixels
        areas[item] = known[stored]
    return areas


def _check_parsing(
    data: bytes, coded: Owned, extents: Pieces, inner: Places, uses: Callable[[dict[int, int]], int]
) -> None:
    """Raise Damaged if one of these HEVC items holds many pictures, all of which libheif would decode.

    Damaged too: it would decode far more tiles, or parse far more units, parameter sets or bytes than encoders
    write. ``uses`` sums up numbers of items, each as often as libheif decodes the item.
    """
    places = {item: tuple(extent.place for extent in extents.get(item, ())) for item in coded}
    distinct = {place: item for item, place in places.items()}
    counts = decode_cost.check_pictures(_content(data, extents, item, inner) for item in distinct.values())
    units = dict(zip(distinct, counts, strict=True))
    lengths = {item: sum(extent.length for extent in extents.get(item, ())) for item in places}
    configurations = {
        item: sum(end - start for name, start, end in owned if name == b"hvcC") for item, owned in coded.items()
    }
    if uses(dict.fromkeys(places, 1)) > decode_cost.MAX_DECODED:
        raise Damaged("more tiles than any encoder writes")
    if (
        uses({item: units[place] for item, place in places.items()}) > decode_cost.MAX_ALL_UNITS
        or uses(configurations) > decode_cost.MAX_CONFIGURATIONS
        or uses(lengths) > max(2 * len(data), _MAX_CLAIMED)
    ):
        raise Damaged("more units than any encoder writes")


def _by_item(data: bytes, extents: Iterable[Extent]) -> Pieces:
    """Return the pieces of each item. Damaged: together they claim far more bytes than the file has."""
    pieces: Pieces = {}
    claimed = 0
    for extent in extents:
        claimed += extent.length
        if claimed > max(2 * len(data), _MAX_CLAIMED):
            raise Damaged("items that share what they are made of")
        pieces.setdefault(extent.item, []).append(extent)
    return pieces


def _content(data: bytes, extents: Pieces, item: int, inner: Places, limit: int | None = None) -> bytes:
    """Return the bytes of an item; nothing if they are more than ``limit``."""
    mine = extents.get(item, [])
    if limit is not None and sum(extent.length for extent in mine) > limit:
        return b""
    base = inner.get(b"idat", NOWHERE)[0]
    starts = [extent.offset + (base if extent.method == 1 else 0) for extent in mine]
    return b"".join(data[start : start + extent.length] for start, extent in zip(starts, mine, strict=True))


def _changed(data: bytes, start: int, end: int, changes: dict[int, bytes]) -> Iterator[bytes | memoryview]:
    """Yield the bytes from ``start`` to ``end`` in parts, with others written at these places."""
    view, position = memoryview(data), start
    for at, new in sorted(changes.items()):
        if start <= at < end:
            yield view[position:at]
            yield new
            position = at + len(new)
    yield view[position:end]


def _box(name: bytes, length: int) -> bytes:
    """Return the head of a box whose content is so long."""
    return (8 + length).to_bytes(4) + name


def _in_media(whole: int, needed: Iterable[int], extents: Pieces) -> Iterator[tuple[int, int]]:
    """Yield the places of the items outside of the box of items, in a file that ends at ``whole``."""
    for item in needed:
        for piece in extents.get(item, ()):
            if piece.method == 0 and piece.offset < whole:
                yield piece.offset, min(piece.offset + piece.length, whole)
