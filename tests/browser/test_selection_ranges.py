"""Ranges of photos that are selected over months that the page has not loaded."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.browser.chromium import Browser
from tests.browser.test_selection import press
from tests.web.fakes import add_done
from tests.web.stage import Stage

MONTHS, EACH = 8, 30
TIMELINE = """
    const real = window.fetch;
    window.refused = 0;
    window.fetch = async (path, options) => {
      if (!/timeline\\/2026/.test(path)) return real(path, options);
      %s
      return real(path, options);
    };
"""
AWAY = TIMELINE % 'if (!window.refused++) throw new TypeError("Failed to fetch");'
HELD = "const held = new Promise((go) => { window.go = go; });" + TIMELINE % "await held;"


@pytest.fixture
def gallery(browser: Browser, stage: Stage) -> Browser:
    """A gallery of eight months, of which the newest and the oldest are loaded; the first photo is selected."""
    for number in range(MONTHS * EACH):
        taken = datetime.fromisoformat(f"2026-{MONTHS - number // EACH:02}-10T12:{59 - number % EACH:02}")
        add_done(stage.gallery, f"{number}.jpg", caption=f"Photo {number}.", taken_at=taken)
    browser.open()
    browser.wait(lambda: browser.has("#grid", "Photo 0."))
    pick(browser, 0)
    browser.run("document.getElementById('grid').showSection('2026-01')")
    browser.wait(lambda: browser.has("#grid", f"Photo {(MONTHS - 1) * EACH + 1}."))
    return browser


def pick(browser: Browser, number: int, *, shift: bool = False) -> None:
    """Click the circle of a photo."""
    script = (
        "const name = `Photo ${arguments[0]}.`;"
        "const cards = [...document.querySelectorAll('#grid .card')];"
        "const card = cards.find((each) => each.innerText.includes(name));"
        "card.querySelector('.pick').dispatchEvent("
        "new MouseEvent('click', {bubbles: true, cancelable: true, shiftKey: arguments[1]}))"
    )
    browser.run(script, number, shift)


LAST = (MONTHS - 1) * EACH + 1


def test_shift_click_selects_also_the_photos_between_that_are_not_loaded(
    gallery: Browser, stage: Stage
) -> None:
    pick(gallery, LAST, shift=True)
    gallery.wait(lambda: gallery.has("#select-bar p", f"{LAST + 1} selected"))
    press(gallery, "Delete")
    gallery.wait(lambda: gallery.has("#toast", f"{LAST + 1} moved to the trash."))
    assert EACH - 2 == len([image for image in stage.images.rows.values() if image.deleted_at is None])


def test_shift_with_an_arrow_selects_also_the_photos_between_that_are_not_loaded(gallery: Browser) -> None:
    gallery.run(
        "[...document.querySelectorAll('#grid .card')].find((card) => card.innerText.includes(arguments[0]))"
        ".querySelector('.frame').focus()",
        f"Photo {LAST}.",
    )
    press(gallery, "ArrowRight", shiftKey=True)
    gallery.wait(lambda: gallery.has("#select-bar p", f"{LAST + 2} selected"))


def test_trash_waits_for_the_range_that_is_being_loaded(gallery: Browser) -> None:
    gallery.run(HELD)
    pick(gallery, LAST, shift=True)
    gallery.wait(lambda: gallery.has("#select-bar p", "1 selected. Loading the photos between …"))
    press(gallery, "Delete")
    gallery.run("window.go()")
    gallery.wait(lambda: gallery.has("#toast", f"{LAST + 1} moved to the trash."))


def test_escape_gives_up_a_range_that_is_being_loaded(gallery: Browser) -> None:
    gallery.run(HELD)
    pick(gallery, LAST, shift=True)
    gallery.wait(lambda: gallery.has("#select-bar p", "Loading the photos between …"))
    press(gallery, "Escape")
    assert [] == gallery.all("#select-bar")
    gallery.run("window.go()")
    pick(gallery, LAST)
    assert ["1 selected"] == gallery.texts("#select-bar p")


def test_range_that_cannot_be_loaded_says_so_and_selects_nothing(gallery: Browser) -> None:
    gallery.run(AWAY)
    pick(gallery, LAST, shift=True)
    gallery.wait(lambda: gallery.has("#toast", "the photos between could not be loaded"))
    assert ["1 selected"] == gallery.texts("#select-bar p")
    pick(gallery, LAST, shift=True)
    gallery.wait(lambda: gallery.has("#select-bar p", f"{LAST + 1} selected"))
