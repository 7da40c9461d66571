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
POLLERS = "return navigator.locks.query().then((locks) => locks.held.length)"
COUNT_POLLS = (
    "return performance.getEntriesByType('resource').filter((e) => e.name.includes('/changes?since=')).length"
)


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
    browser.wait(lambda: ["Waiting"] == browser.texts(".chip"))
    stage.images.set_task(image.public_id, TaskKind.CAPTION, TaskStatus.PROCESSING)
    browser.wait(lambda: ["Describing"] == browser.texts(".chip"))
    stage.images.set_task(image.public_id, TaskKind.THUMBNAIL, TaskStatus.DONE)
    stage.images.set_task(image.public_id, TaskKind.CAPTION, TaskStatus.DONE)
    stage.images.change(image.public_id, caption="A cat.", source=Source.GEMINI)
    browser.wait(lambda: ["A cat."] == captions(browser))
    assert not browser.reloaded


def test_one_tab_polls_for_all_of_them(browser: Browser, stage: Stage) -> None:
    """Both show what another device does; the second takes over when the first closes."""
    browser.open()
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("window")
    second = browser.driver.current_window_handle
    browser.open()
    browser.wait(lambda: browser.run("return document.querySelector('#gallery').dataset.ready") == "")
    stage.add("cat.jpg", photo())
    shown = ["A photo that somebody named cat."]
    browser.wait(lambda: shown == captions(browser))
    assert 0 == browser.run(COUNT_POLLS)
    browser.driver.switch_to.window(first)
    browser.wait(lambda: shown == captions(browser))
    assert browser.run(COUNT_POLLS) > 0
    browser.driver.close()
    browser.driver.switch_to.window(second)
    stage.add("dog.jpg", photo())
    browser.wait(lambda: len(captions(browser)) == 2)
    assert browser.run(COUNT_POLLS) > 0


def test_a_hidden_page_does_not_ask(browser: Browser, stage: Stage) -> None:
    """It asks again as soon as it is looked at."""
    add_image(stage.gallery, "cat.jpg")
    browser.open()
    browser.wait(lambda: browser.run(POLLERS) == 1)
    hide = "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
    hide += "document.dispatchEvent(new Event('visibilitychange'))"
    browser.run(hide, True)
    browser.wait(lambda: browser.run(POLLERS) == 0)  # the loop that asks holds the lock until it ends
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
    browser.find("#grid .card")
    stage.gallery.delete(image.public_id)
    browser.wait(lambda: not browser.all("#grid .card"))
    browser.wait(lambda: browser.all("#empty"))


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
    browser.click("[data-action=retry]")
    browser.wait(lambda: ["A photo that somebody named cat."] == captions(browser))
    assert not browser.reloaded


def test_a_damaged_file_says_why_and_offers_no_retry(browser: Browser, stage: Stage) -> None:
    """Trying again could not help."""
    browser.open()
    browser.drop(("cat.jpg", photo()[:300]))
    browser.wait(lambda: browser.has(".why", "This file is damaged"))
    assert ["Not accepted"] == browser.texts(".chip")
    assert [] == browser.all("[data-action=retry]")


def test_what_was_removed_can_be_brought_back(browser: Browser, stage: Stage) -> None:
    """The card returns to its old place with the button that appears."""
    fill(stage, 1)
    image = add_failed(stage.gallery)
    fill(stage, 1)
    browser.open()
    browser.wait(lambda: len(captions(browser)) == 3)
    before = captions(browser)
    browser.click("[data-action=remove]")
    browser.wait(lambda: len(captions(browser)) == 2)
    assert "deleted" == stage.gallery.get(image.public_id).status
    browser.click("#toast [data-undo]")
    browser.wait(lambda: before == captions(browser))
    assert "failed" == stage.gallery.get(image.public_id).status


def test_an_address_that_has_run_out_is_asked_for_again(browser: Browser, stage: Stage) -> None:
    """A page that stayed open overnight shows its pictures all the same."""
    fill(stage, 1)
    browser.open()
    shown = "const thumb = document.querySelector('.thumb'); return thumb?.complete && thumb.naturalWidth > 0"
    browser.wait(lambda: browser.run(shown))
    stage.bucket.signature = stage.gallery.storage.signature = "renewed"
    browser.run("const thumb = document.querySelector('.thumb'); thumb.src = thumb.src + '&again'")
    browser.wait(lambda: "renewed" in browser.run("return document.querySelector('.thumb').currentSrc"))
    browser.wait(lambda: browser.run(shown))


# Scrolling and search


def test_scrolling_goes_on_to_the_oldest(browser: Browser, stage: Stage) -> None:
    """Every photo once, newest first, by a cursor."""
    images = fill(stage, 130)
    browser.open()
    browser.find("#grid .card")
    seen: dict[str, None] = {}

    def at_the_end() -> bool:
        listed = "return [...document.querySelectorAll('#grid .card')].map((c) => c.dataset.id)"
        seen.update(dict.fromkeys(browser.run(listed)))
        browser.run("window.scrollBy(0, 0.5 * window.innerHeight)")
        return len(seen) >= 130

    browser.wait(at_the_end, 30)
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


def test_undo_is_one_key_away_and_the_message_another(browser: Browser, stage: Stage) -> None:
    """Ctrl+Z brings back what Del has moved to the trash; F6 leads to the newest message."""
    [image] = fill(stage, 1)
    browser.open()
    browser.find("#grid .frame")
    browser.run("document.querySelector('#grid .frame').focus()")
    browser.press(Keys.DELETE)
    browser.wait(lambda: browser.all("#toast [data-undo]"))
    browser.press(Keys.F6)
    assert browser.run("return document.activeElement.matches('#toast [data-undo]')")
    browser.press(Keys.CONTROL + "z" + Keys.NULL)
    browser.wait(lambda: 1 == len(captions(browser)))
    assert "done" == stage.gallery.get(image.public_id).status


# The viewer


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
    fill(stage, 1)
    browser.open()
    browser.find("#grid .frame")
    stage.bucket.signature = stage.gallery.storage.signature = "renewed"
    browser.click("#grid .frame")
    loaded = "const large = document.querySelector('#viewer .large'); return (large?.naturalWidth ?? 0) > 0"
    browser.wait(lambda: browser.run(loaded))
    stage.gallery.storage.signature = "refused"
    browser.run("const large = document.querySelector('#viewer .large'); large.src += '&x'")
    browser.wait(lambda: browser.has("#viewer .trouble", "cannot be shown at the moment"))
    stage.bucket.signature = stage.gallery.storage.signature = "mended"
    browser.click("#viewer .trouble button")
    browser.wait(lambda: browser.run(loaded))


def test_a_photo_that_is_deleted_while_it_is_shown(browser: Browser, stage: Stage) -> None:
    """A sentence says so, and its button leads to the photo that followed, not to the first."""
    images = fill(stage, 4)
    browser.open()
    browser.find("#grid .frame")
    browser.all("#grid .frame")[1].click()
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
        " import(`${path}/js/core/limits.js`).then(({limits}) => done(limits), (error) => done(String(error)))"
    )
    assert json.loads(FILE.read_text()) == browser.driver.execute_async_script(script)
