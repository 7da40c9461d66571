"""Photos for the tests of the gallery, and the captions that a page shows."""

from __future__ import annotations

from imgcore.gallery.models import Image
from tests.browser.chromium import Browser
from tests.web.stage import Stage, photo

# Notes what the page is waiting for: its timers, and answers to its requests.
POLLERS = "return navigator.locks.query().then((locks) => locks.held.length)"


def fill(stage: Stage, count: int) -> list[Image]:
    """``count`` photos that are done, named after their numbers, the newest last."""
    data = photo()
    return [stage.add(f"{number:03}.jpg", data) for number in range(count)]


def captions(browser: Browser) -> list[str]:
    """What stands under the pictures."""
    return browser.texts("#grid .caption")
