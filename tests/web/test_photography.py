"""How a photo was taken, on its page and in the API."""

from __future__ import annotations

import pytest

from imgcore.gallery.models import PhotoDetails
from tests.web.client import Client
from tests.web.fakes import Gallery, add_done
from web.serializers.photography import rows

SHOT = PhotoDetails(
    utc_offset="+02:00",
    exposure_time=0.004,
    f_number=1.8,
    iso=400,
    focal_length=4.25,
    focal_length_35mm=26,
    lens="Example 24mm",
    animated=True,
)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (PhotoDetails(), []),
        (PhotoDetails(exposure_time=30), [("Exposure", "30 s")]),
        (PhotoDetails(exposure_time=0.5, iso=100), [("Exposure", "0.5 s, ISO 100")]),
        (PhotoDetails(exposure_time=1 / 4000, f_number=11), [("Exposure", "1/4000 s, f/11")]),
        (PhotoDetails(focal_length=1200), [("Exposure", "1200 mm")]),
        (PhotoDetails(focal_length=50, focal_length_35mm=50), [("Exposure", "50 mm")]),
        (
            PhotoDetails(incomplete=True),
            [("Note", "The file is cut off: the end of the picture is missing or less sharp.")],
        ),
    ],
)
def test_rows_state_what_is_known(details: PhotoDetails, expected: list[tuple[str, str]]) -> None:
    assert expected == rows(details)


def test_photo_page_shows_exposure_lens_and_notes(client: Client, gallery: Gallery) -> None:
    key = add_done(gallery, details=SHOT).public_id
    page = client.get(f"/images/{key}").text
    for words in ("1/250 s, f/1.8, ISO 400, 4.25 mm (26 mm on 35 mm film)", "Example 24mm", "Animation"):
        assert words in page


def test_api_has_details_where_any_are_known(client: Client, gallery: Gallery) -> None:
    shot, plain = add_done(gallery, details=SHOT), add_done(gallery, details=PhotoDetails())
    assert client.get(f"/api/v1/images/{shot.public_id}").json["details"] == {
        "utc_offset": "+02:00",
        "exposure_time": 0.004,
        "f_number": 1.8,
        "iso": 400,
        "focal_length": 4.25,
        "focal_length_35mm": 26,
        "lens": "Example 24mm",
        "animated": True,
    }
    assert "details" not in client.get(f"/api/v1/images/{plain.public_id}").json
