"""Albums: the API and the pages, and what accounts see that an album is shared with."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from urllib.parse import urlsplit

import pytest

from imgcore.accounts.models import Visibility
from imgcore.gallery.models import UploadStatus
from imgcore.gallery.service import Gallery
from imgcore.text import one_line
from tests.support.hostile_texts import TEXTS
from tests.web.client import Client
from tests.web.fakes import add_done, add_image
from tests.web.peopling import Browser, Site
from web.app import Application
from web.limits import LIMITS

PATH = "/api/v1/albums"


def created(client: Client, *ids: str, name: str = "Trip") -> str:
    answer = client.send("POST", PATH, {"name": name, "ids": list(ids)})
    assert 201 == answer.status
    return answer.json["id"]


def names_in(client: Client, album: str) -> list[str]:
    return [image["name"] for image in client.get(f"{PATH}/{album}/images").json["images"]]


def test_api_creates_an_album_with_a_result_for_each_id(client: Client, gallery: Gallery) -> None:
    first, second = add_done(gallery, "a.jpg"), add_done(gallery, "b.jpg")
    ids = [first.public_id, "made-up", second.public_id, "0" * 32, first.public_id]
    answer = client.send("POST", PATH, {"name": " A  trip ", "description": "To the sea", "ids": ids})
    album = answer.json
    assert (201, f"{PATH}/{album['id']}") == (answer.status, answer.headers["location"])
    assert ("A trip", "To the sea", "date", "owner", 2) == tuple(
        album[name] for name in ("name", "description", "order", "role", "images")
    )
    assert ["added", "not_found", "added", "not_found"] == [row["status"] for row in album["results"]]
    assert "2 added, 2 were not found." == album["summary"]
    again = client.send("POST", f"{PATH}/{album['id']}/images", {"ids": [first.public_id]}).json
    assert "1 was there already." == again["summary"]


def test_api_changes_cover_and_order_and_moves_photos(client: Client, gallery: Gallery) -> None:
    ids = [add_done(gallery, name).public_id for name in ("a.jpg", "b.jpg", "c.jpg")]
    album = created(client, *ids)
    assert ids[0] == client.get(f"{PATH}/{album}").json["cover"]
    edited = client.send("PATCH", f"{PATH}/{album}", {"cover": ids[1], "order": "hand"}).json
    assert (ids[1], "hand") == (edited["cover"], edited["order"])
    for moved, before, expected in (
        (2, 0, ["c.jpg", "a.jpg", "b.jpg"]),
        (2, None, ["a.jpg", "b.jpg", "c.jpg"]),
        (0, 2, ["b.jpg", "a.jpg", "c.jpg"]),
    ):
        target = None if before is None else ids[before]
        assert (
            204
            == client.send("POST", f"{PATH}/{album}/images/move", {"id": ids[moved], "before": target}).status
        )
        assert expected == names_in(client, album)
    cleared = client.send("PATCH", f"{PATH}/{album}", {"cover": None}).json
    assert ids[1] == cleared["cover"]  # the first


def test_api_pages_through_an_album(client: Client, gallery: Gallery) -> None:
    album = created(client, *(add_done(gallery, f"{number}.jpg").public_id for number in range(3)))
    first = client.get(f"{PATH}/{album}/images?limit=2").json
    second = client.get(f"{PATH}/{album}/images?limit=2&cursor={first['next']}").json
    assert (["0.jpg", "1.jpg"], ["2.jpg"], None) == (
        [image["name"] for image in first["images"]],
        [image["name"] for image in second["images"]],
        second["next"],
    )


def test_pages_of_an_album_and_its_link_lead_on_by_cursor(client: Client, gallery: Gallery) -> None:
    album = created(client, *(add_done(gallery, f"{number}.jpg").public_id for number in range(41)))
    link = client.send("POST", "/api/v1/shares", {"album": album}).json["url"]
    for path in (f"/albums/{album}", urlsplit(link).path):
        found = re.search(rf'href="({re.escape(path)}\?cursor=[^"]+)"', client.get(path).text)
        assert found
        last = client.get(found[1])
        assert (200, 1, False) == (last.status, last.text.count("<img"), "More photos" in last.text)


def test_photo_taken_out_of_the_second_page_shows_that_page_again(client: Client, gallery: Gallery) -> None:
    images = [add_done(gallery, f"{number}.jpg").public_id for number in range(42)]
    album = created(client, *images)
    page = client.get(re.findall(r'href="(/albums/[^"]+cursor=[^"]+)"', client.get(f"/albums/{album}").text)[0])
    for image, left in zip(images[40:], (1, 40), strict=True):
        [action] = re.findall(r'action="(/albums/[^"]+/remove[^"]*)"', page.text)
        page = client.post(action, {"token": page.token, f"photo_{image}": "1"})
        assert (200, left) == (page.status, page.text.count("<img"))
    assert "First photos" not in page.text


def test_cursor_that_was_not_given_out_is_an_error_of_programs_alone(client: Client, gallery: Gallery) -> None:
    """People see the first page: the order of the album may have changed since they opened theirs."""
    album = created(client, *(add_done(gallery).public_id for _ in range(2)))
    path = urlsplit(client.send("POST", "/api/v1/shares", {"album": album}).json["url"]).path
    for cursor in ("40", "x"):
        assert 422 == client.get(f"{PATH}/{album}/images?cursor={cursor}").status
        for page in (f"/albums/{album}", path):
            assert 2 == client.get(f"{page}?cursor={cursor}").text.count("<img")


def test_albums_beyond_the_limit_are_named_and_follow(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgcore.db.albums.ALBUMS", 2)
    albums = [created(client) for _ in range(3)]
    first = client.get(PATH).json
    assert albums[:0:-1] == [album["id"] for album in first["albums"]]
    second = client.get(f"{PATH}?cursor={first['next']}").json
    assert (albums[:1], None) == ([album["id"] for album in second["albums"]], second["next"])
    assert 422 == client.get(f"{PATH}?cursor=1").status
    page = client.get("/albums").text
    assert "This page does not have all albums." in page
    last = client.get(f"/albums?cursor={first['next']}").text
    assert (True, False) == (f'href="/albums/{albums[0]}"' in last, "More albums" in last)
    assert page.count("<li>") == client.get("/albums?cursor=1").text.count("<li>")


def test_deleted_photo_leaves_the_album_and_returns_when_restored(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, "a.jpg")
    album = created(client, image.public_id, add_done(gallery, "b.jpg").public_id)
    client.request("DELETE", f"/api/v1/images/{image.public_id}")
    shown = client.get(f"{PATH}/{album}").json
    assert (["b.jpg"], 1) == (names_in(client, album), shown["images"])
    client.send("POST", f"/api/v1/images/{image.public_id}/restore", {})
    assert ["a.jpg", "b.jpg"] == names_in(client, album)


def test_deleting_an_album_keeps_its_photos(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery)
    album = created(client, image.public_id)
    assert 204 == client.request("DELETE", f"{PATH}/{album}").status
    assert (404, 200) == (
        client.get(f"{PATH}/{album}").status,
        client.get(f"/api/v1/images/{image.public_id}").status,
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "x" * 101}, 422, "name"),
        ({"name": "a\0b"}, 422, "name"),
        ({"name": "Trip", "description": "x" * 2001}, 422, "description"),
        ({"name": "Trip", "description": "\x1b[31m"}, 422, "description"),
        ({"name": "Trip", "order": "size"}, 422, "order"),
        ({"name": "Trip", "ids": "all"}, 422, "ids"),
        ({"name": 7}, 422, "name"),
    ],
)
def test_api_refuses_a_malformed_album_with_a_sentence(
    client: Client, body: dict[str, object], status: int, code: str
) -> None:
    answer = client.send("POST", PATH, body)
    assert (status, code, True) == (answer.status, answer.json["code"], answer.json["detail"].endswith("."))
    assert [] == client.get(PATH).json["albums"]


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_name_is_shown_as_text(client: Client, gallery: Gallery, name: str) -> None:
    album = created(client, add_done(gallery).public_id, name=name)
    shown = client.get(f"{PATH}/{album}").json["name"]
    assert one_line(name) == shown
    for path in ("/albums", f"/albums/{album}", f"/albums/{album}/add"):
        page = client.get(path)
        assert (200, True) == (page.status, escape(shown) in page.text.replace("&#039;", "&#x27;"))
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text


def test_pages_create_fill_and_empty_an_album(client: Client, gallery: Gallery) -> None:
    image, other = add_done(gallery, "a.jpg", caption="A red door."), add_image(gallery, "b.jpg")
    token = client.get("/albums").token
    to = client.post("/albums", {"token": token, "name": "Doors", "description": "One\r\ntwo"}).headers[
        "location"
    ]
    album = to.removeprefix("/albums/").partition("?")[0]
    assert "One\ntwo" == client.get(f"{PATH}/{album}").json["description"]
    rejected = add_image(gallery, "c.jpg")
    gallery.images.change(rejected.public_id, upload_status=UploadStatus.REJECTED)
    picker = client.get(f"/albums/{album}/add").text
    chosen = {image.public_id, other.public_id}
    assert chosen == set(re.findall(r'name="photo_(\w+)"', picker))  # an album takes no rejected file
    added = client.post(
        f"/albums/{album}/add", {"token": token, f"photo_{image.public_id}": "yes", "photo_x": "yes"}
    )
    assert (200, True) == (added.status, "1 added." in added.text)
    assert f"/albums/{album}/images/{image.public_id}" in added.text
    timeline = re.search(r'href="(/[?]album=[^"]+)"', added.text)[1]
    assert f'name="album" value="{album}"' in client.get(timeline).text  # a form without scripts keeps it
    photo = client.get(f"/albums/{album}/images/{image.public_id}")
    assert (200, True, True) == (photo.status, "A red door." in photo.text, "1 of 1" in photo.text)
    assert 404 == client.get(f"/albums/{album}/images/{other.public_id}").status
    removed = client.post(f"/albums/{album}/remove", {"token": token, f"photo_{image.public_id}": "yes"})
    assert "1 removed." in removed.text
    nothing = client.post(f"/albums/{album}/add", {"token": token})
    assert (422, True) == (nothing.status, "Name 1 to 1,000 photos at once." in nothing.text)
    assert 303 == client.post(f"/albums/{album}/delete", {"token": token}).status
    assert "There are no albums yet" in client.get("/albums").text


def test_page_shows_a_refused_form_again(client: Client) -> None:
    token = client.get("/albums").token
    answer = client.post("/albums", {"token": token, "name": "x" * 101, "description": "kept"})
    assert (422, True, True) == (
        answer.status,
        "may have at most 100 characters" in answer.text,
        ">kept</textarea>" in answer.text,
    )


def test_form_of_an_album_stores_only_what_its_sender_changed(client: Client) -> None:
    album = created(client, name="Trip")
    form = client.get(f"/albums/{album}").form("/edit")
    client.send("PATCH", f"{PATH}/{album}", {"description": "Two\nlines.", "order": "hand"})
    assert 303 == client.post(f"/albums/{album}/edit", form | {"name": "Voyage"}).status
    now = client.get(f"{PATH}/{album}").json
    assert ("Voyage", "Two\nlines.", "hand") == (now["name"], now["description"], now["order"])


def test_form_of_an_album_that_changed_meanwhile_is_shown_again_with_both(client: Client) -> None:
    album = created(client, name="Trip")
    form = client.get(f"/albums/{album}").form("/edit")
    client.send("PATCH", f"{PATH}/{album}", {"name": "Theirs", "order": "hand"})
    refused = client.post(f"/albums/{album}/edit", form | {"name": "Mine", "description": "Also mine."})
    assert (409, True, True) == (
        refused.status,
        "Others changed the name after this page was loaded" in refused.text,
        'id="name_now">Now: <span dir="auto">Theirs</span>' in refused.text,
    )
    assert "" == client.get(f"{PATH}/{album}").json["description"]
    again = refused.form("/edit")
    assert ("Mine", "Also mine.", "hand") == (again["name"], again["description"], again["order"])
    assert 303 == client.post(f"/albums/{album}/edit", again).status
    now = client.get(f"{PATH}/{album}").json
    assert ("Mine", "Also mine.", "hand") == (now["name"], now["description"], now["order"])


def test_refused_form_of_an_album_is_shown_again_with_its_texts(client: Client) -> None:
    album = created(client, name="Trip")
    fields = client.get(f"/albums/{album}").form("/edit") | {"name": "x" * 101, "description": "kept"}
    refused = client.post(f"/albums/{album}/edit", fields)
    assert (422, "x" * 101, "kept") == (
        refused.status,
        (form := refused.form("/edit"))["name"],
        form["description"],
    )


def shared(home: Site, app: Application, may: str) -> tuple[Browser, Browser, str, str]:
    """An album of the owner's with a photo, shared with the other; both browsers."""
    owner, other = home.browser(app, "owner"), home.browser(app, "other")
    image = home.upload("owner", "private.jpg").public_id
    album = created(owner, image)
    assert 200 == owner.send("PUT", f"{PATH}/{album}/members/other", {"may": may}).status
    return owner, other, album, image


