"""An authenticator app, and a browser that signs in with it."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest

from imgcore.accounts.second_factor import generate_secret
from tests.web.client import Answer
from tests.web.peopling import PASSWORD, Browser, Site, site

WRONG = "a wrong password"
KEY = "a made-up key of 32 letters or more"
NOON = 1_800_000_000.0


class App:
    """An authenticator app with a secret."""

    def __init__(self, secret: str = "") -> None:
        self.secret = secret or generate_secret()

    def code(self, later: float = 0.0) -> str:
        return pyotp.TOTP(self.secret).at(int(NOON + later))


def site_at_noon(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a site whose clock stands at NOON, and whose passwords are not hashed."""
    found = site(folder)
    clock(found, 0.0)
    verify = lambda self, stored, password: password == PASSWORD and stored is not None  # noqa: E731
    monkeypatch.setattr(type(found.accounts.hasher), "verify", verify)
    return found


def clock(home: Site, later: float) -> None:
    """Set the gallery's clock to NOON and some seconds."""
    object.__setattr__(home.accounts, "clock", lambda: NOON + later)


def enable(home: Site, name: str) -> tuple[App, list[str]]:
    """Turn the second factor of an account on with an earlier code; return app and recovery codes."""
    clock(home, -300.0)
    app = App()
    codes = home.accounts.second_factors.enable(home.people[name], app.secret, app.code(-300.0))
    clock(home, 0.0)
    return app, codes


def enter_password(home: Site, name: str, address: str = "192.0.2.1", password: str = PASSWORD) -> Browser:
    """Return a browser that has sent name and password."""
    browser = Browser(home.app())
    browser.remote = address
    browser.answer = browser.submit("/login", "/login", name=name, password=password)  # type: ignore[attr-defined]
    return browser


def enter_code(browser: Browser, code: str, **fields: str) -> Answer:
    return browser.submit("/login/code", "/login/code", code=code, **fields)


def signed_in(browser: Browser) -> bool:
    return browser.get("/account").status == 200


def events(home: Site, name: str) -> list[str]:
    return [entry.event for entry in reversed(home.accounts.log.page(name=name))]
