"""Files that are dragged over the page and dropped on it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.browser.chromium import DROP, Browser
from tests.browser.gallery_tools import fill
from tests.web.stage import Stage, photo

# Drops a file as soon as a script listens for drops, and notes whether those of the gallery had run.
EARLY = """
const add = document.addEventListener;
document.addEventListener = function (type, ...rest) {
  add.call(this, type, ...rest);
  if (type !== "drop" || window.early) return;
  window.early = {scripts: customElements.get("photo-timeline") !== undefined, prevented: false};
  window.addEventListener("drop", (event) => { window.early.prevented ||= event.defaultPrevented; });
  queueMicrotask(() => (function () { %s })([["early.jpg", "%s"]], "drop"));
};
"""

# Notes of each drop whether the page keeps the browser from showing the file.
PREVENTED = """
window.prevented = [];
window.addEventListener("drop", (event) => { window.prevented.push(event.defaultPrevented); });
"""


@contextmanager
def early_drop(browser: Browser) -> Iterator[None]:
    """Drop a file on each page that is opened in the block."""
    script = EARLY % (DROP, base64.b64encode(photo()).decode())
    added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


@pytest.mark.parametrize("photos", [0, 1])
def test_drop_before_the_scripts_are_loaded_is_taken(browser: Browser, stage: Stage, photos: int) -> None:
    """The browser would leave the page to show the file."""
    fill(stage, photos)
    with early_drop(browser):
        browser.open()
    assert {"scripts": False, "prevented": True} == browser.run("return window.early")
    browser.wait(lambda: len(browser.all("#grid .card[data-status=done]")) == photos + 1)


def test_drop_before_the_first_list_leaves_a_search_as_later_drops_do(browser: Browser, stage: Stage) -> None:
    """The new photo is not shown among what the search has found."""
    with early_drop(browser):
        browser.open("/?q=beach")
    browser.wait(lambda: browser.all("#grid .card[data-status=done]"))
    assert "" == browser.run("return location.search")


def test_drop_where_a_script_cannot_be_loaded_is_answered(browser: Browser, stage: Stage) -> None:
    """The page says what to do, and leaves the next drop to the browser."""
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/view/toasts.js"]})
    try:
        browser.open(drawn=False)
        browser.wait(lambda: browser.has("#failure", "Reload the page to search and to add photos."))
        browser.run(PREVENTED)
        browser.drop(("late.jpg", photo()))
        assert [False] == browser.run("return window.prevented")
    finally:
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    assert browser.console(), "the error is in the console too"


def test_what_is_dragged_over_the_page_is_welcomed(browser: Browser, stage: Stage) -> None:
    """The whole page says that it takes files, and stops saying so."""
    browser.open()
    browser.drop(("cat.jpg", photo()), by="dragenter")
    browser.wait(lambda: browser.all("#drop"))
    browser.drop(("cat.jpg", photo()), by="dragleave")
    browser.wait(lambda: not browser.all("#drop"))
