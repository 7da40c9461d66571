"""The life cycle of passwords, sessions and API keys: who may change them, and what a change revokes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from imgcore.accounts.models import Role
from tests.web.client import Answer
from tests.web.peopling import PASSWORD, Browser, Program, Site, site
from web.app import Application

LONGER = "another made-up password"
WRONG = "not this password"

# Forms of /account and /accounts that work without the password: they only revoke access or set no credential.
WITHOUT_PASSWORD = {
    "/account/sessions/end",
    "/account/sessions/<public_id>/end",
    "/account/keys/<public_id>/remove",
    "/account/passkeys/<public_id>/remove",
    "/account/notices",
    "/account/notices/stop",
    "/accounts/<public_id>/sign-out",
    "/accounts/<public_id>/keys/<key_id>/remove",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = site(tmp_path_factory.mktemp("credentials"))
    yield found
    found.database.close()


@pytest.fixture(scope="module")
def app(home: Site) -> Application:
    return home.app()


class Member:
    """A new account with a session elsewhere and a key, and a browser that is signed in."""

    def __init__(self, home: Site, app: Application, name: str, role: Role = Role.PERSON) -> None:
        home.people[name] = self.account = home.accounts.add(name, PASSWORD, role)
        self.here, self.there = (home.browser(app, name) for _ in range(2))
        self.program = home.program(app, name, "read")

    def access(self) -> tuple[bool, bool]:
        """Whether the session elsewhere and the key still give access."""
        return self.there.get("/").status == 200, self.program.get("/api/v1/images").status == 200


@pytest.fixture(scope="module")
def bystander(home: Site, app: Application) -> Member:
    return Member(home, app, "bystander")


@pytest.fixture(autouse=True)
def unchanged(bystander: Member) -> Iterator[None]:
    """Check that no test here concerned the bystander."""
    yield
    assert (True, True) == bystander.access()


def confirmed_forms(app: Application) -> list[str]:
    """The forms that change credentials or accounts: all but those of WITHOUT_PASSWORD."""
    found = [
        route.rule
        for route in app.routes
        if route.method == "POST" and route.rule.startswith("/account") and route.rule not in WITHOUT_PASSWORD
    ]
    assert len(found) >= 13
    return found


def stored(home: Site) -> str:
    """Every row that holds credentials or accounts, without the time of the last use."""
    tables = ("accounts", "sessions", "api_keys")
    rows = [home.database.read(lambda tx, t=table: tx.rows(f"SELECT * FROM {t}")) for table in tables]
    return repr([{k: v for k, v in row.items() if k != "seen_at"} for each in rows for row in each])


def test_forms_that_change_credentials_need_the_password(home: Site, app: Application) -> None:
    """A session alone, as on an unlocked computer, changes no password, key, role or account."""
    deputy = Member(home, app, "unlocked", Role.ADMINISTRATOR)
    target = Member(home, app, "target")
    fields = {"old": WRONG, "new": LONGER, "again": LONGER, "label": "x", "scope_read": "yes", "role": "person"}
    before = stored(home)
    for number, rule in enumerate(confirmed_forms(app)):
        path = rule.replace("<public_id>", target.account.public_id)
        wrong = {"password": WRONG} if number % 2 else {}
        answer = deputy.here.submit("/account", path, name=f"new{number}", **fields, **wrong)
        assert answer.status in {403, 429}, rule
        assert "This is not your password." in answer.text or answer.status == 429, rule
    assert before == stored(home)


def test_forms_change_nothing_where_the_password_is_reset_after_it_was_checked(
    home: Site, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password in the form was right when the reset came."""
    target, verify = Member(home, app, "resetting"), type(home.accounts.hasher).verify
    fields = {"old": PASSWORD, "password": PASSWORD, "new": LONGER, "again": LONGER}
    others = {"label": "x", "scope_read": "yes", "role": "administrator", "images": "5"}
    for number, rule in enumerate(confirmed_forms(app)):
        deputy, states = Member(home, app, f"deputy{number}", Role.ADMINISTRATOR), []

        def reset(hasher: Any, stored_hash: str | None, password: str, who: Member = deputy) -> bool:
            right = verify(hasher, stored_hash, password)
            home.accounts.reset_password(who.account, "the password of a reset")
            states.append(stored(home))  # noqa: B023 - called in this round
            return right

        token = deputy.here.get("/account").token
        with monkeypatch.context() as patched:
            patched.setattr(type(home.accounts.hasher), "verify", reset)
            path = rule.replace("<public_id>", target.account.public_id)
            answer = deputy.here.post(path, {"token": token, "name": f"newer{number}", **fields, **others})
        assert (rule, [stored(home)]) == (rule, states)
        if not rule.startswith(("/account/second-factor", "/account/passkeys")):  # they need more than it
            assert (rule, 403) == (rule, answer.status)
            assert "This is not your password." in answer.text, rule


