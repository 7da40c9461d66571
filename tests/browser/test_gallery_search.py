"""Scrolling and searching in the gallery, and the ways back to the same place."""

from __future__ import annotations

from datetime import datetime

import pytest
from selenium.webdriver.common.keys import Keys

from imgcore.db import timeline_search
from tests.browser.chromium import Browser
from tests.browser.gallery_tools import POLLERS, captions, fill
from tests.web.fakes import AWAY
from tests.web.stage import Stage, Words, photo

FILLED = """
const last = [...document.querySelectorAll('#grid .card')].at(-1);
return last !== undefined && last.getBoundingClientRect().bottom > window.innerHeight
"""


def test_scrolling_goes_on_to_the_oldest(browser: Browser, stage: Stage) -> None:
    """Every photo once, newest first, by a cursor."""
    images = fill(stage, 130)
    browser.open()
    browser.find("#grid .card")
    seen: dict[str, None] = {}

    def at_the_end() -> bool:
        listed = "return [...document.querySelectorAll('#grid .card')].map((c) => c.dataset.id)"
        seen.update(dict.fromkeys(browser.run(listed)))
        if browser.run(FILLED):  # else a slow machine would pass photos that are not drawn yet
            browser.run("window.scrollBy(0, 0.5 * window.innerHeight)")
        return len(seen) >= 130

    browser.wait(at_the_end)
    assert [image.public_id for image in reversed(images)] == list(seen)
    assert browser.run("return document.querySelectorAll('#grid .card').length") < 60


def test_captions_are_hidden_among_smaller_photos_at_once(browser: Browser, stage: Stage) -> None:
    """The size that the page was loaded with changes nothing."""
    fill(stage, 2)
    browser.open()
    legend = "return getComputedStyle(document.querySelector('#grid .card:last-child .legend')).position"
    browser.wait(lambda: len(captions(browser)) == 2)
    assert "relative" == browser.run(legend)
    for size, position in (("compact", "absolute"), ("captions", "relative")):
        browser.run("density.value = arguments[0]; density.dispatchEvent(new Event('change'))", size)
        browser.wait(lambda position=position: browser.run(legend) == position)


def test_searching_finds_while_one_types(browser: Browser, stage: Stage) -> None:
    """Words in captions, tags and names; the address can be kept; nothing is reloaded."""
    stage.add("dog.jpg", photo(1), Words("A dog runs.", "A dog", ("dog", "beach")))
    stage.add("cat.jpg", photo(2), Words("A cat sleeps.", "A cat", ("cat",)))
    browser.open()
    browser.press("/")
    assert "q" == browser.focus
    browser.press("beach")
    browser.wait(lambda: ["A dog runs."] == captions(browser))
    assert browser.driver.current_url.endswith("/?q=beach")
    assert browser.has("h1", "Photos with “beach”")
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: 2 == len(captions(browser)))
    assert not browser.reloaded


