"""Signing in and out, sessions, forms, keys and accounts, in the browser and in the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher

from imgcore.accounts.models import Role
from imgcore.db.sweep import SweepRepository
from tests.web.client import Answer, Client
from tests.web.peopling import HOME, PASSWORD, Browser, Program, Site, empty_site, site
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


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    """Return an application without accounts."""
    found = empty_site(tmp_path)
    yield found
    found.database.close()


def sign_in(client: Client, name: str, password: str = PASSWORD, **headers: str) -> Answer:
    """Sign in with the form."""
    token = client.get("/login", **headers).token
    return client.post("/login", {"token": token, "name": name, "password": password}, **headers)


def somebody(home: Site, name: str) -> Browser:
    """A new account, signed in."""
    home.people[name] = home.accounts.add(name, PASSWORD)
    return home.browser(home.app(), name)


# The first administrator


def test_the_first_page_leads_to_the_set_up(empty: Site) -> None:
    """Every page does so as long as no account exists."""
    client = Browser(empty.app())
    assert ["/setup"] * 3 == [client.get(path).headers["location"] for path in ("/", "/upload", "/login")]
    assert 200 == client.get("/setup").status


def test_the_token_makes_an_administrator_who_is_signed_in(empty: Site) -> None:
    """The token works once; then it is rejected, and the page redirects."""
    token = empty.accounts.offer_set_up()
    client = Browser(empty.app())
    fields = {"setup_token": token, "name": "Boss", "password": PASSWORD}
    answer = client.submit("/setup", "/setup", **fields)
    assert (303, "/") == (answer.status, answer.headers["location"])
    assert "You are signed in as boss." in client.get("/").text
    other = Browser(empty.app())
    assert ["/login", "/login"] == [other.get(path).headers["location"] for path in ("/setup", "/")]
    assert 403 == other.submit("/login", "/setup", **fields).status
    assert empty.accounts.offer_set_up() is None


def test_a_wrong_token_makes_nobody(empty: Site) -> None:
    """The token does not work either once an administrator exists."""
    empty.accounts.offer_set_up()
    client = Browser(empty.app())
    answer = client.submit("/setup", "/setup", setup_token="made-up", name="boss", password=PASSWORD)
    assert (403, True) == (answer.status, "This token is not valid." in answer.text)
    assert [] == list(empty.accounts.all())


def test_what_the_set_up_refuses_keeps_the_token_good(empty: Site) -> None:
    """A password that is too short is said, with what was typed still there."""
    token = empty.accounts.offer_set_up()
    client = Browser(empty.app())
    answer = client.submit("/setup", "/setup", setup_token=token, name="boss", password="short")
    assert (422, True, True) == (answer.status, token in answer.text, "12 to 256 characters" in answer.text)
    again = client.submit("/setup", "/setup", setup_token=token, name="boss", password=PASSWORD)
    assert 303 == again.status


def test_people_sign_in_before_there_is_an_administrator(empty: Site) -> None:
    """Made from a shell; the set-up is open to the holder of the token."""
    empty.accounts.add("ada", PASSWORD)
    client = Browser(empty.app())
    assert "/login" == client.get("/").headers["location"]
    assert 200 == client.get("/setup").status
    assert 303 == sign_in(client, "ada").status


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


# Keys


def test_a_key_is_shown_once_and_does_what_its_scopes_allow(home: Site, app: Application) -> None:
    """The key works until it is revoked."""
    client = home.browser(app, "owner")
    made = client.submit(
        "/account", "/account/keys", label="My script", scope_read="yes", password=PASSWORD
    ).text
    secret = re.search(r"gallery_[A-Za-z0-9_-]{43}", made)[0]
    page = client.get("/account")
    assert (False, True, True) == (secret in page.text, "My script" in page.text, "never used" in page.text)
    program = Program(app)
    program.key = secret
    assert (200, 403) == (
        program.get("/api/v1/images").status,
        program.send("POST", "/api/v1/uploads", {"name": "a", "type": "image/jpeg"}).status,
    )
    assert "last used" in client.get("/account").text
    removal = re.search(r'action="(/account/keys/[0-9a-f]{32}/remove)"', page.text)[1]
    assert 303 == client.post(removal, {"token": page.token}).status
    assert 401 == program.get("/api/v1/images").status


def test_a_key_never_opens_a_page(home: Site, app: Application) -> None:
    """A key cannot create another key."""
    program = home.program(app, "owner", "read", "upload", "edit")
    assert [303] * 3 == [program.get(path).status for path in ("/", "/account", "/upload")]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"label": "", "scope_read": "yes"}, "purpose of the key"),
        ({"label": "x" * 81, "scope_read": "yes"}, "purpose of the key"),
        ({"label": "x"}, "Choose what the key may do"),
        ({"label": "x", "scope_admin": "yes"}, "Choose what the key may do"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    home: Site, app: Application, fields: dict[str, str], sentence: str
) -> None:
    """No label, no scope, or more than its owner may."""
    answer = home.browser(app, "other").submit("/account", "/account/keys", password=PASSWORD, **fields)
    assert (422, True) == (answer.status, sentence in answer.text)


@pytest.mark.parametrize("sent", ["Bearer x", "Bearer gallery_x", "Basic eDp4", "Bearer", "gallery_x"])
def test_a_key_that_is_none_is_refused(home: Site, app: Application, sent: str) -> None:
    """401, with a session beside it as well: what was asked for by a key is not answered without."""
    client = home.browser(app, "owner")
    answer = client.get("/api/v1/images", Authorization=sent)
    assert (401, "key") == (answer.status, answer.json["code"])
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_key_loses_what_its_owner_loses(home: Site, app: Application) -> None:
    """An administrator's key that is older than their role as a person."""
    home.people["deputy"] = home.accounts.add("deputy", PASSWORD, Role.ADMINISTRATOR)
    program = home.program(app, "deputy", "read", "admin")
    assert 200 == program.get("/api/v1/accounts").status
    home.database.run(lambda tx: tx.execute("UPDATE accounts SET role = 'person' WHERE name = 'deputy'"))
    assert (403, ["read"]) == (
        program.get("/api/v1/accounts").status,
        program.get("/api/v1/me").json["scopes"],
    )


