"""The security log: every route that changes something writes an event, and no event holds a secret."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest

from imgcore.accounts.models import Role
from imgcore.accounts.passkeys import RelyingParty
from imgcore.accounts.second_factor import generate_secret
from imgcore.accounts.security_log import SecurityEvent
from imgcore.collections.models import AlbumRole
from imgcore.collections.share_models import NewShare
from imgcore.errors import Unavailable
from imgcore.gallery.models import TaskKind, Viewer
from tests.support.authenticator import Authenticator, add_passkey
from tests.web.client import Answer
from tests.web.peopling import HOME, PASSWORD, Browser, Program, Site, empty_site, site
from web.app import Application

LONGER = "another made-up password"
WRONG = "a wrong password"
MEMBERS = ("/albums/<public_id>/members", "/albums/<public_id>/members/remove")
PARTY = RelyingParty("localhost", "http://localhost:8000")  # of the client's Host
E = SecurityEvent

# (method, route) → its event; None: no event. What changes the words of a photo needs no row.
EVENTS: dict[tuple[str, str], SecurityEvent | None] = {
    ("POST", "/images/<public_id>/delete"): E.IMAGE_DELETED,
    ("POST", "/images/<public_id>/restore"): E.IMAGE_RESTORED,
    ("POST", "/upload"): None,
    ("POST", "/login"): E.SIGNED_IN,
    ("POST", "/login/code"): E.SIGNED_IN,
    ("POST", "/login/passkey/options"): None,
    ("POST", "/login/passkey"): E.SIGNED_IN,
    ("POST", "/logout"): E.SIGNED_OUT,
    ("POST", "/setup"): None,  # tested below, where there is no administrator yet
    ("POST", "/account/password"): E.PASSWORD_CHANGED,
    ("POST", "/account/passkeys/options"): None,
    ("POST", "/account/passkeys"): E.PASSKEY_ADDED,
    ("POST", "/account/passkeys/<public_id>/remove"): E.PASSKEY_REMOVED,
    ("POST", "/account/second-factor"): E.SECOND_FACTOR_ENABLED,
    ("POST", "/account/second-factor/codes"): E.RECOVERY_CODES_CREATED,
    ("POST", "/account/second-factor/remove"): E.SECOND_FACTOR_DISABLED,
    ("POST", "/account/sessions/end"): E.SESSIONS_ENDED,
    ("POST", "/account/sessions/<public_id>/end"): E.SESSION_ENDED,
    ("POST", "/account/keys"): E.KEY_CREATED,
    ("POST", "/account/keys/<public_id>/remove"): E.KEY_REVOKED,
    ("POST", "/account/delete"): E.ACCOUNT_DELETED,
    ("POST", "/account/notices"): E.SETTING_CHANGED,
    ("POST", "/account/notices/stop"): E.SETTING_CHANGED,
    ("POST", "/accounts"): E.ACCOUNT_CREATED,
    ("POST", "/accounts/<public_id>/password"): E.PASSWORD_RESET,
    ("POST", "/accounts/<public_id>/second-factor"): E.SECOND_FACTOR_RESET,
    ("POST", "/accounts/<public_id>/role"): E.ROLE_CHANGED,
    ("POST", "/accounts/<public_id>/quota"): E.SETTING_CHANGED,
    ("POST", "/accounts/<public_id>/sign-out"): E.SESSIONS_ENDED,
    ("POST", "/accounts/<public_id>/keys/<key_id>/remove"): E.KEY_REVOKED,
    ("POST", "/accounts/<public_id>/delete"): E.ACCOUNT_DELETED,
    ("POST", "/api/v1/uploads"): None,
    ("POST", "/api/v1/uploads/<public_id>/parts"): None,
    ("POST", "/api/v1/uploads/<public_id>/finish"): None,
    ("POST", "/download"): None,  # it changes nothing
    ("POST", "/shared/new"): None,  # it changes nothing
    ("POST", "/api/v1/download"): None,
    ("POST", "/admin/jobs/retry"): None,  # as of one photo
    ("POST", "/api/v1/jobs/retry"): None,
    ("POST", "/activity/retry"): None,
    ("POST", "/api/v1/activity/retry"): None,
    ("POST", "/share-target"): None,  # it changes nothing
    ("POST", "/admin/jobs/pause"): E.TASKS_PAUSED,
    ("POST", "/api/v1/jobs/pause"): E.TASKS_PAUSED,
    ("POST", "/admin/jobs/resume"): E.TASKS_RESUMED,
    ("POST", "/api/v1/jobs/resume"): E.TASKS_RESUMED,
    ("POST", "/api/v1/bulk"): E.IMAGE_DELETED,
    ("POST", "/api/v1/bulk/undo"): E.IMAGE_DELETED,
    ("POST", "/webhooks"): E.WEBHOOK_CHANGED,
    ("POST", "/webhooks/<public_id>/secret"): E.WEBHOOK_CHANGED,
    ("POST", "/webhooks/<public_id>/delete"): E.WEBHOOK_CHANGED,
    ("POST", "/api/v1/webhooks"): E.WEBHOOK_CHANGED,
    ("DELETE", "/api/v1/webhooks/<public_id>"): E.WEBHOOK_CHANGED,
    ("POST", "/api/v1/webhooks/<public_id>/secret"): E.WEBHOOK_CHANGED,
    ("POST", "/shared"): E.SHARE_CREATED,
    ("POST", "/shared/<public_id>/revoke"): E.SHARE_REVOKED,
    ("POST", "/s/<token>"): None,  # a wrong password: tested in test_shares.py
    ("POST", "/api/v1/shares"): E.SHARE_CREATED,
    ("DELETE", "/api/v1/shares/<public_id>"): E.SHARE_REVOKED,
    ("POST", "/albums"): None,
    ("POST", "/albums/<public_id>/add"): None,
    ("POST", "/albums/<public_id>/remove"): None,
    ("POST", "/albums/<public_id>/move"): None,
    ("POST", "/albums/<public_id>/edit"): None,
    ("POST", "/albums/<public_id>/delete"): None,  # its photos stay
    ("POST", "/albums/<public_id>/members"): E.ALBUM_SHARED,
    ("POST", "/albums/<public_id>/members/remove"): E.ALBUM_UNSHARED,
    ("POST", "/api/v1/albums"): None,
    ("PATCH", "/api/v1/albums/<public_id>"): None,
    ("DELETE", "/api/v1/albums/<public_id>"): None,
    ("POST", "/api/v1/albums/<public_id>/images"): None,
    ("POST", "/api/v1/albums/<public_id>/images/remove"): None,
    ("POST", "/api/v1/albums/<public_id>/images/move"): None,
    ("PUT", "/api/v1/albums/<public_id>/members/<name>"): E.ALBUM_SHARED,
    ("DELETE", "/api/v1/albums/<public_id>/members/<name>"): E.ALBUM_UNSHARED,
    ("POST", "/campaigns"): None,  # descriptions: the ledger of the models' answers records them
    ("POST", "/campaigns/<public_id>/<change>"): None,
    ("POST", "/api/v1/campaigns"): None,
    ("POST", "/api/v1/campaigns/<public_id>/pause"): None,
    ("POST", "/api/v1/campaigns/<public_id>/resume"): None,
    ("POST", "/api/v1/campaigns/<public_id>/cancel"): None,
    ("DELETE", "/api/v1/images/<public_id>"): E.IMAGE_DELETED,
    ("POST", "/api/v1/images/<public_id>/restore"): E.IMAGE_RESTORED,
    ("POST", "/trash/restore"): E.IMAGE_RESTORED,
    ("POST", "/trash/delete"): E.IMAGE_DELETED,
    ("DELETE", "/api/v1/trash"): E.IMAGE_DELETED,
    ("DELETE", "/api/v1/trash/<public_id>"): E.IMAGE_DELETED,
    ("POST", "/api/v1/trash/all/restore"): E.IMAGE_RESTORED,
    ("POST", "/api/v1/accounts"): E.ACCOUNT_CREATED,
    ("DELETE", "/api/v1/accounts/<public_id>"): E.ACCOUNT_DELETED,
}


HOOK = {"url": "https://example.org/hook", "events": ["photo.failed"]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = site(tmp_path_factory.mktemp("log"))
    yield found
    found.database.close()


@pytest.fixture(scope="module")
def app(home: Site) -> Application:
    return home.app()


def test_every_route_that_changes_something_has_a_row(app: Application) -> None:
    """A new route says here which event it writes, or this fails; so does a row without a route."""
    changing = {(route.method, route.rule) for route in app.routes if route.method != "GET"}
    words = {(method, rule) for method, rule in changing - set(EVENTS) if "/images/<public_id>" in rule}
    assert changing - words == set(EVENTS)


class Scene:
    """A new administrator, signed in, with a photo; and a stranger. Both have a key."""

    def __init__(self, home: Site, app: Application, number: int) -> None:
        self.home, self.name, self.stranger_name = home, f"actor{number}", f"stranger{number}"
        self.me = home.people[self.name] = home.accounts.add(self.name, PASSWORD, Role.ADMINISTRATOR)
        self.stranger = home.accounts.add(self.stranger_name, PASSWORD)
        self.browser, self.program = home.browser(app, self.name), Program(app)
        scopes = [(self.me, "admin"), (self.stranger, "read")]
        self.keys = [home.accounts.create_key(who, "x", [scope]) for who, scope in scopes]
        self.program.key = self.keys[0]
        self.browser.remote = self.program.remote = "192.0.2.55"
        self.secret, self.image = "", home.upload(self.name)
        home.accounts.start_session(self.me, HOME)
        albums = home.gallery.albums.for_viewer(Viewer(self.me.id))
        self.album = albums.create("Shared")
        albums.set_member(self.album.public_id, self.stranger_name, AlbumRole.VIEW)
        webhooks = replace(home.gallery.webhooks, viewer=Viewer(self.me.id))
        self.webhook = webhooks.create(HOOK["url"], HOOK["events"])
        shares = home.gallery.shares.for_viewer(Viewer(self.me.id))
        self.share, self.token, _ = shares.create(NewShare(album=self.album.public_id))

    def code(self, route: str) -> str:
        """Set up the second factor that the route needs; return a code."""
        secret, now = generate_secret(), time.time()
        self.secret, app = secret, pyotp.TOTP(secret)
        if route == "/account/second-factor":
            return app.at(int(now))
        account = self.stranger if "/accounts/" in route else self.me
        codes = self.home.accounts.second_factors.enable(account, secret, app.at(int(now)))
        if route == "/login/code":
            self.browser.cookies["gallery_sign_in"] = self.home.accounts.sign_in(
                self.name, PASSWORD, HOME
            ).token
        return codes[0]

    def credential(self, route: str) -> str:
        """Start what the route finishes with a passkey; return what the browser sends."""
        passkeys, authenticator = self.home.accounts.passkeys, Authenticator()
        if route == "/login/passkey":
            add_passkey(self.home.accounts, self.me, PARTY, authenticator)
            challenge = passkeys.start_sign_in(PARTY, address="192.0.2.1")
            response = authenticator.sign(challenge.options, PARTY.origin)
        else:
            challenge = passkeys.start_adding(self.me, PARTY)
            response = authenticator.create(challenge.options, PARTY.origin)
        self.browser.cookies["gallery_challenge"] = challenge.token
        return response

    def path(self, route: str) -> str:
        accounts = self.home.accounts
        if "/passkeys/" in route:
            add_passkey(accounts, self.me, PARTY, Authenticator())
            return route.replace("<public_id>", accounts.passkeys.all(self.me)[0].public_id)
        if route.endswith("/jobs/resume"):
            self.home.gallery.jobs.pause(TaskKind.CAPTION)
        if "/trash" in route:
            self.home.gallery.for_viewer(Viewer(self.me.id)).delete(self.image.public_id)
        [key], [mine] = accounts.keys(self.stranger), accounts.keys(self.me)
        targets = {
            "/images/": self.image.public_id,
            "/trash/": self.image.public_id,
            "/webhooks/": self.webhook.public_id,
            "/albums/": self.album.public_id,
            "/shared/": self.share.public_id,
            "/shares/": self.share.public_id,
            "/accounts/": self.stranger.public_id,
            "/sessions/": accounts.sessions(self.me)[0].public_id,
            "/keys/": mine.public_id,
        }
        target = next((found for part, found in targets.items() if part in route), "")
        path = route.replace("<public_id>", target).replace("<key_id>", key.public_id)
        return path.replace("<name>", self.stranger_name)

    def send(self, method: str, route: str) -> Answer:
        path = self.path(route)
        if "/api/" in route:
            body = {"name": f"new-{self.name}", "password": LONGER} if route.endswith("/accounts") else {}
            body |= {"may": "add"} if "/members/" in route else {}
            trash = {"action": "trash", "ids": [self.image.public_id]}
            body |= {"ids": [self.image.public_id]} if route.endswith("/shares") else {}
            body |= {"kind": "caption"} if "/jobs/" in route else {}
            body |= HOOK if route.endswith("/webhooks") else {}
            body |= trash if route.endswith("/bulk") else {}
            body |= {"undo": [trash]} if route.endswith("/bulk/undo") else {}
            client = self.program if route.startswith("/api/v1/accounts") else self.browser
            return client.send(method, path, body)
        passkey = route in {"/login/passkey", "/account/passkeys"}
        needs_code = "second-factor" in route or route == "/login/code"
        code = self.code(route) if needs_code else ""
        names = {"/login": self.name} | dict.fromkeys(MEMBERS, self.stranger_name)
        fields = {
            "code": code,
            "url": HOOK["url"],
            "photo.failed": "yes",
            "credential": self.credential(route) if passkey else "",
            "secret": self.secret,
            "name": names.get(route, f"new-{self.name}"),
            "may": "add",
            "ids": self.image.public_id,
            "all": "1",
            "contents": "20 9999-12-31",  # of the trash
            "kind": "caption",
            "password": PASSWORD,
            "old": PASSWORD,
            "new": LONGER,
            "again": LONGER,
            "label": "script",
            "scope_read": "yes",
            "role": "administrator",
            "address": f"{self.name}@example.org",
        }
        return self.browser.submit("/account", path, **fields)


CHANGES = [(route, event) for route, event in EVENTS.items() if event is not None]


@pytest.mark.parametrize(
    ("number", "route", "event"),
    [(number, *change) for number, change in enumerate(CHANGES)],
    ids=[" ".join(route) for route, _ in CHANGES],
)
def test_change_writes_its_event(
    home: Site,
    app: Application,
    caplog: pytest.LogCaptureFixture,
    number: int,
    route: tuple[str, str],
    event: SecurityEvent,
) -> None:
    """The row and the JSON line say who, what, whom and from which address; neither holds a secret."""
    scene = Scene(home, app, number)
    last = max((entry.id for entry in home.accounts.log.page()), default=0)
    cookies = set(scene.browser.cookies.values())
    with caplog.at_level(logging.INFO, "imgcore.security"):
        answer = scene.send(*route)
    assert answer.status < 400
    [entry] = [entry for entry in home.accounts.log.page() if entry.id > last]
    [line] = [json.loads(record.getMessage()) for record in caplog.records if record.name == "imgcore.security"]
    assert (event, scene.name, "192.0.2.55") == (entry.event, entry.actor, entry.address)
    for name in ("event", "actor", "subject", "address", "detail"):
        assert getattr(entry, name) == line[name]
    if "/accounts/" in route[1] or "/members" in route[1]:
        assert scene.stranger_name == entry.subject
    shown = set(re.findall(r'(?:class="secret"|<li><code)>([^<]+)<', answer.text))
    shown |= set(re.findall(r"/s/([A-Za-z0-9_-]{32})", answer.text))
    secrets = {PASSWORD, LONGER, *scene.keys, *cookies, *scene.browser.cookies.values(), *shown, scene.secret}
    secrets -= {'""', ""}
    assert [] == [secret for secret in secrets if secret in f"{entry} {line}"]


def guess(app: Application, name: str, address: str) -> int:
    client = Browser(app)
    client.remote = address
    return client.submit("/login", "/login", name=name, password=WRONG).status


def test_failed_sign_in_names_an_account_but_never_what_was_typed_instead(
    home: Site, app: Application, caplog: pytest.LogCaptureFixture
) -> None:
    """People type passwords into the field for the name."""
    with caplog.at_level(logging.INFO, "imgcore.security"):
        for name in ("owner", "my-secret-passphrase"):
            assert 401 == guess(app, name, "192.0.2.77")
    entries = [entry for entry in home.accounts.log.page() if entry.address == "192.0.2.77"]
    assert [(E.SIGN_IN_FAILED, None, None), (E.SIGN_IN_FAILED, None, "owner")] == [
        (entry.event, entry.actor, entry.subject) for entry in entries
    ]
    assert "passphrase" not in caplog.text


def test_delayed_sign_ins_fill_no_rows(home: Site, app: Application, caplog: pytest.LogCaptureFixture) -> None:
    """A flood writes lines, not rows."""
    with caplog.at_level(logging.INFO, "imgcore.security"):
        statuses = [guess(app, "other", "192.0.2.78") for _ in range(9)]
    stored = [entry.event for entry in home.accounts.log.page() if entry.address == "192.0.2.78"]
    events = [json.loads(record.getMessage())["event"] for record in caplog.records]
    assert ([401] * 5 + [429] * 4, [E.SIGN_IN_FAILED] * 5) == (statuses, stored)
    assert [E.SIGN_IN_FAILED] * 5 + [E.SIGN_IN_DELAYED] * 4 == events


def test_wrong_password_in_a_session_is_an_event(home: Site, app: Application) -> None:
    browser = home.browser(app, "owner")
    browser.remote = "192.0.2.79"
    browser.submit("/account", "/account/delete", password=WRONG)
    entry = home.accounts.log.page(name="owner")[0]
    found = (entry.event, entry.actor, entry.subject, entry.address)
    assert (E.CONFIRMATION_FAILED, "owner", "owner", "192.0.2.79") == found


def test_change_by_a_key_names_the_key_by_its_first_characters(home: Site, app: Application) -> None:
    program, image = home.program(app, "owner", "edit"), home.upload("owner")
    assert 204 == program.request("DELETE", f"/api/v1/images/{image.public_id}").status
    entry = home.accounts.log.page(name="owner")[0]
    assert (image.public_id, f"by the API key {program.key[:12]}…") == (entry.subject, entry.detail)


def test_first_administrator_is_an_event(tmp_path: Path) -> None:
    empty = empty_site(tmp_path)
    fields = {"setup_token": empty.accounts.offer_set_up(), "name": "boss", "password": PASSWORD}
    assert 303 == Browser(empty.app()).submit("/setup", "/setup", **fields).status
    [entry] = empty.accounts.log.page()
    empty.database.close()
    assert (E.ACCOUNT_CREATED, "boss", "administrator, by the set-up page") == (
        entry.event,
        entry.subject,
        entry.detail,
    )


def test_page_shows_everything_to_administrators_and_their_own_to_people(home: Site, app: Application) -> None:
    boss, owner = home.browser(app, "boss"), home.browser(app, "owner")
    record = home.accounts.log.record
    record(E.SIGNED_IN, address="192.0.2.90", actor="owner")
    record(E.SIGNED_IN, address="192.0.2.91", actor="other")
    record(E.SETTING_CHANGED, address="192.0.2.92", actor="other", detail="<script>alert(1)</script>")
    page, filtered = (boss.get(path).text for path in ("/security-log", "/security-log?name=owner"))
    assert (True, True, False) == ("192.0.2.90" in page, "192.0.2.91" in page, "<script>alert" in page)
    for text in (filtered, owner.get("/account").text):
        assert (True, False) == ("192.0.2.90" in text, "192.0.2.91" in text)


def test_page_of_the_log_leads_to_older_events(home: Site, app: Application) -> None:
    for number in range(101):
        home.accounts.log.record(E.SIGNED_IN, address=f"number-{number}", actor="boss")
    boss = home.browser(app, "boss")
    first = boss.get("/security-log?name=boss").text
    older = re.search(r'href="(/security-log\?[^"]+)">Older', first)[1].replace("&amp;", "&")
    assert [True, False] == ["from number-0<" in page for page in (boss.get(older).text, first)]


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "1.5", "٣"])
def test_malformed_page_of_the_log_is_refused(home: Site, app: Application, before: str) -> None:
    assert 422 == home.browser(app, "boss").get(f"/security-log?before={before}").status


def test_event_that_cannot_be_stored_is_still_printed(
    home: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The action has happened: its response must not be an error."""

    def away(*args: object, **kwargs: object) -> None:
        raise Unavailable("The database cannot be reached just now.")

    monkeypatch.setattr(type(home.accounts.store), "add_event", away)
    with caplog.at_level(logging.INFO, "imgcore.security"):
        home.accounts.log.record(E.SIGNED_OUT, address="192.0.2.1", actor="owner")
    assert 1 == sum(record.name == "imgcore.security" for record in caplog.records)
