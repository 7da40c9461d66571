"""No reader of a format copies bytes that the picture does not need."""

from __future__ import annotations

import tracemalloc

from imgcore.imaging import formats
from imgcore.imaging.formats import Damaged
from tests import images as samples

SPARE_BYTES = 12_000_000  # more than a picture of 300 × 200 pixels may have
MOST_COPIED = 1_500_000  # bytes


def copied(data: bytes) -> tuple[int, str]:
    """Return the most bytes that were held while a file was taken apart, and what became of it."""
    tracemalloc.start()
    try:
        result = formats.carve(data, formats.media_type(data) or "").format
    except Damaged as error:
        result = f"damaged: {error}"
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most, result


def test_formats_spare_bytes_are_not_copied() -> None:
    """A small picture is found, wherever in its file the spare bytes are, or the file is refused."""
    outcomes = {
        name: copied(data) for name, data in samples.spare_byte_attacks(SPARE_BYTES) if formats.media_type(data)
    }
    assert [] == [f"{name}: {most}" for name, (most, _) in outcomes.items() if most > MOST_COPIED]
    shown = {name for name, (_, result) in outcomes.items() if not result.startswith("damaged")}
    assert shown >= {
        *(f"TIFF, {place}" for place in ("a hole between the strips", "strips that overlap", "notes")),
        *(f"{form}, {place}" for form in ("HEIF", "AVIF") for place in ("in the media", "a film", "brands")),
        *(f"{form}, behind the end" for form in ("JPEG", "PNG", "GIF", "WEBP")),
        *(f"{form}, behind the preview" for form in ("DNG", "CR3", "RAF")),
        "BMP, before pixels that break off",
        "CR3, tags",
    }
    assert {"HEIF, a long unit", "AVIF, a long unit", "PNG, PLTE", "JPEG, in the scan"}.isdisjoint(shown)


def test_formats_copy_of_spare_bytes_is_seen() -> None:
    """The measure above can fail."""
    honest = samples.encode(samples.photo(2000, 1500), "TIFF")
    assert copied(honest)[0] > MOST_COPIED
