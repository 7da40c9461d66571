"""The product as people meet it: `make run`, a real Chromium, photos, and everything that goes wrong."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pillow_heif
import pytest
from PIL import Image as Pillow
from PIL import ImageChops, ImageOps, ImageStat

from imgcore.gallery.models import UploadForm
from tests import images
from tests.browser.attack import ATTACK, OtherOrigin
from tests.browser.chromium import Browser
from tests.browser.whole import ROOT, Photo, Whole, alive, drop_from_disk, photos, whole
from tests.fake_gemini import FakeGemini
from tests.pipeline.stage import send

pytestmark = pytest.mark.timeout(600)
COUNT = 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder, shared by all starts of this file, with the resources of a first start.

    tests/deploy/test_local_run.py starts `make run` in an empty folder.
    """
    home = tmp_path_factory.mktemp("whole") / "home"
    subprocess.run([sys.executable, "-m", "tests.browser.provisioned", str(home)], cwd=ROOT, check=True)
    return home


@pytest.fixture(scope="module")
def first(home: Path) -> Iterator[Whole]:
    """The first start: empty, without a key. No process of it is left afterwards."""
    with whole(home) as running:
        assert "Ansible" not in running.output, "the resources of the folder are not those of `make run`"
        yield running
    assert (0, []) == (running.process.returncode, alive(home))


@pytest.fixture
def page(chromium: Browser, first: Whole) -> Iterator[Browser]:
    """A window as new, at that gallery."""
    chromium.prepare(first.origin)
    yield chromium
    assert [] == chromium.console()


