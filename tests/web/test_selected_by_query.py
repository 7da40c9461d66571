"""Actions on all photos that a search finds, but for some: more than one request can name."""

from __future__ import annotations

import io
import json
import zipfile
from urllib.parse import quote

import pytest

from imgcore.accounts.models import Visibility
from imgcore.gallery.models import UploadStatus
from imgcore.gallery.service import Gallery
from tests.contract.images import multiply
from tests.web.client import Client
from tests.web.fakes import add_done, add_image
from tests.web.peopling import Site

PATH = "/api/v1/bulk"
MANY = 1010


def run(client: Client, body: dict[str, object]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Send the requests of an action; return all results, and what undoes them."""
    results: list[dict[str, object]] = []
    undo: list[dict[str, object]] = []
    cursor = None
    while True:
        answer = client.send("POST", PATH, body | {"cursor": cursor})
        assert 200 == answer.status, answer.text
        assert len(answer.json["results"]) <= 1000
        results += answer.json["results"]
        undo += answer.json["undo"]
        cursor = answer.json["next"]
        if cursor is None:
            return results, undo


def many(gallery: Gallery) -> list[str]:
    """Copy a photo with the tag "boat" until one request cannot name them all; return the ids."""
    add_done(gallery, tags=("boat",))
    list(multiply(gallery.images._database, MANY))
    new_id = "UPDATE images SET public_id = lower(hex(randomblob(16))) WHERE public_id LIKE 'copy-%'"
    gallery.images._database.run(lambda tx: tx.execute(new_id))
    rows = gallery.images._database.read(lambda tx: tx.rows("SELECT public_id FROM images ORDER BY id"))
    return [row["public_id"] for row in rows]


def test_all_of_a_search_but_two_go_into_an_album(client: Client, gallery: Gallery) -> None:
    ids = many(gallery)
    other = add_done(gallery, tags=("car",)).public_id
    album = client.send("POST", "/api/v1/albums", {"name": "Boats"}).json["id"]
    left_out = [ids[3], ids[-1]]
    body = {"action": "add_to_album", "album": album, "query": {"tag": "boat"}, "except": left_out}

    results, undo = run(client, body)
    assert MANY - 2 == len(results) == gallery.albums.get(album).images
    assert {*ids} - {*left_out} == {row["id"] for row in results if row["status"] == "added"}
    assert other not in {row["id"] for row in results}
    assert [999, MANY - 1001] == [len(step["ids"]) for step in undo]  # type: ignore[arg-type]
    assert {"present"} == {row["status"] for row in run(client, body)[0]}


def test_trash_of_a_search_is_undone(client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each photo is in the results once, although the first request changes what the search finds."""
    monkeypatch.setattr("imgcore.collections.selections.IDS", 3)
    ids = [add_done(gallery, tags=("boat",)).public_id for _ in range(8)]
    results, undo = run(client, {"action": "trash", "query": {"tag": "boat"}, "except": ids[2:3]})
    assert dict.fromkeys(ids[:2] + ids[3:], "trashed") == {row["id"]: row["status"] for row in results}
    assert 7 == len(results)
    assert 1 == client.get("/api/v1/timeline?tag=boat").json["total"]
    for step in undo:
        assert 200 == client.send("POST", f"{PATH}/undo", {"undo": [step]}).status
    assert 8 == client.get("/api/v1/timeline?tag=boat").json["total"]


def test_change_that_ends_the_match_reaches_every_photo(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing the tag of the search empties the list under the action's feet."""
    monkeypatch.setattr("imgcore.collections.selections.IDS", 2)
    ids = [add_done(gallery, tags=("boat", "sea")).public_id for _ in range(5)]
    body = {"action": "remove_tags", "query": {"tag": "boat"}, "tags": ["boat"]}
    results, _ = run(client, body)
    assert sorted(ids) == sorted(str(row["id"]) for row in results)
    assert [["sea"]] * 5 == [client.get(f"/api/v1/images/{each}").json["tags"] for each in ids]
    assert ([], []) == run(client, body)


def test_search_is_described_again_by_one_campaign(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several would describe at several times the rate. The second request has nothing to describe."""
    monkeypatch.setattr("imgcore.collections.selections.IDS", 2)
    ids = [add_done(gallery, tags=("boat",)).public_id for _ in range(3)]
    ids += [add_image(gallery, tags=("boat",)).public_id for _ in range(2)]
    ids += [add_done(gallery, tags=("boat",)).public_id for _ in range(2)]
    results, _ = run(client, {"action": "recaption", "query": {}})
    assert 7 == len(results)
    [campaign] = gallery.campaigns.all()
    assert 5 == campaign.total == sum(campaign.counts.values())

    for cursor in ("x.y", "."):
        body = {"action": "recaption", "query": {}, "cursor": cursor}
        assert 422 == client.send("POST", PATH, body).status


def test_search_is_described_again_by_another_campaign_where_the_first_has_ended(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgcore.collections.selections.IDS", 2)
    for _ in range(4):
        add_done(gallery)
    body = {"action": "recaption", "query": {}}
    first = client.send("POST", PATH, body).json
    gallery.campaigns.cancel(first["campaign"])
    unknown = first["next"].partition(".")[0] + ".0123456789abcdef0123456789abcdef"
    assert 404 == client.send("POST", PATH, body | {"cursor": unknown}).status
    second = client.send("POST", PATH, body | {"cursor": first["next"]}).json
    assert 2 == len({first["campaign"], second["campaign"]} - {None})


def test_selection_is_what_the_timeline_shows(client: Client, gallery: Gallery) -> None:
    """A file that has not arrived is not on it; without parameters all that are on it are selected."""
    shown = add_done(gallery).public_id
    row = client.send("POST", "/api/v1/uploads", {"name": "later.jpg", "type": "image/jpeg"}).json
    waiting = add_image(gallery).public_id
    results, _ = run(client, {"action": "add_tags", "query": {}, "tags": ["x"]})
    assert {shown, waiting} == {each["id"] for each in results}
    assert row["image"]["id"] not in json.dumps(results)


def test_photos_that_arrive_after_the_time_of_a_selection_are_left_alone(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that had begun before counts by its end; the requests after the first keep to the time, too."""
    monkeypatch.setattr("imgcore.collections.selections.IDS", 2)
    begun = gallery.request_upload("begun.jpg", 9, "image/jpeg")[0].public_id
    shown = [add_done(gallery, tags=("boat",)).public_id for _ in range(5)]
    late = [add_done(gallery, tags=("boat",)).public_id, begun]
    gallery.images.change(begun, upload_status=UploadStatus.RECEIVED, tags=("boat",))
    set_time = "UPDATE images SET uploaded_at = :at WHERE public_id = :id"
    for ids, at in ((shown, "2026-11-28 12:00:00.123456"), (late, "2026-11-28 12:00:00.124000")):
        for each in ids:
            gallery.images._database.run(lambda tx, each=each, at=at: tx.execute(set_time, at=at, id=each))
    month = "/api/v1/timeline/2026-11?sort=uploaded&limit=1&offset=2"
    until = client.get(month).json["photos"][0]["uploaded"]
    assert "2026-11-28T12:00:00.123" == until

    query = {"tag": "boat", "until": until}
    form = {"selection": f"?tag=boat&until={until}", "size": "original"}
    token = client.get("/").token
    for image in gallery.images.get_many([*shown, *late]):
        gallery.storage.objects[image.image_key] = b"a photo"
    for answer in (
        client.send("POST", "/api/v1/download", {"query": query}),
        client.post("/download", form | {"token": token}),
    ):
        assert 200 == answer.status, answer.text
        names = zipfile.ZipFile(io.BytesIO(answer.body)).namelist()
        assert 5 == sum(name.endswith(".jpg") for name in names)
    assert 5 == client.send("POST", "/api/v1/shares", {"query": query}).json["images"]
    results, _ = run(client, {"action": "trash", "query": query})
    assert dict.fromkeys(shown, "trashed") == {row["id"]: row["status"] for row in results}
    assert {*late} == {row["id"] for row in run(client, {"action": "trash", "query": {"tag": "boat"}})[0]}


def test_photos_of_others_are_left_alone(home: Site) -> None:
    mine, theirs = home.upload("owner").public_id, home.upload("other").public_id
    private, shared = (
        home.browser(home.app(each), "owner") for each in (Visibility.PRIVATE, Visibility.SHARED)
    )
    results, _ = run(private, {"action": "add_tags", "query": {}, "tags": ["x"]})
    assert [(mine, "changed")] == [(row["id"], row["status"]) for row in results]
    results, _ = run(shared, {"action": "trash", "query": {}})
    assert {(mine, "trashed"), (theirs, "forbidden")} == {(row["id"], row["status"]) for row in results}


def test_archive_and_link_hold_what_a_search_finds(client: Client, gallery: Gallery) -> None:
    ids = [add_done(gallery, f"{number}.jpg", tags=("boat",)).public_id for number in range(4)]
    add_done(gallery, "car.jpg", tags=("car",))
    for image in gallery.images.get_many(ids):
        gallery.storage.objects[image.image_key] = b"a photo"
    chosen = {"query": {"tag": "boat"}, "except": [ids[0]]}
    answer = client.send("POST", "/api/v1/download", chosen)
    assert 200 == answer.status, answer.text
    names = zipfile.ZipFile(io.BytesIO(answer.body)).namelist()
    assert {"1.jpg", "2.jpg", "3.jpg"} == {name for name in names if name.endswith(".jpg")}

    share = client.send("POST", "/api/v1/shares", chosen)
    assert (201, 3, "selection") == (share.status, share.json["images"], share.json["kind"])
    fields = {"selection": "?tag=boat", "except": ids[0]}
    page = client.get(f"/shared/new?selection=%3Ftag%3Dboat&except={ids[0]}")
    assert "Share 3 photos by a link" in page.text
    assert '<input type="hidden" name="selection" value="?tag=boat">' in page.text
    form = fields | {"token": page.token, "shown": shown(page.text), "days": "7", "files": "none"}
    made = client.post("/shared", form)
    assert (200, [3, 3]) == (made.status, [each.images for each in gallery.shares.listed().shares])
    archive = client.post("/download", fields | {"token": page.token})
    assert set(names) == set(zipfile.ZipFile(io.BytesIO(archive.body)).namelist())


def test_form_of_a_link_to_a_search_leaves_out_a_thousand_photos(client: Client, gallery: Gallery) -> None:
    add_done(gallery, tags=("boat",))
    left_out = [add_done(gallery, tags=("boat",)).public_id, *(f"{number:032x}" for number in range(999))]
    fields = {"selection": "?tag=boat", "except": ",".join(left_out), "token": client.get("/").token}
    page = client.post("/shared/new", fields)
    assert (200, True) == (page.status, "Share 1 photo by a link" in page.text), page.text
    form = fields | {"token": page.token, "shown": shown(page.text), "days": "7", "files": "none"}
    assert 200 == client.post("/shared", form).status
    assert [1] == [share.images for share in gallery.shares.listed().shares]


def shown(page: str) -> str:
    """Return what the form of a link names its photos by."""
    return page.split('name="shown" value="')[1].split('"')[0]


@pytest.mark.parametrize("change", ["added", "trashed", "replaced"])
def test_link_holds_the_photos_that_its_form_counted(client: Client, gallery: Gallery, change: str) -> None:
    """A photo that matches since is not made public: the form counts again."""
    first, _ = (add_done(gallery, tags=("boat",)) for _ in range(2))
    page = client.get("/shared/new?selection=%3Ftag%3Dboat")
    form = {"selection": "?tag=boat", "except": "", "token": page.token, "days": "7", "files": "none"}
    if change != "trashed":
        add_done(gallery, tags=("boat",))
    if change != "added":
        gallery.images.delete(first.public_id)
    number = {"added": "3 photos", "trashed": "1 photo", "replaced": "2 photos"}[change]

    for given in ({}, {"shown": shown(page.text)}):
        again = client.post("/shared", form | given)
        assert 409 == again.status
        assert f"Share {number} by a link" in again.text
        assert "The search finds other photos" in again.text
    assert [] == list(gallery.shares.listed().shares)
    assert 200 == client.post("/shared", form | {"shown": shown(again.text)}).status
    assert 1 == len(gallery.shares.listed().shares)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"ids": ["x"], "query": {}}, "ids"),
        ({"ids": ["x"], "except": []}, "except"),
        ({"query": "tag=x"}, "query"),
        ({"query": {"tag": 1}}, "tag"),
        ({"query": {"colour": "red"}}, "query"),
        ({"query": {"month": "2026-13"}}, "query"),
        ({"query": {"until": "yesterday"}}, "until"),
        ({"query": {"until": "2026-02-30T12:00:00.000"}}, "until"),
        ({"query": {"q": "x" * 201}}, "q"),
        ({"query": {}, "except": ["x"] * 1001}, "except"),
        ({"query": {}, "except": "x"}, "except"),
    ],
)
def test_malformed_selection_is_refused_everywhere(client: Client, more: dict[str, object], code: str) -> None:
    for path, body in ((PATH, {"action": "trash"}), ("/api/v1/download", {}), ("/api/v1/shares", {})):
        answer = client.send("POST", path, body | more)
        assert (422, code) == (answer.status, answer.json["code"]), (path, answer.text)


def test_tags_of_a_selection_of_nothing_are_checked(client: Client) -> None:
    for tags in ([], ["\x0f"]):
        answer = client.send("POST", PATH, {"action": "add_tags", "query": {"tag": "nowhere"}, "tags": tags})
        assert (422, "tags") == (answer.status, answer.json["code"])


def test_cursor_of_another_list_and_an_empty_selection_are_refused(client: Client) -> None:
    assert 422 == client.send("POST", PATH, {"action": "trash", "query": {}, "cursor": "x"}).status
    for path in ("/api/v1/download", "/api/v1/shares"):
        answer = client.send("POST", path, {"query": {"tag": "nowhere"}})
        assert (404, "No photo is selected.") == (answer.status, answer.json["detail"])
    for selection in ("tag", quote("?" + "&".join(f"tag={number}" for number in range(60)))):
        assert 422 == client.get(f"/shared/new?selection={selection}").status


def test_archive_of_too_many_photos_is_refused(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgcore.collections.selections.SELECTED", 2)
    for _ in range(3):
        add_done(gallery)
    for path in ("/api/v1/download", "/api/v1/shares"):
        answer = client.send("POST", path, {"query": {}})
        assert (422, "Select at most 2 photos for this.") == (answer.status, answer.json["detail"])
