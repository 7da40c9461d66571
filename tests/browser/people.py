"""What people with accounts do, whatever gallery they do it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


def change_account(browser: Browser, name: str, password: str) -> None:
    """Sign out, and in as somebody else, in this tab."""
    browser.open("/account")
    browser.click(".me")
    browser.click(".signed button")
    browser.wait(lambda: "/login" in browser.driver.current_url)
    sign_in(browser, name, password)


@contextmanager
def another_tab(browser: Browser) -> Iterator[Callable[[], None]]:
    """Open another tab of the same browser, which is closed at the end; yield what switches between both."""
    driver = browser.driver
    [first] = driver.window_handles
    driver.switch_to.new_window("tab")
    second = driver.current_window_handle

    def switch() -> None:
        driver.switch_to.window(first if driver.current_window_handle == second else second)

    try:
        yield switch
    finally:
        driver.switch_to.window(second)
        driver.close()
        driver.switch_to.window(first)


def _signed_in(browser: Browser, name: str) -> None:
    browser.wait(lambda: browser.has(".me", name), 60)
