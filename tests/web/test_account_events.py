"""The security events that the account page shows."""

from __future__ import annotations

from typing import NoReturn

import pytest

from imgcore.accounts.models import Role
from imgcore.accounts.security_log import SecurityEvent as E
from imgcore.db import accounts
from imgcore.errors import Unavailable
from tests.web.client import Answer
from tests.web.peopling import PASSWORD, Site
from web.app import Application


def page_of(home: Site, app: Application, name: str) -> str:
    home.people[name] = home.accounts.add(name, PASSWORD, Role.PERSON)
    return home.browser(app, name).get("/account").text


@pytest.mark.parametrize("name", ["notifications", "caption", "thumbnail"])
def test_account_page_shows_no_events_of_a_setting_with_the_accounts_name(
    home: Site, app: Application, name: str
) -> None:
    record = home.accounts.log.record
    page_of(home, app, name)
    record(E.SETTING_CHANGED, address="192.0.2.93", actor="other", subject=name, detail="stopped")
    record(E.TASKS_PAUSED, address="192.0.2.94", actor="boss", subject=name)
    record(E.SIGNED_IN, address="192.0.2.95", actor=name)
    page = home.browser(app, name).get("/account").text
    assert [False, False, True] == [f"192.0.2.{number}" in page for number in (93, 94, 95)]


def test_account_page_shows_no_events_of_a_deleted_account(home: Site, app: Application) -> None:
    home.accounts.log.record(E.SIGNED_IN, address="192.0.2.96", actor="ada")
    home.accounts.log.record(E.ACCOUNT_DELETED, address="192.0.2.96", actor="ada", subject="ada")
    past = "UPDATE security_events SET at = {ago:minute} WHERE address = '192.0.2.96'"
    home.database.run(lambda tx: tx.execute(past, minute=60_000_000))
    assert "192.0.2.96" not in page_of(home, app, "ada")


def test_account_page_shows_what_administrators_change(home: Site, app: Application) -> None:
    boss, account = home.browser(app, "boss"), home.people["owner"]
    boss.remote = "192.0.2.97"
    path = f"/accounts/{account.public_id}"
    assert 303 == boss.submit(path, f"{path}/quota", images="7", password=PASSWORD).status
    page = home.browser(app, "owner").get("/account").text
    assert ("192.0.2.97" in page, "quota: images 7" in page) == (True, True)


def delete(home: Site, app: Application, name: str, way: str) -> Answer:
    """Send the request for the deletion of an account."""
    path = f"/accounts/{home.people[name].public_id}"
    if way == "api":
        return home.program(app, "boss", "admin").request("DELETE", f"/api/v1{path}")
    if way == "administrator":
        return home.browser(app, "boss").submit(path, f"{path}/delete", password=PASSWORD)
    return home.browser(app, name).submit("/account", "/account/delete", password=PASSWORD)


@pytest.mark.parametrize(("way", "actor"), [("api", "boss"), ("administrator", "boss"), ("self", "owner")])
def test_deletion_of_an_account_that_fails_on_its_way_has_its_entry(
    home: Site, app: Application, monkeypatch: pytest.MonkeyPatch, way: str, actor: str
) -> None:
    def away(*args: object, **kwargs: object) -> NoReturn:
        raise Unavailable("The database cannot be reached just now.")

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "change_in_slices", away)
        assert delete(home, app, "owner", way).status == 503
    entries = home.accounts.log.page(name="owner")
    assert [(E.ACCOUNT_DELETED, actor)] == [(each.event, each.actor) for each in entries]


@pytest.mark.parametrize("way", ["api", "administrator", "self"])
def test_deletion_of_an_account_that_is_refused_has_no_entry(home: Site, app: Application, way: str) -> None:
    assert delete(home, app, "boss", way).status == 409
    assert E.ACCOUNT_DELETED not in [each.event for each in home.accounts.log.page()]
