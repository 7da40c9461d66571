"""The viewer: opened, stepped through and closed, and words edited in it."""

from __future__ import annotations

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from imgcore.gallery.descriptions import Edit
from tests.browser.chromium import Browser
from tests.browser.gallery_tools import captions, fill
from tests.web.fakes import AWAY
from tests.web.stage import Stage, Words, photo


def test_the_viewer_opens_steps_and_closes_by_keyboard(browser: Browser, stage: Stage) -> None:
    """Enter, arrows, Escape; the focus returns to the photo that was shown last."""
    for name in ("c", "b", "a"):
        stage.add(f"{name}.jpg", photo(), Words(f"Caption {name}.", f"Alt {name}", ()))
    browser.open()
    browser.find("#grid .frame")
    browser.run("document.querySelector('#grid .frame').focus()")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has("#viewer .caption", "Caption a."))
    assert ["1 of 3"] == browser.texts("#viewer .count")
    browser.press(Keys.ARROW_RIGHT)
    browser.wait(lambda: browser.has("#viewer .caption", "Caption b."))
    assert "Alt b" == browser.find("#viewer .large").get_attribute("alt")
    assert "Photo 2 of 3: Caption b." == browser.run(
        "return document.querySelector('#viewer [role=status]').textContent"
    )
    browser.press(Keys.ARROW_RIGHT)
    browser.press(Keys.ARROW_RIGHT)  # past the end: nothing
    browser.wait(lambda: browser.has("#viewer .caption", "Caption c."))
    browser.press(Keys.ARROW_LEFT)
    browser.wait(lambda: browser.has("#viewer .caption", "Caption b."))
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: not browser.all("#viewer"))
    script = "return document.activeElement.closest('.card')?.querySelector('.caption').textContent"
    browser.wait(lambda: "Caption b." == browser.run(script))


def test_back_closes_the_viewer_and_its_address_is_the_photos(browser: Browser, stage: Stage) -> None:
    """Users expect this on a phone; the page stays. A reload shows the photo's page."""
    [image] = fill(stage, 1)
    browser.open()
    browser.click("#grid .frame")
    browser.wait(lambda: browser.all("#viewer"))
    assert browser.driver.current_url.endswith(f"/photo/{image.public_id}")
    browser.driver.back()
    browser.wait(lambda: not browser.all("#viewer"))
    assert not browser.reloaded
    browser.driver.forward()
    browser.wait(lambda: browser.all("#viewer"))
    assert not browser.reloaded
    browser.driver.refresh()
    browser.wait(lambda: browser.has("h1", "A photo that somebody named 000."))
    browser.driver.back()
    browser.wait(lambda: browser.all("#grid .frame"))
    assert browser.driver.current_url == f"{browser.origin}/"


def test_double_click_on_the_arrow_of_the_viewer_stays_in_the_gallery(browser: Browser, stage: Stage) -> None:
    fill(stage, 1)
    browser.open()
    browser.run(
        "window.steps = 0; history.back = () => { window.steps += 1; History.prototype.back.call(history) }"
    )
    browser.click("#grid .frame")
    browser.find("#viewer .back")
    browser.run("const arrow = document.querySelector('#viewer .back'); arrow.click(); arrow.click()")
    browser.wait(lambda: not browser.all("#viewer"))
    assert (1, False) == (browser.run("return window.steps"), browser.reloaded)


def test_all_photos_is_a_link_on_a_photo_that_was_opened_in_a_new_tab(browser: Browser, stage: Stage) -> None:
    fill(stage, 1)
    browser.open()
    driver = browser.driver
    first = driver.current_window_handle
    actions = ActionChains(driver).key_down(Keys.CONTROL).click(browser.find("#grid .frame"))
    actions.key_up(Keys.CONTROL).perform()
    browser.wait(lambda: len(driver.window_handles) == 2)
    [tab] = {*driver.window_handles} - {first}
    driver.switch_to.window(tab)
    try:
        browser.click(".back a")
        browser.wait(lambda: browser.all("#grid .frame"))
    finally:
        driver.close()
        driver.switch_to.window(first)


def test_words_are_edited_in_the_viewer(browser: Browser, stage: Stage) -> None:
    """Saved by Enter, reported, kept in the history; the list shows them; a failure keeps the text."""
    [image] = fill(stage, 1)
    browser.open()
    browser.click("#grid .frame")
    browser.wait(lambda: browser.all("#viewer"))
    browser.press("e")
    browser.wait(lambda: browser.focus == "edit-caption")
    browser.press(Keys.CONTROL + "a" + Keys.NULL + "Für Élise’s cat" + Keys.ENTER)
    browser.wait(lambda: browser.has("#edit-caption-state", "Saved."))
    assert "Für Élise’s cat" == stage.gallery.get(image.public_id).caption
    assert browser.has("#viewer .source", "Edited by a person")
    browser.click("#viewer .field .head button")
    browser.wait(lambda: browser.has("#viewer .versions", "A photo that somebody named 000."))
    stage.images.database.fault = AWAY
    browser.find("#edit-caption").send_keys(" again" + Keys.ENTER)
    browser.wait(lambda: browser.has("#edit-caption-state", "Not saved:"))
    assert "Für Élise’s cat again" == browser.find("#edit-caption").get_property("value")
    stage.images.database.fault = None
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has("#edit-caption-state", "Saved."))
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: ["Für Élise’s cat again"] == captions(browser))


