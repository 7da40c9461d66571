"""Files that an account has uploaded before, by their SHA-256."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from imgcore.gallery.models import UploadStatus
from imgcore.gallery.service import Gallery
from tests.web.client import Answer, Client
from tests.web.fakes import add_done
from tests.web.peopling import Site

PATH = "/api/v1/uploads"
HASH, OTHER = "ab" * 32, "cd" * 32


def upload(client: Client, sha256: str | None = HASH, **more: object) -> Answer:
    return client.send("POST", PATH, {"name": "a.jpg", "type": "image/jpeg", "sha256": sha256, **more})


def found(client: Client, *hashes: str) -> dict[str, str]:
    return client.get(f"/api/v1/duplicates?sha256={','.join(hashes)}").json["images"]


def test_file_that_is_there_is_answered_with_its_photo(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, sha256=HASH).public_id
    answer = upload(client, HASH.upper())
    assert (200, image, None) == (answer.status, answer.json["image"]["id"], answer.json["form"])
    assert "You have uploaded this photo before." == answer.json["message"]
    assert {HASH: image} == found(client, HASH.upper(), OTHER)
    for body in ({"again": True}, {"sha256": OTHER}, {"sha256": None}):
        assert 201 == upload(client, **{"sha256": HASH, **body}).status


def test_file_on_its_way_counts_until_its_form_expires(client: Client, gallery: Gallery) -> None:
    first = upload(client).json["image"]["id"]
    assert first == upload(client).json["image"]["id"]
    expire = "UPDATE images SET upload_expires_at = {now} WHERE public_id = :public_id"
    gallery.images.database.run(lambda tx: tx.execute(expire, public_id=first))
    assert ({}, 201) == (found(client, HASH), upload(client).status)


def test_photo_in_the_trash_or_rejected_does_not_count(client: Client, gallery: Gallery) -> None:
    deleted = add_done(gallery, sha256=HASH).public_id
    add_done(gallery, sha256=OTHER, upload_status=UploadStatus.REJECTED)
    client.request("DELETE", f"/api/v1/images/{deleted}")
    assert {} == found(client, HASH, OTHER)
    assert 201 == upload(client).status


def test_received_photo_is_named_before_one_on_its_way(client: Client, gallery: Gallery) -> None:
    upload(client)
    received = add_done(gallery, sha256=HASH).public_id
    assert {HASH: received} == found(client, HASH)


def test_file_of_another_account_is_not_found(home: Site) -> None:
    app = home.app()
    image = home.upload("owner").public_id
    home.gallery.images.change(image, sha256=HASH)
    for name in ("other", "boss"):
        browser = home.browser(app, name)
        assert ({}, 201) == (found(browser, HASH), upload(browser).status)
    assert 200 == upload(home.browser(app, "owner")).status


def test_same_file_at_the_same_time_ends_as_one_photo(client: Client) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: upload(client), range(8)))
    assert [200] * 7 + [201] == sorted(answer.status for answer in answers)
    assert 1 == len({answer.json["image"]["id"] for answer in answers})


@pytest.mark.parametrize("sha256", ["", "ab", "xy" * 32, "ab" * 33, 7])
def test_malformed_hash_is_refused(client: Client, sha256: object) -> None:
    answer = upload(client, sha256)  # type: ignore[arg-type]
    assert (422, "sha256") == (answer.status, answer.json["code"])


def test_at_most_a_hundred_hashes_are_looked_up(client: Client) -> None:
    statuses = [
        client.get(f"/api/v1/duplicates?sha256={','.join([HASH] * count)}").status for count in (100, 101)
    ]
    assert ([200, 422], 422) == (statuses, client.get("/api/v1/duplicates").status)
