"""Signing in with a second factor, and turning it on, off and around its loss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from imgcore.accounts.encryption import FernetCipher
from imgcore.accounts.models import Account
from imgcore.accounts.second_factor import RECOVERY_CODES, STEP_SECONDS, generate_secret
from imgcore.accounts.security_log import SecurityEvent
from imgcore.db.connection import Transaction
from tests.web.client import Answer
from tests.web.peopling import HOME, PASSWORD, Browser, Site, site

WRONG = "a wrong password"
KEY = "a made-up key of 32 letters or more"
NOON = 1_800_000_000.0


class App:
    """An authenticator app with a secret."""

    def __init__(self, secret: str = "") -> None:
        self.secret = secret or generate_secret()

    def code(self, later: float = 0.0) -> str:
        return pyotp.TOTP(self.secret).at(int(NOON + later))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of its own, because limits add up; its clock stands at NOON, and passwords are not hashed."""
    found = site(tmp_path)
    clock(found, 0.0)
    verify = lambda self, stored, password: password == PASSWORD and stored is not None  # noqa: E731
    monkeypatch.setattr(type(found.accounts.hasher), "verify", verify)
    yield found
    found.database.close()


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


# The page


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


# The stored secret


def encrypt(home: Site, keys: str | None) -> None:
    """Set the key of the gallery."""
    cipher = FernetCipher(lambda: keys) if keys is not None else None
    object.__setattr__(home.accounts, "cipher", cipher)


def stored(home: Site, name: str) -> tuple[str, str | None]:
    """The columns of the secret of an account."""
    query = "SELECT secret, encrypted FROM second_factors WHERE account_id = :id"
    with home.database.transaction(write=False) as tx:
        row = tx.row(query, id=home.people[name].id)
    assert row is not None
    return row["secret"], row["encrypted"]


def test_secret_is_stored_encrypted_and_its_codes_are_accepted(home: Site) -> None:
    encrypt(home, KEY)
    app, _ = enable(home, "owner")
    secret, token = stored(home, "owner")
    assert ("", False) == (secret, app.secret in (token or app.secret))
    browser = enter_password(home, "owner")
    enter_code(browser, app.code())
    assert signed_in(browser)


def test_unencrypted_secret_is_encrypted_when_its_code_is_used(home: Site) -> None:
    """A wrong code changes nothing, and the secret of another account stays."""
    app, _ = enable(home, "owner")
    enable(home, "other")
    encrypt(home, KEY)
    browser = enter_password(home, "owner")
    enter_code(browser, "000000")
    assert (app.secret, None) == stored(home, "owner")
    enter_code(browser, app.code())
    assert signed_in(browser)
    secret, token = stored(home, "owner")
    assert ("", app.secret) == (secret, FernetCipher(lambda: KEY).decrypt(token or "", context(home)))
    assert stored(home, "other")[1] is None


def context(home: Site) -> str:
    return f"second factor of {home.people['owner'].id}"


def test_secret_is_encrypted_anew_by_a_key_in_front(home: Site) -> None:
    """The earlier key can be left out then."""
    encrypt(home, KEY)
    app, _ = enable(home, "owner")
    encrypt(home, f"{'n' * 32},{KEY}")
    enter_code(enter_password(home, "owner"), app.code())
    token = stored(home, "owner")[1]
    assert app.secret == FernetCipher(lambda: "n" * 32).decrypt(token or "", context(home))


@pytest.mark.parametrize("keys", ["too short", f"too short,{KEY}"])
def test_unencrypted_secret_is_accepted_where_the_key_cannot_be_used(home: Site, keys: str) -> None:
    app, _ = enable(home, "owner")
    encrypt(home, keys)
    browser = enter_password(home, "owner")
    enter_code(browser, app.code())
    assert signed_in(browser)
    assert (app.secret, None) == stored(home, "owner")


@pytest.mark.parametrize("keys", [None, "x" * 32, "too short"])
def test_without_the_key_only_recovery_codes_are_accepted(home: Site, keys: str | None) -> None:
    encrypt(home, KEY)
    app, codes = enable(home, "owner")
    encrypt(home, keys)
    browser = enter_password(home, "owner")
    answer = enter_code(browser, app.code())
    assert (503, True) == (answer.status, "Enter a recovery code" in answer.text)
    assert not signed_in(browser)
    enter_code(browser, codes[0])
    assert signed_in(browser)


def test_secret_of_another_account_is_not_accepted(home: Site) -> None:
    """A row that is copied to another account gives no sign-in there."""
    encrypt(home, KEY)
    app, _ = enable(home, "other")
    enable(home, "owner")
    with home.database.transaction() as tx:
        statement = "UPDATE second_factors SET encrypted = :token WHERE account_id = :id"
        tx.execute(statement, token=stored_token(home, tx), id=home.people["owner"].id)
    browser = enter_password(home, "owner")
    assert 503 == enter_code(browser, app.code()).status
    assert not signed_in(browser)


def stored_token(home: Site, tx: Transaction) -> str:
    query = "SELECT encrypted FROM second_factors WHERE account_id = :id"
    row = tx.row(query, id=home.people["other"].id)
    assert row is not None
    return str(row["encrypted"])
