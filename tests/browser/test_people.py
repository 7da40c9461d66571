"""Accounts, as people meet them: the set-up, signing in, one's own photos, other browsers, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from imgcore.accounts.models import Role
from imgcore.gallery.models import Image
from tests.browser.chromium import PHONE, Browser
from tests.browser.people import (
    add_account,
    another_tab,
    change_account,
    set_up,
    sign_in,
    sign_out_the_first,
)
from tests.browser.unfinished import kept, remembered
from tests.web.peopling import PASSWORD, Site, empty_site
from tests.web.stage import Stage, photo

# How many uploads the page has asked the gallery for
ASKED = """
return performance.getEntriesByType("resource").filter(({name}) => name.endsWith("/api/v1/uploads")).length;
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return an application without accounts."""
    found = empty_site(tmp_path)
    yield found
    found.database.close()


@pytest.fixture
def stage(site: Site, tmp_path: Path) -> Iterator[Stage]:
    """A gallery with a small pipeline, where everybody signs in."""
    stage = Stage(accounts=site.accounts, folder=tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def other(second_chromium: Browser, stage: Stage) -> Browser:
    """Return the browser window, reset, at the gallery."""
    second_chromium.prepare(stage.origin)
    return second_chromium


def upload(browser: Browser, name: str) -> None:
    """Drop a photo and wait for its caption."""
    browser.open("/")
    browser.drop((name, photo()))
    stem = name.partition(".")[0]
    browser.wait(lambda: browser.has(".caption", f"named {stem}."))


def captions(browser: Browser) -> list[str]:
    """What the gallery shows, after a reload."""
    browser.open("/")
    return [re.sub(r".*named (\w+)\.", r"\1", text) for text in browser.texts("#grid .caption")]


def test_from_the_first_token_to_a_session_that_is_ended_elsewhere(
    browser: Browser, other: Browser, stage: Stage, site: Site
) -> None:
    """The path of new users: set-up, a second account, photos of their own, a sign-out from elsewhere."""
    token = site.accounts.offer_set_up()
    browser.open("/")
    assert ["Create the first account"] == browser.texts("h1")
    set_up(browser, token, "Boss", PASSWORD)
    upload(browser, "mountain.jpg")

    sign_in(other, "ada", add_account(browser, "ada", PASSWORD))
    assert [] == captions(other)
    upload(other, "beach.jpg")
    assert (["beach"], ["beach", "mountain"]) == (captions(other), captions(browser))
    one, two = stage.images.rows.values()
    assert (2, 2, False) == (
        len({one.owner_id, two.owner_id} - {None}),
        len({one.batch_id, two.batch_id} - {None}),
        one.batch_id == two.batch_id,
    )

    pages = [link.get_attribute("href") for link in browser.all("#grid .frame")]
    theirs = next(page for page in pages if "mountain" in page_text(browser, page))
    assert "There is no such photo." in page_text(other, theirs)

    sign_out_the_first(browser)  # ada
    other.open("/")
    assert ["Sign in"] == other.texts("h1")


def page_text(browser: Browser, address: str) -> str:
    """All that a page says."""
    browser.driver.get(address)
    return str(browser.run("return document.body.innerText"))


def test_a_session_is_ended_from_ones_own_other_browser(browser: Browser, other: Browser, site: Site) -> None:
    """A page that is open leads to the sign-in by itself: it asks for changes all the time."""
    site.accounts.add("ada", PASSWORD)
    for window in (browser, other):
        sign_in(window, "ada", PASSWORD)
    other.open("/")
    browser.open("/account")
    browser.click(".rows form button")
    browser.wait(lambda: browser.has(".done", "That browser is signed out."))
    other.wait(lambda: other.driver.current_url.startswith(f"{other.origin}/login?next="))
    browser.open("/")
    browser.click(".me")
    assert browser.has(".account-menu", "You are signed in as ada.")


def test_a_page_of_one_account_does_nothing_for_another(browser: Browser, stage: Stage, site: Site) -> None:
    """Uploads wait when another account signs in in another tab, and go on for their own one."""
    ann, bob = (site.accounts.add(name, PASSWORD) for name in ("ann", "bob"))
    stage.images.change(stage.add("bobs.jpg", photo(9)).public_id, owner_id=bob.id)
    sign_in(browser, "ann", PASSWORD)
    browser.open("/")
    stage.bucket.hold.clear()
    names = [f"anns-{number}.jpg" for number in range(6)]
    browser.drop(*[(name, photo(number)) for number, name in enumerate(names)])
    browser.wait(lambda: stage.bucket.posts == 2)

    def uploaded() -> list[Image]:
        return [image for image in stage.images.rows.values() if image.name in names]

    with another_tab(browser) as switch:
        change_account(browser, "bob", PASSWORD)
        stage.bucket.hold.set()
        switch()
        browser.wait(lambda: browser.has(".sheet-dialog", "bob is signed in now"))
        assert browser.has(".sheet-dialog", "sign in as ann in another tab")
        browser.press(Keys.ESCAPE)
        browser.wait(lambda: browser.has("#tray", "Paused"))
        asked = browser.run(ASKED)
        browser.click("#tray .buttons button")
        browser.wait(lambda: browser.run(ASKED) > asked and browser.has("#tray", "Paused"))  # refused again
        assert {ann.id} == {image.owner_id for image in uploaded()}
        assert not browser.has("#grid", "bobs")

        switch()
        change_account(browser, "ann", PASSWORD)
        switch()
        browser.click("#tray .buttons button")
        browser.wait(lambda: [image.status for image in uploaded()] == ["done"] * len(names))
        assert {ann.id} == {image.owner_id for image in uploaded()}
    assert all("Clear-Site-Data" in entry for entry in browser.console())  # of the sign-out


def test_uploads_wait_in_the_browser_while_another_account_is_signed_in(
    browser: Browser, stage: Stage, site: Site
) -> None:
    ann = site.accounts.add("ann", PASSWORD)
    site.accounts.add("bob", PASSWORD)
    sign_in(browser, "ann", PASSWORD)
    browser.open("/")
    stage.bucket.hold.clear()
    browser.drop(("anns.jpg", photo(1)))
    browser.wait(lambda: stage.bucket.posts == 1 and kept(browser))
    stage.bucket.faults = ["drop"] * 10
    change_account(browser, "bob", PASSWORD)
    stage.bucket.faults = []
    stage.bucket.hold.set()
    browser.open("/")
    upload(browser, "bobs.jpg")
    change_account(browser, "ann", PASSWORD)
    browser.open("/")
    browser.wait(lambda: browser.has(".caption", "named anns."))
    [image] = [image for image in stage.images.rows.values() if image.name == "anns.jpg"]
    assert ("done", ann.id) == (image.status, image.owner_id)
    browser.wait(lambda: (0, 0) == remembered(browser))
    known = ("Clear-Site-Data", "beforeunload")  # of the sign-out, and of leaving while files are sent
    assert all(any(word in entry for word in known) for entry in browser.console())


def test_a_photo_page_of_one_account_is_not_renewed_with_the_forms_of_another(
    browser: Browser, stage: Stage, site: Site
) -> None:
    """A page that comes back from the back/forward cache is loaded again as a whole."""
    ann = site.accounts.add("ann", PASSWORD)
    site.accounts.add("boss", PASSWORD, Role.ADMINISTRATOR)
    image = stage.images.change(stage.add("cat.jpg", photo()).public_id, owner_id=ann.id)
    sign_in(browser, "ann", PASSWORD)
    browser.open(f"/images/{image.public_id}")
    with another_tab(browser) as switch:
        change_account(browser, "boss", PASSWORD)
        switch()
        browser.run("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        browser.wait(lambda: browser.reloaded and browser.has(".me", "boss"))
    assert all("Clear-Site-Data" in entry for entry in browser.console())  # of the sign-out


def test_the_way_goes_on_after_signing_in(browser: Browser, site: Site) -> None:
    """The requested page follows; a wrong password is reported and the name stays in the field."""
    site.accounts.add("ada", PASSWORD, Role.ADMINISTRATOR)
    browser.open("/account")
    browser.fill(name="ada", password="a wrong password")
    browser.click("main button[type=submit]")
    assert "The name or the password is wrong." == browser.text(".trouble")
    browser.fill(password=PASSWORD + "\n")
    browser.wait(lambda: browser.texts("h1") == ["ada"], 60)


def test_a_key_is_made_by_the_keyboard_alone(browser: Browser, site: Site) -> None:
    """The key is shown once."""
    site.accounts.add("ada", PASSWORD)
    sign_in(browser, "ada", PASSWORD)
    browser.open("/account")
    browser.run("document.querySelector('[aria-labelledby=keys_title] summary').focus()")
    browser.press("\ue007")  # Enter opens it
    browser.press("\ue004")  # Tab
    browser.press("My script")
    for _ in range(5):  # three scopes, the lifetime, the password
        browser.press("\ue004")
    browser.press(PASSWORD + "\ue007")
    secret = browser.text(".secret")
    assert site.accounts.authenticate_key(secret, "") is not None
    browser.open("/account")
    assert (True, False) == (browser.has(".rows", "My script"), secret in browser.driver.page_source)


def test_everything_works_by_plain_forms(plain: Browser, stage: Stage, site: Site) -> None:
    """Sign-in, an API key, a new password and sign-out work without JavaScript."""
    site.accounts.add("ada", PASSWORD)
    plain.driver.get(stage.origin)
    plain.fill(name="ada", password=PASSWORD)
    plain.click("main button[type=submit]")
    plain.click(".me")
    plain.click(".account-menu a[href='/account']")
    plain.click("[aria-labelledby=keys_title] summary")
    plain.fill(label="script", keys_password=PASSWORD)
    plain.click("form[action='/account/keys'] button")
    plain.find(".secret")
    plain.click("[aria-labelledby=password_title] summary")
    plain.fill(old=PASSWORD, new=PASSWORD + "!", again=PASSWORD + "!")
    plain.click("form[action='/account/password'] button")
    plain.wait(lambda: plain.has(".done", "Your password was changed"))
    plain.click(".me")
    plain.click(".signed button")
    plain.wait(lambda: "Sign in" in plain.driver.title)


PAGES = ["/login", "/setup", "/account", "/accounts", "one account", "/security-log", "/", "photo"]


@pytest.mark.parametrize("path", PAGES)
def test_accessible_and_no_wider_than_the_window(
    browser: Browser, stage: Stage, site: Site, axe: str, path: str
) -> None:
    """axe-core finds nothing by day and by night, everything opened; nothing is wider than a small phone."""
    if path != "/setup":
        ada = site.accounts.add("ada", PASSWORD, Role.ADMINISTRATOR)
        site.accounts.add("somebody-with-a-very-long-name-indeed@photos.example.org", PASSWORD)
        site.accounts.create_key(ada, "A script that copies the captions", ["read", "edit"])
    if path not in ("/setup", "/login"):
        sign_in(browser, "ada", PASSWORD)
    image = stage.add("cat.jpg", photo())
    paths = {"photo": f"/images/{image.public_id}"}
    if path == "one account":
        paths[path] = f"/accounts/{site.accounts.named('ada').public_id}"
    browser.open(paths.get(path, path))
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    for scheme in ("light", "dark"):
        browser.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
        assert [] == browser.violations(axe), scheme
    for width in (320, PHONE[0], 768, 2560):
        browser.size(width, 844, mobile=width < 500)
        browser.fits(width)
