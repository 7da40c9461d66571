"""A browser that signs in, for the tests of signing in."""

from __future__ import annotations

from tests.web.client import Answer, Client
from tests.web.peopling import PASSWORD, Browser, Site


def sign_in(client: Client, name: str, password: str = PASSWORD, **headers: str) -> Answer:
    """Sign in with the form."""
    token = client.get("/login", **headers).token
    return client.post("/login", {"token": token, "name": name, "password": password}, **headers)


def somebody(home: Site, name: str) -> Browser:
    """A new account, signed in."""
    home.people[name] = home.accounts.add(name, PASSWORD)
    return home.browser(home.app(), name)
