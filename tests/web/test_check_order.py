"""The order of checks on every route: limit, authenticate, authorise, validate, then work.

What a request may use before it is refused is recorded at the password hasher, the database and the storage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.accounts.models import Scope
from imgcore.db.connection import Database
from tests.web.client import Answer, Client
from tests.web.peopling import HOME, ORIGIN, PASSWORD, Site, empty_site, site
from web.app import Application
from web.http.auth import requirement_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STORAGE = ("form", "url", "original_url", "ping")
# These routes check nothing about the caller; /readyz exists to use the database and the storage.
UNCHECKED = {"/healthz", "/readyz", "/static/<name:path>", "/api/v1/openapi.yaml", "/share-target"}
# The language is a cookie of the browser.
UNCHECKED |= {"/language/<code>"}
# The token in the address is the permission: test_shares.py tests what a request without one uses.
UNCHECKED |= {"/s/<token>", "/s/<token>/<image_id>", "/s/<token>/<image_id>/download", "/s/<token>/all.zip"}


class Recorder:
    """Counts the uses of what is expensive."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Site) -> None:
        self.used: list[str] = []
        for name in ("hash", "verify"):  # of the site's own hasher, which may remember what it has hashed
            self._record(monkeypatch, type(home.accounts.hasher), name, "Argon2Hasher")
        self._record(monkeypatch, Database, "run")
        self._record(monkeypatch, Database, "read")
        for name in STORAGE:
            self._record(monkeypatch, type(home.gallery.storage), name)
        self._record(monkeypatch, type(home.gallery.queues), "send")

    def _record(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, title: str = "") -> None:
        original = getattr(owner, name)

        def recorded(*args: object, **kwargs: object) -> object:
            self.used.append(f"{title or owner.__name__}.{name}")
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, recorded)

    def during(self, client: Client, method: str, path: str, **headers: str) -> tuple[Answer, list[str]]:
        """Send a request without a CSRF token; return the response and what it used."""
        self.used.clear()
        body = b"" if method in ("GET", "DELETE") else b"name=x"
        return client.request(method, path, body, FORM | headers), list(self.used)

    def authentication(self, client: Client) -> list[str]:
        """Return what it takes to authenticate this client; the first request also notes when it was seen."""
        for _ in range(2):
            answer, used = self.during(client, "GET", "/api/v1/me")
            assert 200 == answer.status
        return used


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = site(tmp_path_factory.mktemp("order"))
    yield found
    found.database.close()


@pytest.fixture(scope="module")
def app(home: Site) -> Application:
    found = home.app()
    Client(found).get("/")  # from now on it is known that accounts exist
    return found


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, home: Site) -> Recorder:
    return Recorder(monkeypatch, home)


def routes(app: Application) -> list[tuple[str, str]]:
    """(method, path) of every route that checks its caller."""
    return [
        (route.method, re.sub("<.*?_id>", "0" * 32, route.rule))
        for route in app.routes
        if route.rule not in UNCHECKED
    ]


def forms(app: Application) -> list[tuple[str, str]]:
    return [(method, path) for method, path in routes(app) if method == "POST" and "/api/" not in path]


def test_foreign_host_uses_nothing(app: Application, recorder: Recorder) -> None:
    for route in routes(app):
        answer, used = recorder.during(Client(app), *route, Host="evil.example")
        assert (400, []) == (answer.status, used), route


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://]x["])
def test_foreign_origin_uses_nothing(app: Application, recorder: Recorder, home: Site, origin: str) -> None:
    client = home.browser(app, "owner")
    for route in routes(app):
        if route[0] != "GET":
            answer, used = recorder.during(client, *route, Origin=origin)
            assert (403, []) == (answer.status, used), route


def test_request_without_credentials_uses_nothing(app: Application, recorder: Recorder) -> None:
    """Only the pages for signing in and setting up ask the database whether there are accounts."""
    for method, path in routes(app):
        answer, used = recorder.during(Client(app), method, path)
        expected = ["Database.read"] if (method, path) in {("GET", "/login"), ("GET", "/setup")} else []
        assert (answer.status in {200, 303, 401, 403}, expected) == (True, used), (method, path)


def test_malformed_credentials_use_nothing(app: Application, recorder: Recorder) -> None:
    client = Client(app)
    client.cookies["gallery_session"] = "malformed"
    for method, path in routes(app):
        if path not in {"/login", "/setup"}:
            answer, used = recorder.during(client, method, path, Authorization="Bearer malformed")
            assert (answer.status in {303, 401, 403}, []) == (True, used), (method, path)


