"""The page of jobs and its API."""

from __future__ import annotations

import pytest

from imgcore.gallery.models import TaskKind, TaskStatus
from imgcore.gallery.service import Gallery
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
    "body", [{}, {"kind": "caption"}, {"kind": "x", "reason": "y"}, {"kind": "caption", "reason": "x" * 65}]
)
def test_malformed_retry_is_refused(client: Client, body: dict[str, str]) -> None:
    assert 422 == client.send("POST", f"{PATH}/retry", body).status
