"""The page of jobs and its API."""

from __future__ import annotations

import pytest

from imgcore.errors import Unavailable
from imgcore.gallery.models import TaskKind, TaskStatus
from imgcore.gallery.service import Gallery
from imgcore.pipeline.maintenance_models import DeadLetterCause, DeadLetters
from tests.web.client import Client
from tests.web.fakes import add_done, add_failed, add_image

PATH = "/api/v1/jobs"


def test_overview_groups_tasks_by_state_and_reason(client: Client, gallery: Gallery) -> None:
    add_done(gallery)
    for _ in range(2):
        add_failed(gallery, message="The model <b>did</b> not answer.")
    waiting = add_image(gallery)
    gallery.images.set_task(
        waiting.public_id, TaskKind.CAPTION, TaskStatus.RETRY, error="busy", message="Busy."
    )
    deleted = add_failed(gallery)
    gallery.images.delete(deleted.public_id)
    gallery.breakers.open("gemini", wait=600.0, reason="key_refused", message="The key was refused.")

    shown = client.get(PATH).json
    counts = {(row["kind"], row["status"]): row["count"] for row in shown["counts"]}
    assert {
        ("thumbnail", "done"): 3,
        ("thumbnail", "pending"): 1,
        ("caption", "done"): 1,
        ("caption", "failed"): 2,
        ("caption", "retry"): 1,
    } == counts
    [failure], [retry], [breaker] = shown["failures"], shown["retries"], shown["breakers"]
    assert ("caption", "bad_answer", 2) == (failure["kind"], failure["reason"], failure["count"])
    assert ("busy", True) == (retry["reason"], retry["next_at"] is not None)
    assert ("gemini", True, "key_refused") == (breaker["name"], breaker["open"], breaker["reason"])
    assert shown["last_sweep"] is None
    page = client.get("/admin/jobs").text
    for text in (
        "2 captions",
        "The model &lt;b&gt;did&lt;/b&gt; not answer.",
        "open (key_refused)",
        "No sweep has",
    ):
        assert text in page


def test_failures_of_one_reason_are_tried_again(client: Client, gallery: Gallery) -> None:
    failed, other = add_failed(gallery), add_failed(gallery)
    gallery.images.set_task(
        other.public_id, TaskKind.CAPTION, TaskStatus.FAILED, error="other", message="Other."
    )
    answer = client.send("POST", f"{PATH}/retry", {"kind": "caption", "reason": "bad_answer"})
    assert (202, {"retried": 1}) == (answer.status, answer.json)
    assert [(TaskKind.CAPTION, failed.image_key)] == gallery.queues.sent
    form = {"token": client.get("/admin/jobs").token, "kind": "caption", "reason": "other"}
    assert "1 task is queued again." in client.post("/admin/jobs/retry", form).text
    assert "0 tasks are queued again." in client.post("/admin/jobs/retry", form).text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "caption"},
        {"kind": "x", "reason": "y"},
        {"kind": "caption", "reason": "x" * 65},
        {"kind": "caption", "reason": "busy "},
    ],
)
def test_malformed_retry_is_refused(client: Client, body: dict[str, str]) -> None:
    assert 422 == client.send("POST", f"{PATH}/retry", body).status


def test_kinds_and_reasons_are_paused_and_resumed(client: Client, gallery: Gallery) -> None:
    by_reason = {"kind": "thumbnail", "reason": "unavailable"}
    assert 200 == client.send("POST", f"{PATH}/pause", by_reason).status
    paused = client.send("POST", f"{PATH}/pause", {"kind": "caption"}).json["pauses"]
    assert [("caption", None), ("thumbnail", "unavailable")] == [
        (each["kind"], each["reason"]) for each in paused
    ]
    assert paused == client.get(PATH).json["pauses"]
    notice = "An administrator has paused the descriptions of photos; they go on later."
    assert notice in client.get("/").text

    page = client.get("/admin/jobs")
    assert "Captions (paused)" in page.text
    assert "Thumbnails that wait after “unavailable”" in page.text
    form = {"token": page.token, "kind": "caption", "reason": ""}
    assert "Captions go on with the next sweep." in client.post("/admin/jobs/resume", form).text
    assert "Pause captions" in client.get("/admin/jobs").text
    assert notice not in client.get("/").text
    assert {"pauses": []} == client.send("POST", f"{PATH}/resume", by_reason | {"reason": "unavailable"}).json
    assert "Captions are paused." in client.post("/admin/jobs/pause", form).text


def test_resumed_page_says_what_is_paused_still(client: Client) -> None:
    token = client.get("/admin/jobs").token

    def done(action: str, kind: str, reason: str = "") -> str:
        form = {"token": token, "kind": kind, "reason": reason}
        return client.post(f"/admin/jobs/{action}", form).text

    assert "Thumbnails were not paused." in done("resume", "thumbnail")
    for reason in ("busy", "unavailable", ""):
        done("pause", "caption", reason)
    assert "Captions that wait after “other” were not paused for that alone." in done(
        "resume", "caption", "other"
    )
    assert "but all captions are still paused." in done("resume", "caption", "unavailable")
    assert "go on with the next sweep. Those that wait after “busy” are still paused." in done(
        "resume", "caption"
    )
    done("pause", "thumbnail")
    assert "Captions that wait after “busy” go on with the next sweep.</p>" in done("resume", "caption", "busy")


@pytest.mark.parametrize("action", ["pause", "resume"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "x"},
        {"kind": "caption", "a": 1},
        # MySQL takes " " for "", which is the whole kind, and "busy " for "busy"
        *(
            {"kind": "caption", "reason": reason}
            for reason in ("", " ", "  ", "busy ", " busy", "bu sy", "Busy")
        ),
    ],
)
def test_malformed_pause_is_refused(client: Client, action: str, body: dict[str, object]) -> None:
    assert 422 == client.send("POST", f"{PATH}/{action}", body).status
    form = {"token": client.get("/admin/jobs").token, **body}
    if body.get("reason"):
        assert 422 == client.post(f"/admin/jobs/{action}", form).status
    assert [] == client.get(PATH).json["pauses"]


def test_dead_letters_are_counted_by_queue(client: Client, gallery: Gallery) -> None:
    assert "There are none." in client.get("/admin/jobs").text
    gallery.queues.dead = [
        DeadLetters(TaskKind.CAPTION, DeadLetterCause.FAILED, 1200),
        DeadLetters(TaskKind.CAPTION, DeadLetterCause.UNDELIVERED, 0),
    ]
    assert [
        {"kind": "caption", "cause": "failed", "count": 1200},
        {"kind": "caption", "cause": "undelivered", "count": 0},
    ] == client.get(PATH).json["dead_letters"]
    page = client.get("/admin/jobs").text
    assert "About 1,200 messages of captions</strong>: the function has failed five times" in page
    assert "could not send" not in page


def test_overview_is_shown_while_the_queues_are_away(client: Client, gallery: Gallery) -> None:
    gallery.queues.broken = Unavailable("The queues are away.")
    assert client.get(PATH).json["dead_letters"] is None
    assert "cannot be read just now" in client.get("/admin/jobs").text
