"""Actions on many photos: a result for each, and one undo for all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from imgcore.accounts.models import Visibility
from imgcore.accounts.security_log import SecurityEvent
from imgcore.gallery.models import Source
from imgcore.gallery.service import Gallery
from tests.web.client import Answer, Client
from tests.web.fakes import add_done, add_image
from tests.web.peopling import Site

PATH = "/api/v1/bulk"


def run(client: Client, action: str, *ids: str, **more: object) -> dict:
    answer = client.send("POST", PATH, {"action": action, "ids": list(ids), **more})
    assert 200 == answer.status, answer.text
    return answer.json


def undo(client: Client, outcome: dict) -> dict:
    answer = client.send("POST", f"{PATH}/undo", {"undo": outcome["undo"]})
    assert 200 == answer.status, answer.text
    return answer.json


def tags(client: Client, public_id: str) -> list[str]:
    return client.get(f"/api/v1/images/{public_id}").json["tags"]


def test_trash_has_a_result_for_each_and_is_undone_at_once(client: Client, gallery: Gallery) -> None:
    first, second = add_done(gallery).public_id, add_done(gallery).public_id
    client.request("DELETE", f"/api/v1/images/{second}")
    outcome = run(client, "trash", first, second, "made-up", first)
    assert ["trashed", "unchanged", "not_found"] == [row["status"] for row in outcome["results"]]
    assert "1 moved to the trash, 1 needed no change, 1 was not found." == outcome["summary"]
    assert "deleted" == client.get(f"/api/v1/images/{first}").json["status"]
    assert "1 restored." == undo(client, outcome)["summary"]
    statuses = [client.get(f"/api/v1/images/{each}").json["status"] for each in (first, second)]
    assert ["done", "deleted"] == statuses


def test_photos_of_others_are_left_alone(home: Site) -> None:
    app = home.app(Visibility.SHARED)
    other = home.browser(app, "other")
    mine, theirs = home.upload("other").public_id, home.upload("owner").public_id
    outcome = run(other, "trash", mine, theirs)
    assert "1 moved to the trash, 1 is not yours." == outcome["summary"]
    assert [{"action": "restore", "ids": [mine]}] == outcome["undo"]
    assert "1 is not yours." == run(other, "add_tags", theirs, tags=["x"])["summary"]
    forged = other.send("POST", f"{PATH}/undo", {"undo": [{"action": "trash", "ids": [theirs]}]})
    assert "1 is not yours." == forged.json["summary"]
    private = home.browser(home.app(), "other")
    assert "1 was not found." == run(private, "recaption", theirs)["summary"]


def test_one_event_is_written_for_all(home: Site) -> None:
    owner = home.browser(home.app(), "owner")
    ids = [home.upload("owner").public_id for _ in range(3)]
    run(owner, "trash", *ids)
    [entry] = [entry for entry in home.accounts.log.page() if entry.event == SecurityEvent.IMAGE_DELETED]
    assert ("3 photos", " ".join(ids)) == (entry.subject, entry.detail)


def test_tags_are_added_once_and_their_undo_keeps_later_changes(client: Client, gallery: Gallery) -> None:
    first, second = add_done(gallery, tags=("cat",)).public_id, add_done(gallery, tags=("red",)).public_id
    outcome = run(client, "add_tags", first, second, tags=["Cat", " blue  sky "])
    assert (["cat", "blue sky"], ["red", "cat", "blue sky"]) == (tags(client, first), tags(client, second))
    assert "2 changed." == outcome["summary"]
    client.send("PATCH", f"/api/v1/images/{second}", {"tags": ["red", "cat", "blue sky", "later"]})
    assert "2 changed." == undo(client, outcome)["summary"]
    assert (["cat"], ["red", "later"]) == (tags(client, first), tags(client, second))
    sources = [client.get(f"/api/v1/images/{each}").json["tags_source"] for each in (first, second)]
    assert [Source.LOCAL, Source.HUMAN] == sources  # undone alone, the first has the words of before


def test_tags_are_removed_and_come_back(client: Client, gallery: Gallery) -> None:
    first, second = add_done(gallery, tags=("cat", "x")).public_id, add_done(gallery, tags=("x",)).public_id
    outcome = run(client, "remove_tags", first, second, tags=["cat", "unknown"])
    assert ["changed", "unchanged"] == [row["status"] for row in outcome["results"]]
    assert ["x"] == tags(client, first)
    undo(client, outcome)
    assert ["cat", "x"] == sorted(tags(client, first))


def test_tag_without_a_visible_character_changes_nothing(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery).public_id
    assert "1 needed no change." == run(client, "add_tags", image, tags=[" "])["summary"]


def test_photo_with_too_many_tags_says_so(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, tags=tuple(f"tag {number}" for number in range(20))).public_id
    [result] = run(client, "add_tags", image, tags=["one more"])["results"]
    assert ("too_many_tags", "This photo would have too many tags.") == (result["status"], result["message"])


def test_tags_that_are_added_at_the_same_time_are_all_kept(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, tags=()).public_id
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: run(client, "add_tags", image, tags=[f"tag {number}"]), range(8)))
    assert {f"tag {number}" for number in range(8)} == set(tags(client, image))


def test_album_gets_the_photos_and_loses_them_by_the_undo(client: Client, gallery: Gallery) -> None:
    album = client.send("POST", "/api/v1/albums", {"name": "Album"}).json["id"]
    ids = [add_done(gallery).public_id for _ in range(3)]
    run(client, "add_to_album", ids[0], album=album)
    outcome = run(client, "add_to_album", *ids, album=album)
    assert "2 added, 1 was there already." == outcome["summary"]
    undo(client, outcome)
    assert [ids[0]] == [image["id"] for image in client.get(f"/api/v1/albums/{album}/images").json["images"]]


def test_recaption_starts_one_campaign_over_what_is_settled(client: Client, gallery: Gallery) -> None:
    done, waiting = add_done(gallery).public_id, add_image(gallery).public_id
    outcome = run(client, "recaption", done, waiting, "made-up")
    assert ["queued", "unchanged", "not_found"] == [row["status"] for row in outcome["results"]]
    campaign = client.get(f"/api/v1/campaigns/{outcome['campaign']}").json
    assert (1, []) == (campaign["images"], outcome["undo"])
    again = run(client, "recaption", done)
    assert (None, "1 needed no change.") == (again["campaign"], again["summary"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "action"),
        ({"action": "explode", "ids": ["x"]}, "action"),
        ({"action": "trash", "ids": []}, "ids"),
        ({"action": "trash"}, "ids"),
        ({"action": "trash", "ids": ["x"] * 1001}, "ids"),
        ({"action": "add_tags", "ids": ["x"]}, "tags"),
        ({"action": "add_tags", "ids": ["x"], "tags": []}, "tags"),
        ({"action": "trash", "ids": ["x"], "tags": ["y"]}, "unknown_field"),
        ({"action": "add_to_album", "ids": ["x"], "album": "y"}, "album"),
        ({"action": "add_tags", "ids": ["x"], "tags": ["x" * 10_000]}, "tags"),
        ({"action": "add_tags", "ids": ["x"], "tags": ["a\x01b"]}, "tags"),
        ({"action": "add_to_album", "ids": ["x"]}, "album"),
        ({"action": "trash", "ids": ["x"], "more": 1}, "unknown_field"),
    ],
)
def test_malformed_request_changes_nothing(client: Client, body: dict[str, object], code: str) -> None:
    answer = client.send("POST", PATH, body)
    assert (422, code) == (answer.status, answer.json["code"])
    nested: Answer = client.send("POST", f"{PATH}/undo", {"undo": [body]})
    assert (422, code) == (nested.status, nested.json["code"])


def test_undo_takes_a_list_of_at_most_a_thousand_ids(client: Client) -> None:
    for value in (None, "all", [1], {}):
        assert 422 == client.send("POST", f"{PATH}/undo", {"undo": value}).status
    many = [{"action": "trash", "ids": ["x"] * 600}] * 2
    assert 422 == client.send("POST", f"{PATH}/undo", {"undo": many}).status
    assert "Nothing was named." == client.send("POST", f"{PATH}/undo", {"undo": []}).json["summary"]
