"""The threads of requests with and without a credential, in the server with accounts."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imgcore.accounts.service import Accounts
from imgcore.db.connection import HEAVY_QUERIES, HEAVY_WAITING
from tests.web.peopling import HOME, Site, site
from web.http.cookies import holds_credential
from web.http.filters import may_search
from web.server import (
    ANONYMOUS_POST_THREADS,
    ANONYMOUS_SEARCH_THREADS,
    ANONYMOUS_THREADS,
    SEARCH_THREADS,
    THREADS,
    Server,
    listen,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Held:
    """A server whose sign-in page and sign-ins wait until they are released."""

    site: Site
    port: int
    release: threading.Event
    waiting: threading.Semaphore

    def send(self, method: str, path: str, **headers: str) -> http.client.HTTPConnection:
        """Send a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, b"" if method == "POST" else None, {"Host": "localhost", **headers})
        return connection

    def flood(self, method: str, threads: int) -> list[http.client.HTTPConnection]:
        """Send twice as many requests as there are threads for them; return when each thread has one."""
        sent = [self.send(method, "/login", **FORM) for _ in range(2 * threads)]
        for _ in range(threads):
            assert self.waiting.acquire(timeout=20)
        return sent


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Stopped at the end, whatever happened."""
    found, release, waiting = site(tmp_path), threading.Event(), threading.Semaphore(0)

    def wait(*_: object) -> bool:
        waiting.release()
        release.wait(20)
        return False

    monkeypatch.setattr(Accounts, "is_empty", wait)
    monkeypatch.setattr("web.handlers.login.verified_form", lambda: {"name": str(wait())})
    listener = listen("127.0.0.1", 0)
    server = Server(found.app(), listener)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield Held(found, listener.getsockname()[1], release, waiting)
    release.set()
    server.stop(drain=5)
    thread.join(20)
    found.database.close()


def test_session_does_not_wait_for_requests_without_one(held: Held) -> None:
    session = held.site.accounts.start_session(held.site.people["owner"], HOME)
    flood = held.flood("GET", ANONYMOUS_THREADS) + held.flood("POST", ANONYMOUS_POST_THREADS)

    answer = held.send("GET", "/api/v1/me", Cookie=f"gallery_session={session}").getresponse()
    assert (200, False) == (answer.status, held.release.is_set())

    held.release.set()
    assert {200, 401} == {connection.getresponse().status for connection in flood}


def test_key_does_not_wait_for_requests_without_one(held: Held) -> None:
    key = held.site.accounts.create_key(held.site.people["owner"], "tests", ("read",))
    held.flood("GET", ANONYMOUS_THREADS)

    answer = held.send("GET", "/api/v1/me", Authorization=f"Bearer {key}").getresponse()
    assert (200, False) == (answer.status, held.release.is_set())


def test_pages_without_a_credential_do_not_wait_for_sign_ins(held: Held) -> None:
    held.flood("POST", ANONYMOUS_POST_THREADS)

    answer = held.send("GET", "/static/icon.svg").getresponse()
    assert (200, False) == (answer.status, held.release.is_set())


def test_pages_without_a_credential_do_not_wait_for_searches(held: Held) -> None:
    """Searches of a public gallery wait for the database."""
    searches = [held.send("GET", "/login?q=boat") for _ in range(2 * ANONYMOUS_SEARCH_THREADS)]
    for _ in range(ANONYMOUS_SEARCH_THREADS):
        assert held.waiting.acquire(timeout=20)

    answer = held.send("GET", "/static/icon.svg").getresponse()
    assert (200, False) == (answer.status, held.release.is_set())
    assert not held.waiting.acquire(blocking=False)

    held.release.set()
    assert {200} == {connection.getresponse().status for connection in searches}


def test_signed_in_pages_do_not_wait_for_searches(held: Held) -> None:
    """Any number of searches waits in a line of its own."""
    key = f"Bearer {held.site.accounts.create_key(held.site.people['owner'], 'tests', ('read',))}"
    searches = [held.send("GET", "/login?q=boat", Authorization=key) for _ in range(2 * THREADS)]
    for _ in range(SEARCH_THREADS):
        assert held.waiting.acquire(timeout=20)

    answer = held.send("GET", "/api/v1/me", Authorization=key).getresponse()
    assert (200, False) == (answer.status, held.release.is_set())
    assert not held.waiting.acquire(blocking=False)

    held.release.set()
    assert {200} == {connection.getresponse().status for connection in searches}


def test_search_that_has_waited_too_long_is_refused(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.server.SEARCH_WAIT", -1.0)
    answer = held.send("GET", "/api/v1/images?q=boat").getresponse()
    assert (429, "2", "busy") == (answer.status, answer.headers["Retry-After"], json.load(answer)["code"])
    assert 200 == held.send("GET", "/static/icon.svg").getresponse().status


@pytest.mark.parametrize(
    ("query", "costly"),
    [
        ("q=boat", True),
        ("cursor=x&tag=cat", True),
        ("%71=boat", True),
        ("%75%70%6c%6f%61%64%65%64%5f%66%72%6f%6d=2026", True),  # uploaded_from
        ("offset=20000", True),
        ("offset=10001&limit=500", True),
        ("offset=10000&limit=500", False),
        ("offset=1%30001", True),
        ("q=&offset=0", False),
        ("cursor=q&next=%2F%3Fq%3Dboat", False),
        ("", False),
        ("&".join(["q=boat"] * 65), False),
        ("%" * 16_000, False),
    ],
)
def test_queries_that_may_search(query: str, costly: bool) -> None:
    assert costly is may_search("/", query)


@pytest.mark.parametrize(
    ("path", "costly"), [("/tags", True), ("/api/v1/tags", True), ("/", False), ("/login", False)]
)
def test_pages_that_count_all_photos_are_searches(path: str, costly: bool) -> None:
    assert costly is may_search(path, "")


@pytest.mark.parametrize(
    ("header", "held"),
    [
        ("gallery_session=x", True),
        ("a=b; __Host-gallery=x", True),
        ("gallery_device=x", True),
        ("__Host-gallery_device=x; a=b", True),
        ("gallery_form=x; gallery_sign_in=x; gallery_challenge=x", False),
        ("__Host-gallery_form=x", False),
        ("", False),
    ],
)
def test_cookies_of_sessions_and_known_browsers_are_credentials(header: str, held: bool) -> None:
    assert held is holds_credential(header)


def test_searches_that_run_or_wait_leave_two_threads_to_other_requests() -> None:
    assert THREADS - 2 >= HEAVY_QUERIES + HEAVY_WAITING
