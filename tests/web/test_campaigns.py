"""Campaigns: the API and the page."""

from __future__ import annotations

import re

import pytest

from imgcore.gallery.models import Source
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done

PATH = "/api/v1/campaigns"


def test_api_previews_starts_and_controls_a_campaign(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery)
    add_done(gallery, source=Source.GEMINI)

    preview = client.send("POST", PATH, {"source": "local", "dry_run": True})
    assert (200, {"images": 1, "price_usd": 0.5}) == (
        preview.status,
        {name: preview.json[name] for name in ("images", "price_usd")},
    )
    assert [image.public_id] == [sample["id"] for sample in preview.json["sample"]]
    assert [] == gallery.queues.sent
    started = client.send("POST", PATH, {"ids": [image.public_id], "rate": 7})
    assert (201, "running", 7, {"queued": 1}) == (
        started.status,
        started.json["status"],
        started.json["rate"],
        started.json["counts"],
    )
    assert 1 == len(gallery.queues.sent)
    one = f"{PATH}/{started.json['id']}"
    for change, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert status == client.send("POST", f"{one}/{change}", {}).json["status"]
    assert 409 == client.send("POST", f"{one}/resume", {}).status
    assert started.json["id"] == client.get(PATH).json["campaigns"][0]["id"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "selection"),
        ({"tag": "cat", "rate": 0}, "rate"),
        ({"tag": "cat", "rate": 6001, "dry_run": True}, "rate"),
        ({"tag": "cat", "ids": []}, "ids"),
        ({"ids": ["cat.jpg"]}, "ids"),
        ({"tag": "cat", "query": " "}, "query"),
        ({"source": "nobody"}, "source"),
        ({"before": "yesterday"}, "before"),
        ({"failed": "yes"}, "failed"),
        ({"tag": "x" * 51}, "tag"),
        ({"everything": True}, "unknown_field"),
    ],
)
def test_api_refuses_a_selection_that_is_none(client: Client, body: dict[str, object], code: str) -> None:
    answer = client.send("POST", PATH, body)
    assert (422, code) == (answer.status, answer.json["code"])


def test_page_shows_the_price_before_it_starts(client: Client, gallery: Gallery) -> None:
    """All results of a search; then pause and resume."""
    add_done(gallery)
    token = client.get("/campaigns?q=cat").token
    form = {"token": token, "query": "cat", "source": "local", "rate": "9"}

    preview = client.post("/campaigns", form).text
    assert "1 photo would be described again, for about $0.50." in preview
    assert [] == gallery.queues.sent
    add_done(gallery)  # after it was counted
    assert 303 == client.post("/campaigns", {**form, "shown": shown(preview), "start": "yes"}).status
    assert 1 == len(gallery.queues.sent)
    page = client.get("/campaigns").text
    assert "0 of 1 photos, 9 a minute" in page
    path = re.search(r'action="(/campaigns/[0-9a-f]{32}/pause)"', page)[1]
    assert 303 == client.post(path, {"token": token}).status
    assert "<strong>paused</strong>" in client.get("/campaigns").text
    assert 404 == client.post(path.replace("pause", "explode"), {"token": token}).status


def shown(page: str) -> str:
    """Return the field of the form that says what the page has counted."""
    return re.search(r'name="shown" value="([^"]*)"', page)[1]


def test_page_starts_no_other_selection_than_it_has_counted(client: Client, gallery: Gallery) -> None:
    """It shows how many of the changed one there are, and the price; then that one may start."""
    add_done(gallery)
    add_done(gallery)
    form = {"token": client.get("/campaigns").token, "query": "cat"}
    counted = shown(client.post("/campaigns", form | {"missing": "yes"}).text)
    for before in (counted, "", counted.replace(" 0", " x")):
        answer = client.post("/campaigns", form | {"shown": before, "start": "yes"})
        assert 409 == answer.status
        assert "2 photos would be described again, for about $1.00." in answer.text
        assert [] == client.get("/api/v1/campaigns").json["campaigns"]
    assert 303 == client.post("/campaigns", form | {"shown": shown(answer.text), "start": "yes"}).status
    assert 2 == client.get("/api/v1/campaigns").json["campaigns"][0]["images"]


def test_page_shows_the_form_again_with_its_error(client: Client, gallery: Gallery) -> None:
    form = {"token": client.get("/campaigns").token, "tag": "nothing-has-this"}
    preview = client.post("/campaigns", form).text
    answer = client.post("/campaigns", form | {"shown": shown(preview), "start": "yes"})
    assert 409 == answer.status
    assert 'value="nothing-has-this"' in answer.text
    assert "No photo matches" in answer.text