def test_an_expired_address_in_the_viewer_is_renewed(browser: Browser, stage: Stage) -> None:
    """The image is asked for again, once; then a sentence with a button says that it cannot be shown."""
    [image] = fill(stage, 1)
    browser.open()
    browser.find("#grid .frame")
    stage.bucket.signature = stage.gallery.storage.signature = "renewed"
    browser.click("#grid .frame")
    loaded = "const large = document.querySelector('#viewer .large'); return (large?.naturalWidth ?? 0) > 0"
    browser.wait(lambda: browser.run(loaded))
    stage.gallery.storage.signature = "refused"
    browser.run("const large = document.querySelector('#viewer .large'); large.src += '&x'")
    browser.wait(lambda: browser.has("#viewer .trouble", "cannot be shown at the moment"))
    browser.run("document.querySelector('#viewer .trouble button').dataset.mark = 'the same'")
    stage.gallery.edit(image.public_id, Edit(caption="Changed meanwhile."))
    browser.wait(lambda: browser.has("#viewer .caption", "Changed meanwhile."))
    assert browser.all("#viewer .trouble button[data-mark='the same']")  # a person may be about to press it
    stage.bucket.signature = stage.gallery.storage.signature = "mended"
    browser.click("#viewer .trouble button")
    browser.wait(lambda: browser.run(loaded) and not browser.all("#viewer .trouble"))


def test_a_photo_that_is_deleted_while_it_is_shown(browser: Browser, stage: Stage) -> None:
    """A sentence says so, and its button leads to the photo that followed, not to the first."""
    images = fill(stage, 4)
    browser.open()
    browser.find("#grid .frame")
    browser.click("#grid .card[aria-posinset='2'] .frame")
    browser.wait(lambda: browser.has("#viewer .caption", "named 002."))
    stage.gallery.delete(images[2].public_id)
    browser.wait(lambda: browser.has("#viewer .trouble", "no longer in the gallery"))
    browser.click("#viewer .trouble button")
    browser.wait(lambda: browser.has("#viewer .caption", "named 001."))
    assert ["2 of 3"] == browser.texts("#viewer .count")


def test_the_viewer_goes_on_past_what_is_in_the_document(browser: Browser, stage: Stage) -> None:
    """Every photo of the list in its order."""
    fill(stage, 45)
    browser.open()
    browser.click("#grid .frame")
    browser.wait(lambda: browser.all("#viewer"))
    for number in range(44, 0, -1):
        browser.wait(lambda number=number: browser.has("#viewer .caption", f"named {number:03}."))
        browser.press(Keys.ARROW_RIGHT)
    browser.wait(lambda: browser.has("#viewer .caption", "named 000."))


def test_the_details_of_a_photo_are_in_the_menu_of_the_viewer(browser: Browser, stage: Stage) -> None:
    """The link leads to the photo's page."""
    [image] = fill(stage, 1)
    browser.open()
    browser.click("#grid .frame")
    browser.click("#viewer [aria-label=More]")
    browser.click("#viewer .details")
    browser.wait(lambda: browser.driver.current_url.endswith(f"/images/{image.public_id}"))


def test_bar_of_the_viewer_is_one_line_on_a_small_phone(browser: Browser, stage: Stage) -> None:
    fill(stage, 2)
    browser.size(320, 640, mobile=True)
    browser.open()
    browser.find("#grid .frame")
    browser.click("#grid .frame")
    browser.wait(lambda: browser.has("#viewer .count", "1 of 2"))
    for text in ("118 of 214", "12,345 of 67,890"):
        browser.run("document.querySelector('#viewer .count').textContent = arguments[0]", text)
        script = "return document.querySelector('#viewer .count').getBoundingClientRect().height"
        assert browser.run(script) < 32, text
        script = "return document.querySelector('#viewer header').scrollWidth"
        assert browser.run(script) <= 320, text
    cut = "const p = document.querySelector('#viewer .count'); p.textContent = '118 of 214';"
    assert not browser.run(f"{cut} return p.scrollWidth > p.clientWidth")
    browser.size(1280, 844, mobile=False)


HOLD_FIRST_ANSWER = """
    const real = window.fetch;
    window.fetch = async (path, options) => {
      const answer = await real(path, options);
      if (!/images\\/[0-9a-f]{32}$/.test(path) || window.release) return answer;
      await new Promise((resolve) => { window.release = resolve; });
      const value = await answer.json();
      setTimeout(() => { window.taken = true; });
      return new Response(JSON.stringify(value));
    };
"""


def test_answer_that_comes_late_does_not_replace_newer_words(browser: Browser, stage: Stage) -> None:
    """The photo changes while the answer to the first question about it is on its way."""
    [image] = fill(stage, 1)
    browser.open()
    browser.find("#grid .frame")
    browser.run(HOLD_FIRST_ANSWER)
    browser.click("#grid .frame")
    browser.wait(lambda: browser.run("return Boolean(window.release)"))
    stage.gallery.edit(image.public_id, Edit(caption="The newer words."))
    browser.wait(lambda: browser.has("#viewer .caption", "The newer words."))
    browser.run("window.release()")
    browser.wait(lambda: browser.run("return window.taken"))
    assert ["The newer words."] == browser.texts("#viewer .caption")
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: ["The newer words."] == captions(browser))
