"""The gallery stays up to date and says what failed: news, retries, one photo's page."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from selenium.webdriver.common.keys import Keys

from imgcore.errors import Unavailable
from imgcore.gallery.models import Source, TaskKind, TaskStatus, Viewer
from imgcore.pipeline.jobs import Jobs
from tests.browser.chromium import PHONE, WIDE, Browser
from tests.browser.gallery_tools import POLLERS, captions, fill
from tests.web.fakes import AWAY, add_failed, add_image
from tests.web.stage import Stage, photo
from web.limits import FILE

COUNT_POLLS = (
    "return performance.getEntriesByType('resource').filter((e) => e.name.includes('/changes?since=')).length"
)
HIDE = (
    "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
    "document.dispatchEvent(new Event('visibilitychange'))"
)


# The first view


def test_scripts_come_after_the_pictures_that_the_server_has_drawn(browser: Browser, stage: Stage) -> None:
    """The tiles keep the drawn element of the picture: another one would be painted anew."""
    stage.add("cat.jpg", photo())
    browser.open()
    first = browser.run(
        "const at = (name) => performance.getEntriesByType('resource').find((e) => e.name.includes(name));"
        "return [at('grid.webp').responseEnd, at('/js/gallery.js').startTime]"
    )
    assert first[0] <= first[1]
    assert browser.all("#grid .card img[fetchpriority=high]")


def test_picture_that_failed_before_the_scripts_came_is_asked_for_again(browser: Browser, stage: Stage) -> None:
    """The store was away for a moment; the address is still good."""
    stage.add("cat.jpg", photo())
    good, stage.bucket.signature = stage.bucket.signature, "another"
    browser.open(drawn=False)
    failed = "return [...document.querySelectorAll('#grid img')].every((e) => e.complete && !e.naturalWidth)"
    browser.wait(lambda: browser.run(failed))
    stage.bucket.signature = good
    browser.wait(lambda: browser.run("return document.querySelector('#grid .card .thumb')?.naturalWidth > 0"))


def test_navigation_counts_what_has_failed(browser: Browser, stage: Stage) -> None:
    stage.bucket.objects[add_failed(stage.gallery).image_key] = photo()
    browser.open()
    browser.wait(lambda: browser.has(".rail a[href='/activity']", "1 failed"))
    browser.click(".rail a[href='/activity']")
    browser.click("form[action='/activity/retry'] button")
    browser.wait(lambda: browser.has(".done", "1 task is queued again."))
    assert browser.has("main", "There is nothing to try again.")
    browser.open()
    assert [] == browser.all(".rail .badge")


def test_number_of_failures_that_cannot_be_had_now_is_left_out(
    browser: Browser, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is as it should be, so it says nothing."""
    asked: list[Viewer] = []

    def refused(_: Jobs, viewer: Viewer) -> None:
        asked.append(viewer)
        raise AWAY

    monkeypatch.setattr(Jobs, "failed", refused)
    add_failed(stage.gallery)
    browser.open()
    browser.wait(lambda: asked)
    browser.run("return new Promise((done) => setTimeout(done, 0))")
    assert AWAY.message not in browser.run("return document.body.innerText")
    assert [] == browser.all(".rail .badge")


def test_scrubber_does_not_cross_the_controls_on_a_small_phone(browser: Browser, stage: Stage) -> None:
    for number, image in enumerate(fill(stage, 4)):
        stage.images.change(image.public_id, taken_at=datetime(2026, 1 + number, 1, 12, 0))  # noqa: DTZ001
    browser.size(320, 640, mobile=True)
    browser.open()
    browser.find("#scrubber .mark")
    bottom, top = browser.run(
        "return [['#density', 'bottom'], ['#scrubber', 'top']].map("
        "([name, edge]) => document.querySelector(name).getBoundingClientRect()[edge])"
    )
    assert bottom <= top


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
    image = stage.add("cat.jpg", photo())
    shown = ["A photo that somebody named cat."]
    browser.wait(lambda: shown == captions(browser))
    polls = browser.run(COUNT_POLLS)
    stage.images.change(image.public_id, caption="A sleeping cat.")
    browser.wait(lambda: ["A sleeping cat."] == captions(browser))
    assert polls == browser.run(COUNT_POLLS)
    browser.driver.switch_to.window(first)
    browser.wait(lambda: ["A sleeping cat."] == captions(browser))
    assert browser.run(COUNT_POLLS) > 0
    browser.driver.close()
    browser.driver.switch_to.window(second)
    stage.add("dog.jpg", photo())
    browser.wait(lambda: len(captions(browser)) == 2)
    assert browser.run(COUNT_POLLS) > polls


def test_a_hidden_page_does_not_ask(browser: Browser, stage: Stage) -> None:
    """It asks again as soon as it is looked at."""
    add_image(stage.gallery, "cat.jpg")
    browser.open()
    browser.wait(lambda: browser.run(POLLERS) == 1)
    browser.run(HIDE, True)
    browser.wait(lambda: browser.run(POLLERS) == 0)
    polls = browser.run(COUNT_POLLS)
    browser.run(HIDE, False)
    browser.wait(lambda: browser.run(COUNT_POLLS) > polls)


