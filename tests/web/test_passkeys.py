"""Passkeys: added with the password, and accepted only as their authenticator signed them, once."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from imgcore.accounts.passkeys import RelyingParty
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import Conflict, Forbidden, Unauthorized
from tests.support.authenticator import PRESENT, Authenticator, add_passkey
from tests.web.client import Answer
from tests.web.peopling import PASSWORD, Browser, Site, site

WRONG = "a wrong password"
PARTY = RelyingParty("localhost", "http://localhost:8000")  # of the client's Host
PAGE, OPTIONS = "/account/passkeys", "/account/passkeys/options"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of its own, because limits add up; passwords are not hashed."""
    found = site(tmp_path)
    verify = lambda self, stored, password: password == PASSWORD and stored is not None  # noqa: E731
    monkeypatch.setattr(type(found.accounts.hasher), "verify", verify)
    yield found
    found.database.close()


@pytest.fixture
def authenticator(home: Site) -> Authenticator:
    """An authenticator with a passkey of the owner."""
    found = Authenticator()
    add_passkey(home.accounts, home.people["owner"], PARTY, found)
    return found


def options(browser: Browser, page: str, path: str, **fields: str) -> Answer:
    return browser.submit(page, path, **fields)


def start(browser: Browser) -> str:
    """Ask for a sign-in with a passkey; return its options."""
    answer = options(browser, "/login", "/login/passkey/options")
    assert (200, "application/json", "no-store") == (
        answer.status,
        answer.headers["content-type"],
        answer.headers["cache-control"],
    )
    return answer.text


def finish(browser: Browser, credential: str, **fields: str) -> Answer:
    return browser.submit("/login", "/login/passkey", credential=credential, **fields)


def signed_in(browser: Browser) -> bool:
    return browser.get("/account").status == 200


def names(home: Site, name: str) -> list[str]:
    return [passkey.label for passkey in home.accounts.passkeys.all(home.people[name])]


# Adding


def test_page_adds_a_passkey_that_signs_in(home: Site) -> None:
    browser, authenticator = home.browser(home.app(), "owner"), Authenticator()
    asked = options(browser, PAGE, OPTIONS, password=PASSWORD)
    wanted = json.loads(asked.text)
    chosen = wanted["authenticatorSelection"]
    assert ("localhost", "required", "required") == (
        wanted["rp"]["id"],
        chosen["residentKey"],
        chosen["userVerification"],
    )
    credential = authenticator.create(asked.text, PARTY.origin)
    added = browser.submit(PAGE, PAGE, credential=credential, label="My  phone", password=PASSWORD)
    assert (f"{PAGE}?done=added", ["My phone"], []) == (
        added.headers["location"],
        names(home, "owner"),
        names(home, "other"),
    )
    assert "My phone" in browser.get(PAGE).text
    other = Browser(home.app())
    other.remote = "192.0.2.1"
    answer = finish(other, authenticator.sign(start(other), PARTY.origin), next="/upload")
    assert (303, "/upload", True) == (answer.status, answer.headers["location"], signed_in(other))
    entry = home.accounts.log.page(name="owner")[0]
    assert (SecurityEvent.SIGNED_IN, "owner", "192.0.2.1", "with a passkey") == (
        entry.event,
        entry.actor,
        entry.address,
        entry.detail,
    )


def test_known_passkeys_are_excluded_when_another_is_added(home: Site, authenticator: Authenticator) -> None:
    asked = options(home.browser(home.app(), "owner"), PAGE, OPTIONS, password=PASSWORD)
    assert 1 == len(json.loads(asked.text)["excludeCredentials"])
    asked = options(home.browser(home.app(), "other"), PAGE, OPTIONS, password=PASSWORD)
    assert [] == json.loads(asked.text)["excludeCredentials"]


def test_passkey_is_not_added_without_the_password(home: Site) -> None:
    """Both steps check it."""
    browser, authenticator = home.browser(home.app(), "owner"), Authenticator()
    refused = options(browser, PAGE, OPTIONS, password=WRONG)
    assert (403, "This is not your password.") == (refused.status, json.loads(refused.text)["message"])
    credential = authenticator.create(options(browser, PAGE, OPTIONS, password=PASSWORD).text, PARTY.origin)
    answer = browser.submit(PAGE, PAGE, credential=credential, label="phone", password=WRONG)
    assert (403, []) == (answer.status, names(home, "owner"))


@pytest.mark.parametrize("label", ["", "   ", "x" * 81])
def test_passkey_without_a_name_is_not_added(home: Site, label: str) -> None:
    browser, authenticator = home.browser(home.app(), "owner"), Authenticator()
    credential = authenticator.create(options(browser, PAGE, OPTIONS, password=PASSWORD).text, PARTY.origin)
    answer = browser.submit(PAGE, PAGE, credential=credential, label=label, password=PASSWORD)
    assert (422, []) == (answer.status, names(home, "owner"))


