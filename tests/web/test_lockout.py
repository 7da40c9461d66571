"""Attempts to guess a password: what they delay, and whom they must not delay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.accounts import throttle
from imgcore.accounts.tokens import hash_token
from tests.web.client import Answer
from tests.web.peopling import PASSWORD, Browser, Site, site

WRONG = "a wrong password"
LONGER = "another made-up password"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of its own, because limits add up; the hour does not end during a test."""
    found = site(tmp_path)
    object.__setattr__(found.accounts, "clock", lambda: 0.0)
    monkeypatch.setattr(type(found.accounts.hasher), "verify", lambda self, stored, password: verify(password))
    yield found
    found.database.close()


def verify(password: str) -> bool:
    """Compare without hashing: hundreds of attempts take seconds otherwise."""
    return password == PASSWORD


def browser(home: Site, address: str) -> Browser:
    found = Browser(home.app())
    found.remote = address
    return found


def attempt(client: Browser, name: str, password: str = WRONG) -> Answer:
    return client.submit("/login", "/login", name=name, password=password)


def guess(home: Site, name: str, address: str, times: int) -> list[int]:
    """Guess with new browsers; return the statuses."""
    client = browser(home, address)
    return [attempt(client, name).status for _ in range(times)]


def wait_is_over(home: Site) -> None:
    """Let every wait end."""
    home.database.run(lambda tx: tx.execute("UPDATE throttles SET blocked_until = {now}"))


@pytest.mark.parametrize("prefix", ["", "::ffff:"])  # as a proxy that listens on IPv6 alone writes an address
def test_stranger_does_not_lock_the_owner_out_at_another_address(home: Site, prefix: str) -> None:
    assert [401] * 5 + [429] * 5 == guess(home, "owner", f"{prefix}192.0.2.66", 10)
    assert 429 == attempt(browser(home, "192.0.2.66"), "owner", PASSWORD).status
    assert 303 == attempt(browser(home, f"{prefix}198.51.100.1"), "owner", PASSWORD).status


def test_one_address_stays_below_the_attempts_of_a_name_in_an_hour() -> None:
    """The waits of one name from one address, added up, exceed an hour before that."""
    from imgcore.db.login_throttle import delay

    attempts, waited = 0, 0.0
    while waited < throttle.HOUR:
        attempts += 1
        waited += delay(attempts, *throttle.PAIR)
    assert attempts < throttle.NAME.free / 3


def test_stranger_does_not_disturb_an_open_session(home: Site) -> None:
    """Reading, and entering the password again, which changes it."""
    owner = home.browser(home.app(), "owner")
    owner.remote = "192.0.2.66"  # the same network even
    guess(home, "owner", "192.0.2.66", 8)
    fields = {"old": PASSWORD, "new": LONGER, "again": LONGER}
    assert (200, 303) == (
        owner.get("/account").status,
        owner.submit("/account", "/account/password", **fields).status,
    )


def test_known_browser_signs_in_during_an_attack_from_everywhere(home: Site) -> None:
    """A new browser waits, a known one does not, at whatever address; only for its own account."""
    known = browser(home, "198.51.100.1")
    assert 303 == attempt(known, "owner", PASSWORD).status
    for number in range(throttle.NAME.free + 5):
        attempt(browser(home, f"203.0.113.{number}"), "owner")
    known.cookies.pop("gallery_session")
    known.remote = "203.0.113.1"
    assert 429 == attempt(browser(home, "198.51.100.2"), "owner", PASSWORD).status
    assert 303 == attempt(known, "owner", PASSWORD).status
    for number in range(throttle.NAME.free + 5):
        attempt(browser(home, f"203.0.113.{number}"), "other")
    known.cookies.pop("gallery_session")
    assert 429 == attempt(known, "other", PASSWORD).status


def test_known_browser_has_few_attempts_of_its_own(home: Site) -> None:
    known = browser(home, "198.51.100.1")
    attempt(known, "owner", PASSWORD)
    known.cookies.pop("gallery_session")
    assert [401] * 5 + [429] == [attempt(known, "owner").status for _ in range(6)]
    assert 303 == attempt(browser(home, "198.51.100.2"), "owner", PASSWORD).status


@pytest.mark.parametrize("cookie", ["x", "A" * 43])
def test_device_cookie_that_nobody_gave_out_is_worth_nothing(home: Site, cookie: str) -> None:
    client = browser(home, "192.0.2.66")
    client.cookies["gallery_device"] = cookie
    statuses = []
    for _ in range(6):
        statuses.append(attempt(client, "owner").status)
        client.cookies["gallery_device"] = cookie
    assert [401] * 5 + [429] == statuses


def test_device_token_is_new_after_each_sign_in_and_stored_as_a_hash(home: Site) -> None:
    """A token that an attacker planted is not the one that becomes known."""
    client = browser(home, "198.51.100.1")
    client.cookies["gallery_device"] = "A" * 43
    attempt(client, "owner", PASSWORD)
    first = client.cookies["gallery_device"]
    client.submit("/account", "/logout")
    attempt(client, "owner", PASSWORD)
    second = client.cookies["gallery_device"]
    stored = [row["token"] for row in home.database.read(lambda tx: tx.rows("SELECT token FROM devices"))]
    assert ([hash_token(second)], 3) == (stored, len({"A" * 43, first, second}))


