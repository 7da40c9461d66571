"""The page of activity and its API."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from imgcore.accounts.models import Visibility
from imgcore.gallery.models import TaskKind
from imgcore.gallery.service import Gallery
from imgcore.pipeline.models import ModelCall
from tests.web.client import Client
from tests.web.fakes import add_failed
from tests.web.peopling import site
from web.app import create_app

PATH = "/api/v1/activity"


def test_failures_are_grouped_by_reason_with_a_button_each(client: Client, gallery: Gallery) -> None:
    for _ in range(2):
        add_failed(gallery, message="The model <b>did</b> not answer.")
    gallery.breakers.open("gemini", wait=600.0, reason="key_refused", message="The key was refused.")
    shown = client.get(PATH).json
    [failure], [breaker] = shown["failures"], shown["breakers"]
    assert ("caption", "bad_answer", 2) == (failure["kind"], failure["reason"], failure["count"])
    assert ("gemini", True) == (breaker["name"], breaker["open"])
    page = client.get("/activity").text
    for text in ("2 captions", "The model &lt;b&gt;did&lt;/b&gt; not answer.", "open (key_refused)"):
        assert text in page
    assert 1 == page.count('action="/activity/retry"')


def test_failed_tasks_are_counted_for_the_navigation(client: Client, gallery: Gallery) -> None:
    counts = [client.get(f"{PATH}/failed").json]
    for _ in range(2):
        add_failed(gallery)
    counts.append(client.get(f"{PATH}/failed").json)
    assert [{"failed": 0}, {"failed": 2}] == counts


def test_failed_tasks_are_counted_to_a_hundred(client: Client, gallery: Gallery) -> None:
    """The navigation shows 99+ beyond."""
    for _ in range(101):
        add_failed(gallery)
    assert {"failed": 100} == client.get(f"{PATH}/failed").json


def test_retry_queues_what_failed_for_the_reason(client: Client, gallery: Gallery) -> None:
    failed = add_failed(gallery)
    form = {"token": client.get("/activity").token, "kind": "caption", "reason": "bad_answer"}
    assert "1 task is queued again." in client.post("/activity/retry", form).text
    assert [(TaskKind.CAPTION, failed.image_key)] == gallery.queues.sent
    answer = client.send("POST", f"{PATH}/retry", {"kind": "caption", "reason": "bad_answer"})
    assert (202, {"retried": 0}) == (answer.status, answer.json)
    assert "There is nothing to try again." in client.get("/activity").text


def test_activity_of_others_is_shown_to_administrators_only(tmp_path: Path) -> None:
    """Everybody may look at the gallery; that changes nothing."""
    found = site(tmp_path)
    call = ModelCall("gemini-3.5-flash-lite", "3", 4000, 512, "described")
    found.gallery.spending.record(call, owner_id=found.people["owner"].id)
    app = found.app(Visibility.PUBLIC)
    nobody = found.browser(app, None)
    assert [303, 401] == [nobody.get(path).status for path in ("/activity", PATH)]
    for name, sees in (("other", False), ("owner", True), ("boss", True)):
        page = found.browser(app, name).get("/activity").text
        assert sees == ("Today 1 call of a model; cost: $" in page), name
    found.database.close()


def test_reason_must_be_the_code_of_an_error(client: Client) -> None:
    for body in ({}, {"kind": "caption"}, {"kind": "caption", "reason": " "}, {"kind": "x", "reason": "busy"}):
        assert 422 == client.send("POST", f"{PATH}/retry", body).status


def test_gallery_without_tasks_has_no_activity(gallery: Gallery) -> None:
    client = Client(create_app(dataclasses.replace(gallery, jobs=None)))
    assert [404] * 3 == [client.get(path).status for path in (PATH, f"{PATH}/failed", "/activity")]
