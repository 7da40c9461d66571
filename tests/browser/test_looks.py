"""What everybody can see and use: contrast, names, sizes, the dark, a phone, less motion."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selenium.webdriver.common.keys import Keys

from imgcore.gallery.models import TaskKind, TaskStatus
from tests.browser.chromium import PHONE, Browser
from tests.web.fakes import add_failed, add_image
from tests.web.stage import Stage, photo


def empty(browser: Browser, stage: Stage) -> None:
    """The first thing that anybody sees."""
    browser.open()


def filled(browser: Browser, stage: Stage) -> None:
    """One card of every kind, and a notice."""
    stage.gallery.breakers.open("gemini", wait=60, reason="key_refused", message="Gemini refuses the key.")
    stage.add("cat.jpg", photo())
    add_failed(stage.gallery)
    working = add_image(stage.gallery, "new.jpg")
    stage.images.set_task(working.public_id, TaskKind.CAPTION, TaskStatus.PROCESSING)
    stage.gallery.request_upload("awaited.jpg", 1, "image/jpeg")
    browser.open()
    browser.drop(("notes.txt", b"no photo"))
    browser.wait(lambda: browser.has("#refused .why", "not a photo"))


def uploading(browser: Browser, stage: Stage) -> None:
    """Bars, cancel buttons and the summary."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(*[(f"{number}.jpg", photo(number)) for number in range(6)])
    browser.wait(lambda: stage.bucket.posts == 2)


def compact(browser: Browser, stage: Stage) -> None:
    """Small tiles, whose captions show with the focus; the filters are open."""
    filled(browser, stage)
    browser.press("-")
    for _ in range(3):
        browser.press("-")
    browser.click(".filters summary")
    browser.run("document.querySelector('#grid .frame').focus()")


def viewer(browser: Browser, stage: Stage) -> None:
    """One photo over everything."""
    stage.add("cat.jpg", photo())
    stage.add("dog.jpg", photo())
    browser.open()
    browser.click("#grid .frame")
    browser.wait(lambda: browser.all("#viewer"))


def messages(browser: Browser, stage: Stage) -> None:
    """The viewer with what happened to its photo."""
    viewer(browser, stage)
    browser.press(Keys.DELETE)
    browser.find("#viewer .toast")
    browser.find("#viewer .trouble")


def information(browser: Browser, stage: Stage) -> None:
    """The drawer of the viewer, with the history of a field."""
    viewer(browser, stage)
    browser.press("i")
    browser.click("#viewer .field .head button")
    browser.find("#viewer .versions p")


def shortcuts(browser: Browser, stage: Stage) -> None:
    """The list of keys."""
    browser.open()
    browser.find("#samples")
    browser.press("?")
    browser.find("#help")


def one_photo(browser: Browser, stage: Stage) -> None:
    """The photo's page, with the form open."""
    image = stage.add("cat.jpg", photo())
    browser.open(f"/images/{image.public_id}")
    browser.click(".edit summary")


def one_failure(browser: Browser, stage: Stage) -> None:
    """The page of one that failed."""
    browser.open(f"/images/{add_failed(stage.gallery).public_id}")


def in_the_trash(browser: Browser, stage: Stage) -> None:
    """The page of one that was deleted."""
    image = stage.add("cat.jpg", photo())
    stage.gallery.delete(image.public_id)
    browser.open(f"/images/{image.public_id}")


def nothing_found(browser: Browser, stage: Stage) -> None:
    """A search without a result."""
    browser.open("/?q=giraffe")


def long_word(browser: Browser, stage: Stage) -> None:
    """A search for a long word."""
    browser.open(f"/?q={'a' * 60}")


def upload_form(browser: Browser, stage: Stage) -> None:
    """The plain form."""
    browser.open("/upload")


def second_form(browser: Browser, stage: Stage) -> None:
    """The second step of the deletion."""
    browser.open("/upload")
    browser.click("main button")
    browser.find("#file")


def tags(browser: Browser, stage: Stage) -> None:
    """Every tag with the number of its photos."""
    stage.add("cat.jpg", photo())
    browser.open("/tags")
    browser.find(".tag-list a")


