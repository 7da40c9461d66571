"""The timeline in the API: months, compact rows of one month, and who sees which."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from imgcore.accounts.models import Visibility
from imgcore.gallery.models import Source, TaskKind, TaskStatus, UploadStatus
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done, add_failed, add_image
from tests.web.peopling import Site

MAY = datetime(2025, 5, 1, 10, 22, 31)  # noqa: DTZ001 - a camera knows no time zone
LAST_OF_MAY = datetime(2025, 5, 31, 23, 59, 59)  # noqa: DTZ001


def months(client: Client, query: str = "") -> list[tuple[str, int]]:
    """Return the months with their counts."""
    answer = client.get(f"/api/v1/timeline{query}")
    assert 200 == answer.status
    return [(each["month"], each["count"]) for each in answer.json["months"]]


def photos(client: Client, month: str, query: str = "") -> list[dict[str, Any]]:
    """Return the rows of a month."""
    answer = client.get(f"/api/v1/timeline/{month}{query}")
    assert 200 == answer.status
    return list(answer.json["photos"])


def test_months_are_by_date_taken_else_by_upload(client: Client, gallery: Gallery) -> None:
    add_done(gallery, taken_at=MAY)
    add_done(gallery, taken_at=LAST_OF_MAY)
    add_done(gallery)

    assert [("2026-11", 1), ("2025-05", 2)] == months(client)
    assert [("2026-11", 3)] == months(client, "?sort=uploaded")
    assert [("2026-11", 1), ("2025-05", 2)] == months(client, "?sort=taken")


def test_months_of_an_empty_gallery_are_none(client: Client) -> None:
    assert {"months": [], "total": 0, "exact": True} == client.get("/api/v1/timeline").json
    assert [] == photos(client, "2026-11")


def test_months_follow_every_change(client: Client, gallery: Gallery) -> None:
    """The counts that are kept are corrected by what has changed since."""
    first, second = add_done(gallery), add_done(gallery, taken_at=MAY)
    assert [("2026-11", 1), ("2025-05", 1)] == months(client)

    gallery.delete(first.public_id)
    assert [("2025-05", 1)] == months(client)
    gallery.delete(second.public_id)
    assert [] == months(client)
    gallery.restore(first.public_id)
    third = add_image(gallery)
    assert [("2026-11", 2)] == months(client)
    gallery.images.change(third.public_id, taken_at=LAST_OF_MAY)
    assert [("2026-11", 1), ("2025-05", 1)] == months(client)


@pytest.mark.parametrize("status", [UploadStatus.AWAITING, UploadStatus.REJECTED, UploadStatus.EXPIRED])
def test_images_that_are_not_received_are_not_on_it(
    client: Client, gallery: Gallery, status: UploadStatus
) -> None:
    gallery.images.change(add_image(gallery).public_id, upload_status=status)

    assert [] == months(client)
    assert [] == photos(client, "2026-11")


def test_row_of_a_described_photo_leaves_out_what_is_usual(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, taken_at=MAY, source=Source.GEMINI)
    answer = client.get("/api/v1/timeline/2025-05").json
    [row] = answer["photos"]

    [template] = answer["urls"]
    number, signature = row.pop("url")
    assert 0 == number
    url = template.replace("{id}", image.public_id).replace("{signature}", signature)
    assert gallery.storage.url(image.grid_key) == url
    assert ("2025-05", None, "2026-11-28T13:00:00.000Z") == (
        answer["month"],
        answer["next"],
        answer["expires_at"],
    )
    assert row.pop("placeholder").startswith("data:image/")
    assert row.pop("version") > 0
    assert f"{image.uploaded_at:%Y-%m-%dT%H:%M:%S}." in row.pop("uploaded")
    assert row == {
        "id": image.public_id,
        "month": "2025-05",
        "at": "2025-05-01T10:22:31.000",
        "aspect": 1.3333,
        "caption": "A cat asleep on a windowsill.",
        "alt": "A grey cat sleeps on a sunny windowsill.",
        "source_label": "Gemini",
    }


def test_row_of_an_unfinished_photo_says_why(client: Client, gallery: Gallery) -> None:
    failed = add_failed(gallery, "dog.jpg", "The model did not answer.")
    waiting = add_image(gallery, "owl.jpg")
    provisional = add_done(gallery)
    gallery.images.set_task(provisional.public_id, TaskKind.CAPTION, TaskStatus.RETRY, message="Later.")
    rows = {row["id"]: row for row in photos(client, "2026-11")}

    row = rows[failed.public_id]
    assert ("failed", "The model did not answer.", True) == (row["status"], row["message"], row["retryable"])
    assert "dog.jpg" == row["name"]
    row = rows[waiting.public_id]
    assert ("waiting", "owl.jpg") == (row["status"], row["name"])
    assert not {"url", "aspect", "placeholder", "caption", "source_label"} & set(row)
    row = rows[provisional.public_id]
    assert ("Provisional", True, "Later.") == (row["source_label"], row["provisional"], row["message"])


def test_rows_are_newest_first_in_either_order(client: Client, gallery: Gallery) -> None:
    late = add_done(gallery, taken_at=LAST_OF_MAY)
    early = add_done(gallery, taken_at=MAY)
    again = add_done(gallery, taken_at=MAY)

    shown = [row["id"] for row in photos(client, "2025-05")]
    assert [late.public_id, again.public_id, early.public_id] == shown
    rows = photos(client, "2026-11", "?sort=uploaded")
    assert [again.public_id, early.public_id, late.public_id] == [row["id"] for row in rows]
    assert ["2026-11"] * 3 == [row["month"] for row in rows]


def test_windows_of_a_month_join_up(client: Client, gallery: Gallery) -> None:
    for _ in range(5):
        add_done(gallery)
    whole = [row["id"] for row in photos(client, "2026-11")]
    found, offset = [], 0
    while offset is not None:
        answer = client.get(f"/api/v1/timeline/2026-11?limit=2&offset={offset}").json
        found += [row["id"] for row in answer["photos"]]
        offset = answer["next"]

    assert whole == found
    assert 5 == len(found)


@pytest.mark.parametrize("query", ["", "&tag=cat"])
def test_parts_by_cursor_lose_and_repeat_no_photo_when_others_come_or_go(
    client: Client, gallery: Gallery, query: str
) -> None:
    """The parameter ``offset`` and ``next``, its value for the following photos, remain beside it."""
    images = [add_done(gallery) for _ in range(6)][::-1]
    path = f"/api/v1/timeline/2026-11?limit=2{query}"
    first = client.get(path).json
    gallery.delete(images[0].public_id)
    gallery.delete(images[1].public_id)
    add_done(gallery)
    second = client.get(f"{path}&cursor={first['cursor']}").json
    last = client.get(f"{path}&cursor={second['cursor']}").json
    after = client.get(f"{path}&cursor={first['cursor']}&offset={second['next']}").json

    shown = [row["id"] for part in (first, second, last) for row in part["photos"]]
    assert [image.public_id for image in images] == shown
    assert last == after
    assert (2, 2, None, None) == (first["next"], second["next"], last["next"], last["cursor"])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("timeline?sort=size", 422, "sort"),
        ("timeline/2026-11?sort=", 422, "sort"),
        ("timeline/2026-13", 404, "month"),
        ("timeline/2026-1", 404, "month"),
        ("timeline/0000-01", 404, "month"),
        ("timeline/٢٠٢٦-11", 404, "month"),
        ("timeline/2026-11?limit=0", 422, "limit"),
        ("timeline/2026-11?limit=1001", 422, "limit"),
        ("timeline/2026-11?cursor=x", 422, "cursor"),
        ("timeline/2026-11?offset=-1", 422, "offset"),
        ("timeline/2026-11?offset=2000001", 422, "offset"),
        ("timeline/2026-11?offset=1&offset=2", 400, "malformed"),
    ],
)
def test_malformed_request_names_the_parameter(client: Client, path: str, status: int, code: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert (status, code) == (answer.status, answer.json["code"])


def test_months_to_the_end_of_the_calendar_can_be_asked_for(client: Client, gallery: Gallery) -> None:
    add_done(gallery, taken_at=datetime(9999, 12, 31))  # noqa: DTZ001
    assert [("9999-12", 1)] == months(client)
    assert 1 == len(photos(client, "9999-12"))


def test_unchanged_month_answers_304_without_reading_its_rows(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = add_done(gallery)
    for path in ("/api/v1/timeline", "/api/v1/timeline/2026-11"):
        first = client.get(path)
        with monkeypatch.context() as patch:
            patch.setattr(type(gallery.timeline), "tiles", None)
            again = client.request("GET", path, headers={"If-None-Match": first.headers["etag"]})
        assert (304, b"") == (again.status, again.body)
        assert first.headers["etag"] == again.headers["etag"]

    changed = gallery.images.change(image.public_id, caption="A dog.")
    again = client.request("GET", "/api/v1/timeline/2026-11", headers={"If-None-Match": first.headers["etag"]})
    assert (200, "A dog.") == (again.status, again.json["photos"][0]["caption"])
    assert changed.version == again.json["photos"][0]["version"]


def test_new_addresses_change_the_etag(client: Client, gallery: Gallery) -> None:
    add_done(gallery)
    first = client.get("/api/v1/timeline/2026-11")
    gallery.storage.signature = "next"
    again = client.request("GET", "/api/v1/timeline/2026-11", headers={"If-None-Match": first.headers["etag"]})

    assert (200, "next") == (again.status, again.json["photos"][0]["url"][1])


@pytest.mark.parametrize(
    ("visibility", "name", "files"),
    [
        (Visibility.PRIVATE, "owner", {"mine.jpg"}),
        (Visibility.PRIVATE, "other", set()),
        (Visibility.PRIVATE, "boss", {"mine.jpg", "nobodys.jpg"}),
        (Visibility.SHARED, "other", {"mine.jpg", "nobodys.jpg"}),
        (Visibility.PUBLIC, None, {"mine.jpg", "nobodys.jpg"}),
    ],
)
def test_viewers_see_and_count_what_the_visibility_allows(
    home: Site, visibility: Visibility, name: str | None, files: set[str]
) -> None:
    home.upload("owner", "mine.jpg")
    home.upload(None, "nobodys.jpg")
    client = home.browser(home.app(visibility), name)
    found = months(client)

    assert len(files) == sum(count for _, count in found)
    rows = [row for month, _ in found for row in photos(client, month)]
    assert files == {row["name"] for row in rows}
    mine = {"owner": {"mine.jpg"}, "boss": files}.get(name or "", set())
    assert mine == {row["name"] for row in rows if "read_only" not in row}


def test_row_shows_the_display_image_until_the_grid_is_made(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, grid_key=None)
    month = client.get("/api/v1/timeline").json["months"][0]["month"]
    answer = client.get(f"/api/v1/timeline/{month}").json
    number, signature = answer["photos"][0]["url"]
    shown = answer["urls"][number].replace("{id}", image.public_id).replace("{signature}", signature)

    assert image.display_key is not None
    assert gallery.storage.url(image.display_key) == shown
    assert shown == client.get(f"/api/v1/images/{image.public_id}").json["grid_url"]
