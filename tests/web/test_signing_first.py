"""The first administrator, the pages before there is one, and the last one, who stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.accounts.models import Role
from tests.web.peopling import PASSWORD, Browser, Site, empty_site
from tests.web.signing_tools import sign_in


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    """Return an application without accounts."""
    found = empty_site(tmp_path)
    yield found
    found.database.close()


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