def test_challenge_of_another_account_adds_nothing(home: Site) -> None:
    owner, other = (home.browser(home.app(), name) for name in ("owner", "other"))
    asked = options(other, PAGE, OPTIONS, password=PASSWORD)
    owner.cookies["gallery_challenge"] = other.cookies["gallery_challenge"]
    credential = Authenticator().create(asked.text, PARTY.origin)
    answer = owner.submit(PAGE, PAGE, credential=credential, label="phone", password=PASSWORD)
    assert (403, [], []) == (answer.status, names(home, "owner"), names(home, "other"))


@pytest.mark.parametrize(
    "fault", ["origin", "party", "not verified", "type", "challenge", "truncated", "empty", "list", "deep"]
)
def test_new_passkey_that_is_not_as_asked_for_is_refused(home: Site, fault: str) -> None:
    browser, authenticator = home.browser(home.app(), "owner"), Authenticator()
    asked = options(browser, PAGE, OPTIONS, password=PASSWORD).text
    if fault == "challenge":
        asked = options(home.browser(home.app(), "owner"), PAGE, OPTIONS, password=PASSWORD).text
    credential = faulty(authenticator, fault, lambda **given: authenticator.create(asked, **given))
    answer = browser.submit(PAGE, PAGE, credential=credential, label="phone", password=PASSWORD)
    assert (403, True, []) == (answer.status, "could not be added" in answer.text, names(home, "owner"))


