"""The steps of the journey through the page: what a new user does, and what must be seen then."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from selenium.webdriver.common.keys import Keys

from imgcore.accounts.service import Accounts
from imgcore.gallery.models import Image
from tests.drills.exiftool_reads import exiftool, words_in
from tests.drills.tour_hands import Hands, Window
from tests.support.waiting import wait_for
from tests.web.stage import Stage

SIZE = (1280, 800)
COUNT = 60
SUBJECTS = {
    "astronaut": ("An astronaut in an orange suit smiles in front of a flag.", ("astronaut", "portrait")),
    "cat": ("A ginger cat looks into the camera.", ("cat", "animal")),
    "coffee": ("A cup of coffee stands on a saucer with a spoon.", ("coffee", "table")),
    "dogs": ("Two dogs look over a wooden fence.", ("dog", "animal")),
    "mountains": ("Mountains rise behind a valley.", ("mountain", "landscape")),
    "pagoda": ("A pagoda stands above the trees.", ("pagoda", "landscape")),
}
ALL = len(SUBJECTS) + COUNT
WAIT = 90.0  # seconds
ACCOUNT = "annegret"
PASSWORD = "a made-up password"
ALBUM = "A week in autumn"
PAGES = (
    "/about", "/account", "/accounts", "/activity", "/admin/jobs", "/albums", "/campaigns", "/security-log",
    "/shared", "/spending", "/tags", "/trash", "/upload", "/webhooks", "/nowhere",
)  # fmt: skip
TEXT = "return document.querySelector(arguments[0])?.textContent ?? ''"
CARDS = "return document.querySelectorAll('#grid .tiles .card').length"
NEWEST = "window.scrollTo(0, 0); return document.querySelector('#grid').textContent"
IN_WINDOW = """
const frame = document.querySelector(`#grid .tiles [data-id="${arguments[0]}"] .frame`);
const {top, bottom} = frame?.getBoundingClientRect() ?? {};
return top > 0 && bottom < innerHeight;
"""
UNFINISHED = """
return document.querySelectorAll("#grid .tiles .card:not([data-status=done])").length;
"""


class Eyes(Protocol):
    """What is looked at, and how."""

    def show(self, step: str, window: Window) -> None: ...
    def check(self, step: str, window: Window) -> None: ...


@dataclass(frozen=True)
class Tour:
    """One journey. visitor: somebody else's browser. photos: the folder with those that are added."""

    window: Window
    visitor: Window
    hands: Hands
    stage: Stage
    accounts: Accounts
    photos: Path
    eyes: Eyes

    def show(self, step: str) -> None:
        """Let the window be looked at."""
        self.eyes.show(step, self.window)

    def text(self, selector: str) -> str:
        """Return the text of the first element that fits."""
        return str(self.window.run(TEXT, selector))

    def expect(self, selector: str, text: str) -> None:
        """Wait until an element has a text."""
        self.wait(lambda: text in self.text(selector))

    def expect_cards(self, least: int = 6) -> None:
        """Wait until the timeline shows photos."""
        self.wait(lambda: self.window.run(CARDS) >= least)

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Return the first true value of a condition. AssertionError: the text of the page, if none comes."""
        try:
            return wait_for(condition, WAIT)
        except AssertionError as error:
            raise AssertionError(self.window.run("return document.body.innerText")) from error

    @property
    def done(self) -> list[Image]:
        """The photos that are described."""
        return [image for image in self.stage.images.rows.values() if image.status == "done"]

    @property
    def is_complete(self) -> bool:
        """Whether each file is one photo. Uploads that the reload has cut are deleted and began anew."""
        counts = Counter(image.status for image in self.stage.images.rows.values())
        return counts["done"] == ALL and counts.keys() <= {"done", "deleted"}


def set_up(tour: Tour) -> None:
    """Create the first account."""
    tour.window.open()
    token = tour.accounts.offer_set_up()
    assert token
    tour.show("01 set-up")
    for field, text in (("setup_token", token), ("name", ACCOUNT), ("password", PASSWORD)):
        tour.hands.write(f"#{field}", text)
    tour.hands.activate("main button[type=submit]")
    tour.wait(lambda: tour.window.run("return document.getElementById('samples')?.hidden === false"))
    tour.show("02 empty")


def add_samples(tour: Tour) -> None:
    """Add the samples."""
    tour.hands.activate("#samples")
    tour.wait(lambda: len(tour.done) == len(SUBJECTS))
    tour.expect("#tray", "All 6 photos described")
    tour.show("03 samples")


def add_folder(tour: Tour) -> None:
    """Add a folder of sixty; reload in the middle, lose the line, and watch the rest from a second tab."""
    window, bucket = tour.window, tour.stage.bucket
    arrive, arrived = bucket.on_object, []

    def hold_in_the_middle(key: str, data: bytes) -> None:
        arrive(key, data)
        arrived.append(key)
        if len(arrived) == COUNT // 2:
            bucket.hold.clear()

    bucket.on_object = hold_in_the_middle
    tour.hands.add([tour.photos])
    tour.wait(lambda: tour.text("#tray").startswith("Described"))
    tour.show("04 uploading")
    tour.wait(lambda: len(tour.done) > len(SUBJECTS) + COUNT // 3)
    window.reload()
    tour.wait(lambda: f" of {COUNT} left" in tour.text("#tray"))
    bucket.hold.set()
    tour.stage.bucket.faults += ["drop"] * 3  # fewer than the attempts of one upload
    tour.show("05 continued")
    window.new_tab()
    window.open()
    tour.wait(lambda: len(tour.done) == ALL)
    tour.expect("#grid", f" · {ALL}")
    tour.wait(lambda: window.run(CARDS) > 6 and window.run(UNFINISHED) == 0)
    assert not tour.stage.bucket.faults
    assert tour.is_complete
    tour.show("06 second tab")


def add_again(tour: Tour) -> None:
    """Add one of the photos once more."""
    tour.hands.add([min(tour.photos.iterdir())])
    tour.expect("#present h2", "1 photo is here already")
    tour.show("07 duplicate")
    tour.hands.activate("#present .buttons button:last-child")
    assert tour.is_complete


def spread(tour: Tour) -> None:
    """The photos turn out to be of many months."""
    day = datetime(2026, 11, 20, 12)  # noqa: DTZ001 - a camera knows no time zone
    for number, image in enumerate(tour.done):
        tour.stage.images.change(image.public_id, taken_at=day - timedelta(days=4 * number))
    # The page keeps its place: at the photo that was the first one in the window
    tour.wait(lambda: "October 2026" in tour.window.run(NEWEST))
    tour.show("08 months")


def look_for(tour: Tour) -> None:
    """Search, then filter by month and tag."""
    tour.hands.search("cat")
    tour.wait(lambda: tour.text("#count") == "11 photos")
    tour.expect_cards(3)
    tour.show("09 search")
    tour.hands.activate("#chips button")
    tour.wait(lambda: tour.text("#count") == "")
    tour.hands.activate(".filters summary")
    tour.hands.write_month("[name=month]", "2026", "10", "October")
    tour.hands.write("[name=tag]", "animal")
    tour.window.press(Keys.ENTER)
    tour.wait(lambda: tour.window.run("return location.search") == "?month=2026-10&tag=animal")
    tour.expect("#count", "photo")
    tour.show("10 filters")
    tour.window.open()
    tour.expect_cards()


def look_at(tour: Tour) -> None:
    """Open a photo, write its caption, and go back to the same place."""
    window = tour.window
    window.run("window.scrollTo(0, 1200)")
    tour.wait(lambda: window.run("return window.scrollY") > 1000)
    tour.hands.open_photo()
    tour.wait(lambda: window.run("return document.getElementById('viewer')?.open"))
    photo = window.run("return location.pathname").removeprefix("/photo/")
    tour.expect("#viewer", f" of {ALL}")
    tour.show("11 viewer")
    window.press("e")
    tour.wait(lambda: window.run("return document.activeElement.id") == "edit-caption")
    tour.hands.write("#edit-caption", "The words of a person")
    window.press(Keys.ENTER)
    tour.expect("#edit-caption-state", "Saved.")
    tour.show("12 edited")
    window.back()
    tour.wait(lambda: not window.run("return document.getElementById('viewer').open"))
    tour.wait(lambda: window.run(IN_WINDOW, photo))


def collect(tour: Tour) -> None:
    """Select ten photos, give them a tag, and put them into an album."""
    tour.hands.pick("#density", "compact", "Compact")
    tour.expect_cards(20)
    tour.hands.select(10)
    tour.expect("#select-bar p", "10 selected")
    tour.show("13 selection")
    tour.hands.activate("#select-bar [data-action=tags]")
    tour.hands.write("#bulk-tags", "holiday")
    tour.hands.activate("dialog[open] .buttons button")
    tour.wait(lambda: sum("holiday" in image.tags for image in tour.done) == 10)
    tour.hands.activate("#select-bar [data-action=album]")
    tour.hands.write("#bulk-album", ALBUM)
    tour.hands.activate("dialog[open] .buttons button")
    tour.wait(lambda: [10] == [album.images for album in tour.stage.gallery.albums.listed().albums])


def share(tour: Tour) -> None:
    """Share the album with somebody who has no account, and download it."""
    tour.hands.activate("nav a[href='/albums']")
    tour.hands.activate("a.album")
    tour.expect("h1", ALBUM)
    tour.show("14 album")
    tour.hands.activate("[action='/download'] [type=submit]")
    read_archive(tour)
    tour.hands.activate("main a[href^='/shared/new']")
    tour.hands.activate("main form [type=submit]")
    link = tour.wait(lambda: tour.window.run("return document.getElementById('url')?.value"))
    tour.eyes.check("the link", tour.window)
    tour.visitor.open(urlsplit(link).path)
    assert tour.visitor.run("return document.querySelectorAll('main img').length") == 10
    assert ACCOUNT not in tour.visitor.run("return document.body.innerText")
    tour.eyes.show("15 shared", tour.visitor)


def read_archive(tour: Tour) -> None:
    """Another program reads the words of the ten photos."""
    [archive] = tour.wait(lambda: list(tour.window.downloads.glob("*.zip")))
    folder = tour.photos.parent / "archive"
    tour.wait(lambda: zipfile.is_zipfile(archive))
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    archive.unlink()
    read = words_in(exiftool(folder.parent), folder)
    found = [words for name, words in read.items() if name.endswith(".xmp")]
    wanted = [image for image in tour.done if "holiday" in image.tags]
    assert sorted([image.caption, image.alt_text, list(image.tags)] for image in wanted) == sorted(found)


def throw_away(tour: Tour) -> None:
    """Move a photo to the trash, and restore it there."""
    tour.window.open()
    tour.expect_cards()
    tour.hands.remove()
    tour.wait(lambda: tour.window.run("return document.querySelector('#toast [data-undo]') !== null"))
    tour.eyes.check("undo", tour.window)
    tour.hands.activate("nav a[href='/trash']")
    tour.wait(lambda: 1 == tour.window.run("return document.querySelectorAll('.trash > li').length"))
    tour.show("16 trash")
    tour.hands.activate(".trash form button")
    tour.wait(lambda: len(tour.done) == ALL)


def fail(tour: Tour) -> None:
    """Add a file that is no photo, and a photo that the model does not describe."""
    text, cat = tour.photos.parent / "notes.txt", tour.photos.parent / "cat again.jpg"
    text.write_bytes(b"no photo")
    cat.write_bytes(min(tour.photos.glob("cat*")).read_bytes() + b"\0")
    tour.stage.words[cat.name] = "The model did not answer. Try again later."
    tour.window.open()
    tour.expect_cards()
    tour.hands.pick("#density", "captions", "Captions")
    tour.hands.add([text, cat])
    tour.expect("#refused", "not a photo")
    tour.expect("#tray", "0 of 1 described · 1 failed")
    tour.expect("#grid", "The model did not answer.")
    tour.show("17 failures")


def visit_pages(tour: Tour) -> None:
    """Look at every other page, once it has something to show."""
    for page in PAGES:
        tour.window.open(page)
        assert tour.text("h1"), page
        tour.eyes.check(page, tour.window)


def look_at_night(tour: Tour) -> None:
    """Choose the dark theme, on a small phone."""
    window = tour.window
    window.open()
    tour.hands.activate(".account-menu summary")
    tour.hands.pick("#theme", "dark", "Dark")
    window.size(320, 640, mobile=True)
    window.open()
    tour.expect_cards(2)
    tour.show("18 phone")
    tour.hands.open_photo()
    tour.wait(lambda: window.run("return document.getElementById('viewer')?.open"))
    window.press("i")
    tour.wait(lambda: window.run("return document.getElementById('edit-caption')?.checkVisibility()"))
    tour.show("19 phone words")
    window.size(*SIZE)
    window.run("localStorage.clear()")


STEPS = (
    set_up, add_samples, add_folder, add_again, spread, look_for, look_at, collect, share, throw_away, fail,
    visit_pages, look_at_night,
)  # fmt: skip
