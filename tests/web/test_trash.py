"""The trash: its page and its API, one photo or all, and whose it is."""

from __future__ import annotations

import re

import pytest

from imgcore.gallery.models import TRASH_SECONDS
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done
from tests.web.peopling import Site


def fill(gallery: Gallery, count: int) -> list[str]:
    """Put photos into the trash; return their ids."""
    images = [add_done(gallery, f"{number}.jpg").public_id for number in range(count)]
    for public_id in images:
        gallery.delete(public_id)
    return images


def listed(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/api/v1/images?deleted=1{query}")
    assert 200 == answer.status
    return [image["id"] for image in answer.json["images"]]


def form_of_all(client: Client) -> dict[str, str]:
    """Return the fields of the forms that restore and delete all photos."""
    page = client.get("/trash")
    [contents] = {*re.findall(r'name="contents" value="([^"]+)"', page.text)}
    return {"token": page.token, "contents": contents, "all": "1"}


def test_trash_is_listed_with_days_left_and_thumbnail(client: Client, gallery: Gallery) -> None:
    first, second = fill(gallery, 2)
    add_done(gallery)
    answer = client.get("/api/v1/images?deleted=1").json

    assert [second, first] == [image["id"] for image in answer["images"]]
    assert [30, 30] == [image["days_left"] for image in answer["images"]]
    assert gallery.storage.url(f"thumbnails/{second}/200.webp") == answer["images"][0]["thumbnail_url"]
    assert answer["images"][0]["deleted_at"].endswith("Z")


def test_upload_that_was_given_up_is_not_in_the_trash(client: Client, gallery: Gallery) -> None:
    image, _ = gallery.request_upload("a.jpg", 1, "image/jpeg")
    assert 204 == client.request("DELETE", f"/api/v1/images/{image.public_id}").status
    assert [] == listed(client)
    assert "The trash is empty." in client.get("/trash").text


def test_pages_of_the_trash_join_up(client: Client, gallery: Gallery) -> None:
    images = fill(gallery, 5)
    found, cursor = [], ""
    while cursor is not None:
        answer = client.get(f"/api/v1/images?deleted=1&limit=2&cursor={cursor}").json
        found += [image["id"] for image in answer["images"]]
        cursor = answer["next"]
    assert list(reversed(images)) == found


def test_deleted_for_good_is_purged_by_the_next_sweep(client: Client, gallery: Gallery) -> None:
    first, second = fill(gallery, 2)
    assert 204 == client.request("DELETE", f"/api/v1/trash/{first}").status
    assert [second] == listed(client)
    assert 404 == client.request("DELETE", f"/api/v1/trash/{first}").status
    query = "SELECT public_id FROM images WHERE deleted_at <= {ago:age}"
    age = round(TRASH_SECONDS * 1_000_000)
    rows = gallery.images.database.read(lambda tx: tx.rows(query, age=age))
    assert [{"public_id": first}] == rows


def test_photo_deleted_for_good_is_not_restored(client: Client, gallery: Gallery) -> None:
    """The sweep may have deleted some of its files already."""
    one, other = fill(gallery, 2)
    assert {"deleted": 2} == client.request("DELETE", "/api/v1/trash").json
    for public_id in (one, other):
        assert 404 == client.send("POST", f"/api/v1/images/{public_id}/restore", {}).status
    bulk = client.send("POST", "/api/v1/bulk", {"action": "restore", "ids": [one]}).json
    assert "not_found" == bulk["results"][0]["status"]
    assert not gallery.images.restore(other)
    assert all(gallery.get(public_id).deleted_at for public_id in (one, other))


def test_photo_outside_the_trash_is_not_deleted_for_good(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery)
    for public_id in (image.public_id, "0" * 32, "x"):
        assert 404 == client.request("DELETE", f"/api/v1/trash/{public_id}").status
    assert {"deleted": 0} == client.request("DELETE", "/api/v1/trash").json
    assert gallery.get(image.public_id).deleted_at is None


def test_trash_is_emptied_and_restored(client: Client, gallery: Gallery) -> None:
    images = fill(gallery, 3)
    assert {"restored": 3} == client.send("POST", "/api/v1/trash/all/restore", {}).json
    assert {"done"} == {gallery.get(public_id).status for public_id in images}
    gallery.delete(images[0])
    assert {"deleted": 1} == client.request("DELETE", "/api/v1/trash").json
    assert [] == listed(client)
    assert {"restored": 0} == client.send("POST", "/api/v1/trash/all/restore", {}).json


@pytest.mark.parametrize(("query", "status"), [("deleted=2", 400), ("deleted=1&cursor=x", 422)])
def test_malformed_request_is_refused(client: Client, query: str, status: int) -> None:
    assert status == client.get(f"/api/v1/images?{query}").status


def test_page_restores_and_deletes_one_photo(client: Client, gallery: Gallery) -> None:
    first, second = fill(gallery, 2)
    page = client.get("/trash")
    assert 200 == page.status
    assert "30 days left" in page.text
    assert "no-store" == page.headers["cache-control"]

    answer = client.post("/trash/restore", {"token": page.token, "id": first})
    assert (303, "/trash?done=restored") == (answer.status, answer.headers["location"])
    answer = client.post("/trash/delete", {"token": page.token, "id": second})
    assert (303, "/trash?done=deleted") == (answer.status, answer.headers["location"])
    assert "The trash is empty." in client.get("/trash?done=deleted").text
    assert "done" == gallery.get(first).status


def test_page_of_many_photos_deletes_all_only_after_their_number(client: Client, gallery: Gallery) -> None:
    fill(gallery, 21)
    form = form_of_all(client)
    for confirm in ({}, {"confirm": "20"}):
        answer = client.post("/trash/delete", {**form, **confirm})
        assert 422 == answer.status
        assert "Type 21" in answer.text
    assert 21 == len(listed(client, "&limit=100"))
    answer = client.post("/trash/delete", {**form, "confirm": "21"})
    assert (303, []) == (answer.status, listed(client))


def test_page_of_few_photos_deletes_and_restores_all_at_once(client: Client, gallery: Gallery) -> None:
    images = fill(gallery, 20)
    assert 303 == client.post("/trash/restore", form_of_all(client)).status
    for public_id in images:
        gallery.delete(public_id)
    form = form_of_all(client)
    assert 303 == client.post("/trash/delete", form).status
    assert [] == listed(client)
    assert 422 == client.post("/trash/delete", {"token": form["token"]}).status


@pytest.mark.parametrize("way", ["restore", "delete"])
def test_page_changes_no_photo_that_it_did_not_count(client: Client, gallery: Gallery, way: str) -> None:
    """Photos that are moved to the trash after the page was loaded stay there, as does one that came back."""
    first, second, third = fill(gallery, 3)
    form = form_of_all(client)
    gallery.restore(second)
    gallery.delete(second)
    later = fill(gallery, 25)
    assert 303 == client.post(f"/trash/{way}", form).status
    assert {second, *later} == {*listed(client, "&limit=100")}
    assert [way == "delete"] * 2 == [gallery.get(each).deleted_at is not None for each in (first, third)]


@pytest.mark.parametrize("way", ["restore", "delete"])
def test_page_is_shown_again_where_what_it_counted_is_not_known(
    client: Client, gallery: Gallery, way: str
) -> None:
    """A photo of a transaction that had begun before the page was loaded; a page of an earlier release."""
    images = fill(gallery, 2)
    for contents in (form_of_all(client)["contents"].replace("2 ", "1 "), "", "2 yesterday", "x 2026-11-28"):
        answer = client.post(f"/trash/{way}", form_of_all(client) | {"contents": contents})
        assert 409 == answer.status
        assert "Delete all 2 photos for good" in answer.text
    assert {*images} == {*listed(client)}


def test_page_of_one_photo_does_not_say_all_1(client: Client, gallery: Gallery) -> None:
    fill(gallery, 1)
    buttons = re.findall(r"<button[^>]*all[^>]*>([^<]*)<", client.get("/trash").text)
    assert ["Restore the photo", "Delete the photo for good"] == buttons


def test_trash_of_another_account_is_neither_shown_nor_changed(home: Site) -> None:
    image = home.upload("owner")
    home.gallery.delete(image.public_id)
    app = home.app()
    other, owner, boss = (home.browser(app, name) for name in ("other", "owner", "boss"))

    assert [] == listed(other)
    assert 404 == other.request("DELETE", f"/api/v1/trash/{image.public_id}").status
    assert {"deleted": 0} == other.request("DELETE", "/api/v1/trash").json
    assert {"restored": 0} == other.send("POST", "/api/v1/trash/all/restore", {}).json
    assert [image.public_id] == listed(owner) == listed(boss)
    assert image.name in owner.get("/trash").text
    assert image.name not in other.get("/trash").text
    assert 204 == owner.request("DELETE", f"/api/v1/trash/{image.public_id}").status


def test_action_on_the_second_page_shows_that_page_again(client: Client, gallery: Gallery) -> None:
    """The first one once nothing is left there: the trash is not empty."""
    images = fill(gallery, 42)
    page = client.get(re.findall(r'href="(/trash\?cursor=[^"]+)"', client.get("/trash").text)[0])
    for image, way, left in zip(images[:2], ("restore", "delete"), (1, 40), strict=True):
        action = next(each for each in re.findall(r'action="(/trash/[^"]+)"', page.text) if way in each)
        answer = client.post(action, {"token": page.token, "id": image})
        assert 303 == answer.status
        page = client.get(answer.headers["location"])
        assert left == page.text.count("days left")
    assert "First photos" not in page.text
