"""Looking around in the gallery: news, retries, the trash, search, scrolling, the lightbox."""

from __future__ import annotations

import json

from selenium.webdriver.common.keys import Keys

from imgcore.errors import Unavailable
from imgcore.gallery.models import Image, Source, TaskKind, TaskStatus
from tests.browser.chromium import Browser
from tests.web.fakes import AWAY, add_failed, add_image
from tests.web.stage import Stage, Words, photo
from web.limits import FILE

# Notes what the page is waiting for: its timers, and answers to its requests.
NOTE_WAITS = """
window.waits = new Set();
const [later, never, request] = [window.setTimeout, window.clearTimeout, window.fetch];
window.setTimeout = (call, wait) => {
  const id = later(() => { window.waits.delete(id); call(); }, wait);
  window.waits.add(id);
  return id;
};
window.clearTimeout = (id) => { window.waits.delete(id); never(id); };
window.fetch = (...given) => {
  const answer = request(...given);
  window.waits.add(answer);
  return answer.finally(() => window.setTimeout(() => window.waits.delete(answer), 0));
};
"""
NOTHING_WAITS = "return window.waits.size === 0"
COUNT_POLLS = "return performance.getEntriesByType('resource').filter((e) => e.name.includes('?ids=')).length"


def fill(stage: Stage, count: int) -> list[Image]:
    """``count`` photos that are done, named after their numbers, the newest last."""
    data = photo()
    return [stage.add(f"{number:03}.jpg", data) for number in range(count)]


def captions(browser: Browser) -> list[str]:
    """What stands under the pictures."""
    return browser.texts("#grid .caption")


# News


def test_news_of_what_others_began_comes_without_a_reload(browser: Browser, stage: Stage) -> None:
    """A card that was rendered unsettled follows its photo."""
    image = add_image(stage.gallery, "cat.jpg")
    browser.open()
    assert ["Waiting"] == browser.texts(".chip")
    stage.images.set_task(image.public_id, TaskKind.CAPTION, TaskStatus.PROCESSING)
    browser.wait(lambda: ["Describing"] == browser.texts(".chip"))
    stage.images.set_task(image.public_id, TaskKind.THUMBNAIL, TaskStatus.DONE)
    stage.images.set_task(image.public_id, TaskKind.CAPTION, TaskStatus.DONE)
    stage.images.change(image.public_id, caption="A cat.", source=Source.GEMINI)
    browser.wait(lambda: ["A cat."] == captions(browser))
    assert ["Gemini"] == browser.texts("#grid .source")
    assert not browser.reloaded


def test_asking_stops_once_everything_is_settled(browser: Browser, stage: Stage) -> None:
    """A settled page leaves the server alone."""
    browser.open()
    browser.run(NOTE_WAITS)
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: browser.run("return document.querySelector('#grid .card')?.dataset.status") == "done")
    browser.wait(lambda: browser.run(NOTHING_WAITS))
    assert browser.run(COUNT_POLLS) > 0


def test_a_hidden_page_does_not_ask(browser: Browser, stage: Stage) -> None:
    """It asks again as soon as it is looked at."""
    add_image(stage.gallery, "cat.jpg")
    browser.open()
    browser.run(NOTE_WAITS)
    before = browser.run(COUNT_POLLS)
    browser.wait(lambda: browser.run(COUNT_POLLS) > before)  # the timer of the next one is noted
    hide = "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
    hide += "document.dispatchEvent(new Event('visibilitychange'))"
    browser.run(hide, True)
    browser.wait(lambda: browser.run(NOTHING_WAITS))
    polls = browser.run(COUNT_POLLS)
    browser.run(hide, False)
    browser.wait(lambda: browser.run(COUNT_POLLS) > polls)


def test_news_is_announced_politely(browser: Browser, stage: Stage) -> None:
    """The live region announces it to screen readers."""
    browser.open()
    browser.drop(("cat.jpg", photo()))
    live = "return document.getElementById('live').textContent"
    browser.wait(lambda: "Described: A photo that somebody named cat." in browser.run(live))
    assert "status" == browser.run("return document.getElementById('live').getAttribute('role')")


def test_a_photo_that_has_gone_leaves_the_page(browser: Browser, stage: Stage) -> None:
    """Another session deletes the photo."""
    image = add_image(stage.gallery, "cat.jpg")
    browser.open()
    stage.gallery.delete(image.public_id)
    browser.wait(lambda: not browser.all("#grid .card"))
    assert browser.all("#empty")


