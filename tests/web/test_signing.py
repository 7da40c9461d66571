"""Signing in and out, sessions, forms and passwords, in the browser and in the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher

from tests.web.client import Answer, Client
from tests.web.peopling import HOME, PASSWORD, Browser, Site, site
from tests.web.signing_tools import sign_in, somebody
from web.app import Application

LONGER = "another made-up password"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests here; those who try passwords in vain make an account of their own."""
    found = site(tmp_path_factory.mktemp("signing"))
    yield found
    found.database.close()


@pytest.fixture(scope="module")
def app(home: Site) -> Application:
    """The application over it."""
    return home.app()


# Signing in


def test_signing_in_leads_where_one_wanted_to_go(home: Site, app: Application) -> None:
    """Path and query; never to another site."""
    client = Browser(app)
    location = client.get("/?q=a+b").headers["location"]
    assert f"/login?next={quote('/?q=a+b', safe='')}" == location
    page = client.get(location)
    fields = {"token": page.token, "next": "/?q=a+b", "name": "OWNER", "password": PASSWORD}
    assert "/?q=a+b" == client.post("/login", fields).headers["location"]


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "/\tx"])
def test_the_way_on_is_a_path_of_ours(app: Application, path: str) -> None:
    """Anything else leads to the gallery."""
    page = Browser(app).get(f"/login?next={quote(path, safe='')}").text
    assert 'name="next" value="/"' in page


def test_a_wrong_password_and_a_wrong_name_are_answered_alike(home: Site, app: Application) -> None:
    """Status, sentence and headers; the page repeats the name, never the password."""
    somebody(home, "careless")
    answers = [sign_in(Browser(app), name, "not this one") for name in ("careless", "nobody!")]
    assert [401, 401] == [answer.status for answer in answers]
    one, two = (re.sub(r'[0-9a-f]{32}|value="[^"]*"', "", answer.text) for answer in answers)
    assert one == two
    assert "The name or the password is wrong." in one
    assert "not this one" not in answers[0].text


def test_tries_are_counted_for_each_name_whether_it_exists(home: Site, app: Application) -> None:
    """Five are free; then 429 with a time, even for the right password."""
    somebody(home, "target")
    for name in ("target", "missing"):
        statuses = [sign_in(Browser(app), name, "wrong", X="x").status for _ in range(6)]
        assert [401] * 5 + [429] == statuses
    answer = sign_in(Browser(app), "target")
    assert (429, True) == (answer.status, "Too many attempts. Wait" in answer.text)
    assert int(answer.headers["retry-after"]) >= 1


def test_the_session_is_new_with_each_sign_in(home: Site, app: Application) -> None:
    """The browser's previous session has ended."""
    client = Browser(app)
    sign_in(client, "owner")
    first = client.cookies["gallery_session"]
    token = client.get("/account").token
    answer = client.post("/login", {"token": token, "name": "owner", "password": PASSWORD})
    assert 303 == answer.status
    assert first != client.cookies["gallery_session"]
    assert home.accounts.authenticate_session(first) is None


def test_no_token_is_stored_as_it_is(home: Site, app: Application) -> None:
    """The database holds no session token, API key or password."""
    client = home.browser(app, "owner")
    secret = home.accounts.create_key(home.people["owner"], "x", ["read"])
    tables = ("accounts", "sessions", "api_keys", "set_up_tokens", "throttles")
    kept = repr([home.database.read(lambda tx, t=table: tx.rows(f"SELECT * FROM {t}")) for table in tables])
    assert [False] * 3 == [text in kept for text in (client.cookies["gallery_session"], secret, PASSWORD)]
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in kept


def test_over_https_the_cookies_are_this_hosts_alone(home: Site, app: Application) -> None:
    """The cookie has the __Host- prefix and Secure; the response has HSTS."""
    client = Secure(app)
    answer = sign_in(client, "owner")
    assert ["__Host-gallery", "__Host-gallery_device"] == sorted(
        cookie.partition("=")[0] for cookie in answer.set_cookies
    )
    for cookie in answer.set_cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
    assert {"__Host-gallery", "__Host-gallery_device", "__Host-gallery_form"} == set(client.cookies)
    assert "max-age=31536000" == answer.headers["strict-transport-security"]
    assert 200 == client.get("/").status


class Secure(Browser):
    """Comes over HTTPS."""

    def _call(self, environ: dict[str, object]) -> Answer:
        environ["wsgi.url_scheme"] = "https"
        if "HTTP_ORIGIN" in environ:
            environ["HTTP_ORIGIN"] = "https://localhost:8000"
        return super()._call(environ)


def test_no_password_travels_in_the_clear(home: Site) -> None:
    """The form is not shown without HTTPS or loopback."""
    from web.app import create_app

    app = create_app(home.gallery, accounts=home.accounts, hosts=["photos.example"])
    answer = Browser(app).get("/login", Host="photos.example")
    assert (403, True) == (answer.status, "Signing in needs HTTPS." in answer.text)


@pytest.mark.parametrize("cookie", ["", "x", "é", "A" * 43, "A" * 4000])
def test_a_cookie_that_is_nobodys_is_nobody(app: Application, cookie: str) -> None:
    client = Browser(app)
    client.cookies["gallery_session"] = cookie
    assert (303, 401) == (client.get("/").status, client.get("/api/v1/images").status)


# Forms


