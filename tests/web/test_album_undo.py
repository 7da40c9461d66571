"""Undo of adding photos to albums and of taking them out: it leaves what was there before."""

from __future__ import annotations

import pytest

from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done
from tests.web.peopling import Browser, Site
from tests.web.test_bulk import PATH, run, undo

ALBUMS = "/api/v1/albums"


def inside(client: Client, album: str) -> list[str]:
    return [image["id"] for image in client.get(f"{ALBUMS}/{album}/images").json["images"]]


@pytest.fixture
def people(home: Site) -> tuple[Browser, Browser]:
    app = home.app()
    return home.browser(app, "owner"), home.browser(app, "other")


def shared(owner: Browser, *ids: str) -> str:
    """Return an album in an order by hand, to which the other account may add."""
    album = owner.send("POST", ALBUMS, {"name": "Shared", "order": "hand", "ids": list(ids)}).json["id"]
    owner.send("PUT", f"{ALBUMS}/{album}/members/other", {"may": "add"})
    return album


def test_photos_that_were_taken_out_come_back_at_their_places(
    home: Site, people: tuple[Browser, Browser]
) -> None:
    owner, other = people
    theirs, *mine = (home.upload(name).public_id for name in ("other", "owner", "owner", "owner"))
    album = shared(owner, mine[0])
    run(other, "add_to_album", theirs, album=album)
    run(owner, "add_to_album", *mine, album=album)
    before = inside(owner, album)
    assert [mine[0], theirs, *mine[1:]] == before
    outcome = run(owner, "remove_from_album", theirs, mine[0], mine[1], album=album)
    assert [{"action": "add_to_album", "ids": [theirs, *mine[:2]], "album": album}] == outcome["undo"]
    restored = undo(owner, outcome)
    assert ("3 added.", before, before) == (restored["summary"], inside(owner, album), inside(other, album))
    assert "1 removed." == run(other, "remove_from_album", theirs, album=album)["summary"]  # it is still theirs
    undo(owner, restored)
    assert [mine[2]] == inside(owner, album)


def test_photo_in_the_trash_is_taken_out_and_put_back(client: Client, gallery: Gallery) -> None:
    first, second = add_done(gallery).public_id, add_done(gallery).public_id
    album = client.send("POST", ALBUMS, {"name": "Album", "ids": [first, second]}).json["id"]
    run(client, "trash", first)
    outcome = run(client, "remove_from_album", first, second, album=album)
    assert "2 removed." == outcome["summary"]
    assert "2 added." == undo(client, outcome)["summary"]
    run(client, "restore", first)
    assert {first, second} == {*inside(client, album)}


def test_member_takes_back_the_adding_of_a_photo_that_is_in_the_trash_now(
    home: Site, people: tuple[Browser, Browser]
) -> None:
    owner, other = people
    album, theirs = shared(owner), home.upload("other").public_id
    outcome = run(other, "add_to_album", theirs, album=album)
    run(other, "trash", theirs)
    assert "1 removed." == undo(other, outcome)["summary"]
    run(other, "restore", theirs)
    assert [] == inside(owner, album)


@pytest.mark.parametrize("since", ["member removed it", "member left", "a day", "another album"])
def test_undo_gives_no_right_to_a_photo_of_another_account(
    home: Site, people: tuple[Browser, Browser], since: str
) -> None:
    owner, other = people
    album, theirs = shared(owner), home.upload("other").public_id
    run(other, "add_to_album", theirs, album=album)
    outcome = run(owner, "remove_from_album", theirs, album=album)
    if since == "member removed it":  # the owner may not bring back what the member took out
        run(other, "add_to_album", theirs, album=album)
        run(other, "remove_from_album", theirs, album=album)
    elif since == "member left":
        other.request("DELETE", f"{ALBUMS}/{album}/members/other")
    elif since == "a day":
        old = "UPDATE album_removals SET removed_at = {ago:day}"
        home.database.run(lambda tx: tx.execute(old, day=86_400 * 10**6))
    else:
        outcome["undo"][0]["album"] = shared(owner)
    assert "1 was not found." == undo(owner, outcome)["summary"]
    wanted = {"action": "add_to_album", "ids": [theirs], "album": album}
    assert "1 was not found." == owner.send("POST", PATH, wanted).json["summary"]
    assert [] == inside(owner, album)


def test_member_who_may_only_view_now_puts_nothing_back(home: Site, people: tuple[Browser, Browser]) -> None:
    owner, other = people
    album, theirs = shared(owner), home.upload("other").public_id
    run(other, "add_to_album", theirs, album=album)
    outcome = run(other, "remove_from_album", theirs, album=album)
    owner.send("PUT", f"{ALBUMS}/{album}/members/other", {"may": "view"})
    assert 403 == other.send("POST", f"{PATH}/undo", {"undo": outcome["undo"]}).status
