"""/api/v1, route by route."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from imgcore.gallery.models import Safety, Source, TaskKind, TaskStatus, UploadStatus
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done, add_failed, add_image

UNKNOWN = "0" * 32


def test_an_upload_is_asked_for(client: Client, gallery: Gallery) -> None:
    """201 with the record and the form; the row is there before the file is."""
    answer = client.send("POST", "/api/v1/uploads", {"name": "cat.jpg", "size": 1234, "type": "image/jpeg"})
    [row] = gallery.images.rows.values()
    assert 201 == answer.status
    assert ("cat.jpg", "awaiting") == (answer.json["image"]["name"], answer.json["image"]["status"])
    assert row.public_id == answer.json["image"]["id"]
    assert "http://bucket.localhost:9/uploads" == answer.json["form"]["url"]
    assert row.image_key == answer.json["form"]["fields"]["key"]
    assert f"/api/v1/images/{row.public_id}" == answer.headers["location"]
    assert "no-store" == answer.headers["cache-control"]


def test_a_size_may_be_left_out(client: Client) -> None:
    """Or be null: the form then takes any size up to the limit."""
    for body in ({}, {"size": None}):
        answer = client.send("POST", "/api/v1/uploads", {"name": "cat.jpg", "type": "image/jpeg", **body})
        assert (201, "1-20000000-3600") == (answer.status, answer.json["form"]["fields"]["policy"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "a.txt", "size": 1, "type": "text/plain"}, "unsupported_type"),
        ({"name": "a.jpg", "size": 0, "type": "image/jpeg"}, "empty"),
        ({"name": "a.jpg", "size": 30_000_000, "type": "image/jpeg"}, "too_large"),
        ({"name": "a.jpg", "size": 1.5, "type": "image/jpeg"}, "size"),
        ({"name": "a.jpg", "size": True, "type": "image/jpeg"}, "size"),
        ({"name": "a.jpg", "size": "1", "type": "image/jpeg"}, "size"),
        ({"name": "a.jpg", "size": 1e300, "type": "image/jpeg"}, "size"),
        ({"name": 7, "size": 1, "type": "image/jpeg"}, "name"),
        ({"size": 1, "type": "image/jpeg"}, "name"),
        ({"name": "a.jpg", "size": 1}, "type"),
        ({"name": "a\0.jpg", "size": 1, "type": "image/jpeg"}, "name"),
        ({"name": "a\ud800.jpg", "size": 1, "type": "image/jpeg"}, "name"),
        ({"name": "a.jpg", "type": "image/jpeg", "owner": "me"}, "unknown_field"),
        (["cat.jpg"], "malformed"),
    ],
)
def test_an_upload_that_is_not_well_formed_is_refused(
    client: Client, gallery: Gallery, body: object, code: str
) -> None:
    """422 with the part that is wrong, and no row."""
    answer = client.send("POST", "/api/v1/uploads", body)
    assert (422, code) == (answer.status, answer.json["code"])
    assert {} == gallery.images.rows


def test_what_is_uploaded_together_has_one_id(client: Client, gallery: Gallery) -> None:
    """A UUID of the caller's choice, kept in small letters; null or nothing is none."""
    batch = "7F0C3C2E-5A52-4F39-9D53-9F3D0B5A6F10"
    for more in ({"batch": batch}, {"batch": None}, {}):
        body = {"name": "cat.jpg", "type": "image/jpeg", **more}
        assert 201 == client.send("POST", "/api/v1/uploads", body).status
    assert [batch.lower(), None, None] == [row.batch_id for row in gallery.images.rows.values()]


@pytest.mark.parametrize(
    "batch", ["", "x", "7f0c3c2e5a524f399d539f3d0b5a6f10", "{7f0c3c2e-5a52-4f39-9d53-9f3d0b5a6f10}"]
)
def test_an_id_of_a_batch_that_is_none_is_refused(client: Client, gallery: Gallery, batch: str) -> None:
    """422, and no row."""
    body = {"name": "cat.jpg", "type": "image/jpeg", "batch": batch}
    answer = client.send("POST", "/api/v1/uploads", body)
    assert (422, "batch", {}) == (answer.status, answer.json["code"], gallery.images.rows)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"name": NaN}',
        b'{"name": "a", "name": "b"}',
        b"\xff\xfe{}",
        b"[" * 30_000,
        b'{"size": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_not_json_is_refused(client: Client, body: bytes) -> None:
    """400, whatever is wrong with it."""
    answer = client.request("POST", "/api/v1/uploads", body, {"Content-Type": "application/json"})
    assert (400, "malformed") == (answer.status, answer.json["code"])