def faulty(authenticator: Authenticator, fault: str, make: object) -> str:
    """Return what ``make`` returns, with a fault."""
    if fault == "not verified":
        authenticator.flags = PRESENT
    if fault == "type":
        authenticator.type = "webauthn.other"
    origin = "http://evil.example:8000" if fault == "origin" else PARTY.origin
    made = str(make(origin=origin, party_id="evil.example" if fault == "party" else ""))  # type: ignore[operator]
    whole = {"truncated": made[: len(made) // 2], "empty": "", "list": "[]", "deep": "[" * 20_000}
    return whole.get(fault, made)


@pytest.mark.parametrize("step", ["create", "sign"])
def test_damaged_response_is_an_error_for_people(home: Site, authenticator: Authenticator, step: str) -> None:
    """One byte of each response is another one; 150 responses, the same in each run."""
    made, number, passkeys = random.Random(7), 0, home.accounts.passkeys
    while number < 150:
        account, new = home.people["other"], Authenticator()
        if step == "create":
            challenge = passkeys.start_adding(account, PARTY)
            response = bytearray(new.create(challenge.options, PARTY.origin).encode())
        else:
            challenge = passkeys.start_sign_in(PARTY, address=f"192.0.2.{number}")
            response = bytearray(authenticator.sign(challenge.options, PARTY.origin).encode())
        response[made.randrange(len(response))] = made.choice(b'A{}[]",:0=\\ ')
        text, number = response.decode(), number + 1
        with suppress(Forbidden, Unauthorized, Conflict):  # or it was no part that matters
            if step == "create":
                passkeys.add(account, PARTY, challenge.token, "x", text)
            else:
                found, _ = passkeys.verify(PARTY, challenge.token, text, address="192.0.2.1")
                assert home.people["owner"] == found


# Signing in


@pytest.mark.parametrize(
    "fault",
    [
        "origin",
        "party",
        "not verified",
        "type",
        "challenge",
        "truncated",
        "empty",
        "list",
        "deep",
        "handle",
        "key",
    ],
)
def test_signature_that_is_not_as_asked_for_is_refused(
    home: Site, authenticator: Authenticator, fault: str
) -> None:
    browser = Browser(home.app())
    asked = start(browser)
    if fault == "challenge":
        asked = start(Browser(home.app()))
    if fault == "handle":
        authenticator.user_handle = home.people["other"].public_id.encode()
    if fault == "key":
        authenticator._key = Authenticator()._key
    credential = faulty(authenticator, fault, lambda **given: authenticator.sign(asked, **given))
    answer = finish(browser, credential)
    assert (401, False) == (answer.status, signed_in(browser))
    assert [SecurityEvent.SIGN_IN_FAILED] == [entry.event for entry in home.accounts.log.page()][:1]


def test_signature_works_once(home: Site, authenticator: Authenticator) -> None:
    browser, thief = Browser(home.app()), Browser(home.app())
    credential = authenticator.sign(start(browser), PARTY.origin)
    thief.cookies["gallery_challenge"] = browser.cookies["gallery_challenge"]
    assert [303, 401] == [finish(each, credential).status for each in (browser, thief)]


def test_signature_of_a_copied_passkey_is_refused(home: Site, authenticator: Authenticator) -> None:
    """The count of signatures does not grow."""
    first, second = Browser(home.app()), Browser(home.app())
    authenticator.count = 5
    assert 303 == finish(first, authenticator.sign(start(first), PARTY.origin)).status
    authenticator.count = 5
    assert 401 == finish(second, authenticator.sign(start(second), PARTY.origin)).status


def test_unknown_passkey_is_refused(home: Site, authenticator: Authenticator) -> None:
    browser, unknown = Browser(home.app()), Authenticator()
    unknown.user_handle = authenticator.user_handle
    assert 401 == finish(browser, unknown.sign(start(browser), PARTY.origin)).status


def test_sign_in_without_a_challenge_leads_back(home: Site, authenticator: Authenticator) -> None:
    browser = Browser(home.app())
    answer = finish(browser, "{}")
    assert (303, "/login") == (answer.status, answer.headers["location"])


def test_passkey_signs_in_without_a_code(home: Site, authenticator: Authenticator) -> None:
    """It holds two factors: the device, and the person's finger, face or PIN."""
    home.accounts.store.add_second_factor(home.people["owner"], "A" * 32, 0, [])
    browser = Browser(home.app())
    assert 303 == finish(browser, authenticator.sign(start(browser), PARTY.origin)).status
    assert signed_in(browser)


def test_removed_passkey_signs_in_no_more(home: Site, authenticator: Authenticator) -> None:
    owner, other = (home.browser(home.app(), name) for name in ("owner", "other"))
    [passkey] = home.accounts.passkeys.all(home.people["owner"])
    path = f"{PAGE}/{passkey.public_id}/remove"
    assert (404, ["phone"]) == (other.submit(PAGE, path).status, names(home, "owner"))
    assert (303, []) == (owner.submit(PAGE, path).status, names(home, "owner"))
    browser = Browser(home.app())
    assert 401 == finish(browser, authenticator.sign(start(browser), PARTY.origin)).status


def test_new_password_removes_passkeys_unless_they_are_kept(home: Site, authenticator: Authenticator) -> None:
    browser, longer = home.browser(home.app(), "owner"), "another made-up password"
    assert "Keep my passkeys (phone)." in browser.get("/account").text
    fields = {"old": PASSWORD, "new": longer, "again": longer}
    browser.submit("/account", "/account/password", **fields, keep_keys="yes")
    assert ["phone"] == names(home, "owner")
    browser.submit("/account", "/account/password", **fields)
    assert [] == names(home, "owner")


def test_challenges_are_limited_for_one_address(home: Site, authenticator: Authenticator) -> None:
    """Each is a row. A success resets the count; another address is not concerned."""
    browser = Browser(home.app())
    browser.remote = "192.0.2.1"
    for _ in range(3):
        credential = authenticator.sign(start(browser), PARTY.origin)
    assert 303 == finish(browser, credential).status
    browser.cookies.pop("gallery_session")
    statuses = [options(browser, "/login", "/login/passkey/options").status for _ in range(22)]
    assert [200] * 20 + [429] * 2 == statuses
    assert start(Browser(home.app()))


# Where browsers offer none


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("127.0.0.1:8000", "on this computer http://localhost:8000/"),
        ("[::1]:8000", "on this computer http://localhost:8000/"),
        ("gallery.example", "Passkeys need HTTPS."),
        ("192.0.2.7", "Passkeys do not work at an IP address."),
    ],
)
def test_page_that_browsers_do_not_trust_says_so(home: Site, host: str, says: str) -> None:
    from web.app import create_app

    app = create_app(home.gallery, accounts=home.accounts, hosts=["gallery.example", "192.0.2.7"])
    browser = home.browser(app, "owner")
    browser.headers = {"Host": host, "Origin": f"http://{host}"}
    page = browser.get(PAGE)
    assert (True, False) == (says in page.text, "data-passkey" in page.text)
    sent = {"token": page.token, "password": PASSWORD}
    answer = browser.post(OPTIONS, sent)
    assert (403, True) == (answer.status, says in answer.text)


def test_passkey_of_one_host_does_not_sign_in_at_another(home: Site, authenticator: Authenticator) -> None:
    from web.app import create_app

    browser = Browser(create_app(home.gallery, accounts=home.accounts, hosts=["gallery.example"]))
    browser.headers = {"Host": "gallery.example", "Origin": "https://gallery.example"}
    browser.scheme = "https"
    asked = start(browser)
    assert "gallery.example" == json.loads(asked)["rpId"]
    credential = authenticator.sign(asked, PARTY.origin, party_id="localhost")
    assert 401 == finish(browser, credential).status
