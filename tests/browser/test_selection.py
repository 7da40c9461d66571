"""Selecting photos with the pointer and the keyboard, and what is done with them."""

from __future__ import annotations

from datetime import datetime

import pytest
from selenium.webdriver.common.keys import Keys

from imgcore.db import timeline_search
from imgcore.gallery.models import Image
from tests.browser.chromium import Browser
from tests.contract.images import multiply
from tests.web.fakes import add_done
from tests.web.stage import Stage, Words, photo


def filled(browser: Browser, stage: Stage, count: int = 6) -> list[Image]:
    images = [stage.add(f"{number}.jpg", photo(number)) for number in range(count)]
    browser.open()
    browser.wait(lambda: len(browser.all("#grid .card")) == count)
    return images


def click(browser: Browser, number: int, *, shift: bool = False, part: str = ".pick") -> str:
    """Click a part of a tile, the first being 0; return its photo. Other tiles may be made before it."""
    clicked: str = browser.run(
        "const clicked = document.querySelectorAll(`#grid .card ${arguments[0]}`)[arguments[1]];"
        "const { id } = clicked.closest('.card').dataset;"
        "clicked.dispatchEvent("
        "new MouseEvent('click', {bubbles: true, cancelable: true, shiftKey: arguments[2]}));"
        "return id;",
        part,
        number,
        shift,
    )
    return clicked


def selected(browser: Browser) -> list[int]:
    script = "return [...document.querySelectorAll('#grid .card')].map((c) => c.classList.contains('selected'))"
    return [number for number, is_selected in enumerate(browser.run(script)) if is_selected]


ALL_SELECTED = """
const cards = [...document.querySelectorAll("#grid .card")];
const near = cards.filter((card) => Math.abs(card.getBoundingClientRect().top) < innerHeight);
return near.length > 5 && cards.every((card) => card.classList.contains("selected"));
"""


def press(browser: Browser, key: str, **modifiers: bool) -> None:
    browser.run(
        "(document.activeElement ?? document.body).dispatchEvent("
        "new KeyboardEvent('keydown', {bubbles: true, cancelable: true, key: arguments[0], ...arguments[1]}))",
        key,
        modifiers,
    )


def test_photos_are_selected_by_circle_by_range_and_by_a_click_while_selecting(
    browser: Browser, stage: Stage
) -> None:
    filled(browser, stage)
    assert not browser.all("#select-bar")
    click(browser, 1)
    click(browser, 4, shift=True)
    click(browser, 0, part=".frame")
    assert [0, 1, 2, 3, 4] == selected(browser)
    assert browser.has("#select-bar p", "5 selected")
    click(browser, 1)
    assert [0, 2, 3, 4] == selected(browser)
    press(browser, "Escape")
    assert [] == selected(browser)
    assert not browser.all("#select-bar")


def test_trash_of_a_selection_by_keyboard_is_undone_at_once(browser: Browser, stage: Stage) -> None:
    filled(browser, stage)
    browser.run("document.querySelector('#grid .frame[tabindex=\"0\"]').focus()")
    press(browser, "x")
    for _ in range(2):
        press(browser, "ArrowRight", shiftKey=True)
    assert [0, 1, 2] == selected(browser)
    press(browser, "Delete")
    browser.wait(lambda: len(browser.all("#grid .card")) == 3)
    assert browser.has("#toast", "3 moved to the trash")
    press(browser, "z", ctrlKey=True)
    browser.wait(lambda: len(browser.all("#grid .card")) == 6)


def test_actions_are_undone_by_keyboard_once_their_messages_are_gone(browser: Browser, stage: Stage) -> None:
    filled(browser, stage)
    for left in (5, 4):
        browser.run("document.querySelector('#grid .frame[tabindex=\"0\"]').focus()")
        press(browser, "Delete")
        browser.wait(lambda left=left: len(browser.all("#grid .card")) == left)
        browser.click("#toast [aria-label=Dismiss]")
        browser.wait(lambda: not browser.all("#toast .toast"))
    for shown in (5, 6):
        press(browser, "z", ctrlKey=True)
        browser.wait(lambda shown=shown: len(browser.all("#grid .card")) == shown)
    press(browser, "z", ctrlKey=True)
    browser.wait(lambda: browser.has("#toast", "There is nothing to undo."))


