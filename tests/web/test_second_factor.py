"""Signing in with a second factor: its codes, guesses, and the security log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.accounts.second_factor import RECOVERY_CODES, STEP_SECONDS
from imgcore.accounts.security_log import SecurityEvent
from tests.web.peopling import PASSWORD, Browser, Site
from tests.web.second_factor_tools import (
    WRONG,
    App,
    enable,
    enter_code,
    enter_password,
    events,
    signed_in,
    site_at_noon,
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of its own, because limits add up."""
    found = site_at_noon(tmp_path, monkeypatch)
    yield found
    found.database.close()


# Signing in


def test_sign_in_needs_password_and_code(home: Site) -> None:
    app, _ = enable(home, "owner")
    browser = enter_password(home, "owner")
    assert ("/login/code?next=%2F", False) == (browser.answer.headers["location"], signed_in(browser))
    answer = enter_code(browser, app.code(), next="/upload")
    assert (303, "/upload", True) == (answer.status, answer.headers["location"], signed_in(browser))
    assert ('""', True) == (browser.cookies["gallery_sign_in"], "gallery_device" in browser.cookies)


def test_wrong_password_does_not_reveal_a_second_factor(home: Site) -> None:
    """The answers for an account with one, without one, and for no account are the same."""
    enable(home, "owner")
    browsers = [enter_password(home, name, password=WRONG) for name in ("owner", "other", "nobody")]
    pages = {re.sub(r'value="[^"]*"', "", browser.answer.text) for browser in browsers}
    assert (1, [401] * 3) == (len(pages), [browser.answer.status for browser in browsers])
    assert not any("gallery_sign_in" in browser.cookies for browser in browsers)


def test_account_without_second_factor_signs_in_by_password(home: Site) -> None:
    enable(home, "owner")
    assert "/" == enter_password(home, "other").answer.headers["location"]


def test_session_and_api_key_are_not_affected(home: Site) -> None:
    browser, program = home.browser(home.app(), "owner"), home.program(home.app(), "owner", "read")
    enable(home, "owner")
    assert (True, 200) == (signed_in(browser), program.get("/api/v1/images").status)


def test_page_for_the_code_without_a_password_leads_to_the_sign_in(home: Site) -> None:
    app, _ = enable(home, "owner")
    browser = Browser(home.app())
    assert "/login" == browser.get("/login/code").headers["location"]
    fields = {"token": browser.get("/login").token, "code": app.code()}
    assert "/login" == browser.post("/login/code", fields).headers["location"]


@pytest.mark.parametrize("cookie", ["A" * 43, "x"])
def test_made_up_sign_in_is_worth_nothing(home: Site, cookie: str) -> None:
    app, _ = enable(home, "owner")
    browser = Browser(home.app())
    token = browser.get("/login").token
    browser.cookies["gallery_sign_in"] = cookie
    answer = browser.post("/login/code", {"token": token, "code": app.code()})
    assert (True, False) == (answer.status in {303, 401}, signed_in(browser))


def test_pending_sign_in_of_one_account_takes_no_code_of_another(home: Site) -> None:
    """An attacker knows the password, and has an app for their own account."""
    enable(home, "owner")
    own, codes = enable(home, "other")
    browser = enter_password(home, "owner")
    assert [403, 403] == [enter_code(browser, code).status for code in (own.code(), codes[0])]
    assert not signed_in(browser)


def test_pending_sign_in_expires(home: Site) -> None:
    app, _ = enable(home, "owner")
    browser = enter_password(home, "owner")
    past = "UPDATE pending_sign_ins SET expires_at = {now}"
    home.database.run(lambda tx: tx.execute(past))
    answer = enter_code(browser, app.code())
    assert (401, True) == (answer.status, "Enter name and password again" in answer.text)


def test_pending_sign_in_works_once(home: Site) -> None:
    app, _ = enable(home, "owner")
    browser = enter_password(home, "owner")
    sent = browser.cookies["gallery_sign_in"]
    enter_code(browser, app.code())
    stolen = Browser(home.app())
    stolen.cookies["gallery_sign_in"] = sent
    assert (401, False) == (enter_code(stolen, app.code(STEP_SECONDS)).status, signed_in(stolen))


