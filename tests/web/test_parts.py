"""Uploads in parts: which parts are asked for, when they are joined, and what ends an upload."""

from __future__ import annotations

from typing import Any

import pytest

from imgcore.errors import NotFound
from imgcore.gallery.models import UploadStatus
from imgcore.gallery.part_models import PART_BYTES
from imgcore.gallery.service import Gallery
from tests.web.client import Answer, Client
from tests.web.fakes import FakeParts
from tests.web.peopling import Site

PATH = "/api/v1/uploads"
HASH = "ab" * 32
SIZE = 2 * PART_BYTES + 5
LENGTHS = (PART_BYTES, PART_BYTES, 5)


def start(client: Client, **more: object) -> Answer:
    return client.send(
        "POST", PATH, {"name": "a.dng", "type": "", "size": SIZE, "parts": True, "sha256": HASH, **more}
    )


def started(client: Client) -> str:
    return str(start(client).json["image"]["id"])


def storage(gallery: Gallery) -> FakeParts:
    assert gallery.parts is not None
    found = gallery.parts.storage
    assert isinstance(found, FakeParts)
    return found


def receive(gallery: Gallery, public_id: str, *numbers: int) -> None:
    key = gallery.get(public_id).image_key
    for number in numbers:
        storage(gallery).receive(key, number, b"x" * LENGTHS[number - 1])


def ask(client: Client, public_id: str, first: int, count: int) -> Answer:
    return client.send("POST", f"{PATH}/{public_id}/parts", {"first": first, "sha256": [HASH] * count})


def finish(client: Client, public_id: str) -> Answer:
    return client.send("POST", f"{PATH}/{public_id}/finish", {})


def shown(client: Client, public_id: str) -> Any:
    return client.get(f"{PATH}/{public_id}").json["parts"]


def count_open_forms(gallery: Gallery) -> int:
    """The uploads that may still arrive, also the cancelled ones: they count for the quota of uploads."""
    query = "SELECT id FROM images WHERE upload_status = 'awaiting' AND upload_expires_at > {now}"
    return len(gallery.images._database.read(lambda tx: tx.rows(query)))


def test_large_file_is_divided_and_a_small_one_gets_a_form(client: Client) -> None:
    answer = start(client)
    assert (201, None) == (answer.status, answer.json["form"])
    assert {"size": PART_BYTES, "count": 3, "received": []} == answer.json["parts"]
    for body in ({"size": PART_BYTES}, {"size": None}, {"parts": False}):
        again = start(client, again=True, **body)
        assert again.json["form"] is not None, body
        assert "parts" not in again.json


def test_requests_name_the_exact_size_of_each_part(client: Client) -> None:
    parts = ask(client, started(client), 1, 3).json["parts"]
    assert [1, 2, 3] == [part["number"] for part in parts]
    assert [str(size) for size in LENGTHS] == [part["url"].rpartition("=")[2] for part in parts]


@pytest.mark.parametrize(("first", "count"), [(1, 4), (4, 1), (0, 1), (-1, 2), (3, 2)])
def test_part_beyond_the_file_is_refused(client: Client, first: int, count: int) -> None:
    answer = ask(client, started(client), first, count)
    assert (422, "first") == (answer.status, answer.json["code"])


def test_parts_that_have_arrived_are_listed(client: Client, gallery: Gallery) -> None:
    image = started(client)
    receive(gallery, image, 1, 3)
    assert [1, 3] == [part["number"] for part in shown(client, image)["received"]]


def test_upload_is_finished_once_every_part_has_its_size(client: Client, gallery: Gallery) -> None:
    image = started(client)
    key = gallery.get(image).image_key
    receive(gallery, image, 1, 3)
    storage(gallery).receive(key, 2, b"short")
    answer = finish(client, image)
    assert (409, "parts_missing") == (answer.status, answer.json["code"])
    assert "1 of 3 parts have not arrived" in answer.json["detail"]
    receive(gallery, image, 2)
    assert [204, 204] == [finish(client, image).status for _ in range(2)]  # the first answer may be lost
    assert [key] == storage(gallery).finished
    assert shown(client, image) is None


@pytest.mark.parametrize(("joined", "status"), [(True, 204), (False, 404)])
def test_finish_overtaken_by_another_succeeds_where_the_file_is_there(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, *, joined: bool, status: int
) -> None:
    image = started(client)
    receive(gallery, image, 1, 2, 3)
    join = storage(gallery).finish

    def end_before(*args: Any) -> None:
        if joined:
            join(*args)
        raise NotFound("The upload does not exist.")

    monkeypatch.setattr(storage(gallery), "finish", end_before)
    assert status == finish(client, image).status


def test_deleted_upload_loses_its_parts_and_cannot_continue(client: Client, gallery: Gallery) -> None:
    image = started(client)
    receive(gallery, image, 1)
    client.request("DELETE", f"/api/v1/images/{image}")
    assert {} == storage(gallery).uploads
    for answer in (ask(client, image, 1, 1), finish(client, image), client.get(f"{PATH}/{image}")):
        assert (409, "upload_ended") == (answer.status, answer.json["code"])
    # No part can arrive, so that it need not wait for the end of its day
    assert 404 == client.send("POST", f"/api/v1/images/{image}/restore", {}).status
    assert 0 == count_open_forms(gallery)


@pytest.mark.parametrize("status", [UploadStatus.RECEIVED, UploadStatus.REJECTED])
def test_finish_repeated_when_the_file_was_received_or_rejected_changes_nothing(
    client: Client, gallery: Gallery, status: UploadStatus
) -> None:
    """The answer to the first one may be lost, and the worker is quick."""
    image = started(client)
    receive(gallery, image, 1, 2, 3)
    assert 204 == finish(client, image).status
    gallery.images.change(image, upload_status=status)

    assert 204 == finish(client, image).status
    answer = client.get(f"{PATH}/{image}")
    assert (200, {"parts": None}) == (answer.status, answer.json)
    assert [gallery.get(image).image_key] == storage(gallery).finished


def test_expired_upload_cannot_continue(client: Client, gallery: Gallery) -> None:
    image = started(client)
    gallery.images.change(image, upload_status=UploadStatus.EXPIRED)
    for answer in (ask(client, image, 1, 1), finish(client, image), client.get(f"{PATH}/{image}")):
        assert (409, "upload_ended") == (answer.status, answer.json["code"])


def test_upload_with_a_form_has_no_parts(client: Client) -> None:
    image = str(start(client, size=5).json["image"]["id"])
    assert 409 == ask(client, image, 1, 1).status


def test_storage_that_is_away_leaves_no_upload_behind(client: Client, gallery: Gallery) -> None:
    gallery.storage.away = True  # type: ignore[attr-defined]
    assert 503 == start(client).status
    gallery.storage.away = False  # type: ignore[attr-defined]
    assert 0 == count_open_forms(gallery)
    assert 201 == start(client).status  # the first is not "on its way"


def test_parts_of_another_account_are_not_found(home: Site) -> None:
    app = home.app()
    owner, other = home.browser(app, "owner"), home.browser(app, "other")
    image = started(owner)
    for answer in (ask(other, image, 1, 1), finish(other, image), other.get(f"{PATH}/{image}")):
        assert 404 == answer.status
    assert 200 == ask(owner, image, 1, 1).status
