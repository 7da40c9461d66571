"""A page that was made for one account, in a browser in which another has signed in since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.accounts.models import Visibility
from tests.web.peopling import ORIGIN, Site, site
from web.handlers.api import Api
from web.http.auth import PREFIX

PATH = f"{PREFIX}/changes"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Site]:
    """Return a gallery with accounts."""
    found = site(tmp_path)
    yield found
    found.database.close()


def test_every_route_of_the_api_refuses_the_page_of_another_account(home: Site) -> None:
    image = home.upload("other")
    ann, routes = home.browser(home.app(), "other"), 0
    for method, route, _ in Api(home.gallery).routes():
        path = re.sub("<[^>]*>", image.public_id, route)
        if path.endswith("/openapi.yaml"):
            continue
        answer = ann.request(method, path, headers=ORIGIN | {"X-Account": "owner"})
        assert (403, "other_account") == (answer.status, answer.json["code"]), route
        assert "other is signed in now" in answer.json["detail"]
        routes += 1
    assert routes > 60
    assert home.gallery.get(image.public_id).deleted_at is None


def test_page_of_the_session_s_account_and_a_program_are_answered(home: Site) -> None:
    app = home.app()
    assert 200 == home.browser(app, "other").get(PATH, X_Account="other").status
    assert 200 == home.browser(app, "other").get(PATH).status
    assert 200 == home.program(app, "other", "read").get(PATH, X_Account="owner").status


@pytest.mark.parametrize("visibility", Visibility)
def test_page_of_an_account_is_signed_out_where_nobody_is_signed_in(home: Site, visibility: Visibility) -> None:
    """A public gallery too: it would show the list of everybody in a page that names the account."""
    nobody = home.browser(home.app(visibility), None)
    assert 401 == nobody.get(PATH, X_Account="owner").status


def test_pages_name_their_account(home: Site) -> None:
    app = home.app(Visibility.PUBLIC)
    for name, shown in (("owner", "owner"), (None, "")):
        browser = home.browser(app, name)
        for path in ("/", "/about"):
            assert f' data-viewer="{shown}">' in browser.get(path).text
