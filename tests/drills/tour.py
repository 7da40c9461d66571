"""The journey through the page in Chromium and Firefox, and by keyboard alone; the pictures of docs/tour.

    python -m tests.drills.tour [chromium|firefox] [mouse|keyboard] [--save]

Each journey is that of tests/drills/tour_steps.py, in a gallery of its own with accounts; the other browser
opens its share link. At each step of a journey by mouse, and on every page at its end, axe-core may find
nothing, by day and by night. --save: write the pictures that Chromium shows by mouse into docs/tour.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.axe import axe_source, violations
from tests.browser.chromium import Browser, start
from tests.drills.marionette import SHOWN, Firefox
from tests.drills.tour_hands import Hands, Keyboard, Mouse, Window
from tests.drills.tour_steps import COUNT, SIZE, STEPS, SUBJECTS, Tour
from tests.support.sample_photos import sample_photos
from tests.support.waiting import wait_for
from tests.web.peopling import empty_site
from tests.web.stage import Stage, Words

JOURNEYS = (("Chromium", Mouse), ("Firefox", Mouse), ("Chromium", Keyboard), ("Firefox", Keyboard))
OUT = Path(__file__).parents[2] / "docs" / "tour"
MOST_BYTES = 150_000  # of a picture
PACE = 0.15  # seconds of each step of the pipeline: slow enough to be seen
# Whether everything in the window is loaded, decoded and at rest
READY = """
const seen = (element) => {
  const {top, bottom} = element.getBoundingClientRect();
  return element.checkVisibility() && bottom > 0 && top < innerHeight;
};
const images = [...document.images].filter(seen);
const bare = (image) => !image.hasAttribute("src") && image.closest("#grid [data-status=done]");
const moves = (animation) =>
  animation.playState === "running" && animation.effect.getComputedTiming().iterations !== Infinity;