@pytest.mark.parametrize("kind", ["text/plain", "", "application/json; charset=latin-1", "multipart/form-data"])
def test_another_media_type_is_refused(client: Client, kind: str) -> None:
    """415: a page of another site can send those without asking."""
    answer = client.request("POST", "/api/v1/uploads", b"{}", {"Content-Type": kind})
    assert 415 == answer.status


def test_one_photo(client: Client, gallery: Gallery) -> None:
    """Every member, as programs rely on them."""
    image = add_done(
        gallery,
        visible_text="OPEN",
        safety=Safety.OK,
        source=Source.GEMINI,
        model="gemini-3.5-flash-lite",
        taken_at=datetime(2026, 7, 1, 18, 30, 5, tzinfo=UTC),
        camera="Nikon Z 5",
    )
    bucket = "http://bucket.localhost:9"
    key = image.public_id
    assert {
        "id": key,
        "version": image.version,
        "name": "cat.jpg",
        "status": "done",
        "status_text": "Done",
        "settled": True,
        "retryable": False,
        "message": None,
        "caption": "A cat asleep on a windowsill.",
        "alt_text": "A grey cat sleeps on a sunny windowsill.",
        "alt": "A grey cat sleeps on a sunny windowsill.",
        "tags": ["cat", "window"],
        "visible_text": "OPEN",
        "safety": "ok",
        "source": "gemini",
        "source_text": "Described by Gemini (gemini-3.5-flash-lite)",
        "source_label": "Gemini",
        "provisional": False,
        "caption_source": "gemini",
        "alt_text_source": "gemini",
        "tags_source": "gemini",
        "alt_text_may_not_fit": False,
        "caption_language": "en",
        "alt_language": "en",
        "tags_language": "en",
        "model": "gemini-3.5-flash-lite",
        "thumbnail_url": f"{bucket}/derived/thumbnails/{key}/200.webp?X-Amz-Signature=made-up",
        "thumbnail_2x_url": f"{bucket}/derived/thumbnails/{key}/400.webp?X-Amz-Signature=made-up",
        "grid_url": f"{bucket}/derived/thumbnails/{key}/grid.webp?X-Amz-Signature=made-up",
        "display_url": f"{bucket}/derived/display/{key}/1600.webp?X-Amz-Signature=made-up",
        "original_url": f"{bucket}/uploads/raw/{key}.jpg?X-Amz-Signature=made-up",
        "placeholder": image.placeholder,
        "width": 4000,
        "height": 3000,
        "media_type": "image/jpeg",
        "size": 1234567,
        "uploaded_at": "2026-11-21T09:01:00.000Z",
        "taken_at": "2026-07-01T18:30:05",
        "camera": "Nikon Z 5",
        "tasks": [
            {"kind": kind, "status": "done", "error": None, "message": None, "attempts": 1, "next_at": None}
            for kind in ("thumbnail", "caption")
        ],
    } == client.get(f"/api/v1/images/{key}").json


def test_a_photo_that_is_not_there(client: Client) -> None:
    """404, whether it never was or cannot be."""
    for name in (UNKNOWN, "x", "'; DROP TABLE images; --", "ü"):
        assert 404 == client.get(f"/api/v1/images/{name}").status


def test_pages_follow_one_another_by_cursor(client: Client, gallery: Gallery) -> None:
    """Newest first; null at the end."""
    ids = [add_done(gallery, f"{number}.jpg").public_id for number in range(5)]
    first = client.get("/api/v1/images?limit=3").json
    second = client.get(f"/api/v1/images?limit=3&cursor={first['next']}").json
    assert ids[::-1] == [image["id"] for image in first["images"] + second["images"]]
    assert second["next"] is None