def test_window_that_is_looked_at_again_shows_what_it_has_missed(browser: Browser, stage: Stage) -> None:
    """Another window polls meanwhile."""
    image = stage.add("cat.jpg", photo())
    browser.open()
    browser.wait(lambda: browser.run(POLLERS) == 1)
    browser.driver.switch_to.new_window("window")
    browser.open()
    browser.run(HIDE, True)
    stage.images.change(image.public_id, caption="A cat.")
    [first, second] = browser.driver.window_handles
    browser.driver.switch_to.window(first)
    browser.wait(lambda: ["A cat."] == captions(browser))
    browser.driver.switch_to.window(second)
    browser.run(HIDE, False)
    browser.wait(lambda: ["A cat."] == captions(browser))
    browser.driver.close()
    browser.driver.switch_to.window(first)


def test_news_is_announced_politely(browser: Browser, stage: Stage) -> None:
    """The live region announces it to screen readers."""
    browser.open()
    browser.drop(("cat.jpg", photo()))
    live = "return document.getElementById('live').textContent"
    browser.wait(lambda: "Described: A photo that somebody named cat." in browser.run(live))
    assert "status" == browser.run("return document.getElementById('live').getAttribute('role')")


def test_photo_that_the_feed_brings_before_its_upload_has_ended_has_one_tile(
    browser: Browser, stage: Stage
) -> None:
    """The tile of the file takes the place of the other one."""
    for name in ("file.jpg", "same.jpg"):
        stage.add(name, photo())
    browser.open()
    browser.wait(lambda: 2 == len(browser.all("#grid .card")))
    browser.run(
        "const grid = document.getElementById('grid');"
        "const [file, same] = [...grid.querySelectorAll('.card')].map((card) => card.dataset.id);"
        "grid.rename(file, same); grid.render();"
    )
    assert 2 == len(browser.all("#grid .card"))  # one of each photo of the list


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


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_long_reason_of_a_failure_is_shown_whole(browser: Browser, stage: Stage, size: tuple[int, int]) -> None:
    """Two tiles share the width of a phone."""
    stage.words["cat.jpg"] = (
        "The model gave no usable answer, although it was asked three times; try it again later."
    )
    browser.size(*size)
    browser.open()
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: browser.all("[data-action=retry]"))
    assert [0, 0] == browser.run(
        "return ['.why', '.legend'].map((name) => document.querySelector(`#grid ${name}`))"
        ".map((found) => found.scrollHeight - found.clientHeight)"
    )


def test_a_damaged_file_says_why_and_offers_no_retry(browser: Browser, stage: Stage) -> None:
    """Trying again could not help."""
    browser.open()
    browser.drop(("cat.jpg", photo()[:300]))
    browser.wait(lambda: browser.has(".why", "This file is damaged"))
    assert ["Not accepted"] == browser.texts(".chip")
    assert [] == browser.all("[data-action=retry]")


def test_damaged_file_is_found_and_removed_later(browser: Browser, stage: Stage) -> None:
    """The timeline does not have it, but it counts to the quota."""
    browser.open()
    browser.drop(("cat.jpg", photo()[:300]), ("dog.jpg", photo()))
    browser.wait(lambda: browser.has(".chip", "Not accepted"))
    browser.open("/")
    browser.wait(lambda: ["A photo that somebody named dog."] == captions(browser))
    browser.open("/?status=failed")
    browser.wait(lambda: ["Not accepted"] == browser.texts(".chip"))
    browser.click("[data-action=remove]")
    browser.wait(lambda: [] == browser.texts(".chip"))
    browser.open("/?status=failed")
    assert [] == browser.texts(".chip")


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


def test_key_end_leads_to_the_last_photo_of_a_list_that_is_not_loaded(browser: Browser, stage: Stage) -> None:
    """The page has loaded a part of the month, as much as its first view takes."""
    images = fill(stage, 130)
    browser.open()
    assert len(browser.all("#grid .card")) < len(images)
    browser.run("document.querySelector('#grid .card .frame').focus()")
    browser.run(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'End', bubbles: true}))"
    )
    focused = "return document.activeElement.closest('.card')?.dataset.id"
    browser.wait(lambda: browser.run(focused) == images[0].public_id)


def test_page_that_cannot_ask_its_first_question_gets_its_list_later(browser: Browser, stage: Stage) -> None:
    fill(stage, 2)
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/v1/changes*"]})
    try:
        browser.open(drawn=False)
        browser.wait(lambda: browser.has("#toast", "This page keeps trying."))
    finally:
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    browser.wait(lambda: len(browser.all("#grid .card")) == 2)
    browser.wait(lambda: not browser.has("#toast", "This page keeps trying."))
