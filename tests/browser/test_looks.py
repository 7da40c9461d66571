"""What everybody can see and use: contrast, names, sizes, the dark, a phone, less motion."""

from __future__ import annotations

from collections.abc import Callable

import pytest

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
    browser.wait(lambda: browser.has(".why", "not a photo"))


def uploading(browser: Browser, stage: Stage) -> None:
    """Bars, cancel buttons and the summary."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(*[(f"{number}.jpg", photo(number)) for number in range(6)])
    browser.wait(lambda: stage.bucket.posts == 2)


def lightbox(browser: Browser, stage: Stage) -> None:
    """One photo over everything."""
    stage.add("cat.jpg", photo())
    stage.add("dog.jpg", photo())
    browser.open()
    browser.click("#grid .frame")
    browser.wait(lambda: browser.all("#lightbox"))


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


def upload_form(browser: Browser, stage: Stage) -> None:
    """The plain form."""
    browser.open("/upload")


def second_form(browser: Browser, stage: Stage) -> None:
    """The second step of the deletion."""
    browser.open("/upload")
    browser.click("main button")
    browser.find("#file")


def a_problem(browser: Browser, stage: Stage) -> None:
    """An address where nothing is."""
    browser.open("/nowhere")


SCENES = [
    empty,
    filled,
    uploading,
    lightbox,
    one_photo,
    one_failure,
    in_the_trash,
    nothing_found,
    upload_form,
    second_form,
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
        assert browser.run("return document.documentElement.scrollWidth") <= width, width


def test_the_dark_is_dark(browser: Browser, stage: Stage) -> None:
    """The system's setting decides."""
    background = "return getComputedStyle(document.body).backgroundColor"
    browser.open()
    light = browser.run(background)
    browser.media(prefers_color_scheme="dark")
    assert (light, "rgb(20, 19, 17)") == ("rgb(250, 248, 245)", browser.run(background))


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
    alts = browser.run("return [...document.querySelectorAll('#grid .thumb')].map((i) => i.alt)")
    assert ["Photo new.jpg, not described yet", "The photo cat"] == alts


def test_the_keyboard_reaches_everything(browser: Browser, stage: Stage) -> None:
    """The order: skip link, search, upload, photos and their buttons."""
    stage.add("cat.jpg", photo())
    add_failed(stage.gallery)
    browser.open()
    reached = []
    for _ in range(9):
        browser.press("\ue004")  # Tab
        reached.append(browser.focus)
    assert [
        "skip",
        "brand",
        "q",
        "add",
        "frame",
        "button small",
        "button small quiet",
        "frame",
    ] == reached[:8]