def test_a_database_that_is_away_is_said_and_outlived(browser: Browser, stage: Stage) -> None:
    """The page goes on trying, and what it waits for comes in the end."""
    image = add_image(stage.gallery, "cat.jpg")
    browser.open()
    stage.images.database.fault = AWAY
    browser.wait(lambda: browser.has("#toast", "This page keeps trying."))
    stage.images.database.fault = None
    for kind in TaskKind:
        stage.images.set_task(image.public_id, kind, TaskStatus.DONE)
    stage.images.change(image.public_id, caption="A cat.")
    browser.wait(lambda: ["A cat."] == captions(browser))
    assert [] == browser.all("#toast p")


def test_a_page_that_cannot_be_shown_tries_again_by_itself(browser: Browser, stage: Stage) -> None:
    """503 with a sentence now, the gallery later."""
    stage.add("cat.jpg", photo())
    stage.images.database.fault = Unavailable("The database cannot be reached just now.", retry_after=1)
    browser.open()
    assert browser.has("h1", "The database cannot be reached just now.")
    stage.images.database.fault = None
    browser.wait(lambda: browser.all("#grid .card"))


def test_a_refused_key_is_said_on_the_page(browser: Browser, stage: Stage) -> None:
    """The local describer is used meanwhile."""
    sentence = "Gemini refuses the key. Photos are described locally until it is right."
    stage.gallery.breakers.open("gemini", wait=60, reason="key_refused", message=sentence)
    browser.open()
    assert [sentence] == browser.texts(".notice")


# What failed


def test_a_failed_photo_says_why_and_is_mended_by_its_button(browser: Browser, stage: Stage) -> None:
    stage.words["cat.jpg"] = "The model did not answer, although it was asked three times."
    browser.open()
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: browser.has(".why", "although it was asked three times"))
    assert ["Failed"] == browser.texts(".chip")
    browser.click(".retry button")
    browser.wait(lambda: ["A photo that somebody named cat."] == captions(browser))
    assert not browser.reloaded


def test_a_damaged_file_says_why_and_offers_no_retry(browser: Browser, stage: Stage) -> None:
    """Trying again could not help."""
    browser.open()
    browser.drop(("cat.jpg", photo()[:300]))
    browser.wait(lambda: browser.has(".why", "This file is damaged"))
    assert ["Not accepted"] == browser.texts(".chip")
    assert [] == browser.all(".retry button")


def test_what_was_removed_can_be_brought_back(browser: Browser, stage: Stage) -> None:
    """The card returns to its old place with the button that appears."""
    fill(stage, 1)
    image = add_failed(stage.gallery)
    fill(stage, 1)
    browser.open()
    before = captions(browser)
    browser.click(".remove button")
    browser.wait(lambda: len(captions(browser)) == 2)
    assert "deleted" == stage.gallery.get(image.public_id).status
    browser.click("#toast button")
    browser.wait(lambda: before == captions(browser))
    assert "failed" == stage.gallery.get(image.public_id).status


def test_an_address_that_has_run_out_is_asked_for_again(browser: Browser, stage: Stage) -> None:
    """A page that stayed open overnight shows its pictures all the same."""
    fill(stage, 1)
    browser.open()
    shown = "const thumb = document.querySelector('.thumb'); return thumb.complete && thumb.naturalWidth > 0"
    browser.wait(lambda: browser.run(shown))
    stage.bucket.signature = stage.gallery.storage.signature = "renewed"
    browser.run("const thumb = document.querySelector('.thumb'); thumb.srcset = thumb.src + '&again 400w'")
    browser.wait(lambda: "renewed" in browser.run("return document.querySelector('.thumb').currentSrc"))
    browser.wait(lambda: browser.run(shown))


# Scrolling and search


def test_scrolling_goes_on_to_the_oldest(browser: Browser, stage: Stage) -> None:
    """Every photo once, newest first, by a cursor."""
    images = fill(stage, 130)
    browser.open()

    def at_the_end() -> bool:
        browser.run("window.scrollTo(0, document.body.scrollHeight)")
        return browser.run("return document.querySelectorAll('#grid .card').length") >= 130

    browser.wait(at_the_end, 30)
    ids = browser.run("return [...document.querySelectorAll('#grid .card')].map((c) => c.dataset.id)")
    assert [image.public_id for image in reversed(images)] == ids
    assert [] == browser.all("#more")


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