def test_the_api_counts_requests_and_says_how_many_are_left(home: Site) -> None:
    """Each caller has its own limit; beyond it the answer is 429 with Retry-After."""
    app = home.app(api_rate=2)
    program = home.program(app, "owner", "read")
    answers = [program.get("/api/v1/images") for _ in range(3)]
    assert [200, 200, 429] == [answer.status for answer in answers]
    assert ['"api";r=1', '"api";r=0', '"api";r=0'] == [
        answer.headers["ratelimit"].partition(";t=")[0] for answer in answers
    ]
    assert '"api";q=2;w=60' == answers[2].headers["ratelimit-policy"]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert 200 == home.browser(app, "other").get("/api/v1/images").status


# Others' accounts


def test_an_administrator_makes_an_account_with_a_password_shown_once(home: Site, app: Application) -> None:
    """Which its owner signs in with."""
    boss = home.browser(app, "boss")
    page = boss.submit("/accounts", "/accounts", name="newcomer", password=PASSWORD).text
    password = re.search(r'class="secret">([^<]+)<', page)[1]
    assert 303 == sign_in(Browser(app), "newcomer", password).status
    assert password not in boss.get("/accounts").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": "owner"}, 409),
        ({"name": "no spaces"}, 422),
        ({"name": ""}, 422),
        ({"name": "x", "new": "short"}, 422),
        ({"name": "x", "role": "emperor"}, 422),
    ],
)
def test_an_account_that_makes_no_sense_is_not_made(
    home: Site, app: Application, fields: dict[str, str], status: int
) -> None:
    """It says why."""
    answer = home.browser(app, "boss").submit("/accounts", "/accounts", password=PASSWORD, **fields)
    assert (status, True) == (answer.status, 'role="alert"' in answer.text)


def test_a_forgotten_password_is_replaced_by_an_administrator(home: Site, app: Application) -> None:
    """Every session of the account has ended."""
    client = somebody(home, "forgetful")
    id_ = home.people["forgetful"].public_id
    page = home.browser(app, "boss").submit("/accounts", f"/accounts/{id_}/password", password=PASSWORD).text
    password = re.search(r'class="secret">([^<]+)<', page)[1]
    assert 303 == client.get("/").status
    assert 303 == sign_in(Browser(app), "forgetful", password).status


def test_the_last_administrator_stays(empty: Site) -> None:
    """The last administrator can neither be deleted nor lose the role."""
    boss = empty.people["boss"] = empty.accounts.add("boss", PASSWORD, Role.ADMINISTRATOR)
    client = empty.browser(empty.app(), "boss")
    answers = [
        client.submit("/accounts", f"/accounts/{boss.public_id}/delete", password=PASSWORD),
        client.submit("/accounts", f"/accounts/{boss.public_id}/role", role="person", password=PASSWORD),
        client.submit("/account", "/account/delete", password=PASSWORD),
    ]
    assert [409] * 3 == [answer.status for answer in answers]
    assert all("only administrator" in answer.text for answer in answers)


def test_who_deletes_their_account_takes_their_photos_along(home: Site) -> None:
    """They are in the trash for so long already that the next sweep removes them; others' stay."""
    client = somebody(home, "quitter")
    program = home.program(home.app(), "quitter", "read")
    mine, theirs = home.upload("quitter"), home.upload("other")
    answer = client.submit("/account", "/account/delete", password=PASSWORD)
    assert "/login" == answer.headers["location"]
    assert (303, 401) == (client.get("/").status, program.get("/api/v1/images").status)
    trash = SweepRepository(home.database).expired_trash(older_than=30 * 86_400.0, limit=100)
    ids = {image.public_id for image in trash}
    assert (True, False) == (mine.public_id in ids, theirs.public_id in ids)
    assert home.gallery.get(theirs.public_id).deleted_at is None
    assert 401 == sign_in(Browser(home.app()), "quitter").status


def test_an_administrator_deletes_an_account_by_the_api(home: Site, app: Application) -> None:
    """204; its photos are counted before, and gone afterwards."""
    home.people["victim"] = home.accounts.add("victim", PASSWORD)
    home.upload("victim")
    program = home.program(app, "boss", "admin")
    listed = {one["name"]: one for one in program.get("/api/v1/accounts").json["accounts"]}
    assert (1, "person") == (listed["victim"]["photographs"], listed["victim"]["role"])
    path = f"/api/v1/accounts/{listed['victim']['id']}"
    assert [204, 404] == [program.request("DELETE", path).status for _ in range(2)]


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
    home.accounts.store.rehash_password(ida.id, weak)
    home.accounts.sign_in("ida", PASSWORD, HOME)
    known = home.accounts.store.named("ida")
    assert known is not None
    assert (False, 200) == (home.accounts.hasher.outdated(known[1]), browser.get("/").status)