def test_a_forms_token_is_its_sessions(home: Site, app: Application) -> None:
    """Another person's does not fit, nor one from before signing in; nothing is changed."""
    owner, other = home.browser(app, "owner"), home.browser(app, "other")
    before = Browser(app).get("/login").token
    for token in (other.get("/account").token, before, ""):
        assert 403 == owner.post("/account/sessions/end", {"token": token}).status
    assert 200 == owner.get("/account").status


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_session_changes_nothing_in_the_api_from_elsewhere(
    home: Site, app: Application, headers: dict[str, str]
) -> None:
    """A change is rejected if the browser does not say that the gallery's own page sent it."""
    image = home.upload("owner")
    silent = Client(app)
    silent.cookies = home.browser(app, "owner").cookies
    path = f"/api/v1/images/{image.public_id}"
    assert 403 == silent.request("DELETE", path, headers=headers).status
    assert 204 == silent.request("DELETE", path, headers={"Sec-Fetch-Site": "same-origin"}).status


# Sessions


def test_a_session_is_ended_from_another_browser_at_once(home: Site) -> None:
    """The next request of the ended session is rejected; the own session continues."""
    here = somebody(home, "traveller")
    there = home.browser(home.app(), "traveller")
    page = here.get("/account")
    [ending] = re.findall(r'action="(/account/sessions/[0-9a-f]{32}/end)"', page.text)
    assert "/account?done=session" == here.post(ending, {"token": page.token}).headers["location"]
    assert (200, 303, 401) == (
        here.get("/").status,
        there.get("/").status,
        there.get("/api/v1/images").status,
    )


def test_signing_out_everywhere_includes_here(home: Site) -> None:
    """The response has Clear-Site-Data."""
    here = somebody(home, "leaver")
    there = home.browser(home.app(), "leaver")
    answer = here.submit("/account", "/account/sessions/end")
    assert ("/login", '"cache"') == (answer.headers["location"], answer.headers["clear-site-data"])
    assert [303, 303] == [client.get("/").status for client in (here, there)]


def test_signing_out_ends_the_session_itself(home: Site, app: Application) -> None:
    """The session in the database ends, not only the cookie."""
    client = home.browser(app, "owner")
    token = client.cookies["gallery_session"]
    assert 303 == client.submit("/account", "/logout").status
    assert ('""', None) == (client.cookies["gallery_session"], home.accounts.authenticate_session(token))


# Passwords


def test_a_new_password_ends_every_other_session(home: Site) -> None:
    """This browser goes on with a new one; the old password does not work."""
    here = somebody(home, "changer")
    there = home.browser(home.app(), "changer")
    before = here.cookies["gallery_session"]
    answer = here.submit("/account", "/account/password", old=PASSWORD, new=LONGER, again=LONGER)
    assert "/account?done=password" == answer.headers["location"]
    assert before != here.cookies["gallery_session"]
    assert (200, 303) == (here.get("/account").status, there.get("/account").status)
    assert [401, 303] == [sign_in(Browser(home.app()), "changer", word).status for word in (PASSWORD, LONGER)]


@pytest.mark.parametrize(
    ("old", "new", "again", "status", "sentence"),
    [
        ("wrong", LONGER, LONGER, 403, "This is not your password."),
        (PASSWORD, "short", "short", 422, "12 to 256 characters"),
        (PASSWORD, LONGER, LONGER + "x", 422, "are not the same"),
        (PASSWORD, "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", 422, "too easy to guess"),
        (PASSWORD, "x" * 257, "x" * 257, 422, "12 to 256 characters"),
    ],
)
def test_a_password_that_is_not_changed_says_why(
    home: Site, app: Application, old: str, new: str, again: str, status: int, sentence: str
) -> None:
    """The same page shows the error, and nothing has changed."""
    client = home.browser(app, "other")
    answer = client.submit("/account", "/account/password", old=old, new=new, again=again)
    assert (status, True) == (answer.status, sentence in answer.text)
    assert 200 == client.get("/account").status


# What pages say


def test_the_foot_says_who_is_signed_in(home: Site, app: Application) -> None:
    """The page does not say that there is no sign-in."""
    page = home.browser(app, "owner").get("/").text
    assert ("You are signed in as owner." in page, "Open mode" in page) == (True, False)


def test_in_open_mode_there_are_no_accounts(home: Site) -> None:
    """The account's page says so; the rest is not there, and the API knows everybody."""
    from web.app import create_app

    client = Client(create_app(home.gallery))
    assert "This gallery is in open mode" in client.get("/account").text
    assert [404] * 4 == [
        client.get(path).status for path in ("/login", "/setup", "/accounts", "/api/v1/accounts")
    ]
    assert {"open": True, "account": None, "scopes": ["read", "upload", "edit", "admin"]} == client.get(
        "/api/v1/me"
    ).json


def test_nothing_of_an_account_is_kept_by_a_cache(home: Site, app: Application) -> None:
    """Pages with secrets, names or forms."""
    boss = home.browser(app, "boss")
    assert ["no-store"] * 2 == [boss.get(p).headers["cache-control"] for p in ("/account", "/accounts")]


def test_a_password_that_was_hashed_with_less_effort_is_hashed_again(home: Site) -> None:
    """The next sign-in rehashes the password; sessions continue."""
    browser, ida = somebody(home, "ida"), home.people["ida"]
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    before = home.accounts.store.named("ida")
    assert before is not None
    home.accounts.store.rehash_password(ida.id, before[1], weak)
    home.accounts.sign_in("ida", PASSWORD, HOME)
    known = home.accounts.store.named("ida")
    assert known is not None
    assert (False, 200) == (home.accounts.hasher.outdated(known[1]), browser.get("/").status)
