"""The words of a photo, by keyboard alone: write, undo, describe again, history, another language."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Browser
from tests.web.stage import Stage, photo

GERMAN = "Ein Foto, das jemand Katze nannte."


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A gallery of two languages."""
    stage = Stage(languages="en,de")
    yield stage
    stage.close()


def tab_to(browser: Browser, selector: str) -> None:
    """Press Tab until an element that fits has the focus."""
    for _ in range(80):
        browser.press(Keys.TAB)
        if browser.run("return document.activeElement.matches(arguments[0])", selector):
            return
    raise AssertionError(f"No Tab reaches {selector}")


def caption(browser: Browser) -> list[str]:
    return browser.run("const h = document.querySelector('h1'); return [h.innerText, h.lang]")


def test_words_are_written_undone_and_read_by_keyboard(browser: Browser, stage: Stage) -> None:
    """Every step says what it did, and ends on the photo's page."""
    image = stage.add("cat.jpg", photo())
    stage.images.change(image.public_id, languages=json.dumps({"caption": {"en": None, "de": GERMAN}}))
    browser.open(f"/images/{image.public_id}")
    before = caption(browser)
    assert (image.caption, "en") == tuple(before)

    tab_to(browser, "details.edit summary")
    browser.press(Keys.ENTER)
    tab_to(browser, "#caption")
    browser.press(Keys.CONTROL + "a")
    browser.press("Ours, from the garden.")
    tab_to(browser, "details.edit button")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has(".done", "never overwritten"))
    assert "Ours, from the garden." == caption(browser)[0]

    tab_to(browser, "form[action$='/undo'] button")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has(".done", "The last change is undone."))
    assert before == caption(browser)
    assert [] == browser.all("form[action$='/undo']")

    tab_to(browser, "a[href$='/history']")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.driver.current_url.endswith("/history"))
    assert browser.has("main", "Ours, from the garden.")

    browser.open(f"/images/{image.public_id}")
    tab_to(browser, ".account-menu summary")
    browser.press(Keys.ENTER)
    tab_to(browser, ".account-menu a[lang='de']")
    browser.press(Keys.ENTER)
    browser.wait(lambda: [GERMAN, "de"] == caption(browser))
    browser.click(".account-menu summary")
    assert ["Deutsch"] == browser.texts(".account-menu a[aria-current='true']")

    tab_to(browser, "form[action$='/recaption'] button")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has(".done", "The photo will be described again."))
    browser.wait(lambda: "done" == stage.gallery.get(image.public_id).status)