if (images.some(bare) || document.getAnimations().some(moves)) return false;
const loaded = images.filter((image) => image.hasAttribute("src"));
return Promise.all(loaded.map((image) => image.decode().catch(() => {}))).then(() => true);
"""


class Chromium(Browser):
    """Chromium as a window of the journey."""

    def __init__(self, folder: Path) -> None:
        super().__init__(start(folder / "profile"))
        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        allowed = {"behavior": "allow", "downloadPath": str(self.downloads)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
        self._set_up()

    def _set_up(self) -> None:
        self.size(*SIZE)
        self.media(prefers_reduced_motion="reduce")

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()

    def reload(self) -> None:
        self.driver.refresh()

    def back(self) -> None:
        self.driver.back()

    def new_tab(self) -> None:
        self.driver.switch_to.new_window("tab")
        self._set_up()

    def click(self, selector: str) -> None:
        ActionChains(self.driver).move_to_element(self._element(selector)).click().perform()

    def fill(self, selector: str, text: str) -> None:  # type: ignore[override]
        field = self._element(selector)
        field.clear()
        field.send_keys(text)

    def choose(self, paths: Sequence[Path]) -> None:
        self.driver.find_element("css selector", "#files").send_keys("\n".join(map(str, paths)))

    def drop(self, paths: Sequence[Path]) -> None:  # type: ignore[override]
        """Drop files or folders as the system does: the page gets their entries."""
        files = [str(path) for path in paths]
        data = {"items": [], "files": files, "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            event = {"type": kind, "x": SIZE[0] // 2, "y": SIZE[1] // 2, "data": data}
            self.driver.execute_cdp_cmd("Input.dispatchDragEvent", event)

    def press(self, key: str, *modifiers: str) -> None:
        chain = ActionChains(self.driver)
        for each in modifiers:
            chain.key_down(each)
        chain.send_keys(key)
        for each in reversed(modifiers):
            chain.key_up(each)
        chain.perform()

    def type_month(self, year: str, month: str, name: str) -> None:
        """Type into the two parts of the field: the month by its first letter."""
        for key in (name[0], "\ue004", *year):
            self.press(key)

    def picture(self) -> bytes:
        return self.driver.get_screenshot_as_png()

    def _element(self, selector: str) -> WebElement:
        found: WebElement = self.wait(lambda: self.run(SHOWN, selector), 60)
        return found


class Observer:
    """Looks at each step: axe-core by day and by night, and a picture. keep: write the pictures."""

    def __init__(self, title: str, *, axe: str, keep: bool) -> None:
        self._title = title
        self._axe = axe
        self._keep = keep
        self.found: list[str] = []  # what axe-core has found

    def show(self, step: str, window: Window) -> None:
        """Look at a step. Its name is that of the picture, too."""
        wait_for(lambda: window.run(READY), 60)
        if self._keep:
            save(step, window.picture())
        self.check(step, window)
        print(f"{time.strftime('%X')} {self._title}: {step}", flush=True)

    def check(self, step: str, window: Window) -> None:
        """Let axe-core look at a window, by day and by night."""
        if not self._axe:
            return
        before = window.run("return document.documentElement.dataset.theme")
        for theme in ("light", "dark"):
            window.run("document.documentElement.dataset.theme = arguments[0]", theme)
            wait_for(lambda: window.run(READY), 60)
            found = [f"{self._title}: {step}, {theme}: {line}" for line in violations(window.run, self._axe)]
            self.found += found
            print(*found, sep="\n", end="\n" if found else "", flush=True)
        window.run("document.documentElement.dataset.theme = arguments[0]", before)


def main(arguments: list[str]) -> int:
    """Make the journeys. Return 1 where one of them ends early, or axe-core finds something."""
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    found, failed = 0, 0
    with tempfile.TemporaryDirectory() as name:
        chromium = Chromium(_folder(name, "chromium"))
        firefox = Firefox(_folder(name, "firefox"), SIZE)
        try:
            windows = {"Chromium": (chromium, firefox), "Firefox": (firefox, chromium)}
            for title, hands in JOURNEYS:
                window, visitor = windows[title]
                way = hands.__name__.lower()
                if not {title.lower(), way}.issuperset(wanted):
                    continue
                axe = axe_source() if way == "mouse" else ""
                keep = "--save" in arguments and (title, way) == ("Chromium", "mouse")
                observer = Observer(f"{title} by {way}", axe=axe, keep=keep)
                try:
                    own = _folder(name, f"{title}-{way}")
                    journey(own, window, visitor, hands(window), observer)
                except (AssertionError, RuntimeError, WebDriverException):
                    traceback.print_exc()
                    failed += 1
                found += len(observer.found)
        finally:
            firefox.close()
            chromium.close()
    print(f"{failed} journeys ended early; axe-core: {found} violations")
    return int(failed + found > 0)


def _folder(parent: str, name: str) -> Path:
    path = Path(parent) / name.lower()
    path.mkdir()
    return path


def journey(folder: Path, window: Window, visitor: Window, hands: Hands, observer: Observer) -> None:
    """Run all steps in a gallery of its own."""
    site = empty_site(folder)
    stage = Stage(pace=PACE, accounts=site.accounts, folder=folder)
    for key, (caption, tags) in SUBJECTS.items():
        words = Words(caption, caption.rstrip("."), tags)
        files = (f"{key}.jpg", *(f"{key} {number:02}.jpg" for number in range(COUNT)))
        stage.words.update(dict.fromkeys(files, words))
    photos = folder / "A week in autumn"
    photos.mkdir()
    for name, data in sample_photos(COUNT):
        (photos / name).write_bytes(data)
    window.origin = visitor.origin = stage.origin
    window.new_tab()  # as wide as at the beginning
    tour = Tour(window, visitor, hands, stage, site.accounts, photos, observer)
    try:
        for step in STEPS:
            step(tour)
    finally:
        stage.close()
        site.database.close()


def save(step: str, picture: bytes) -> None:
    """Write a picture of the tour, small enough for a repository."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{step.replace(' ', '-')}.webp"
    Image.open(io.BytesIO(picture)).convert("RGB").save(path, "WEBP", quality=70, method=6)
    assert path.stat().st_size <= MOST_BYTES, path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