def test_album_is_seen_by_nobody_but_its_owner_until_it_is_shared(home: Site, app: Application) -> None:
    owner, other = home.browser(app, "owner"), home.browser(app, "other")
    album = created(owner, home.upload("owner").public_id)
    for path in (f"{PATH}/{album}", f"{PATH}/{album}/images", f"/albums/{album}"):
        assert (200, 404) == (owner.get(path).status, other.get(path).status)
    assert [] == other.get(PATH).json["albums"]
    assert [album] == [found["id"] for found in home.browser(app, "boss").get(PATH).json["albums"]]


def test_member_sees_photos_in_the_album_only(home: Site, app: Application) -> None:
    _, other, album, image = shared(home, app, "view")
    [shown] = other.get(f"{PATH}/{album}/images").json["images"]
    assert (image, True, None) == (shown["id"], shown["read_only"], shown["original_url"])
    assert "location" not in shown
    seen = other.get(f"{PATH}/{album}").json
    assert ("view", [], "owner", 1) == (seen["role"], seen["members"], seen["owner"], seen["images"])
    assert 200 == other.get(f"/albums/{album}/images/{image}").status
    assert 404 == other.get(f"/api/v1/images/{image}").status
    assert 404 == other.get(f"/images/{image}").status


def test_photos_to_add_are_ones_own_where_accounts_see_each_others(home: Site) -> None:
    """A page of them is full, whatever others have uploaded since."""
    other, boss = (home.browser(home.app(Visibility.SHARED), name) for name in ("other", "boss"))
    mine = {home.upload("other", f"mine{number}.jpg").public_id for number in range(3)}
    theirs = {home.upload("owner", "theirs.jpg").public_id for _ in range(LIMITS.page_size)}
    path = f"/albums/{created(other)}/add"

    def offered(client: Client, query: str = "") -> set[str]:
        return set(re.findall(r'name="photo_(\w+)"', client.get(f"{path}{query}").text))

    assert mine == offered(other)
    assert mine == offered(other, "?q=jpg")
    assert set() == offered(other, "?q=theirs")
    assert theirs == offered(boss)
    assert "More photos" not in other.get(path).text