# The lightbox


def test_the_lightbox_opens_steps_and_closes_by_keyboard(browser: Browser, stage: Stage) -> None:
    """Enter, arrows, Escape; the focus returns to the photo that was shown last."""
    for name in ("c", "b", "a"):
        stage.add(f"{name}.jpg", photo(), Words(f"Caption {name}.", f"Alt {name}", ()))
    browser.open()
    browser.run("document.querySelector('#grid .frame').focus()")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.has("#lightbox .caption", "Caption a."))
    browser.press(Keys.ARROW_RIGHT)
    browser.wait(lambda: browser.has("#lightbox .caption", "Caption b."))
    assert "Alt b" == browser.find("#lightbox .large").get_attribute("alt")
    browser.press(Keys.ARROW_RIGHT)
    browser.press(Keys.ARROW_RIGHT)  # past the end: nothing
    browser.wait(lambda: browser.has("#lightbox .caption", "Caption c."))
    browser.press(Keys.ARROW_LEFT)
    browser.wait(lambda: browser.has("#lightbox .caption", "Caption b."))
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: not browser.all("#lightbox"))
    script = "return document.activeElement.closest('.card').querySelector('.caption').textContent"
    assert "Caption b." == browser.run(script)


def test_back_closes_the_lightbox(browser: Browser, stage: Stage) -> None:
    """Users expect this on a phone; the page stays."""
    fill(stage, 1)
    browser.open()
    browser.click("#grid .frame")
    browser.wait(lambda: browser.all("#lightbox"))
    browser.driver.back()
    browser.wait(lambda: not browser.all("#lightbox"))
    assert not browser.reloaded


def test_the_lightbox_goes_on_past_what_is_loaded(browser: Browser, stage: Stage) -> None:
    """The next page is fetched when its last photo is left."""
    fill(stage, 45)
    browser.open()
    browser.click("#grid .frame")
    browser.wait(lambda: browser.all("#lightbox"))
    for number in range(44, 0, -1):
        browser.wait(lambda number=number: browser.has("#lightbox .caption", f"named {number:03}."))
        browser.press(Keys.ARROW_RIGHT)
    browser.wait(lambda: browser.has("#lightbox .caption", "named 000."))


def test_the_details_of_a_photo_are_one_step_away(browser: Browser, stage: Stage) -> None:
    """The link leads from the lightbox to the photo's page."""
    [image] = fill(stage, 1)
    browser.open()
    browser.click("#grid .frame")
    browser.click("#lightbox .details")
    browser.wait(lambda: browser.driver.current_url.endswith(f"/images/{image.public_id}"))


# One photo's page


def test_a_photos_page_follows_it_without_a_reload(browser: Browser, stage: Stage) -> None:
    """The text in the form stays while a person writes."""
    image = add_image(stage.gallery, "cat.jpg")
    browser.open(f"/images/{image.public_id}")
    browser.click(".edit summary")
    browser.find("#caption").send_keys("My own words")
    for kind in TaskKind:
        stage.images.set_task(image.public_id, kind, TaskStatus.DONE)
    stage.images.change(image.public_id, caption="A cat.", source=Source.LOCAL)
    browser.wait(lambda: browser.has("h1", "A cat."))
    assert "My own words" == browser.find("#caption").get_property("value")
    assert not browser.reloaded


def test_a_persons_words_are_kept(browser: Browser, stage: Stage) -> None:
    """Edited on the photo's page, and shown as a person's."""
    [image] = fill(stage, 1)
    browser.open(f"/images/{image.public_id}")
    browser.click(".edit summary")
    for field, words in {"caption": "Für Élise’s cat", "tags": "cat, sofa"}.items():
        browser.find(f"#{field}").clear()
        browser.find(f"#{field}").send_keys(words)
    browser.click(".edit button")
    browser.wait(lambda: browser.has("h1", "Für Élise’s cat"))
    assert ["cat", "sofa"] == browser.texts(".tags a")
    assert browser.has(".source", "Edited by a person")


def test_scripts_read_the_shared_limits(browser: Browser) -> None:
    """Those of the file that the server reads."""
    browser.open()
    script = (
        "const done = arguments[0]; const path = document.getElementById('gallery').dataset.static;"
        " import(`${path}/js/limits.js`).then((module) => done(module.limits), (error) => done(String(error)))"
    )
    assert json.loads(FILE.read_text()) == browser.driver.execute_async_script(script)
