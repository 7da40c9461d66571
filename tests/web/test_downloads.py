"""Downloads: the routes, who gets what, and the photo with its words written into it."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image as Pillow

from imgcore.collections import downloads
from imgcore.collections.share_models import NewShare
from imgcore.gallery.models import Viewer
from imgcore.gallery.service import Gallery
from tests.support.hostile_texts import TEXTS
from tests.web.client import Answer, Client
from tests.web.fakes import add_done
from tests.web.peopling import Site

PATH = "/api/v1/download"


def names_in(answer: Answer) -> list[str]:
    assert (200, "application/zip", "no-store") == (
        answer.status,
        answer.headers["content-type"],
        answer.headers["cache-control"],
    )
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def test_api_sends_a_selection_in_the_order_of_the_ids(client: Client, gallery: Gallery) -> None:
    first, second = add_done(gallery, "a.jpg"), add_done(gallery, "b.jpg")
    ids = [second.public_id, first.public_id, "made-up"]
    answer = client.send("POST", PATH, {"ids": ids})
    assert ["b.jpg", "b.jpg.xmp", "a.jpg", "a.jpg.xmp"] == names_in(answer)[:4]
    assert 'filename="photos.zip"' in answer.headers["content-disposition"]
    assert ["b.webp", "b.webp.xmp"] == names_in(client.send("POST", PATH, {"ids": ids, "size": "display"}))[:2]


def test_api_and_page_send_an_album_under_its_name(client: Client, gallery: Gallery) -> None:
    body = {"name": "Été/1", "ids": [add_done(gallery).public_id]}
    album = client.send("POST", "/api/v1/albums", body).json["id"]
    answer = client.get(f"/api/v1/albums/{album}/download?size=display&excel=true")
    assert "cat.webp" in names_in(answer)
    assert "filename*=UTF-8''%C3%89t%C3%A9_1.zip" in answer.headers["content-disposition"]
    page = client.get(f"/albums/{album}")
    assert 'action="/download"' in page.text
    form = {"token": page.token, "album": album, "size": "original", "excel": "yes"}
    assert "cat.jpg" in names_in(client.post("/download", form))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ids": []}, "ids"),
        ({}, "ids"),
        ({"ids": ["x"] * 1001}, "ids"),
        ({"ids": ["x"], "size": "huge"}, "size"),
        ({"ids": ["x"], "excel": "yes"}, "excel"),
    ],
)
def test_api_refuses_a_malformed_request(client: Client, body: dict[str, object], code: str) -> None:
    answer = client.send("POST", PATH, body)
    assert (422, code) == (answer.status, answer.json["code"])


def test_too_many_downloads_are_refused_before_the_first_byte(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SLOT_WAIT", 0.0)
    body = {"ids": [add_done(gallery).public_id]}
    for _ in range(2):
        gallery.downloads._slots.acquire()
    answer = client.send("POST", PATH, body)
    assert (429, "busy", "60") == (answer.status, answer.json["code"], answer.headers["retry-after"])
    gallery.downloads._slots.release()
    assert "cat.jpg" in names_in(client.send("POST", PATH, body))
    assert "cat.jpg" in names_in(client.send("POST", PATH, body))


def test_member_of_an_album_gets_no_original_of_others(home: Site) -> None:
    app = home.app()
    owner, other = home.browser(app, "owner"), home.browser(app, "other")
    image = home.upload("owner", "private.jpg").public_id
    home.gallery.images.change(image, display_key=f"display/{image}/1600.webp")
    album = owner.send("POST", "/api/v1/albums", {"name": "Album", "ids": [image]}).json["id"]
    owner.send("PUT", f"/api/v1/albums/{album}/members/other", {"may": "view"})
    path = f"/api/v1/albums/{album}/download?size=original"
    assert ("private.jpg", "private.webp") == (names_in(owner.get(path))[0], names_in(other.get(path))[0])
    assert "left-out.txt" in names_in(other.send("POST", PATH, {"ids": [image]}))
    assert 404 == other.get(f"/images/{image}/embedded").status


def test_link_sends_an_archive_where_it_allows_downloads(home: Site) -> None:
    app = home.app()
    image = home.upload("owner", "private.jpg").public_id
    home.gallery.images.change(image, display_key=f"display/{image}/1600.webp")
    shares = home.gallery.shares.for_viewer(Viewer(home.people["owner"].id))
    closed, opened = (shares.create(NewShare(ids=(image,), download=each))[1] for each in (False, True))
    assert 404 == Client(app).get(f"/s/{closed}/all.zip").status
    answer = Client(app).get(f"/s/{opened}/all.zip")
    assert ["photo.webp", "photo.webp.xmp", "captions.csv", "captions.json"] == names_in(answer)
    assert ("noindex" in answer.headers["x-robots-tag"], b"private" in answer.body) == (True, False)


def jpeg() -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (8, 8), "red").save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("text", TEXTS)
def test_photo_has_its_words_in_its_own_metadata(client: Client, gallery: Gallery, text: str) -> None:
    image = add_done(gallery, "a.jpg", caption=text, alt_text=text, tags=(text,))
    gallery.storage.objects[image.image_key] = jpeg()
    answer = client.get(f"/images/{image.public_id}/embedded")
    assert (200, True) == (answer.status, 'filename="a.jpg"' in answer.headers["content-disposition"])
    with Pillow.open(io.BytesIO(answer.body)) as picture:
        assert (8, 8) == picture.size
        found = str(picture.getxmp())
    assert 3 == found.count(repr(text)[1:-1])


def test_photo_that_cannot_hold_words_says_so(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, "a.heic")
    answer = client.get(f"/images/{image.public_id}/embedded")
    assert (422, True) == (answer.status, "JPEG and PNG files only" in answer.text)