def test_account_without_permission_uses_only_its_session(
    app: Application, recorder: Recorder, home: Site
) -> None:
    client = home.browser(app, "other")
    expected = recorder.authentication(client)
    admin_only = [
        (route.method, re.sub("<.*?_id>", "0" * 32, route.rule))
        for route in app.routes
        if requirement_of(route).scope is Scope.ADMIN
    ]
    assert len(admin_only) > 8
    for route in admin_only:
        answer, used = recorder.during(client, *route)
        assert (403, expected) == (answer.status, used), route


def test_key_without_scope_uses_only_its_lookup(app: Application, recorder: Recorder, home: Site) -> None:
    client = home.program(app, "owner", "read")
    expected = recorder.authentication(client)
    for method, path in routes(app):
        if path.startswith("/api/") and method != "GET" and path != "/api/v1/download":  # which reads
            answer, used = recorder.during(client, method, path)
            assert (403, expected) == (answer.status, used), (method, path)


def test_form_without_token_uses_only_the_session(app: Application, recorder: Recorder, home: Site) -> None:
    client = home.browser(app, "boss")
    expected = recorder.authentication(client)
    for route in forms(app):
        answer, used = recorder.during(client, *route)
        shown = route == ("POST", "/shared/new")  # which changes nothing, and needs no token from our own pages
        assert (200 if shown else 403, expected) == (answer.status, used), route


def test_form_without_token_and_session_uses_nothing(app: Application, recorder: Recorder) -> None:
    for path in ("/login", "/login/code", "/login/passkey", "/login/passkey/options", "/logout", "/setup"):
        answer, used = recorder.during(Client(app), "POST", path, **ORIGIN)
        assert (403, []) == (answer.status, used), path


def test_api_call_over_the_limit_of_its_key_uses_nothing(recorder: Recorder, home: Site) -> None:
    app = home.app(api_rate=1)
    client = home.program(app, "owner", "read")
    assert 200 == client.get("/api/v1/me").status
    for method, path in routes(app):
        if path.startswith("/api/"):
            answer, used = recorder.during(client, method, path)
            assert (429, []) == (answer.status, used), (method, path)
            assert "ratelimit" in answer.headers


def test_wrong_keys_over_the_limit_of_their_address_use_nothing(recorder: Recorder, home: Site) -> None:
    """Each is another key, and well-formed."""
    client = home.program(home.app(api_rate=1), "owner", "read")
    statuses = []
    for number in range(3):
        client.key = f"gallery_{number:043d}"
        answer, used = recorder.during(client, "GET", "/api/v1/me")
        statuses.append((answer.status, len(used)))
    assert [(401, 1), (429, 0), (429, 0)] == statuses


def test_wrong_keys_do_not_use_up_the_limit_of_a_right_one(home: Site) -> None:
    app = home.app(api_rate=2)
    wrong, right = home.program(app, "owner", "read"), home.program(app, "owner", "read")
    wrong.key = f"gallery_{0:043d}"
    clients = (wrong, right, right, right)
    assert [401, 200, 200, 429] == [client.get("/api/v1/me").status for client in clients]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    found = empty_site(tmp_path)
    yield found
    found.database.close()


def set_up(client: Client, token: str) -> Answer:
    fields = {"setup_token": token, "name": "boss", "password": PASSWORD}
    return client.post("/setup", {"token": client.get("/login").token, **fields}, **ORIGIN)


def test_set_up_with_wrong_token_hashes_nothing(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.accounts.offer_set_up()
    client, recorder = Client(empty.app()), Recorder(monkeypatch, empty)
    client.cookies["gallery_form"] = "0" * 32
    fields = {"token": "0" * 32, "setup_token": "wrong", "name": "boss", "password": PASSWORD}
    statuses = [client.post("/setup", fields, **ORIGIN).status for _ in range(22)]
    assert [403] * 20 + [429] * 2 == statuses
    assert [] == [name for name in recorder.used if name.startswith("Argon2")]


def test_set_up_after_completion_computes_nothing(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """No attempt is counted."""
    token = empty.accounts.offer_set_up()
    empty.accounts.set_up(token, "boss", PASSWORD, HOME)
    client, recorder = Client(empty.app()), Recorder(monkeypatch, empty)
    for sent in (token, "wrong"):
        answer = set_up(client, sent)
        assert 403 == answer.status
    assert {"Database.read"} == set(recorder.used)
