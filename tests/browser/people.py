"""What people with accounts do, whatever gallery they do it in."""

from __future__ import annotations

from tests.browser.chromium import Browser


def set_up(browser: Browser, token: str, name: str, password: str) -> None:
    """Make the first account, on the page that every other leads to."""
    browser.fill(setup_token=token, name=name, password=password)
    browser.click("main button[type=submit]")
    _signed_in(browser, name.lower())


def sign_in(browser: Browser, name: str, password: str) -> None:
    """Sign in with the form that every page leads to."""
    browser.open("/login")
    browser.fill(name=name, password=password)
    browser.click("main button[type=submit]")
    _signed_in(browser, name)


def add_account(browser: Browser, name: str, password: str) -> str:
    """Create an account as an administrator with that password; return the generated password."""
    browser.open("/accounts")
    browser.fill(name=name, password=password)
    browser.click("main form[action='/accounts'] button")
    return browser.text(".secret")


def sign_out_the_first(browser: Browser) -> None:
    """Sign out, as an administrator, the first account by name everywhere."""
    browser.open("/accounts")
    browser.click(".accounts li:first-child a")
    browser.click("form[action$='/sign-out'] button")
    browser.wait(lambda: browser.has(".done", "signed out everywhere"))


def _signed_in(browser: Browser, name: str) -> None:
    browser.wait(lambda: browser.has(".me", name), 60)