def test_search_that_finds_more_than_are_counted_shows_its_photos(
    browser: Browser, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The months come with the counts of all photos; those without any that is found are left out."""
    monkeypatch.setattr(timeline_search, "MOST_COUNTED", 1)
    for number, name in enumerate(("dog", "cat", "dog", "bird")):
        image = stage.add(f"{number}.jpg", photo(number), Words(f"A {name} {number}.", f"A {name}", ()))
        stage.images.change(image.public_id, taken_at=datetime(2026, 1 + number, 1, 12, 0))  # noqa: DTZ001
    browser.open("/?q=dog")
    browser.wait(lambda: ["A dog 2.", "A dog 0."] == captions(browser))
    browser.wait(lambda: browser.has("#count", "2 photos"))
    assert not browser.has("#count", "At most")
    assert 2 == len(browser.all("#grid h2"))


def test_text_typed_while_an_earlier_search_is_answered_stays(browser: Browser, stage: Stage) -> None:
    fill(stage, 2)
    browser.open()
    browser.wait(lambda: len(captions(browser)) == 2)
    browser.run("""
      const answer = window.fetch;
      window.waiting = [];
      window.fetch = (...given) => String(given[0]).includes("tag=")
        ? new Promise((go) => window.waiting.push(() => go(answer(...given))))
        : answer(...given);
    """)
    browser.click(".filters summary")
    browser.find("[name=tag]").send_keys("photo\t")
    browser.wait(lambda: browser.run("return window.waiting.length"))
    browser.find("[name=camera]").send_keys("Con")
    release = "window.waiting.splice(0).forEach((go) => go())"
    browser.wait(lambda: browser.run(release) or browser.has("#chips", "Tag: photo"))
    assert ["photo", "Con"] == browser.run("return ['tag', 'camera'].map((name) => filters[name].value)")


def test_a_search_that_finds_nothing_says_so(browser: Browser, stage: Stage) -> None:
    """The page does not invite to upload as if the gallery were empty."""
    fill(stage, 1)
    browser.open()
    browser.find("#q").send_keys("giraffe")
    browser.wait(lambda: browser.has("#nothing", "No results for “giraffe”"))
    assert [] == browser.all("#empty")


def test_back_leads_from_a_search_to_what_was_there_before(browser: Browser, stage: Stage) -> None:
    fill(stage, 2)
    browser.open()
    browser.find("#q").send_keys("001")
    browser.wait(lambda: 1 == len(captions(browser)))
    browser.driver.back()
    browser.wait(lambda: 2 == len(captions(browser)))
    assert "" == browser.find("#q").get_property("value")


HOLD_TIMELINE = """
    const real = window.fetch;
    const held = [];
    window.fetch = async (path, options) => {
      if (path.startsWith("/api/v1/timeline")) await new Promise((resolve) => held.push(resolve));
      return real(path, options);
    };
    window.held = held;
    window.release = () => held.splice(0).forEach((resolve) => resolve());
"""


def test_forward_while_the_answer_to_back_is_on_its_way_shows_the_list_of_the_address(
    browser: Browser, stage: Stage
) -> None:
    """The list that was asked for last is shown, not that of the answer that comes last."""
    fill(stage, 2)
    browser.open()
    browser.find("#q").send_keys("001")
    browser.wait(lambda: 1 == len(captions(browser)) and "q=001" in browser.driver.current_url)
    browser.run(HOLD_TIMELINE)
    browser.run("history.back()")
    browser.wait(lambda: browser.run("return window.held.length") == 1)
    browser.run("history.forward()")
    browser.wait(lambda: "q=001" in browser.driver.current_url)
    # Each list takes two requests
    settled = "window.release(); return !document.querySelector('#grid.asking') && window.held.length === 0"
    browser.wait(lambda: browser.run(settled))
    assert ["A photo that somebody named 001."] == captions(browser)
    assert "001" == browser.find("#q").get_property("value")
    assert "001" in browser.driver.title


def test_a_failed_search_changes_nothing_and_can_be_repeated(browser: Browser, stage: Stage) -> None:
    """Address, title and list stay those of what is shown; one button searches again."""
    fill(stage, 2)
    browser.open()
    browser.wait(lambda: 2 == len(captions(browser)))
    stage.images.database.fault = AWAY
    browser.find("#q").send_keys("001")
    browser.wait(lambda: browser.texts("#failure button") == ["Try again"])
    assert (f"{stage.origin}/", "Caption Gallery") == (browser.driver.current_url, browser.driver.title)
    assert 2 == len(captions(browser))
    stage.images.database.fault = None
    browser.click("#failure button")
    browser.wait(lambda: 1 == len(captions(browser)))
    assert browser.driver.current_url.endswith("/?q=001")
    assert [] == browser.all("#failure")


def test_a_refused_filter_is_named_as_its_field_and_cleared(browser: Browser, stage: Stage) -> None:
    """Trying again could not help."""
    fill(stage, 1)
    browser.open("/?q=000&source=nobody")
    browser.wait(lambda: browser.has("#failure", "The filter “Described by” must be one of"))
    assert ["Clear this filter"] == browser.texts("#failure button")
    browser.click("#failure button")
    browser.wait(lambda: browser.driver.current_url.endswith("/?q=000") and not browser.all("#failure"))
    browser.wait(lambda: 1 == len(captions(browser)))


TOP = "return [...document.querySelectorAll('#grid .card')].find((c) => c.getBoundingClientRect().bottom > 200)"


def test_a_reload_and_the_way_back_lead_to_the_same_place(browser: Browser, stage: Stage) -> None:
    """The photo that was at the top of the window is there again."""
    fill(stage, 60)
    browser.open()
    browser.find("#grid .card")
    browser.run("window.scrollTo(0, 2000)")
    browser.wait(lambda: browser.run(f"{TOP}?.dataset.id && window.scrollY === 2000"))
    there = browser.run(f"{TOP}.dataset.id")
    ready = "return document.getElementById('gallery')?.dataset.ready === '' && window.scrollY > 1900"
    browser.driver.refresh()
    browser.wait(lambda: browser.run(ready))
    browser.wait(lambda: browser.run(f"{TOP}?.dataset.id") == there)
    browser.open("/about")
    browser.driver.back()
    browser.wait(lambda: browser.run(f"{TOP}?.dataset.id") == there)


def test_a_page_of_the_back_forward_cache_shows_what_has_changed(browser: Browser, stage: Stage) -> None:
    """It holds no lock while it is away, and asks for the changes when it is shown again."""
    [image] = fill(stage, 1)
    browser.open()
    browser.wait(lambda: browser.run(POLLERS) == 1)
    browser.run("window.dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    browser.wait(lambda: browser.run(POLLERS) == 0)
    stage.images.change(image.public_id, caption="Another caption.")
    browser.run("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    browser.wait(lambda: ["Another caption."] == captions(browser))