def call(origin: str, path: str, data: Any = None) -> Any:
    """Ask the API; JSON in, JSON out."""
    body = None if data is None else json.dumps(data).encode()
    request = Request(f"{origin}/api/v1{path}", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def statuses(browser: Browser) -> list[str]:
    return browser.run(
        "return [...document.querySelectorAll('#grid .card')].map((card) => card.dataset.status)"
    )


@pytest.fixture
def emptied(first: Whole) -> None:
    """Move what other tests have uploaded to the trash."""
    for image in call(first.origin, "/images?limit=100")["images"]:
        urlopen(Request(f"{first.origin}/api/v1/images/{image['id']}", method="DELETE"), timeout=30).close()


@pytest.mark.usefixtures("emptied")
def test_an_empty_gallery_invites_and_its_samples_are_described(page: Browser) -> None:
    """One click: six photos, the cat among them, each with words and a picture."""
    page.open()
    page.find("#samples").click()
    page.wait(lambda: ["done"] * 6 == statuses(page), seconds=120)

    assert any("cat" in text for text in page.texts("#grid .caption"))
    assert not page.reloaded
    loaded = "return [...document.querySelectorAll('.thumb')].every((i) => i.complete && i.naturalWidth > 100)"
    page.wait(lambda: page.run(loaded))


def test_twenty_photos_dropped_at_once_come_back_upright(page: Browser, tmp_path: Path) -> None:
    """JPEGs of a phone's size, one HEIC, one sideways: all described, upright, without a reload."""
    sent = photos(COUNT)
    for photo in sent:
        (tmp_path / photo.name).write_bytes(photo.data)
    page.open()
    drop_from_disk(page, [tmp_path / photo.name for photo in sent])

    page.wait(lambda: page.has("#tray", f"All {COUNT} photos described"), seconds=240)

    assert not page.reloaded
    assert {"done"} == set(statuses(page))
    listed = call(page.origin, f"/images?limit={COUNT}")["images"]
    shown = {image["name"]: image for image in listed}
    assert {photo.name for photo in sent} == set(shown)
    assert [] == [p.name for p in sent if not as_it_was(p, shown[p.name])]
    assert all(image["caption"] and image["alt_text"] and image["tags"] for image in listed)


def as_it_was(photo: Photo, image: dict[str, Any]) -> bool:
    """Whether the display image shows the same, the same way up."""
    with urlopen(image["display_url"], timeout=30) as answer:
        display = Pillow.open(io.BytesIO(answer.read())).convert("RGB")
    file = io.BytesIO(photo.data)
    opened = pillow_heif.open_heif(file).to_pillow() if photo.name.endswith(".heic") else Pillow.open(file)
    original = ImageOps.exif_transpose(opened).convert("RGB").resize(display.size)
    off = ImageStat.Stat(ImageChops.difference(display, original)).mean
    return list(photo.size) == [image["width"], image["height"]] and max(off) < 8


BAD = {
    "text.jpg": ("image/jpeg", images.not_an_image(), "not_an_image"),
    "truncated.jpg": ("image/jpeg", images.truncated(images.jpeg()), "damaged"),
    "bomb.png": ("image/png", images.bomb(), "too_many_pixels"),
    "packed.tif": (
        "image/tiff",
        images.encode(images.corners(), "TIFF", compression="jpeg"),
        "unsupported_type",
    ),
    "strip.png": ("image/png", images.strip(), "too_long"),
}


def test_bad_files_say_why_on_their_pages(page: Browser) -> None:
    """Past the page's own checks, straight through the API: each has its reason, and nothing is tried again."""
    ids = {}
    for name, (media_type, data, _) in BAD.items():
        made = call(page.origin, "/uploads", {"name": name, "size": len(data), "type": media_type})
        assert send(UploadForm(**made["form"]), data) == 201
        ids[name] = made["image"]["id"]
    said = {}
    for public_id in ids.values():
        page.open(f"/images/{public_id}")
        page.wait(lambda: page.has(".chip", "Not accepted"), seconds=30)
        [said[public_id]] = page.texts(".why")
    for name, (_, _, code) in BAD.items():
        tasks = call(page.origin, f"/images/{ids[name]}")["tasks"]
        assert {("skipped", code)} == {(task["status"], task["error"]) for task in tasks}, name
        assert said[ids[name]] == tasks[0]["message"]
        assert said[ids[name]].endswith(".")


def test_a_lying_size_is_refused_by_the_bucket(page: Browser) -> None:
    """More bytes than were announced: nothing is stored."""
    data = images.jpeg()
    made = call(page.origin, "/uploads", {"name": "lie.jpg", "size": 100, "type": "image/jpeg"})

    with pytest.raises(HTTPError) as caught:
        send(UploadForm(**made["form"]), data)
    assert 400 == caught.value.code


@pytest.mark.parametrize(("name", "data"), [("words.jpg", b"just some words"), ("nothing.jpg", b"")])
def test_the_page_refuses_before_it_sends(page: Browser, name: str, data: bytes) -> None:
    """A sentence, and no row on the server."""
    page.open()
    page.drop((name, data))

    (row,) = page.wait(lambda: [text for text in page.texts("#refused .why") if name in text])
    assert row.rpartition(name)[2].strip(")").strip(": ")
    assert name not in {image["name"] for image in call(page.origin, "/images?limit=100")["images"]}


KEPT = images.jpeg(640, 480)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_page_of_another_origin_that_attacks_the_emulator_changes_nothing(
    chromium: Browser, first: Whole, home: Path, name: str
) -> None:
    """It knows the port, and sends all that a browser lets it send."""
    made = call(first.origin, "/uploads", {"name": "kept.jpg", "size": len(KEPT), "type": "image/jpeg"})
    assert send(UploadForm(**made["form"]), KEPT) == 201
    chromium.wait(lambda: call(first.origin, f"/images/{made['image']['id']}")["status"] == "done", seconds=60)
    port = json.loads((home / "emulator.json").read_text())["port"]
    with ThreadingHTTPServer(("127.0.0.1", 0), OtherOrigin) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        chromium.prepare(f"http://{name}:{server.server_port}")
        chromium.open()
        chromium.driver.set_script_timeout(60)
        attacks = chromium.driver.execute_async_script(ATTACK, f"http://127.0.0.1:{port}")
        server.shutdown()
    chromium.console()  # full of refusals, as it should be

    assert 7 * 7 == attacks
    image = call(first.origin, f"/images/{made['image']['id']}")
    assert "done" == image["status"]
    for url in (image["thumbnail_url"], image["display_url"], image["original_url"]):
        with urlopen(url, timeout=30) as answer:
            assert 200 == answer.status
    again = call(first.origin, "/uploads", {"name": "after.jpg", "size": len(KEPT), "type": "image/jpeg"})
    assert send(UploadForm(**again["form"]), KEPT) == 201
    chromium.wait(lambda: call(first.origin, f"/images/{again['image']['id']}")["status"] == "done", seconds=60)


@pytest.fixture
def ids_after_stop(first: Whole, home: Path) -> set[str]:
    """Stop the first start, which no later test can use; the ids of its photos."""
    made = call(first.origin, "/uploads", {"name": "before.jpg", "size": len(KEPT), "type": "image/jpeg"})
    assert send(UploadForm(**made["form"]), KEPT) == 201
    ids = {image["id"] for image in call(first.origin, "/images?limit=100")["images"]}
    first.stop()
    assert (0, []) == (first.process.returncode, alive(home))
    return ids


def test_after_a_restart_everything_is_there_and_a_wrong_key_is_said(
    chromium: Browser, ids_after_stop: set[str], home: Path
) -> None:
    """The terminal says it, the page says it, and photos are described locally all the same."""
    with (
        FakeGemini(key="the-right-one") as gemini,
        whole(home, GEMINI_API_KEY="made-up", GEMINI_BASE_URL=gemini.url) as again,
    ):
        chromium.prepare(again.origin)
        chromium.open()
        notice = chromium.wait(lambda: chromium.texts(".notice"))
        chromium.drop(("new.jpg", images.jpeg(800, 600, seed=9)))
        chromium.wait(lambda: newest(again)["name"] == "new.jpg" and newest(again)["caption"], seconds=60)
        last, found = newest(again), call(again.origin, "/images?limit=100")["images"]

    assert "rejected the API key" in again.output
    assert "rejected the API key" in notice[0]
    assert ("new.jpg", "local") == (last["name"], last["source"])
    assert ids_after_stop < {image["id"] for image in found}
    assert "made-up" not in again.output
    assert [] == alive(home)


def newest(running: Whole) -> dict[str, Any]:
    """The photo on top."""
    found: dict[str, Any] = call(running.origin, "/images?limit=1")["images"][0]
    return found
