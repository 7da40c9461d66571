"""Dates that are read from EXIF and XMP, with their time zones."""

from __future__ import annotations

import pytest
from PIL import Image

from imgcore.imaging import metadata
from tests.images import exif
from tests.unit.imaging_tools import WHEN, exposed, facts, tiff
from tests.unit.test_imaging_field_cases import FOLDER


@pytest.mark.parametrize(
    "written",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2024:13:01 00:00:00",
        "2024:05:17 24:00:00",
        "2024:05:17 18:30:60",
        "1800:01:01 00:00:00",
        "yesterday",
        "",
    ],
)
def test_metadata_date_that_is_none_is_absent(written: str) -> None:
    """Cameras without a clock fill the field all the same."""
    block = Image.Exif()
    block.get_ifd(0x8769)[0x9003] = written
    assert metadata.read(exif=tiff(block.tobytes())).taken_at is None


@pytest.mark.parametrize("tag", [0x9003, 0x9004, 0x0132])
def test_metadata_next_best_date_is_taken(tag: int) -> None:
    """The order of preference: taken, digitized, changed."""
    block = Image.Exif()
    (block if tag == 0x0132 else block.get_ifd(0x8769))[tag] = "2024-05-17T18:30:05+02:00"
    assert metadata.read(exif=tiff(block.tobytes())).taken_at == WHEN


def with_date(body: str) -> bytes:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"<rdf:Description {body}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    return packet.encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('exif:DateTimeOriginal="2019-03-04T10:11:12">', "2019-03-04T10:11:12"),
        (
            "><exif:DateTimeOriginal>2019-03-04T10:11:12.5+02:00</exif:DateTimeOriginal>",
            "2019-03-04T10:11:12",
        ),
        ("><photoshop:DateCreated>2019-03-04</photoshop:DateCreated>", "2019-03-04T00:00:00"),
        ('xmp:CreateDate="2019-03-04T10:11Z">', "2019-03-04T10:11:00"),
        ('xmp:CreateDate="2020-01-01" exif:DateTimeOriginal="2019-03-04">', "2019-03-04T00:00:00"),
        ('xmp:ModifyDate="2019-03-04">', None),
        ('exif:DateTimeOriginal="soon">', None),
    ],
)
def test_metadata_date_is_read_from_xmp_alone(body: str, expected: str | None) -> None:
    found = metadata.read(xmp=with_date(body)).taken_at
    assert expected == (found.isoformat() if found else None)


def test_metadata_date_of_exif_wins_over_that_of_xmp() -> None:
    packet = with_date('exif:DateTimeOriginal="2019-03-04">')
    assert WHEN == metadata.read(exif=tiff(exif(taken_at=WHEN)), xmp=packet).taken_at


def test_metadata_date_of_the_field_case_is_read() -> None:
    """The date is in its XMP alone."""
    found = facts((FOLDER / "date_xmp_only.jpg").read_bytes()).taken_at
    assert found is not None
    assert (found.year, found.month, found.day) == (2019, 3, 4)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"x9003": "2024:05:17 18:30:05", "x9011": "+02:00"}, "+02:00"),
        ({"x9003": "2024:05:17 18:30:05", "x9011": "Z"}, "+00:00"),
        ({"x9003": "2024:05:17 18:30:05", "x9010": "+02:00"}, None),
        ({"x9003": "2024:05:17 18:30:05", "x132": "2024:05:17 18:30:05", "x9010": "-03:30"}, "-03:30"),
        ({"x9003": "2024:05:17 18:30:05", "x132": "2025:01:01 00:00:00", "x9010": "-03:30"}, None),
        ({"x9004": "2024:05:17 18:30:05", "x9011": "+01:00", "x9012": "+02:00"}, "+02:00"),
        ({"x9003": "2024:05:17 18:30:05", "x9011": "   :  "}, None),
        ({"x9003": "2024:05:17 18:30:05", "x9011": "+99:00"}, None),
        ({"x9003": "2024-05-17T18:30:05+05:45"}, "+05:45"),
        ({"x9003": "2024-05-17"}, None),
    ],
)
def test_metadata_offset_is_that_of_the_date_which_is_taken(tags: dict[str, str], expected: str | None) -> None:
    found = metadata.read(exif=exposed(**tags))
    assert (2024, expected) == (found.taken_at and found.taken_at.year, found.details.utc_offset)


def test_metadata_offset_of_a_date_in_xmp_is_kept() -> None:
    found = metadata.read(xmp=with_date('exif:DateTimeOriginal="2019-03-04T10:11:12.5-07:00">'))
    assert found.details.utc_offset == "-07:00"