def test_a_search_finds_words(client: Client, gallery: Gallery) -> None:
    """The name is UTF-8, percent-encoded."""
    add_done(gallery, "cat.jpg")
    add_done(gallery, "dog.jpg", caption="Ein Hund, größer als früher.")
    answer = client.get("/api/v1/images?q=gr%C3%B6%C3%9Fer+hund").json
    assert ["dog.jpg"] == [image["name"] for image in answer["images"]]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=1.0", "limit=%C2%B2", "cursor=x", "q=" + "x" * 201],
)
def test_a_query_that_is_not_well_formed_is_refused(client: Client, query: str) -> None:
    """422 in one sentence."""
    answer = client.get(f"/api/v1/images?{query}")
    assert (422, "application/problem+json") == (answer.status, answer.headers["content-type"])


@pytest.mark.parametrize("query", ["q=%FF", "q=a&q=b", "q=%00", "&".join(f"a{n}=1" for n in range(65))])
def test_a_query_that_no_program_means_is_refused(client: Client, query: str) -> None:
    """400: not UTF-8, twice, NUL, or endless."""
    assert 400 == client.get(f"/api/v1/images?{query}").status


def test_many_are_asked_after_at_once(client: Client, gallery: Gallery) -> None:
    """The order is that of the request; unknown ids are left out."""
    one, two = add_done(gallery).public_id, add_image(gallery).public_id
    answer = client.get(f"/api/v1/images?ids={two},{UNKNOWN},nonsense,{one},").json
    assert ([two, one], None) == ([image["id"] for image in answer["images"]], answer["next"])


def test_more_than_a_hundred_at_once_are_refused(client: Client) -> None:
    """A poll transfers little."""
    assert 422 == client.get("/api/v1/images?ids=" + ",".join([UNKNOWN] * 101)).status
    assert 200 == client.get("/api/v1/images?ids=" + ",".join([UNKNOWN] * 100)).status


def test_a_poll_that_finds_nothing_new_is_a_304(client: Client, gallery: Gallery) -> None:
    """The response is 304 until something changes."""
    image = add_image(gallery)
    for path in (
        "/api/v1/images",
        f"/api/v1/images/{image.public_id}",
        f"/api/v1/images/{image.public_id}/status",
    ):
        first = client.get(path)
        again = client.get(path, If_None_Match=f'"other", W/{first.headers["etag"].removeprefix("W/")}')
        assert (304, b"", first.headers["etag"]) == (again.status, again.body, again.headers["etag"])
    gallery.images.set_task(image.public_id, TaskKind.CAPTION, TaskStatus.PROCESSING)
    assert 200 == client.get(path, If_None_Match=first.headers["etag"]).status


def test_the_status_of_one(client: Client, gallery: Gallery) -> None:
    """Only what changes, with the reason and when it is tried again."""
    image = add_image(gallery)
    when = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    gallery.images.set_task(
        image.public_id,
        TaskKind.CAPTION,
        TaskStatus.RETRY,
        attempts=2,
        error="rate_limited",
        message="The model asks us to wait.",
        next_at=when,
    )
    answer = client.get(f"/api/v1/images/{image.public_id}/status").json
    assert ["id", "status", "settled", "message", "tasks"] == list(answer)
    assert ("waiting", False, "The model asks us to wait.") == (
        answer["status"],
        answer["settled"],
        answer["message"],
    )
    assert {
        "kind": "caption",
        "status": "retry",
        "error": "rate_limited",
        "message": "The model asks us to wait.",
        "attempts": 2,
        "next_at": "2026-11-21T12:30:00.000Z",
    } == answer["tasks"][1]


def test_what_failed_is_tried_again(client: Client, gallery: Gallery) -> None:
    """202: the work goes on after the answer, handed to its queue."""
    image = add_failed(gallery)
    answer = client.request("POST", f"/api/v1/images/{image.public_id}/retry")
    assert (202, "waiting") == (answer.status, answer.json["status"])
    assert [(TaskKind.CAPTION, image.image_key)] == gallery.queues.sent


def test_what_did_not_fail_is_not_tried_again(client: Client, gallery: Gallery) -> None:
    """409 in one sentence."""
    answer = client.request("POST", f"/api/v1/images/{add_done(gallery).public_id}/retry")
    assert (409, "conflict") == (answer.status, answer.json["code"])


