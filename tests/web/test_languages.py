"""The language in which a reader sees captions: by header, by the switch, with lang on each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from imgcore.gallery.languages import parse
from imgcore.gallery.models import Image, Source
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done, add_image, fake_gallery
from web.app import create_app

ENGLISH, GERMAN = "A cat sleeps.", "Eine Katze schläft."
LANGUAGES = {
    "caption": {"en": None, "de": GERMAN},
    "alt_text": {"en": None, "de": "Schlafende Katze"},
    "tags": {"en": None, "de": ["katze"]},
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    """A gallery of two languages."""
    gallery = replace(fake_gallery(tmp_path), languages=parse("en,de"))
    yield gallery
    gallery.images.database.close()


@pytest.fixture
def image(gallery: Gallery) -> Image:
    """A photo whose model described it in both."""
    words = {"caption": ENGLISH, "alt_text": "Sleeping cat", "tags": ("cat",), "source": Source.GEMINI}
    return add_done(gallery, **words, languages=json.dumps(LANGUAGES))


@pytest.fixture
def client(gallery: Gallery) -> Client:
    return Client(create_app(gallery))


@pytest.mark.parametrize(
    ("header", "caption", "alt", "code"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", GERMAN, "Schlafende Katze", "de"),
        ("fr", ENGLISH, "Sleeping cat", "en"),
        ("", ENGLISH, "Sleeping cat", "en"),
    ],
)
def test_pages_and_api_show_the_language_of_the_browser(
    client: Client, image: Image, header: str, caption: str, alt: str, code: str
) -> None:
    """The caption, the alt attribute and the tags each say their language."""
    headers = {"Accept-Language": header}
    listed = client.get("/", **headers).text
    assert f'<p class="caption" dir="auto" lang="{code}">{caption}</p>' in listed
    assert f'alt="{alt}" lang="{code}"' in listed
    page = client.get(f"/images/{image.public_id}", **headers).text
    assert f'<h1 dir="auto" lang="{code}">{caption}</h1>' in page
    shown = client.get(f"/api/v1/images/{image.public_id}", **headers).json
    assert (caption, alt) == (shown["caption"], shown["alt_text"])
    assert [code] * 3 == [shown[f"{name}_language"] for name in ("caption", "alt", "tags")]


@pytest.mark.parametrize(("header", "code"), [("de", "de"), ("fr", "en")])
def test_albums_and_share_links_show_the_language_of_the_browser(
    client: Client, gallery: Gallery, image: Image, header: str, code: str
) -> None:
    """Visitors choose by their browser, and each of their texts says its language."""
    words = {"de": (GERMAN, "Schlafende Katze", "katze"), "en": (ENGLISH, "Sleeping cat", "cat")}
    caption, alt, tag = words[code]
    ids = [image.public_id, add_image(gallery).public_id]
    album = client.send("POST", "/api/v1/albums", {"name": "Trip", "ids": ids}).json["id"]
    link = urlsplit(client.send("POST", "/api/v1/shares", {"ids": ids}).json["url"]).path

    for path in (f"/albums/{album}", link):
        assert f'alt="{alt}" lang="{code}"' in client.get(path, **{"Accept-Language": header}).text
    for path in (f"/albums/{album}/images/{image.public_id}", f"{link}/{image.public_id}"):
        page = client.get(path, **{"Accept-Language": header}).text
        assert f'alt="{alt}" lang="{code}"' in page
        assert f'<figcaption dir="auto" lang="{code}">{caption}<' in page
        assert f'<li class="chip" dir="auto" lang="{code}">{tag}<' in page


def test_one_cache_serves_readers_of_each_language(client: Client, image: Image) -> None:
    """A reader never gets the page or the ETag of another language."""
    german, english = (client.get("/", **{"Accept-Language": code}) for code in ("de", "en"))
    assert (GERMAN in german.text, GERMAN in english.text) == (True, False)
    assert german.headers["etag"] != english.headers["etag"]


def test_switch_remembers_the_language_and_returns_to_the_page(client: Client, image: Image) -> None:
    page = client.get(f"/images/{image.public_id}?done=saved")
    link = f"/language/de?next=%2Fimages%2F{image.public_id}%3Fdone%3Dsaved"
    assert f'<a href="{link}" lang="de" hreflang="de">Deutsch</a>' in page.text
    assert ' hreflang="en" aria-current="true">English</a>' in page.text

    chosen = client.get(link)

    assert (303, f"/images/{image.public_id}?done=saved") == (chosen.status, chosen.headers["location"])
    [cookie] = chosen.set_cookies
    assert "HttpOnly" in cookie
    assert GERMAN in client.get("/", **{"Accept-Language": "en"}).text


def test_switch_returns_to_a_page_of_an_album_and_of_the_trash(client: Client, image: Image) -> None:
    """The forms of these pages lead back to the page as well, by an address of their own."""
    album = client.send("POST", "/api/v1/albums", {"name": "Trip", "ids": [image.public_id]}).json["id"]
    for path in (f"/albums/{album}", f"/albums/{album}?cursor=x", "/trash", "/trash?done=restored"):
        assert f'href="/language/de?next={quote(path, safe="")}"' in client.get(path).text


@pytest.mark.parametrize("onward", ["https://example.com", "//example.com", "/\\example.com", ""])
def test_switch_leads_to_no_other_host(client: Client, onward: str) -> None:
    assert "/" == client.get(f"/language/en?next={quote(onward, safe='')}").headers["location"]


def test_switch_to_an_unknown_language_is_not_found(client: Client) -> None:
    assert [404, 404] == [client.get(f"/language/{code}").status for code in ("fr", "x")]


def test_gallery_of_one_language_has_no_switch(tmp_path: Path) -> None:
    """The captions say their language all the same."""
    gallery = fake_gallery(tmp_path)
    add_done(gallery)
    page = Client(create_app(gallery)).get("/", **{"Accept-Language": "de"}).text
    gallery.images.database.close()
    assert "/language/" not in page
    assert '<p class="caption" dir="auto" lang="en">' in page


def test_words_written_in_the_chosen_language_say_so(client: Client, image: Image) -> None:
    path = f"/api/v1/images/{image.public_id}"
    edited = client.request(
        "PATCH", path, json.dumps({"caption": "Mieze."}).encode(), {"Accept-Language": "de", **JSON}
    ).json
    assert ("Mieze.", "de") == (edited["caption"], edited["caption_language"])
    english = client.get(path, **{"Accept-Language": "en"}).json
    assert ("Mieze.", "de", "Sleeping cat") == (
        english["caption"],
        english["caption_language"],
        english["alt_text"],
    )


def test_timeline_shows_the_language_of_the_browser(client: Client, image: Image) -> None:
    [month] = client.get("/api/v1/timeline").json["months"]
    path = f"/api/v1/timeline/{month['month']}"
    rows = [client.get(path, **{"Accept-Language": code}).json["photos"][0] for code in ("de", "en")]
    assert [(GERMAN, "de"), (ENGLISH, "en")] == [(row["caption"], row["caption_language"]) for row in rows]
