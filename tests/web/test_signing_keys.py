"""API keys, and accounts that an administrator makes, in the browser and in the API."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from imgcore.accounts.models import Role, Visibility
from imgcore.db.sweep import SweepRepository
from tests.web.peopling import PASSWORD, Browser, Program, Site, site
from tests.web.signing_tools import sign_in, somebody
from web.app import Application


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests here."""
    found = site(tmp_path_factory.mktemp("keys"))
    yield found
    found.database.close()


@pytest.fixture(scope="module")
def app(home: Site) -> Application:
    """The application over it."""
    return home.app()


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


@pytest.mark.parametrize("name", [None, "other"])
def test_the_api_limits_callers_without_a_key(home: Site, name: str | None) -> None:
    """A session, and an address without any credential, are counted as keys are."""
    client = home.browser(home.app(Visibility.PUBLIC, api_rate=2), name)
    assert [200, 200, 429] == [client.get("/api/v1/images").status for _ in range(3)]


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


def test_who_deletes_their_account_takes_their_photos_along(home: Site) -> None:
    """They are in the trash for so long already that the next sweep removes them; others' stay."""
    client = somebody(home, "quitter")
    program = home.program(home.app(), "quitter", "read")
    mine, theirs = home.upload("quitter"), home.upload("other")
    answer = client.submit("/account", "/account/delete", password=PASSWORD)
    assert "/login" == answer.headers["location"]
    assert (303, 401) == (client.get("/").status, program.get("/api/v1/images").status)
    trash = SweepRepository(home.database).expired_trash(older_than=30 * 86_400.0, again_after=0.0, limit=100)
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
