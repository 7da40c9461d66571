"""Photos that the system's "Share" sends to the gallery: a POST of a form, which the service worker answers."""

from __future__ import annotations

import base64
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Browser
from tests.browser.people import sign_in
from tests.web.peopling import PASSWORD, Site, empty_site
from tests.web.stage import Stage, photo

READY = """
return navigator.serviceWorker.getRegistration("/share-target")
  .then((found) => found?.active?.state === "activated");
"""
SHARE = """
const [address, files] = arguments;
const transfer = new DataTransfer();
for (const [name, data] of files) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  transfer.items.add(new File([bytes], name, {lastModified: 1e12}));
}
const form = document.createElement("form");
Object.assign(form, {method: "post", action: address, enctype: "multipart/form-data"});
const input = Object.assign(document.createElement("input"), {type: "file", name: "photos", multiple: true});
input.files = transfer.files;
form.append(input);
document.body.append(form);
form.submit();
"""
UNREGISTER = """
return navigator.serviceWorker.getRegistration("/share-target").then((found) => found.unregister());
"""
KEPT = """
return caches.open("shared-photos").then((cache) => cache.keys()).then((keys) => keys.length);
"""


def ready(browser: Browser) -> None:
    """Open the gallery and wait for its service worker."""
    browser.open()
    browser.wait(lambda: browser.run(READY))


def share(browser: Browser, *files: tuple[str, bytes]) -> None:
    """Send files as the system does."""
    listed = [(name, base64.b64encode(data).decode()) for name, data in files]
    browser.run(SHARE, f"{browser.origin}/share-target", listed)


def asked(browser: Browser, title: str) -> None:
    """Wait for the question about the photos."""
    browser.wait(lambda: browser.has("dialog h2", title))


def described(browser: Browser, count: int) -> None:
    """Wait until the list has so many photos, each described."""
    states = "return [...document.querySelectorAll('#grid .card')].map((card) => card.dataset.status)"
    browser.wait(lambda: browser.run(states) == ["done"] * count)


def test_shared_photos_are_uploaded_once_a_person_adds_them(browser: Browser, stage: Stage, axe: str) -> None:
    """More photos than are sent at once keep their names, and are described."""
    ready(browser)
    names = [f"Straße {number} 😀.jpg" for number in range(5)]
    share(browser, *[(name, photo(number)) for number, name in enumerate(names)])
    asked(browser, "Add the 5 photos that you shared?")
    assert (set(names), []) == (set(browser.texts("dialog li")), browser.violations(axe))
    assert 0 == stage.bucket.posts
    browser.click("dialog .primary")
    described(browser, 5)
    assert sorted(names) == sorted(image.name for image in stage.images.rows.values())
    browser.wait(lambda: browser.run(KEPT) == 0)
    browser.open()
    described(browser, 5)
    assert [] == browser.all("dialog")


def test_shares_are_kept_until_a_person_decides(browser: Browser, stage: Stage) -> None:
    """A second share adds to the first; "Not now" asks again with the next page, "Discard" never."""
    ready(browser)
    share(browser, ("one.jpg", photo(1)))
    asked(browser, "Add the photo that you shared?")
    share(browser, ("two.jpg", photo(2)))
    asked(browser, "Add the 2 photos that you shared?")
    browser.click("dialog > .button")
    browser.wait(lambda: not browser.all("dialog"))
    browser.open()
    asked(browser, "Add the 2 photos that you shared?")
    browser.click("dialog .buttons .button:last-child")
    browser.wait(lambda: browser.run(KEPT) == 0)
    assert (0, 0) == (stage.bucket.posts, len(stage.images.rows))


def test_shared_file_that_is_no_photo_is_refused_with_its_reason(browser: Browser, stage: Stage) -> None:
    ready(browser)
    share(browser, ("notes.jpg", b"These are notes."), ("cat.jpg", photo()))
    asked(browser, "Add the 2 photos that you shared?")
    browser.click("dialog .primary")
    browser.wait(lambda: browser.has("#refused .why", "not a photo that can be shown here"))
    described(browser, 1)