def test_page_without_a_photo_to_add_leads_to_the_next(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = add_done(gallery, "a.jpg")
    gallery.images.change(add_image(gallery).public_id, upload_status=UploadStatus.REJECTED)
    monkeypatch.setattr("web.handlers.album_pages.LIMITS", replace(LIMITS, page_size=1))
    path = f"/albums/{created(client)}/add"
    page = client.get(path).text
    assert ("You have no photos" in page, "See the next page." in page) == (False, True)
    following = re.search(rf'href="({path}[?]cursor=[^"]+)"', page)[1]
    assert f"photo_{image.public_id}" in client.get(following).text


def test_member_who_may_view_changes_nothing(home: Site, app: Application) -> None:
    _, other, album, image = shared(home, app, "view")
    mine = home.upload("other").public_id
    refusals = {
        "add": other.send("POST", f"{PATH}/{album}/images", {"ids": [mine]}).status,
        "edit": other.send("PATCH", f"{PATH}/{album}", {"name": "Mine"}).status,
        "delete": other.request("DELETE", f"{PATH}/{album}").status,
        "move": other.send("POST", f"{PATH}/{album}/images/move", {"id": image}).status,
        "member": other.send("PUT", f"{PATH}/{album}/members/boss", {"may": "view"}).status,
        "picker": other.get(f"/albums/{album}/add").status,
    }
    assert dict.fromkeys(refusals, 403) == refusals
    removed = other.send("POST", f"{PATH}/{album}/images/remove", {"ids": [image]}).json
    assert "1 is not yours." == removed["summary"]
    assert 404 == other.request("DELETE", f"{PATH}/{album}/members/boss").status


def test_member_adds_and_removes_their_own_photos(home: Site, app: Application) -> None:
    owner, other, album, image = shared(home, app, "add")
    mine, theirs = home.upload("other", "mine.jpg").public_id, home.upload("owner", "hidden.jpg").public_id
    added = other.send("POST", f"{PATH}/{album}/images", {"ids": [mine, theirs]}).json
    assert ["added", "not_found"] == [row["status"] for row in added["results"]]
    assert ["private.jpg", "mine.jpg"] == names_in(owner, album)
    assert 404 == owner.get(f"/api/v1/images/{mine}").status
    removed = other.send("POST", f"{PATH}/{album}/images/remove", {"ids": [image, mine]}).json
    assert "1 removed, 1 is not yours." == removed["summary"]


def test_photo_of_another_account_that_is_visible_cannot_be_added(home: Site) -> None:
    app = home.app(Visibility.SHARED)
    other = home.browser(app, "other")
    album = created(other)
    results = other.send("POST", f"{PATH}/{album}/images", {"ids": [home.upload("owner").public_id]}).json
    assert "1 is not yours." == results["summary"]


def test_end_of_sharing_takes_out_what_the_member_added(home: Site, app: Application) -> None:
    owner, other, album, _ = shared(home, app, "add")
    other.send("POST", f"{PATH}/{album}/images", {"ids": [home.upload("other", "mine.jpg").public_id]})
    assert 204 == other.request("DELETE", f"{PATH}/{album}/members/other").status
    assert (404, ["private.jpg"]) == (other.get(f"{PATH}/{album}").status, names_in(owner, album))


def test_deleted_account_leaves_no_photos_and_albums(home: Site, app: Application) -> None:
    owner, other, album, _ = shared(home, app, "add")
    other.send("POST", f"{PATH}/{album}/images", {"ids": [home.upload("other", "mine.jpg").public_id]})
    theirs = created(other)
    other.send("PUT", f"{PATH}/{theirs}/members/owner", {"may": "view"})
    home.accounts.delete(home.people["other"], begun=lambda: None)
    shown = owner.get(f"{PATH}/{album}").json
    assert (["private.jpg"], []) == (names_in(owner, album), shown["members"])
    assert [album] == [found["id"] for found in owner.get(PATH).json["albums"]]


def test_photo_that_a_former_administrator_added_is_not_shared_any_more(home: Site, app: Application) -> None:
    boss, other = home.browser(app, "boss"), home.browser(app, "other")
    home.accounts.add("second", "a made-up password", home.people["boss"].role)
    album = created(boss, home.upload("owner", "private.jpg").public_id)
    boss.send("PUT", f"{PATH}/{album}/members/other", {"may": "view"})
    assert ["private.jpg"] == names_in(other, album)
    home.accounts.store.set_role(home.people["boss"].id, home.people["other"].role)
    assert [] == names_in(other, album)


def test_sharing_with_an_unknown_account_or_the_owner_is_refused(home: Site, app: Application) -> None:
    owner, _, album, _ = shared(home, app, "view")
    statuses = [
        owner.send("PUT", f"{PATH}/{album}/members/{name}", {"may": may}).status
        for name, may in (("nobody", "view"), ("owner", "view"), ("boss", "owner"))
    ]
    assert [404, 409, 422] == statuses
    page = owner.submit(f"/albums/{album}", f"/albums/{album}/members", name="nobody", may="view")
    assert (404, True) == (page.status, "There is no account of that name." in page.text)
