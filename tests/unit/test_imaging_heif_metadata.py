"""Which of an AVIF's or HEIF's items describe the picture that is shown."""

from __future__ import annotations

import pytest

from tests.heif_files import entry, file
from tests.unit.imaging_tools import carve

OTHER, MINE = b"\0\0\0\0MM\0*other", b"\0\0\0\0MM\0*mine"
PICTURES = {1: b"hvc1", 2: b"hvc1"}


@pytest.mark.parametrize("described", [[1], [2, 1]], ids=["alone", "among others"])
def test_heif_metadata_of_another_picture_is_not_taken(described: list[int]) -> None:
    """The one of a gain map may come first."""
    data = file(
        PICTURES | {3: b"mime", 4: b"Exif", 5: b"mime", 6: b"Exif"},
        contents={3: b"<other/>", 4: OTHER, 5: b"<mine/>", 6: MINE},
        references=[(b"cdsc", 3, [2]), (b"cdsc", 4, [2]), (b"cdsc", 5, described), (b"cdsc", 6, described)],
    )
    assert (carve(data).xmp, carve(data).exif) == (b"<mine/>", MINE[4:])


def test_heif_metadata_of_another_picture_alone_is_hidden_and_not_taken() -> None:
    data = file(PICTURES | {3: b"mime"}, contents={3: b"<other/>"}, references=[(b"cdsc", 3, [2])])
    assert (carve(data).xmp, carve(data).picture.count(b"free")) == (b"", 1)


def test_heif_item_of_another_content_type_is_no_xmp() -> None:
    data = file(PICTURES | {3: b"mime", 4: b"mime"}, contents={3: b"{}", 4: b"<mine/>"})
    assert carve(data).xmp == b"{}"
    other = data.replace(entry(3, b"mime"), entry(3, b"mime", b"application/bad+xml"))
    assert carve(other).xmp == b"<mine/>"


def test_heif_metadata_of_the_first_picture_that_it_is_made_of_is_taken() -> None:
    data = file(
        {1: b"iden", 2: b"hvc1", 3: b"mime"},
        contents={3: b"<mine/>"},
        sizes={1: (64, 64), 2: (64, 64)},
        references=[(b"dimg", 1, [2]), (b"cdsc", 3, [2])],
    )
    assert carve(data).xmp == b"<mine/>"


def test_heif_mime_item_without_a_content_type_is_no_xmp() -> None:
    whole = entry(3, b"mime")
    data = file(PICTURES | {3: b"mime"}, contents={3: b"<mine/>"})
    assert carve(data.replace(whole, whole.replace(b"\0application", b"xapplication"))).xmp == b""