def test_words_are_edited(client: Client, gallery: Gallery) -> None:
    """What is left out stays; the source is a person now."""
    image = add_done(gallery)
    answer = client.send(
        "PATCH", f"/api/v1/images/{image.public_id}", {"caption": "Élise’s cat", "tags": ["Cat"]}
    )
    assert 200 == answer.status
    assert ("Élise’s cat", image.alt_text, ["cat"], "human", "Edited by a person") == tuple(
        answer.json[name] for name in ("caption", "alt_text", "tags", "source", "source_text")
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"caption": None},
        {"caption": 1},
        {"caption": "x" * 1001},
        {"caption": "a\x07"},
        {"tags": "cat"},
        {"tags": [1]},
        {"tags": ["x" * 51]},
        {"tags": [f"tag {n}" for n in range(21)]},
        {"id": "x"},
        {"shown": {"caption": "x"}},
        {"caption": "x", "shown": None},
        {"caption": "x", "shown": {"name": "x"}},
        {"caption": "x", "shown": {"caption": 1}},
    ],
)
def test_an_edit_that_is_not_well_formed_is_refused(client: Client, gallery: Gallery, body: object) -> None:
    """422, and nothing has changed."""
    image = add_done(gallery)
    assert 422 == client.send("PATCH", f"/api/v1/images/{image.public_id}", body).status
    assert image == gallery.get(image.public_id)


def test_deleted_and_restored(client: Client, gallery: Gallery) -> None:
    """The image leaves the list at once, stays available by its id, and can be restored."""
    path = f"/api/v1/images/{add_done(gallery).public_id}"
    assert (204, b"") == ((answer := client.request("DELETE", path)).status, answer.body)
    assert 204 == client.request("DELETE", path).status
    assert [] == client.get("/api/v1/images").json["images"]
    shown = client.get(path).json
    assert ("deleted", None, None) == (shown["status"], shown["thumbnail_url"], shown["original_url"])
    assert "done" == client.request("POST", f"{path}/restore").json["status"]
    assert 1 == len(client.get("/api/v1/images").json["images"])


@pytest.mark.parametrize(
    ("method", "ending"),
    [("PATCH", ""), ("DELETE", ""), ("POST", "/retry"), ("POST", "/restore"), ("GET", "/status")],
)
def test_what_is_not_there_cannot_be_changed(client: Client, method: str, ending: str) -> None:
    """404 everywhere."""
    assert 404 == client.send(method, f"/api/v1/images/{UNKNOWN}{ending}", {"caption": "x"}).status


def test_failures_say_why(client: Client, gallery: Gallery) -> None:
    """A rejected file, a model that declined, an upload that never came."""
    rejected = add_image(gallery)
    gallery.images.set_task(
        rejected.public_id, TaskKind.THUMBNAIL, TaskStatus.SKIPPED, message="It is damaged."
    )
    gallery.images.set_task(rejected.public_id, TaskKind.CAPTION, TaskStatus.SKIPPED)
    gallery.images.change(rejected.public_id, upload_status=UploadStatus.REJECTED)
    blocked = add_done(gallery)
    gallery.images.set_task(blocked.public_id, TaskKind.CAPTION, TaskStatus.BLOCKED, message="It declined.")
    silent = add_done(gallery)
    gallery.images.set_task(silent.public_id, TaskKind.CAPTION, TaskStatus.FAILED)
    expired = add_image(gallery)
    gallery.images.change(expired.public_id, upload_status=UploadStatus.EXPIRED)
    found = [
        client.get(f"/api/v1/images/{image.public_id}").json for image in (rejected, blocked, silent, expired)
    ]
    assert [
        ("Not accepted", "It is damaged.", False),
        ("Declined", "It declined.", True),
        ("Failed", "It could not be finished.", True),
        ("Never arrived", "The file never arrived. Upload it again.", False),
    ] == [(image["status_text"], image["message"], image["retryable"]) for image in found]


def test_the_description_carries_the_limit_that_is_set_here(client: Client) -> None:
    """A program generated from the description uses the real limit."""
    answer = client.get("/api/v1/openapi.yaml")
    assert "application/yaml; charset=utf-8" == answer.headers["content-type"]
    assert "maximum: 20000000\n" in answer.text