def test_shared_photo_that_is_here_already_is_not_sent_again(browser: Browser, stage: Stage) -> None:
    ready(browser)
    for count in (1, 2):
        share(browser, ("cat.jpg", photo()))
        asked(browser, "Add the photo that you shared?")
        browser.click("dialog .primary")
        if count == 1:
            described(browser, 1)
    browser.wait(lambda: browser.has("#present h2", "1 photo is here already"))
    assert 1 == stage.bucket.posts


@pytest.mark.parametrize(
    "size", [100, 100_000, 3_000_000], ids=["small", "above the limit of a body", "as a photo"]
)
def test_share_without_the_service_worker_says_that_nothing_was_stored(
    browser: Browser, stage: Stage, size: int
) -> None:
    ready(browser)
    browser.run(UNREGISTER)
    share(browser, ("cat.jpg", bytes(size)))
    browser.wait(lambda: browser.has("h1", "The shared photos were not stored."))
    browser.click("main a")
    browser.wait(lambda: browser.run(READY))
    assert (0, []) == (browser.run(KEPT), browser.all("dialog"))


def test_share_without_a_file_says_that_nothing_was_stored(browser: Browser, stage: Stage) -> None:
    ready(browser)
    share(browser)
    browser.wait(lambda: browser.has("h1", "The shared photos were not stored."))


def test_share_that_the_storage_of_the_browser_cannot_hold_is_not_kept_in_part(
    browser: Browser, stage: Stage
) -> None:
    ready(browser)
    used = browser.run("return navigator.storage.estimate().then(({usage}) => usage)")
    quota = {"origin": browser.origin, "quotaSize": used + 500_000}
    browser.driver.execute_cdp_cmd("Storage.overrideQuotaForOrigin", quota)
    share(browser, ("small.jpg", photo()), ("large.jpg", bytes(2_000_000)))
    browser.wait(lambda: browser.has("h1", "The shared photos were not stored."))
    browser.driver.execute_cdp_cmd("Storage.overrideQuotaForOrigin", {"origin": browser.origin})
    assert 0 == browser.run(KEPT)


@pytest.fixture
def other_site() -> Iterator[str]:
    """The origin of an empty page of another site."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title><body>")

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_form_of_another_site_uploads_nothing_by_itself(
    browser: Browser, stage: Stage, other_site: str
) -> None:
    """The service worker cannot tell it from a share, so that a person decides."""
    ready(browser)
    browser.driver.get(other_site)
    share(browser, ("planted.jpg", photo()))
    asked(browser, "Add the photo that you shared?")
    assert (0, 0) == (stage.bucket.posts, len(stage.images.rows))
    browser.click("dialog .buttons .button:last-child")


class TestSignedOut:
    """Tests with accounts."""

    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[Site]:
        found = empty_site(tmp_path)
        yield found
        found.database.close()

    @pytest.fixture
    def stage(self, site: Site, tmp_path: Path) -> Iterator[Stage]:
        stage = Stage(accounts=site.accounts, folder=tmp_path)
        yield stage
        stage.close()

    def test_photos_shared_while_signed_out_wait_for_the_sign_in(
        self, browser: Browser, stage: Stage, site: Site
    ) -> None:
        site.accounts.add("ada", PASSWORD)
        sign_in(browser, "ada", PASSWORD)
        ready(browser)
        browser.driver.delete_all_cookies()
        share(browser, ("cat.jpg", photo()))
        browser.wait(lambda: browser.texts("h1") == ["Sign in"])
        sign_in(browser, "ada", PASSWORD)
        asked(browser, "Add the photo that you shared?")
        browser.click("dialog .primary")
        described(browser, 1)

    def test_share_while_the_gallery_cannot_be_reached_is_kept(
        self, browser: Browser, stage: Stage, site: Site
    ) -> None:
        site.accounts.add("ada", PASSWORD)
        sign_in(browser, "ada", PASSWORD)
        ready(browser)
        with browser.offline():
            share(browser, ("cat.jpg", photo()))
            browser.wait(lambda: "chrome-error" in browser.run("return document.baseURI + location.href"))
        browser.open()
        asked(browser, "Add the photo that you shared?")
