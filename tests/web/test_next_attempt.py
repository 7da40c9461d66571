"""Photos that wait for the model are tried again not before the probe of its circuit breaker."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from imgcore.collections.models import AlbumOrder
from imgcore.gallery.models import TaskKind, TaskStatus
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done, add_image
from web.serializers import optional_utc

OWN = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def add_waiting(gallery: Gallery, kind: TaskKind = TaskKind.CAPTION, error: str = "unavailable") -> str:
    """A photo one of whose tasks is tried again at OWN; its id."""
    public_id = add_image(gallery).public_id
    gallery.images.set_task(public_id, kind, TaskStatus.RETRY, error=error, message="M.", next_at=OWN)
    return public_id


def back_off(gallery: Gallery) -> None:
    gallery.breakers.back_off("gemini", probing=True, reason="unavailable", message="M.")


def probe(gallery: Gallery) -> str | None:
    return optional_utc(gallery.breakers.open_until("gemini"))


def times(shown: dict[str, Any]) -> dict[str, str | None]:
    return {task["kind"]: task["next_at"] for task in shown["tasks"]}


def test_answers_name_the_probe_of_a_model_that_is_away(client: Client, gallery: Gallery) -> None:
    """A longer pause is another answer, though the photo has not changed; a closed breaker names no time."""
    waiting = add_waiting(gallery)
    assert gallery.albums is not None
    album = gallery.albums.create("A", "", AlbumOrder.DATE)
    gallery.albums.add(album.public_id, [waiting])
    paths = {
        "/api/v1/images": True,
        f"/api/v1/images?ids={waiting}": True,
        f"/api/v1/albums/{album.public_id}/images": True,
        f"/api/v1/images/{waiting}": False,
        f"/api/v1/images/{waiting}/status": False,
    }
    for path, listed in paths.items():
        gallery.breakers.close("gemini")
        tag, seen = "", []
        for change in (lambda: None, lambda: back_off(gallery), lambda: back_off(gallery)):
            change()
            assert 304 == client.get(path, If_None_Match=client.get(path).headers["etag"]).status
            answer = client.get(path, If_None_Match=tag)
            assert 200 == answer.status, path
            tag = answer.headers["etag"]
            seen.append(times(answer.json["images"][0] if listed else answer.json)["caption"])
            assert (probe(gallery) or optional_utc(OWN)) == seen[-1], path
        assert sorted(set(seen)) == sorted(seen)


def test_other_tasks_name_their_own_time(client: Client, gallery: Gallery) -> None:
    others = [(TaskKind.THUMBNAIL, "unavailable"), (TaskKind.CAPTION, "spend_cap_day")]
    ids = {add_waiting(gallery, kind, error): kind for kind, error in others}
    done = add_done(gallery).public_id
    back_off(gallery)

    for public_id, kind in ids.items():
        assert optional_utc(OWN) == times(client.get(f"/api/v1/images/{public_id}").json)[kind]
    assert {"caption": None, "thumbnail": None} == times(client.get(f"/api/v1/images/{done}").json)


def test_own_time_after_the_probe_stays(client: Client, gallery: Gallery) -> None:
    public_id = add_waiting(gallery)
    later = datetime(2999, 1, 1, tzinfo=UTC)
    gallery.images.set_task(
        public_id, TaskKind.CAPTION, TaskStatus.RETRY, error="rate_limited", message="M.", next_at=later
    )
    back_off(gallery)

    assert optional_utc(later) == times(client.get(f"/api/v1/images/{public_id}/status").json)["caption"]


def test_overview_of_jobs_names_the_probe(client: Client, gallery: Gallery) -> None:
    add_waiting(gallery)
    back_off(gallery)

    [retry] = client.get("/api/v1/jobs").json["retries"]
    assert probe(gallery) == retry["next_at"]
