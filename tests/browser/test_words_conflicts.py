"""Words that two people write at the same time, one of them in the viewer."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from imgcore.gallery.models import Edit, Image
from tests.browser.chromium import Browser
from tests.web.stage import Stage, Words, photo

TAGS, CAPTION = "#edit-tags", "#edit-caption"

# Lets changes wait until the page's ``release`` is called
HOLD = """
const held = new Promise((resolve) => { window.release = resolve; });
const send = window.fetch;
window.fetch = async (address, options) => {
  if (options?.method === "PATCH") await held;
  return send(address, options);
};
"""


@pytest.fixture
def older(stage: Stage) -> Image:
    """The photo that follows in the viewer."""
    return stage.add("dog.jpg", photo(2), Words("A dog.", "A dog", ("dog",)))


@pytest.fixture
def image(browser: Browser, stage: Stage, older: Image) -> Image:
    """A photo whose information is open in the viewer."""
    image = stage.add("cat.jpg", photo(1), Words("A cat.", "A cat", ("cat",)))
    browser.open()
    browser.click("#grid .frame")
    browser.click("button[aria-controls=info]")
    browser.wait(lambda: "cat" == browser.find(TAGS).get_property("value"))
    return stage.gallery.get(image.public_id)


def type_into(browser: Browser, field: str, text: str) -> None:
    """Type at the end of a field."""
    browser.find(field).send_keys(Keys.CONTROL + Keys.END + Keys.NULL + text)


def go(browser: Browser, direction: str, expected: str) -> None:
    """Go to the next or the previous photo; wait for the text in the field of its caption."""
    browser.click(f"#viewer .{direction}")
    browser.wait(lambda: expected == browser.find(CAPTION).get_property("value"))


def test_tags_of_others_stay_until_the_person_has_seen_them(
    browser: Browser, stage: Stage, image: Image
) -> None:
    type_into(browser, TAGS, ", mine")
    stage.gallery.tags.change_tags(image.public_id, add=["theirs"], most=20)
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has(f"{TAGS}-state", "Others changed the tags"))
    assert browser.has(".field .hint", "Now: cat, theirs")
    assert "cat, mine" == browser.find(TAGS).get_property("value")
    browser.find(CAPTION).click()  # leaving the field decides nothing
    type_into(browser, CAPTION, " Mine." + Keys.ENTER)
    browser.wait(lambda: browser.has(f"{CAPTION}-state", "Saved."))
    saved = stage.gallery.get(image.public_id)
    assert ("A cat. Mine.", ("cat", "theirs")) == (saved.caption, saved.tags)
    browser.find(TAGS).clear()
    browser.find(TAGS).send_keys("cat, theirs, mine" + Keys.ENTER)
    browser.wait(lambda: browser.has(f"{TAGS}-state", "Saved."))
    assert ("cat", "theirs", "mine") == stage.gallery.get(image.public_id).tags
    assert not browser.has(".field .hint", "Now:")


@pytest.mark.parametrize(
    ("label", "expected"),
    [("Save your text", "A cat. Mine."), ("Use the present text", "Theirs.")],
)
def test_person_decides_between_two_captions(
    browser: Browser, stage: Stage, image: Image, axe: str, label: str, expected: str
) -> None:
    type_into(browser, CAPTION, " Mine.")
    stage.gallery.edit(image.public_id, Edit(caption="Theirs."))
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has(".field .hint", "Now: Theirs."))
    assert [] == browser.violations(axe)
    [chosen] = [button for button in browser.all("#info .buttons button") if button.text == label]
    chosen.click()
    browser.wait(lambda: not browser.all("#info .buttons"))
    browser.wait(lambda: expected == stage.gallery.get(image.public_id).caption)
    assert expected == browser.find(CAPTION).get_property("value")


def test_words_of_others_are_shown_while_nothing_is_typed(browser: Browser, stage: Stage, image: Image) -> None:
    browser.find(CAPTION).click()
    stage.gallery.edit(image.public_id, Edit(caption="Theirs.", tags=("theirs",)))
    browser.wait(lambda: "Theirs." == browser.find(CAPTION).get_property("value"))
    browser.wait(lambda: "theirs" == browser.find(TAGS).get_property("value"))
    type_into(browser, CAPTION, " Mine." + Keys.ENTER)
    browser.wait(lambda: browser.has(f"{CAPTION}-state", "Saved."))
    assert "Theirs. Mine." == stage.gallery.get(image.public_id).caption


def test_text_that_is_not_saved_by_leaving_the_viewer_is_said(
    browser: Browser, stage: Stage, image: Image
) -> None:
    type_into(browser, CAPTION, " Mine.")
    stage.gallery.edit(image.public_id, Edit(caption="Theirs."))
    browser.driver.back()
    browser.wait(lambda: browser.has("#toast", "“A cat. Mine.” is not saved. Others changed the caption"))
    assert "Theirs." == stage.gallery.get(image.public_id).caption
    browser.click("#grid .frame")
    browser.wait(lambda: browser.has(".field .hint", "Now: Theirs."))
    assert "A cat. Mine." == browser.find(CAPTION).get_property("value")


def test_text_that_is_not_decided_on_stays_with_its_photo(
    browser: Browser, stage: Stage, older: Image, image: Image
) -> None:
    type_into(browser, CAPTION, " Mine.")
    stage.gallery.edit(image.public_id, Edit(caption="Theirs."))
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has(".field .hint", "Now: Theirs."))
    go(browser, "next", "A dog.")
    assert not browser.has(".field .hint", "Now:")
    type_into(browser, CAPTION, " Hers." + Keys.ENTER)
    browser.wait(lambda: "A dog. Hers." == stage.gallery.get(older.public_id).caption)
    go(browser, "previous", "A cat. Mine.")
    assert browser.has(".field .hint", "Now: Theirs.")
    browser.find(CAPTION).send_keys(Keys.ENTER)
    browser.wait(lambda: "A cat. Mine." == stage.gallery.get(image.public_id).caption)
    browser.wait(lambda: browser.has(f"{CAPTION}-state", "Saved."))
    assert not browser.has(".field .hint", "Now:")


def test_text_that_could_not_be_sent_stays_with_its_photo(browser: Browser, stage: Stage, image: Image) -> None:
    type_into(browser, CAPTION, " Mine.")
    with browser.offline():
        browser.press(Keys.ENTER)
        browser.wait(lambda: browser.has(f"{CAPTION}-state", "Not saved:"))
        go(browser, "next", "A dog.")
    go(browser, "previous", "A cat. Mine.")
    assert browser.has(f"{CAPTION}-state", "Your text is not saved.")
    browser.find(CAPTION).send_keys(Keys.ENTER)
    browser.wait(lambda: "A cat. Mine." == stage.gallery.get(image.public_id).caption)


def test_words_beside_a_kept_text_are_those_that_are_stored_now(
    browser: Browser, stage: Stage, image: Image
) -> None:
    type_into(browser, TAGS, ", mine")
    with browser.offline():
        browser.press(Keys.ENTER)
        browser.wait(lambda: browser.has(f"{TAGS}-state", "Not saved:"))
        go(browser, "next", "A dog.")
    stage.gallery.edit(image.public_id, Edit(tags=("theirs",)))
    go(browser, "previous", "A cat.")
    browser.wait(lambda: browser.has(".field .hint", "Now: theirs"))
    assert "cat, mine" == browser.find(TAGS).get_property("value")
    browser.find(TAGS).send_keys(Keys.ENTER)
    browser.wait(lambda: ("cat", "mine") == stage.gallery.get(image.public_id).tags)


def test_text_whose_save_is_on_its_way_needs_no_decision(browser: Browser, stage: Stage, image: Image) -> None:
    browser.run(HOLD)
    type_into(browser, CAPTION, " Mine." + Keys.ENTER)
    go(browser, "next", "A dog.")
    go(browser, "previous", "A cat. Mine.")
    assert browser.has(f"{CAPTION}-state", "Saving")
    assert not browser.all("#info .buttons button")
    browser.run("window.release()")
    browser.wait(lambda: browser.has(f"{CAPTION}-state", "Saved."))
    assert "A cat. Mine." == stage.gallery.get(image.public_id).caption
    go(browser, "next", "A dog.")
    go(browser, "previous", "A cat. Mine.")
    assert not browser.has(f"{CAPTION}-state", "not saved")


def test_text_that_is_refused_after_the_return_replaces_what_is_shown(
    browser: Browser, stage: Stage, image: Image
) -> None:
    browser.run(HOLD)
    type_into(browser, CAPTION, " Mine." + Keys.ENTER)
    stage.gallery.edit(image.public_id, Edit(caption="Theirs."))
    go(browser, "next", "A dog.")
    go(browser, "previous", "A cat. Mine.")
    browser.run("window.release()")
    browser.wait(lambda: browser.has(".field .hint", "Now: Theirs."))
    browser.find(CAPTION).send_keys(Keys.ENTER)
    browser.wait(lambda: "A cat. Mine." == stage.gallery.get(image.public_id).caption)


def test_conflict_of_one_photo_keeps_no_text_of_another(
    browser: Browser, stage: Stage, older: Image, image: Image
) -> None:
    browser.run(HOLD)
    type_into(browser, CAPTION, " Mine." + Keys.ENTER)
    go(browser, "next", "A dog.")
    type_into(browser, CAPTION, " Hers." + Keys.ENTER)  # behind the other
    go(browser, "previous", "A cat. Mine.")
    stage.gallery.edit(image.public_id, Edit(caption="Theirs."))
    browser.run("window.release()")
    browser.wait(lambda: browser.has(".field .hint", "Now: Theirs."))
    browser.wait(lambda: "A dog. Hers." == stage.gallery.get(older.public_id).caption)


def test_page_asks_before_it_is_left_with_a_text_that_is_not_saved(
    browser: Browser, stage: Stage, image: Image
) -> None:
    type_into(browser, CAPTION, " Mine.")
    stage.gallery.edit(image.public_id, Edit(caption="Theirs."))
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has(".field .hint", "Now: Theirs."))
    go(browser, "next", "A dog.")
    assert browser.asks_before_leaving
    go(browser, "previous", "A cat. Mine.")
    browser.find(CAPTION).send_keys(Keys.ENTER)
    browser.wait(lambda: browser.has(f"{CAPTION}-state", "Saved."))
    assert not browser.asks_before_leaving


def test_second_text_that_is_saved_while_the_first_is_on_its_way_is_no_conflict(
    browser: Browser, stage: Stage, image: Image
) -> None:
    type_into(browser, CAPTION, " One." + Keys.ENTER + " Two." + Keys.ENTER)
    browser.wait(lambda: "A cat. One. Two." == stage.gallery.get(image.public_id).caption)
    browser.wait(lambda: browser.has(f"{CAPTION}-state", "Saved."))