def test_all_photos_get_a_tag_and_go_into_a_new_album(browser: Browser, stage: Stage) -> None:
    images = filled(browser, stage)
    press(browser, "a", ctrlKey=True)
    browser.wait(lambda: browser.has("#select-bar p", "6 selected"))
    browser.click("#select-bar [data-action=tags]")
    browser.find("#bulk-tags").send_keys("summer, sea")
    browser.click("dialog[open] .buttons button")
    browser.wait(lambda: browser.has("#toast", "6 "))
    added = [{"summer", "sea"} <= set(stage.images.get(image.public_id).tags) for image in images]
    assert [True] * 6 == added
    browser.click("#select-bar [data-action=album]")
    browser.find("#bulk-album").send_keys("Holiday")
    browser.click("dialog[open] .buttons button")
    browser.wait(lambda: [6] == [album.images for album in stage.gallery.albums.listed().albums])


def test_album_on_a_later_page_of_the_list_is_offered(
    browser: Browser, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgcore.db.albums._ENTRIES", 0)
    image = stage.add("boat.jpg", photo())
    for name in ("First", "Second", "Third"):
        stage.gallery.albums.add(stage.gallery.albums.create(name).public_id, [image.public_id])
    browser.open()
    click(browser, 0)
    browser.click("#select-bar [data-action=album]")
    browser.wait(lambda: 3 == len(browser.all("dialog[open] .choices button")))


def test_enter_in_the_dialogs_of_a_selection_adds_the_tags_and_creates_the_album(
    browser: Browser, stage: Stage
) -> None:
    [image] = filled(browser, stage, count=1)
    click(browser, 0)
    browser.press("t")
    browser.find("#bulk-tags").send_keys("summer" + Keys.ENTER)
    browser.wait(lambda: "summer" in stage.images.get(image.public_id).tags)
    browser.wait(lambda: not browser.all("dialog[open]"))
    browser.press("l")
    browser.find("#bulk-album").send_keys("Holiday" + Keys.ENTER)
    browser.wait(lambda: [1] == [album.images for album in stage.gallery.albums.listed().albums])


def all_of_many(browser: Browser, stage: Stage) -> None:
    """Select all of 1,010 photos, of which the page has loaded a part."""
    stage.add("boat.jpg", photo())
    database = stage.gallery.images._database
    list(multiply(database, 1010))
    new_id = "UPDATE images SET public_id = lower(hex(randomblob(16))) WHERE public_id LIKE 'copy-%'"
    database.run(lambda tx: tx.execute(new_id))
    browser.open()
    browser.wait(lambda: len(browser.all("#grid .card")) > 5)
    press(browser, "a", ctrlKey=True)
    browser.wait(lambda: browser.has("#select-bar p", "1,010 selected"))


def test_all_of_a_list_that_is_not_loaded_but_one_go_into_an_album(browser: Browser, stage: Stage) -> None:
    all_of_many(browser, stage)
    left_out = click(browser, 1)
    browser.wait(lambda: browser.has("#select-bar p", "1,009 selected"))
    assert [] == browser.all(f"#grid .card.selected[data-id='{left_out}']")
    browser.click("#select-bar [data-action=album]")
    browser.find("#bulk-album").send_keys("Boats")
    browser.click("dialog[open] .buttons button")
    browser.wait(lambda: browser.has("#toast", "1,009 added."))
    assert [1009] == [album.images for album in stage.gallery.albums.listed().albums]
    press(browser, "Escape")
    assert [] == selected(browser)


def test_all_of_a_list_but_one_are_shared_by_a_link(browser: Browser, stage: Stage) -> None:
    all_of_many(browser, stage)
    click(browser, 1)
    browser.wait(lambda: browser.has("#select-bar p", "1,009 selected"))
    browser.click("#select-bar [data-action=share]")
    browser.wait(lambda: browser.has("h1", "Share 1,009 photos by a link"))
    browser.click("main form .primary")
    browser.wait(lambda: [1009] == [share.images for share in stage.gallery.shares.listed().shares])


def test_a_thousand_selected_photos_are_shared_by_a_link(browser: Browser, stage: Stage) -> None:
    """An address has no room for their ids."""
    filled(browser, stage, count=1)
    database = stage.gallery.images._database
    list(multiply(database, 1000))
    copies = "UPDATE images SET public_id = lower(hex(randomblob(16))) WHERE public_id LIKE 'copy-%'"
    database.run(lambda tx: tx.execute(copies))
    ids = [row[0] for row in database.read(lambda tx: tx.tuples("SELECT public_id FROM images"))]
    browser.open("/")
    browser.wait(lambda: browser.all("#grid .card"))
    click(browser, 0)
    browser.run(
        "document.querySelector('select-bar').selection.add(arguments[0]);"
        "document.querySelector('#select-bar [data-action=share]').click()",
        ids,
    )
    browser.wait(lambda: browser.has("h1", "Share 1,000 photos by a link"))


def test_all_of_a_search_that_finds_more_than_are_counted_are_selected(
    browser: Browser, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says that the number is an upper bound; the newest month has none of the photos."""
    monkeypatch.setattr(timeline_search, "MOST_COUNTED", 100)
    stage.add("boat.jpg", photo(), Words("A boat.", "A boat", ()))
    database = stage.gallery.images._database
    list(multiply(database, 1010))
    changed = (
        "UPDATE images SET uploaded_at = '2025-01-05 12:00:00.000000',"
        " public_id = CASE WHEN public_id LIKE 'copy-%' THEN lower(hex(randomblob(16))) ELSE public_id END"
    )
    database.run(lambda tx: tx.execute(changed))
    stage.add("late.jpg", photo(1), Words("A cat.", "A cat", ()))
    browser.open("/?q=boat")
    browser.wait(lambda: browser.has("#count", "At most 1,01"))
    browser.wait(lambda: len(browser.all("#grid .card")) > 5)
    press(browser, "a", ctrlKey=True)
    browser.wait(lambda: browser.has("#select-bar p", "At most 1,01"))
    # A page that has missed a thousand changes draws its list anew
    browser.wait(lambda: 0 in selected(browser))
    browser.run("window.scrollTo(0, 9000)")
    browser.wait(lambda: browser.run("return scrollY") > 8000 and browser.run(ALL_SELECTED))
    press(browser, "Delete")
    browser.wait(lambda: browser.has("#toast", "1,010 moved to the trash."))
    browser.wait(lambda: [] == browser.all("#grid .card"))


def test_photo_that_arrives_after_all_were_selected_is_not_moved_to_the_trash(
    browser: Browser, stage: Stage
) -> None:
    all_of_many(browser, stage)
    late = stage.add("late.jpg", photo(1)).public_id
    browser.find(f"#grid .card[data-id='{late}']")
    browser.wait(lambda: browser.has("#select-bar button", "Select all 1,011"))
    assert browser.has("#select-bar p", "1,010 selected")
    assert [] == browser.all(f"#grid .card.selected[data-id='{late}']")
    browser.click(f"#grid .card[data-id='{late}'] .pick")
    browser.wait(lambda: browser.has("#toast", "Select all again to include it."))
    assert ["Select all again" in line for line in browser.console()] == [True]
    press(browser, "Delete")
    browser.wait(lambda: browser.has("#toast", "1,010 moved to the trash."))
    browser.wait(lambda: 1 == len(browser.all("#grid .card")))
    assert "done" == stage.gallery.get(late).status


def open_months(browser: Browser, stage: Stage, each: int) -> None:
    """Open a gallery with photos of four months, numbered from September 2026 back to June."""
    for number in range(4 * each):
        taken = datetime.fromisoformat(f"2026-{9 - number // each:02}-10T12:{number % each:02}")
        add_done(stage.gallery, f"{number}.jpg", caption=f"Photo {number}.", taken_at=taken)
    browser.open()
    browser.wait(lambda: browser.run("return document.getElementById('gallery').dataset.ready === ''"))


EXPIRE_CURSOR = """
    const real = window.fetch;
    window.polls = -1;
    window.fetch = (path, options) => {
      if (!/changes\\?since/.test(path)) return real(path, options);
      window.polls += 1;
      const expired = { code: "cursor_expired", detail: "This cursor has expired." };
      return window.polls ? real(path, options) : Promise.resolve(Response.json(expired, { status: 410 }));
    };
"""


def test_list_that_is_loaded_anew_keeps_selection_focus_and_place(browser: Browser, stage: Stage) -> None:
    """The page was in the background for longer than a cursor lives; then what is far away is shown again."""
    open_months(browser, stage, each=10)
    browser.run("document.getElementById('grid').showSection('2026-07')")
    browser.wait(lambda: browser.has("#grid", "Photo 29."))
    find = (
        "const card = [...document.querySelectorAll('#grid .card')].find((c) => /Photo 25/.test(c.innerText));"
    )
    browser.run(f"{find} card.querySelector('.pick').click(); card.querySelector('.frame').focus()")
    place = browser.run(f"{find} return card.getBoundingClientRect().top")
    browser.run(EXPIRE_CURSOR)
    browser.wait(lambda: browser.run("return window.polls > 0"))
    assert browser.has("#select-bar p", "1 selected")
    assert place == browser.run(f"{find} return card.getBoundingClientRect().top")
    assert "Photo 25." in browser.run("return document.activeElement.closest('.card')?.innerText ?? ''")
    browser.run("window.scrollTo(0, 0)")
    browser.wait(lambda: browser.has("#grid", "Photo 0."))
    assert browser.has("#select-bar p", "1 selected")


def test_selection_stays_in_months_that_are_not_loaded_again(browser: Browser, stage: Stage) -> None:
    """An "Undo" loads the list anew: first only what is looked at."""
    open_months(browser, stage, each=20)
    browser.run("document.getElementById('grid').showSection('2026-06')")
    browser.wait(lambda: browser.has("#grid", "Photo 79."))
    click(browser, 0)
    browser.run("window.scrollTo(0, 0)")
    browser.wait(lambda: browser.has("#grid", "Photo 19."))
    browser.run("document.querySelector('#grid .frame').focus()")
    browser.run(EXPIRE_CURSOR)
    browser.wait(lambda: browser.run("return window.polls > 0"))
    assert browser.has("#select-bar p", "1 selected")


def test_selection_and_its_dialogs_are_accessible(browser: Browser, stage: Stage, axe: str) -> None:
    filled(browser, stage)
    press(browser, "a", ctrlKey=True)
    browser.wait(lambda: browser.has("#select-bar p", "6 selected"))
    for action in (None, "tags", "album"):
        if action:
            browser.click(f"#select-bar [data-action={action}]")
            browser.wait(lambda: browser.all("dialog[open]"))
            style = "return getComputedStyle(document.querySelector('dialog[open]')).borderTopWidth"
            assert "1px" == browser.run(style), "the styles of dialogs are not loaded"
        for scheme in ("light", "dark"):
            browser.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
            assert [] == browser.violations(axe), (action, scheme)
        if action:
            browser.run("document.querySelector('dialog[open]').close()")
    browser.size(320, 844, mobile=True)
    browser.fits(320)
    browser.size(1280, 844, mobile=False)
