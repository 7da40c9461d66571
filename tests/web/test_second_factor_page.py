"""Turning a second factor on, off and around its loss, on the page of the account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.accounts.models import Account
from imgcore.accounts.second_factor import RECOVERY_CODES
from tests.web.peopling import HOME, PASSWORD, Site
from tests.web.second_factor_tools import WRONG, App, enable, enter_code, enter_password, site_at_noon


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of its own, because limits add up."""
    found = site_at_noon(tmp_path, monkeypatch)
    yield found
    found.database.close()


def form(page: str) -> App:
    """The app that scanned the QR code of the page."""
    return App(re.search(r'name="secret" value="([A-Z2-7]{32})"', page)[1])


def test_page_turns_the_second_factor_on_with_password_and_code(home: Site) -> None:
    browser = home.browser(home.app(), "owner")
    page = browser.get("/account/second-factor").text
    app = form(page)
    assert ("<svg viewBox=" in page, "style=" in page.split("<svg")[2]) == (True, False)
    fields = {"secret": app.secret, "password": PASSWORD, "code": app.code()}
    answer = browser.submit("/account/second-factor", "/account/second-factor", **fields)
    shown = re.findall(r"<li><code>([A-Z0-9-]{19})</code></li>", answer.text)
    assert (200, RECOVERY_CODES, "no-store") == (answer.status, len(shown), answer.headers["cache-control"])
    assert (app.secret in answer.text, shown[0] in browser.get("/account/second-factor").text) == (False, False)
    assert 303 == enter_code(enter_password(home, "owner"), shown[3]).status
    assert [] == [key for key in ("other", "boss") if home.accounts.second_factors.get(home.people[key])]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": WRONG}, 403),
        ({"code": "000000"}, 422),
        ({"secret": "A" * 31}, 422),
        ({"secret": "a" * 32}, 422),
        ({"secret": ""}, 422),
    ],
)
def test_page_with_a_wrong_field_turns_nothing_on(home: Site, change: dict[str, str], status: int) -> None:
    browser, app = home.browser(home.app(), "owner"), App()
    fields = {"secret": app.secret, "password": PASSWORD, "code": app.code()} | change
    answer = browser.submit("/account/second-factor", "/account/second-factor", **fields)
    assert (status, None) == (answer.status, home.accounts.second_factors.get(home.people["owner"]))
    kept = fields["secret"] == app.secret
    assert kept == (form(answer.text).secret == app.secret)


def test_page_of_an_account_with_a_second_factor_shows_no_secret(home: Site) -> None:
    app, _ = enable(home, "owner")
    browser = home.browser(home.app(), "owner")
    page = browser.get("/account/second-factor").text
    assert (True, False, False) == (
        "10 recovery codes are left" in page,
        app.secret in page,
        'class="qr"' in page,
    )
    fields = {"secret": (other := App()).secret, "password": PASSWORD, "code": other.code()}
    assert 409 == browser.submit("/account/second-factor", "/account/second-factor", **fields).status


def test_new_recovery_codes_replace_the_ones_before(home: Site) -> None:
    _, codes = enable(home, "owner")
    browser = home.browser(home.app(), "owner")
    path = "/account/second-factor/codes"
    assert 403 == browser.submit("/account/second-factor", path, password=WRONG).status
    answer = browser.submit("/account/second-factor", path, password=PASSWORD)
    shown = re.findall(r"<li><code>([A-Z0-9-]{19})</code></li>", answer.text)
    statuses = [enter_code(enter_password(home, "owner"), code).status for code in (codes[0], shown[0])]
    assert [403, 303] == statuses


def test_turning_it_off_needs_password_and_code(home: Site) -> None:
    app, _ = enable(home, "owner")
    enable(home, "other")
    browser, path = home.browser(home.app(), "owner"), "/account/second-factor/remove"
    attempts = [{"password": WRONG, "code": app.code()}, {"password": PASSWORD, "code": "000000"}]
    for fields in attempts:
        assert 403 == browser.submit("/account/second-factor", path, **fields).status
        assert home.accounts.second_factors.get(home.people["owner"]) is not None
    answer = browser.submit("/account/second-factor", path, password=PASSWORD, code=app.code())
    assert "/account?done=second-factor" == answer.headers["location"]
    assert "The second factor is off." in browser.get("/account?done=second-factor").text
    left = [home.accounts.second_factors.get(home.people[name]) is not None for name in ("owner", "other")]
    assert [False, True] == left
    assert "/" == enter_password(home, "owner").answer.headers["location"]


def test_administrator_resets_a_lost_second_factor(home: Site) -> None:
    enable(home, "owner")
    enable(home, "other")
    boss, account = home.browser(home.app(), "boss"), home.people["owner"]
    page, path = f"/accounts/{account.public_id}", f"/accounts/{account.public_id}/second-factor"
    assert (403, True) == (
        boss.submit(page, path, password=WRONG).status,
        home.accounts.second_factors.get(account) is not None,
    )
    assert f"{page}?done=second-factor" == boss.submit(page, path, password=PASSWORD).headers["location"]
    assert "/" == enter_password(home, "owner").answer.headers["location"]
    assert "/login/code?next=%2F" == enter_password(home, "other").answer.headers["location"]
    assert (404, False) == (boss.submit(page, path, password=PASSWORD).status, path in boss.get(page).text)


def test_reset_password_keeps_the_second_factor(home: Site) -> None:
    """A person who reads the new password, for example in an e-mail, still needs the app."""
    enable(home, "owner")
    account: Account = home.people["owner"]
    home.accounts.reset_password(account, "another made-up password")
    assert home.accounts.second_factors.get(account) is not None


def test_password_changed_during_a_sign_in_ends_it(home: Site) -> None:
    app, _ = enable(home, "owner")
    browser = enter_password(home, "owner")
    home.accounts.change_password(home.people["owner"], PASSWORD, "another made-up password", HOME)
    assert 401 == enter_code(browser, app.code()).status
