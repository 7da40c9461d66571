"""AVIF and HEIF: boxes of the ISO base media format (ISO/IEC 14496-12) with items (23008-12)."""

from __future__ import annotations

from collections.abc import Iterable

from imgcore.imaging.formats import decode_cost, isobmff
from imgcore.imaging.formats.base import MAX_METADATA, Carved, Damaged, tiff
from imgcore.imaging.formats.isobmff import NOWHERE, Extent, Item, Places

_AVIF = frozenset({b"avif", b"avis"})
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF = frozenset({b"mif1", b"msf1"})
Pieces = dict[int, list[Extent]]  # by the number of their item

_SMALL, _LAYERS = 1_000_000, 4  # pixels that every file may have decoded, and how often those that it declares


def media_type(data: bytes) -> str | None:
    """Return the media type by the file's brands; an AVIF may name HEIF's general brand first."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4]), len(data), 512)
    major = data[8:12]
    brands = {data[at : at + 4] for at in (8, *range(16, end - 3, 4))}
    if major in _AVIF or (major in _HEIF and brands & _AVIF):
        return "image/avif"
    if major in _HEIC or (major in _HEIF and brands & _HEIC):
        return "image/heic"
    return "image/heif" if major in _HEIF else None


def carve(data: bytes) -> Carved:
    """Return the same file with its metadata marked as free: cutting it out would move the rest."""
    avif = media_type(data) == "image/avif"
    start, end = isobmff.children(data, 0, len(data)).get(b"meta", NOWHERE)
    if not end:
        raise Damaged("no items", ends_early=True)
    inner = isobmff.children(data, start + 4, end)
    items = list(isobmff.items(data, *inner.get(b"iinf", NOWHERE)))
    extents = _by_item(data, isobmff.extents(data, *inner.get(b"iloc", NOWHERE)))
    _check_effort(data, items, extents, inner, avif=avif)
    hidden = {item.number: item for item in items if item.kind in (b"Exif", b"mime")}
    changes = {item.kind_at: b"free" for item in hidden.values()}
    changes |= {
        extent.length_at: (1).to_bytes(extent.length_size)
        for number in hidden
        for extent in extents.get(number, ())
        if extent.length_size
    }
    texts = {
        item.kind: _content(data, extents, item.number, inner, MAX_METADATA)
        for item in reversed(hidden.values())
    }
    exif = texts.get(b"Exif", b"")
    return Carved(
        format="AVIF" if avif else "HEIF",
        picture=_changed(data, changes),
        animated=avif and data[8:12] == b"avis",
        exif=tiff(exif[4 + int.from_bytes(exif[:4]) :]),
        xmp=texts.get(b"mime", b""),
    )


def _check_effort(data: bytes, items: list[Item], extents: Pieces, inner: Places, *, avif: bool) -> None:
    """Raise Damaged if far more pixels are to be decoded than the primary item declares to show."""
    start, end = inner.get(b"pitm", NOWHERE)
    primary = int.from_bytes(data[start + 4 : min(end, start + (6 if data[start] == 0 else 8))])
    kinds = {item.number: item.kind for item in items}
    properties = isobmff.children(data, *inner.get(b"iprp", NOWHERE))
    sizes = isobmff.sizes(data, *properties.get(b"ipco", NOWHERE))
    declared: dict[int, list[int]] = {}
    for item, index in isobmff.associations(data, *properties.get(b"ipma", NOWHERE)):
        if index in sizes:
            declared.setdefault(item, []).append(sizes[index])
    allowed = _SMALL + _LAYERS * min(declared.get(primary, [0]))
    areas = {item: max(pixels) for item, pixels in declared.items()}
    if avif:  # libheif refuses a coded picture larger than declared by itself, libavif does not
        for item in (item for item, kind in kinds.items() if kind == b"av01"):
            units = _content(data, extents, item, inner)
            if not units:
                raise Damaged("a coded picture without an end")
            areas[item] = max(areas.get(item, 0), decode_cost.of_av1(units))
    references = list(isobmff.references(data, *inner.get(b"iref", NOWHERE)))
    made_of = {item: others for kind, item, others in references if kind == b"dimg"}
    layers = [primary, *(item for kind, item, _ in references if kind == b"auxl")]  # alpha is one of those
    if decode_cost.of_derived(layers, kinds, made_of, lambda item: areas.get(item, 0)) > allowed:
        raise Damaged("far more pixels to decode than to show")


def _by_item(data: bytes, extents: Iterable[Extent]) -> Pieces:
    """Return the pieces of each item. Damaged: together they claim more bytes than the file has."""
    pieces: Pieces = {}
    claimed = 0
    for extent in extents:
        claimed += extent.length
        if claimed > 2 * len(data):
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


def _changed(data: bytes, changes: dict[int, bytes]) -> bytes:
    """Return ``data`` with other bytes written at these places."""
    if not changes:
        return data
    view, position = memoryview(data), 0
    pieces: list[bytes | memoryview] = []
    for at, new in sorted(changes.items()):
        pieces += [view[position:at], new]
        position = at + len(new)
    return b"".join([*pieces, view[position:]])
