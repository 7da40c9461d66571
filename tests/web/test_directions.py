"""Characters that turn the direction of text: not stored, and without effect where they are stored already."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from imgcore.gallery.models import Edit
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done, add_image
from web.http.assets import SHEETS

OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
RIGHT_TO_LEFT = "می\u200cخواهم \u200f(ب)\u200e"
TURNED = "turned \u202egpj.exe"
VOID = {"meta", "link", "input", "img", "br", "path", "rect"}


class Isolated(HTMLParser):
    """Finds texts with an override that are outside of elements that isolate them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []
        self.isolated = 0
        self.loose: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        isolates = tag == "bdi" or ("dir", "auto") in attrs
        if tag not in VOID:
            self._open.append((tag, isolates))
        elif tag == "meta" and "\u202e" in str(attrs):
            self.loose.append(str(attrs))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "\u202e" in data:
            if any(isolates for _, isolates in self._open):
                self.isolated += 1
            else:
                self.loose.append(f"{self._open[-1]}: {data}")


@pytest.fixture
def image_id(gallery: Gallery) -> str:
    """A photo whose words were stored before they were cleaned."""
    image = add_done(gallery)
    turned = {"name": TURNED, "caption": TURNED, "alt_text": TURNED, "visible_text": TURNED}
    gallery.images.change(image.public_id, **turned, tags=(TURNED,))
    return image.public_id


def test_texts_of_people_are_stored_without_overrides(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery)
    body = {"caption": f"a{OVERRIDES}b", "alt_text": RIGHT_TO_LEFT, "tags": [f"c{OVERRIDES}d", RIGHT_TO_LEFT]}
    edited = client.send("PATCH", f"/api/v1/images/{image.public_id}", body).json
    assert ("ab", RIGHT_TO_LEFT) == (edited["caption"], edited["alt_text"])
    assert ["cd", RIGHT_TO_LEFT] == edited["tags"]
    tagged = {"ids": [image.public_id], "action": "add_tags", "tags": [f"e{OVERRIDES}f"]}
    assert 200 == client.send("POST", "/api/v1/bulk", tagged).status
    assert "ef" in gallery.get(image.public_id).tags
    album = {"name": "Trip", "description": f"{RIGHT_TO_LEFT}{OVERRIDES}\nend"}
    assert f"{RIGHT_TO_LEFT}\nend" == client.send("POST", "/api/v1/albums", album).json["description"]
    upload = {"name": "a.jpg", "size": 1000, "type": "image/jpeg", "hint": f"g{OVERRIDES}h"}
    uploaded = client.send("POST", "/api/v1/uploads", upload).json["image"]["id"]
    assert "gh" == gallery.get(uploaded).hint


def test_form_of_words_with_overrides_leaves_what_was_not_changed(
    client: Client, gallery: Gallery, image_id: str
) -> None:
    token = client.get("/upload").token
    shown = {"caption": TURNED, "alt_text": TURNED, "tags": TURNED}
    fields = {f"shown_{name}": text for name, text in shown.items()} | shown | {"caption": "Mine."}
    assert 303 == client.post(f"/images/{image_id}/edit", {"token": token, **fields}).status
    now = gallery.get(image_id)
    assert ("Mine.", TURNED, (TURNED,)) == (now.caption, now.alt_text, now.tags)


def test_stored_tag_with_an_override_can_be_removed_from_many_photos(
    client: Client, gallery: Gallery, image_id: str
) -> None:
    body = {"ids": [image_id], "action": "remove_tags", "tags": [TURNED]}
    assert "1 changed." == client.send("POST", "/api/v1/bulk", body).json["summary"]
    assert () == gallery.get(image_id).tags


def test_stored_overrides_are_isolated_on_pages(client: Client, gallery: Gallery, image_id: str) -> None:
    album = client.send("POST", "/api/v1/albums", {"name": "Trip", "ids": [image_id]}).json["id"]
    gallery.images.database.run(
        lambda tx: tx.execute("UPDATE albums SET name = :t, description = :t", t=TURNED)
    )
    other = add_image(gallery, TURNED).public_id
    gallery.images.change(other, name=TURNED)
    client.send("POST", f"/api/v1/albums/{album}/images", {"ids": [other]})
    shared = client.send("POST", "/api/v1/shares", {"album": album}).json["url"]
    link = "/s/" + shared.partition("/s/")[2]
    gallery.edit(image_id, Edit(alt_text="Changed."))
    gallery.images.change(image_id, alt_text=TURNED)
    pages = [
        "/",
        f"/images/{image_id}",
        f"/images/{image_id}/history",
        "/albums",
        f"/albums/{album}",
        f"/albums/{album}/add",
        f"/albums/{album}/images/{image_id}",
        "/shared",
        link,
        f"{link}/{image_id}",
    ]
    found = {path: Isolated(page.text) for path in pages if (page := client.get(path)).status == 200}
    assert pages == list(found)
    assert {path: [] for path in pages} == {path: page.loose for path, page in found.items()}
    assert [] == [path for path, page in found.items() if not page.isolated and path != "/"]


def test_each_style_sheet_isolates(client: Client) -> None:
    """Browsers do so by themselves, but for older ones."""
    base = Path(__file__).parents[2] / "web" / "static" / "css" / "base.css"
    assert "unicode-bidi: isolate;" in base.read_text("utf-8")
    assert [] == [name for name, parts in SHEETS.items() if "base" not in parts]