def a_problem(browser: Browser, stage: Stage) -> None:
    """An address where nothing is."""
    browser.open("/nowhere")


SCENES = [
    empty,
    filled,
    uploading,
    compact,
    viewer,
    messages,
    information,
    shortcuts,
    one_photo,
    one_failure,
    in_the_trash,
    nothing_found,
    long_word,
    upload_form,
    second_form,
    tags,
    a_problem,
]

Scene = Callable[[Browser, Stage], None]


@pytest.mark.parametrize("scene", SCENES)
def test_accessible(browser: Browser, stage: Stage, axe: str, scene: Scene) -> None:
    """axe-core finds nothing against WCAG 2.2 AA, by day and by night."""
    scene(browser, stage)
    for scheme in ("light", "dark"):
        browser.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
        assert [] == browser.violations(axe), scheme


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_is_wider_than_the_window(browser: Browser, stage: Stage, scene: Scene) -> None:
    """No sideways scrolling from a small phone to a wide screen (WCAG 1.4.10)."""
    browser.size(320, 640, mobile=True)
    scene(browser, stage)
    for width in (320, PHONE[0], 768, 1024, 2560):
        browser.size(width, 844, mobile=width < 500)
        browser.fits(width)


def test_the_dark_is_dark(browser: Browser, stage: Stage) -> None:
    """The system's setting decides."""
    background = "return getComputedStyle(document.body).backgroundColor"
    browser.open()
    light = browser.run(background)
    browser.media(prefers_color_scheme="dark")
    assert (light, "rgb(20, 19, 17)") == ("rgb(250, 248, 245)", browser.run(background))


def test_a_persons_theme_overrides_the_systems_on_every_page(browser: Browser, stage: Stage) -> None:
    """Chosen in the menu, kept for later, also for the colour of the browser's bar."""
    background = "return getComputedStyle(document.body).backgroundColor"
    browser.open()
    browser.click(".account-menu summary")
    browser.run("theme.value = 'dark'; theme.dispatchEvent(new Event('change'))")
    assert "rgb(20, 19, 17)" == browser.run(background)
    browser.open("/about")
    assert "rgb(20, 19, 17)" == browser.run(background)
    bar = "return document.querySelector('meta[name=theme-color][media=all]').content"
    assert "#141311" == browser.run(bar)
    browser.run("localStorage.removeItem('theme')")


def test_nothing_moves_for_those_who_ask_for_less_motion(browser: Browser, stage: Stage) -> None:
    """No sheen, no pulse, no growing pictures."""
    browser.media(prefers_reduced_motion="reduce")
    filled(browser, stage)
    script = "return document.getAnimations().filter((a) => a.playState === 'running').length"
    assert 0 == browser.run(script)


def test_every_picture_is_described_for_those_who_do_not_see_it(browser: Browser, stage: Stage) -> None:
    """The name is the alt text, or a sentence until there is one; never a key or nothing."""
    stage.add("cat.jpg", photo())
    add_image(stage.gallery, "new.jpg")
    browser.open()
    script = "return [...document.querySelectorAll('#grid .thumb')].map((i) => i.alt)"
    browser.wait(lambda: ["The photo cat", "Photo new.jpg, not described yet"] == browser.run(script))


def test_the_keyboard_reaches_everything(browser: Browser, stage: Stage) -> None:
    """The order: skip link, search, upload, menu, navigation, filters, one photo and its buttons.

    The photos are one tab stop; the arrow keys move among them.
    """
    add_failed(stage.gallery)
    browser.open()
    browser.find("#grid .frame")
    reached = []
    for _ in range(20):
        browser.press("\ue004")  # Tab
        reached.append(browser.focus)
    links = len(browser.all(".rail a"))
    order = ["skip", "brand", "q", "add", "me", *[""] * links, "", "density", "frame", *["button small"] * 2]
    assert order == reached[: len(order)]
    stage.add("cat.jpg", photo())
    browser.wait(lambda: len(browser.all("#grid .frame")) == 2)
    browser.run("document.querySelector('#grid .frame').focus()")
    browser.press("\ue014")  # the right arrow
    script = "return document.activeElement.closest('.card').querySelector('.caption').textContent"
    assert "dog.jpg" == browser.run(script)