def test_forms_without_the_password_only_take_access_away(app: Application) -> None:
    """The list names no route that does not exist."""
    assert {route.rule for route in app.routes if route.method == "POST"} >= WITHOUT_PASSWORD


@pytest.mark.parametrize(("fields", "left"), [({}, False), ({"keep_keys": "yes"}, True)])
def test_changed_password_revokes_sessions_and_keys(
    home: Site, app: Application, fields: dict[str, str], left: bool
) -> None:
    """The page lists the keys and asks; without an answer they are revoked."""
    person = Member(home, app, f"changer{left}")
    page = person.here.get("/account").text
    assert 2 == page.count('name="keep_keys"')
    answer = person.here.submit(
        "/account", "/account/password", old=PASSWORD, new=LONGER, again=LONGER, **fields
    )
    assert ("/account?done=password", (False, left)) == (answer.headers["location"], person.access())
    assert 200 == person.here.get("/account").status


@pytest.mark.parametrize(("fields", "left"), [({}, False), ({"keep_keys": "yes"}, True)])
def test_sign_out_everywhere_revokes_sessions_and_keys(
    home: Site, app: Application, fields: dict[str, str], left: bool
) -> None:
    person = Member(home, app, f"leaver{left}")
    assert 303 == person.here.submit("/account", "/account/sessions/end", **fields).status
    assert (303, (False, left)) == (person.here.get("/").status, person.access())


@pytest.mark.parametrize("action", ["password", "role", "sign-out"])
def test_administrator_revokes_sessions_and_keys(home: Site, app: Application, action: str) -> None:
    """Another password, a demotion, or the button."""
    person = Member(home, app, f"revoked-{action}", Role.ADMINISTRATOR)
    path = f"/accounts/{person.account.public_id}/{action}"
    answer = home.browser(app, "boss").submit("/accounts", path, password=PASSWORD, role="person")
    assert (True, (False, False)) == (answer.status in {200, 303}, person.access())


def test_promotion_keeps_sessions_and_keys(home: Site, app: Application) -> None:
    person = Member(home, app, "promoted")
    path = f"/accounts/{person.account.public_id}/role"
    home.browser(app, "boss").submit("/accounts", path, password=PASSWORD, role="administrator")
    assert (True, True) == person.access()


# API keys


def make_key(browser: Browser, **fields: str) -> Answer:
    given = {"label": "script", "scope_read": "yes", "password": PASSWORD} | fields
    return browser.submit("/account", "/account/keys", **given)


@pytest.mark.parametrize(("fields", "days"), [({}, 90), ({"days": "7"}, 7), ({"days": "365"}, 365)])
def test_key_expires_after_90_days_or_as_chosen(
    home: Site, app: Application, fields: dict[str, str], days: int
) -> None:
    person = Member(home, app, f"expiring{days}")
    assert 200 == make_key(person.here, **fields).status
    newest = home.accounts.keys(person.account)[0]
    assert days == round((newest.expires_at - datetime.now(UTC)).total_seconds() / 86_400)


@pytest.mark.parametrize("days", ["0", "-1", "36500", "x", "9" * 5000, "٧"])
def test_key_of_another_lifetime_is_refused(home: Site, app: Application, days: str) -> None:
    answer = make_key(home.browser(app, "owner"), days=days)
    assert (422, True) == (answer.status, "for how long the key is valid" in answer.text)


