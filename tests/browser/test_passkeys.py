"""Passkeys in Chromium, with its virtual authenticator: add one, sign in with it, remove it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Browser
from tests.browser.people import sign_in
from tests.web.peopling import PASSWORD, Site, empty_site
from tests.web.stage import Stage

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = empty_site(tmp_path)
    found.people["ada"] = found.accounts.add("ada", PASSWORD)
    yield found
    found.database.close()


@pytest.fixture
def window(browser: Browser, site: Site, tmp_path: Path) -> Iterator[Browser]:
    """A browser at the gallery's name on this computer, with an authenticator."""
    stage = Stage(accounts=site.accounts, folder=tmp_path)
    browser.origin = stage.origin.replace("127.0.0.1", "localhost")
    browser.driver.execute_cdp_cmd("WebAuthn.enable", {})
    added = browser.driver.execute_cdp_cmd("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield browser
    browser.driver.execute_cdp_cmd("WebAuthn.removeVirtualAuthenticator", added)
    browser.driver.execute_cdp_cmd("WebAuthn.disable", {})
    stage.close()


def start_again(window: Browser) -> None:
    """Open the sign-in page without the session."""
    window.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    window.open("/login")


def test_passkey_is_added_signs_in_and_is_removed(window: Browser, site: Site) -> None:
    sign_in(window, "ada", PASSWORD)
    window.open("/account/passkeys")
    window.fill(label="Laptop", passkey_password="not this one")
    window.click("form[data-passkey] button")
    window.wait(lambda: window.has("form .trouble", "This is not your password."))
    window.find("#passkey_password").clear()
    window.fill(passkey_password=PASSWORD)
    window.click("form[data-passkey] button")
    window.wait(lambda: window.has(".done", "The passkey was added."))
    assert ["Laptop"] == [passkey.label for passkey in site.accounts.passkeys.all(site.people["ada"])]

    window.fill(label="Again", passkey_password=PASSWORD)
    window.click("form[data-passkey] button")
    window.wait(lambda: window.has("form .trouble", "has a passkey of your account already"))

    start_again(window)
    window.click("form[data-passkey] button")
    window.wait(lambda: window.has(".me", "ada"))

    window.open("/account/passkeys")
    window.click(".rows button")
    window.wait(lambda: window.has(".done", "The passkey was removed."))
    start_again(window)
    window.click("form[data-passkey] button")
    window.wait(lambda: window.has(".trouble", "Signing in with a passkey failed."))
