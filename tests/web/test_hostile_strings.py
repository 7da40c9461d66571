"""A thousand hostile texts as names, captions, tags and albums: shown, found, exported, mailed and sent."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from imgcore.db.webhook_events import add_deliveries
from imgcore.gallery.models import Image, UploadStatus
from imgcore.gallery.service import Gallery
from imgcore.notifications.messages import NEVER_ARRIVED, compose
from imgcore.notifications.models import FinishedBatch
from imgcore.text import one_line
from imgcore.webhooks.models import WebhookEvent
from tests.support.hostile_texts import TEXTS
from tests.web.client import Client
from tests.web.fakes import add_done, fake_gallery
from web.app import create_app

PHOTOS, TAGS = 100, 7
PIECES = (
    *TEXTS,
    "\u2066\u2069",
    "\u200f",
    "\u00ad",
    "🏳️\u200d🌈",
    "𝔘𝔫𝔦",
    "a" * 40,
    " ",
    "\u0600",
    "\u0f3a",
    "%00",
    "\\0",
)


def hostile(count: int) -> list[str]:
    """Return different texts of up to 50 characters, the same ones each time."""
    chance = random.Random(17)
    found = dict.fromkeys(TEXTS)
    while len(found) < count:
        text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))[:50].strip()
        if text:
            found[text] = None
    return list(found)[:count]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """One for all tests here: its photos take longer to write than to read."""
    gallery = fake_gallery(tmp_path_factory.mktemp("hostile"))
    yield gallery
    gallery.images.database.close()


@pytest.fixture(scope="module")
def client(gallery: Gallery) -> Client:
    """Calls the application over that gallery."""
    return Client(create_app(gallery))


@pytest.fixture(scope="module")
def photos(client: Client, gallery: Gallery) -> list[Image]:
    """Ten texts in each of 100 photos, written as people write them."""
    texts = iter(hostile(PHOTOS * (TAGS + 3)))
    found = []
    for _ in range(PHOTOS):
        image = add_done(gallery, next(texts), thumbnail_key=None)
        body = {"caption": next(texts), "alt_text": next(texts)}
        answer = client.send(
            "PATCH", f"/api/v1/images/{image.public_id}", body | {"tags": [next(texts) for _ in range(TAGS)]}
        )
        assert 200 == answer.status, answer.body
        found.append(gallery.get(image.public_id))
    return found


class Seen(HTMLParser):
    """Collects the elements, their attributes and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.handlers: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.said += data


def test_pages_show_texts_and_never_run_them(client: Client, photos: list[Image]) -> None:
    plain = None
    for image in photos:
        page = Seen()
        page.feed(client.get(f"/images/{image.public_id}").text)
        plain = plain if plain is not None else page.elements.count("script")
        assert ([], plain) == (page.handlers, page.elements.count("script"))
        assert image.caption is not None
        assert " ".join(image.caption.split()) in " ".join(page.said.split())


def test_export_holds_every_text(client: Client, photos: list[Image]) -> None:
    answer = client.send(
        "POST", "/api/v1/download", {"ids": [image.public_id for image in photos], "size": "original"}
    )
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        names = archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read("captions.csv").decode(), newline="")))
        words = json.loads(archive.read("captions.json"))
        sidecars = [ElementTree.fromstring(archive.read(name)) for name in names if name.endswith(".xmp")]
    assert len(names) == len({name.casefold() for name in names})
    for name in names:
        path = PurePosixPath(name)
        assert (name, False) == (path.name, name.startswith((".", "~")) and name in (".", ".."))
    expected = {image.public_id: image for image in photos}
    assert len(photos) == len(rows) == len(words) == len(sidecars)
    for row, word in zip(rows, words, strict=True):
        image = expected[word["id"]]
        assert (image.caption, image.alt_text, list(image.tags)) == (
            word["caption"],
            word["alt_text"],
            word["tags"],
        )
        assert row["caption"] in (image.caption, f"'{image.caption}")
    said = {" ".join("".join(sidecar.itertext()).split()) for sidecar in sidecars}
    assert len(said) == len(photos)


def test_webhook_sends_every_text_as_plain_ascii_json(gallery: Gallery, photos: list[Image]) -> None:
    assert gallery.webhooks is not None
    gallery.webhooks.create("https://example.org/hook", ["photo.described"])
    for image in photos:
        gallery.images.database.run(
            lambda tx, image=image: add_deliveries(
                tx, WebhookEvent.PHOTO_DESCRIBED, owner_id=None, image_id=image.id
            )
        )
    claims = gallery.webhooks.rows.claim_due(limit=PHOTOS, lease=60.0, public_url=None)
    sent = {claim.body for claim in claims}
    assert all(body.isascii() for body in sent)
    sent_photos = {json.loads(body)["photo"]["id"]: json.loads(body)["photo"] for body in sent}
    for image in photos:
        photo = sent_photos[image.public_id]
        assert (image.name, image.caption, list(image.tags)) == (photo["name"], photo["caption"], photo["tags"])


def test_search_takes_every_text_and_finds_its_words(client: Client, photos: list[Image]) -> None:
    searched = 0
    for image in photos:
        assert image.caption is not None
        for query in (image.caption, f'"{image.caption}"', f"-{image.caption}"):
            answer = client.get(f"/api/v1/images?{urlencode({'q': query})}")
            assert answer.status == 200 or (answer.status, answer.json["code"]) == (400, "query"), answer.text
        for word in filter(re.compile("[a-z]{3,32}").fullmatch, image.caption.split()):
            searched += 1
            assert image.public_id in found_by(client, word)
    assert searched > 10


def found_by(client: Client, query: str) -> list[str]:
    """Return the ids of all photos that a search finds."""
    answer = client.get(f"/api/v1/images?{urlencode({'q': query, 'limit': PHOTOS})}")
    assert answer.json["next"] is None
    return [image["id"] for image in answer.json["images"]]


def test_mail_names_every_file_on_a_line_of_its_own() -> None:
    begun = datetime(2026, 11, 28, tzinfo=UTC)
    for text in hostile(1000):
        failed = Image(1, "0" * 32, "raw/0.jpg", text, UploadStatus.EXPIRED, begun, ())
        message = compose(FinishedBatch(7, "t", 1, "o", "ada", begun, 1, 1, (failed,)), "https://example.org")
        lines = message.body.splitlines()
        assert (message.subject, len(lines)) == ("1 photo failed", 8)
        assert lines[2:4] == [f"1 failed: {NEVER_ARRIVED}", f"  {one_line(text)}"]
        assert lines[-1] == "You subscribed to these notifications. To unsubscribe: https://example.org/account"


def test_album_keeps_its_name(client: Client) -> None:
    for name in hostile(200):
        answer = client.send("POST", "/api/v1/albums", {"name": name})
        assert answer.status in (201, 422), answer.body
        if answer.status == 201:
            page = Seen()
            page.feed(client.get(f"/albums/{answer.json['id']}").text)
            assert [] == page.handlers
            assert " ".join(answer.json["name"].split()) in " ".join(page.said.split())