def test_expired_key_gives_no_access_and_is_shown_as_expired(home: Site, app: Application) -> None:
    person = Member(home, app, "late")
    over = "UPDATE api_keys SET expires_at = {ago:age} WHERE account_id = :id"
    home.database.run(lambda tx: tx.execute(over, age=1, id=person.account.id))
    answer = person.program.get("/api/v1/images")
    assert (401, "key") == (answer.status, answer.json["code"])
    assert re.search(r"expired <time", person.here.get("/account").text)


def test_owner_and_administrators_see_and_revoke_a_key(home: Site, app: Application) -> None:
    """The page shows its last use and the address; another person sees none of it."""
    person = Member(home, app, "keyed")
    home.accounts.create_key(person.account, "second", ["read"])
    boss = home.browser(app, "boss")
    one = f"/accounts/{person.account.public_id}"
    assert 2 == boss.get(one).text.count("never used")
    person.program.request("GET", "/api/v1/me")
    for page in (person.here.get("/account").text, boss.get(one).text):
        assert "</time> UTC from " in page
        assert ("tests" in page, "never used" in page, page.count("expires <time")) == (True, True, 2)
    assert 403 == home.browser(app, "other").get(one).status
    removal = re.findall(rf'action="({one}/keys/[0-9a-f]{{32}}/remove)"', boss.get(one).text)
    assert f"{one}?done=key" == boss.submit(one, removal[1]).headers["location"]
    assert (["second"], (True, False)) == (
        [key.label for key in home.accounts.keys(person.account)],
        person.access(),
    )


def test_administrator_revokes_a_key_only_of_the_account_of_the_page(home: Site, app: Application) -> None:
    one, two = Member(home, app, "page-a"), Member(home, app, "page-b")
    [key] = home.accounts.keys(two.account)
    path = f"/accounts/{one.account.public_id}/keys/{key.public_id}/remove"
    assert 404 == home.browser(app, "boss").submit("/accounts", path).status
    assert (True, True) == two.access()


@pytest.mark.parametrize(("role", "status"), [("administrator", 403), ("person", 201)])
def test_key_cannot_create_an_administrator(home: Site, app: Application, role: str, status: int) -> None:
    program = home.program(app, "boss", "admin")
    body = {"name": f"by-key-{role}", "password": LONGER, "role": role}
    answer = program.send("POST", "/api/v1/accounts", body)
    assert (status, status == 201) == (
        answer.status,
        any(account.name == f"by-key-{role}" for account, _ in home.accounts.all()),
    )


def routes_that_change_accounts(app: Application) -> set[tuple[str, str]]:
    """The method and rule of each such route of the API."""
    return {
        (route.method, route.rule)
        for route in app.routes
        if route.rule.startswith("/api/v1/accounts") and route.method != "GET"
    }


def test_no_route_that_takes_a_key_changes_a_role_or_a_password(app: Application) -> None:
    """The API creates accounts and deletes them, and nothing else."""
    expected = {("POST", "/api/v1/accounts"), ("DELETE", "/api/v1/accounts/<public_id>")}
    assert expected == routes_that_change_accounts(app)


def test_session_changes_no_account_through_the_api(home: Site, app: Application) -> None:
    """A key was confirmed by the password; the forms ask for it, and an unlocked computer has none."""
    deputy = Member(home, app, "unlocked-too", Role.ADMINISTRATOR)
    target = Member(home, app, "target-too")
    before = stored(home)
    for method, rule in sorted(routes_that_change_accounts(app)):
        path = rule.replace("<public_id>", target.account.public_id)
        body = {"name": "by-session", "password": LONGER, "role": "administrator"} if method == "POST" else {}
        answer = deputy.here.send(method, path, body)
        assert (403, "key_required") == (answer.status, answer.json["code"]), rule
    assert before == stored(home)


def test_address_of_the_last_use_is_the_clients(home: Site, app: Application) -> None:
    secret = home.accounts.create_key(home.people["other"], "x", ["read"])
    client = Program(app)
    client.key = secret
    client.remote = "192.0.2.44"
    assert 200 == client.get("/api/v1/me").status
    assert "192.0.2.44" == home.accounts.keys(home.people["other"])[0].used_address