# Codes


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-61, False), (-30, True), (0, True), (30, True), (61, False), (3600, False)]
)
def test_code_of_the_neighbouring_steps_is_accepted(home: Site, seconds: int, accepted: bool) -> None:
    """Clocks may differ by half a minute."""
    app, _ = enable(home, "owner")
    browser = enter_password(home, "owner")
    assert (303 if accepted else 403) == enter_code(browser, app.code(seconds)).status


def test_code_works_once(home: Site) -> None:
    """A code that was read from the screen is refused, and so is an older one."""
    app, _ = enable(home, "owner")
    assert 303 == enter_code(enter_password(home, "owner"), app.code()).status
    again = enter_password(home, "owner")
    statuses = [enter_code(again, app.code(later)).status for later in (0, -STEP_SECONDS, STEP_SECONDS)]
    assert [403, 403, 303] == statuses


def test_code_that_turned_the_second_factor_on_does_not_sign_in(home: Site) -> None:
    app = App()
    home.accounts.second_factors.enable(home.people["owner"], app.secret, app.code())
    assert 403 == enter_code(enter_password(home, "owner"), app.code()).status


def test_code_may_be_typed_in_groups(home: Site) -> None:
    app, codes = enable(home, "owner")
    spaced = f" {app.code()[:3]} {app.code()[3:]} "
    lower = codes[0].lower().replace("-", " ")
    assert [303, 303] == [enter_code(enter_password(home, "owner"), code).status for code in (spaced, lower)]


@pytest.mark.parametrize("code", ["", "12345", "١٢٣٤٥٦", "x" * 5000, "-", "000000 "])
def test_malformed_code_is_refused(home: Site, code: str) -> None:
    enable(home, "owner")
    assert 403 == enter_code(enter_password(home, "owner"), code).status


def test_each_recovery_code_works_once(home: Site) -> None:
    _, codes = enable(home, "owner")
    assert (RECOVERY_CODES, RECOVERY_CODES) == (len(codes), len(set(codes)))
    statuses = [enter_code(enter_password(home, "owner"), code).status for code in (*codes, codes[0], codes[9])]
    assert [303] * RECOVERY_CODES + [403, 403] == statuses


def test_recovery_codes_are_stored_as_hashes(home: Site) -> None:
    _, codes = enable(home, "owner")
    rows = repr(home.database.read(lambda tx: tx.rows("SELECT * FROM recovery_codes")))
    assert not any(code in rows or code.replace("-", "") in rows for code in codes)


# Guessing


def test_codes_are_guessed_slowly(home: Site) -> None:
    """Five free attempts for an account from everywhere, then a wait; another account is not concerned."""
    app, _ = enable(home, "owner")
    other, _ = enable(home, "other")
    browsers = [enter_password(home, "owner", f"198.51.100.{number}") for number in range(6)]
    assert [403] * 5 + [429] == [enter_code(browser, "000000").status for browser in browsers]
    assert 429 == enter_code(enter_password(home, "owner"), app.code()).status
    assert 303 == enter_code(enter_password(home, "other"), other.code()).status


def test_known_browser_enters_codes_while_others_guess(home: Site) -> None:
    app, _ = enable(home, "owner")
    known = enter_password(home, "owner")
    enter_code(known, app.code())
    known.submit("/account", "/logout")
    for number in range(6):
        enter_code(enter_password(home, "owner", f"198.51.100.{number}"), "000000")
    known.submit("/login", "/login", name="owner", password=PASSWORD)
    assert 303 == enter_code(known, app.code(STEP_SECONDS)).status


def test_right_codes_do_not_add_up(home: Site) -> None:
    _, codes = enable(home, "owner")
    assert {303} == {enter_code(enter_password(home, "owner"), code).status for code in codes}


# The security log


def test_sign_in_is_logged_when_the_code_is_right(home: Site) -> None:
    _, codes = enable(home, "owner")
    browser = enter_password(home, "owner")
    assert [] == events(home, "owner")
    enter_code(browser, "000000")
    enter_code(browser, codes[0])
    assert [SecurityEvent.SECOND_FACTOR_FAILED, SecurityEvent.SIGNED_IN] == events(home, "owner")
    entry = home.accounts.log.page(name="owner")[0]
    assert ("with a recovery code, 9 left", "192.0.2.1") == (entry.detail, entry.address)
