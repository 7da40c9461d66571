"""The feed of changes in the API: rows, removals, batches, 304, and who is reported what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from imgcore.accounts.models import Visibility
from imgcore.gallery.changes import Cursor
from imgcore.gallery.models import Edit, TaskKind, TaskStatus, UploadStatus, Viewer
from imgcore.gallery.service import Gallery
from tests.web.client import Answer, Client
from tests.web.fakes import FIRST_UPLOAD, add_done
from tests.web.peopling import Site

BATCH = "7f0c3c2e-5a52-4f39-9d53-9f3d0b5a6f10"


class Reader:
    """Follows the feed as a page does."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.versions: dict[str, int] = {}
        self.cursor = self.ask("").json["cursor"]

    def ask(self, query: str, etag: str = "") -> Answer:
        return self._client.request("GET", f"/api/v1/changes{query}", headers={"If-None-Match": etag})

    def poll(self) -> dict[str, Any]:
        """Return the next answer, its rows without those that are known."""
        answer = self.ask(f"?since={self.cursor}")
        assert 200 == answer.status
        found: dict[str, Any] = answer.json
        self.cursor = found["cursor"]
        known = self.versions
        found["photos"] = [row for row in found["photos"] if known.get(row["id"], -1) < row["version"]]
        self.versions = known | {row["id"]: row["version"] for row in found["photos"]}
        return found


def old_cursor(gallery: Gallery, seconds: int) -> str:
    """Return a cursor of that age."""
    [row] = gallery.images.database.read(lambda tx: tx.rows("SELECT {ago:age} AS at", age=seconds * 1_000_000))
    return Cursor(datetime.fromisoformat(row["at"]), "0" * 16).text(Viewer())


@pytest.fixture
def reader(client: Client) -> Reader:
    return Reader(client)


def test_changes_are_reported_and_removals_too(reader: Reader, gallery: Gallery) -> None:
    image = add_done(gallery)
    [row] = reader.poll()["photos"]
    assert (image.public_id, image.version, "2026-11") == (row["id"], row["version"], row["month"])

    gallery.edit(image.public_id, Edit(caption="A dog."))
    assert ["A dog."] == [row["caption"] for row in reader.poll()["photos"]]
    gallery.delete(image.public_id)
    found = reader.poll()
    assert ([], [image.public_id]) == (found["photos"], found["removed"])
    gallery.restore(image.public_id)
    assert [image.public_id] == [row["id"] for row in reader.poll()["photos"]]


def test_upload_is_reported_before_it_is_on_the_timeline(reader: Reader, gallery: Gallery) -> None:
    image, _ = gallery.request_upload("cat.jpg", 1, "image/jpeg")
    [row] = reader.poll()["photos"]
    assert ("awaiting", None) == (row["status"], row.get("month"))
    gallery.images.change(image.public_id, upload_status=UploadStatus.REJECTED)
    [row] = reader.poll()["photos"]
    assert ("rejected", None) == (row["status"], row.get("month"))


def test_nothing_new_is_304(reader: Reader, gallery: Gallery) -> None:
    add_done(gallery)
    reader.poll()
    while (first := reader.ask(f"?since={reader.cursor}")).json["cursor"] != reader.cursor:
        reader.cursor = first.json["cursor"]
    etag = first.headers["etag"]
    again = reader.ask(f"?since={reader.cursor}", etag)

    assert ([], []) == (first.json["photos"], first.json["removed"])
    assert (304, b"", etag) == (again.status, again.body, again.headers["etag"])
    add_done(gallery)
    assert 200 == reader.ask(f"?since={reader.cursor}", etag).status


def test_batches_say_how_far_they_are(reader: Reader, gallery: Gallery) -> None:
    images = []
    for _ in range(4):
        image, _ = gallery.request_upload("cat.jpg", 1, "image/jpeg", batch=BATCH)
        gallery.images.change(image.public_id, upload_status=UploadStatus.RECEIVED, uploaded_at=FIRST_UPLOAD)
        images.append(image.public_id)
    gallery.images.set_task(images[0], TaskKind.CAPTION, TaskStatus.DONE)
    gallery.images.set_task(images[1], TaskKind.CAPTION, TaskStatus.BLOCKED)
    assert [{"batch": BATCH, "total": 4, "described": 1, "failed": 1}] == reader.poll()["batches"]

    gallery.delete(images[3])
    gallery.images.set_task(images[2], TaskKind.CAPTION, TaskStatus.DONE)
    assert [{"batch": BATCH, "total": 3, "described": 2, "failed": 1}] == reader.poll()["batches"]


def test_old_cursor_is_answered_by_the_database(client: Client, gallery: Gallery) -> None:
    """The same answer as from a process that has just started."""
    images = [add_done(gallery).public_id for _ in range(3)]
    gallery.delete(images[1])
    found = client.get(f"/api/v1/changes?since={old_cursor(gallery, 600)}").json

    assert {images[0], images[2]} == {row["id"] for row in found["photos"]}
    assert [images[1]] == found["removed"]


@pytest.mark.parametrize("since", ["", "x", "aWQ8Mw", "%ff", "a" * 300])
def test_text_that_is_no_cursor_is_refused(client: Client, since: str) -> None:
    answer = client.get(f"/api/v1/changes?since={since}")
    assert answer.status in (400, 422)
    assert answer.json["code"] in ("since", "malformed")


def test_cursor_of_another_account_is_refused(home: Site) -> None:
    app = home.app()
    cursor = Reader(home.browser(app, "owner")).cursor
    answer = home.browser(app, "other").get(f"/api/v1/changes?since={cursor}")

    assert (403, "cursor_account") == (answer.status, answer.json["code"])


def test_expired_cursor_says_to_start_again(client: Client, gallery: Gallery) -> None:
    answer = client.get(f"/api/v1/changes?since={old_cursor(gallery, 905)}")

    assert (410, "cursor_expired") == (answer.status, answer.json["code"])


@pytest.mark.parametrize(
    ("visibility", "name", "sees"),
    [
        (Visibility.PRIVATE, "owner", True),
        (Visibility.PRIVATE, "other", False),
        (Visibility.PRIVATE, "boss", True),
        (Visibility.SHARED, "other", True),
        (Visibility.PUBLIC, None, True),
    ],
)
def test_account_is_reported_of_what_it_sees(
    home: Site, visibility: Visibility, name: str | None, *, sees: bool
) -> None:
    """No row, removal or cursor shows that other photos exist."""
    reader = Reader(home.browser(home.app(visibility), name))
    image = home.upload("owner")
    first = reader.cursor
    found = reader.poll()
    assert sees is ([image.public_id] == [row["id"] for row in found["photos"]])
    assert sees is (first != found["cursor"])
    home.gallery.delete(image.public_id)
    found = reader.poll()
    assert ([image.public_id] if sees else []) == found["removed"]
    assert [] == found["photos"] == found["batches"]