def test_revocation_forgets_known_browsers(home: Site) -> None:
    client = browser(home, "198.51.100.1")
    attempt(client, "owner", PASSWORD)
    attempt(bystander := browser(home, "198.51.100.1"), "other", PASSWORD)
    home.accounts.end_sessions(home.people["owner"])
    store = home.accounts.store
    assert [False, True] == [
        store.knows_device(name, hash_token(who.cookies["gallery_device"]))
        for name, who in (("owner", client), ("other", bystander))
    ]


def test_one_address_is_limited_for_all_names_together(home: Site) -> None:
    """The 20 free attempts of an address, then a wait; another address is not concerned."""
    client = browser(home, "192.0.2.66")
    statuses = [attempt(client, f"name{number}").status for number in range(throttle.NETWORK.free + 2)]
    assert [401] * throttle.NETWORK.free + [429] * 2 == statuses
    assert 401 == attempt(browser(home, "192.0.2.67"), "name1").status


def test_many_addresses_are_limited_for_one_name(home: Site) -> None:
    """The 50 free attempts of an hour; another name is not concerned, and the next hour starts anew."""
    free = throttle.NAME.free
    statuses = [attempt(browser(home, f"203.0.113.{n}"), "owner").status for n in range(free + 2)]
    assert [401] * free + [429] * 2 == statuses
    assert 401 == attempt(browser(home, "198.51.100.1"), "other").status
    object.__setattr__(home.accounts, "clock", lambda: throttle.HOUR)
    assert 401 == attempt(browser(home, "198.51.100.2"), "owner").status


def test_many_addresses_are_limited_for_all_names_together(home: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One password tried on many names; after the wait of ten seconds one more passes."""
    monkeypatch.setattr(throttle, "TOTAL", throttle.Limit(30, throttle.TOTAL.longest))
    statuses = [attempt(browser(home, f"203.0.113.{n}"), f"name{n}").status for n in range(32)]
    assert [401] * 30 + [429] * 2 == statuses
    answer = attempt(browser(home, "198.51.100.1"), "owner", PASSWORD)
    assert (429, True) == (answer.status, int(answer.headers["retry-after"]) <= throttle.TOTAL.longest)
    wait_is_over(home)
    assert 401 == attempt(browser(home, "198.51.100.2"), "owner").status
    assert 429 == attempt(browser(home, "198.51.100.3"), "other").status


def test_successes_do_not_add_up(home: Site) -> None:
    """An office behind one address signs in all day."""
    client = browser(home, "198.51.100.1")
    for _ in range(throttle.NAME.free + 5):
        client.cookies.clear()
        assert 303 == attempt(client, "owner", PASSWORD).status


def test_confirmation_in_a_session_is_limited(home: Site) -> None:
    """A stolen session does not guess the password; the owner's other session goes on."""
    stolen, mine = (home.browser(home.app(), "owner") for _ in range(2))
    stolen.remote = "192.0.2.66"
    statuses = [stolen.submit("/account", "/account/delete", password=WRONG).status for _ in range(6)]
    assert [403] * 5 + [429] == statuses
    fields = {"old": PASSWORD, "new": LONGER, "again": LONGER}
    assert 303 == mine.submit("/account", "/account/password", **fields).status


@pytest.mark.parametrize("path", ["/login", "/login/code", "/login/passkey", "/logout", "/setup"])
def test_stranger_adds_few_rows_to_the_security_log(home: Site, path: str) -> None:
    """Invented cookies of a session, a challenge or a sign-in that waits for its code change nothing."""
    client = browser(home, "192.0.2.66")
    fields = {"token": client.get("/login").token, "name": "owner", "password": WRONG, "code": "1"}
    fields |= {"credential": "{}", "setup_token": "x"}
    for _ in range(throttle.NETWORK.free + 5):
        client.submit("/login", "/login/passkey/options")
        client.cookies |= dict.fromkeys(("gallery_session", "gallery_sign_in"), "A" * 43)
        for _ in range(2):
            client.post(path, fields)
            client.cookies["gallery_challenge"] = "A" * 43
    assert throttle.NETWORK.free >= len(home.accounts.log.page())


def test_sign_in_with_a_passkey_that_fails_is_logged(home: Site) -> None:
    client = browser(home, "192.0.2.66")
    client.cookies["gallery_challenge"] = "A" * 43
    client.submit("/login", "/login/passkey", credential="{}")
    assert [] == home.accounts.log.page()
    client.submit("/login", "/login/passkey/options")
    client.submit("/login", "/login/passkey", credential="{}")
    [entry] = home.accounts.log.page()
    assert ("sign_in_failed", "with a passkey", "192.0.2.66") == (entry.event, entry.detail, entry.address)
